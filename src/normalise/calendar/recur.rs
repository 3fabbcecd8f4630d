//! Expands a recurrence rule within a window, on the wall clock.
//!
//! rrule does the expansion, given the wall clock as if it were UTC: so its arithmetic never meets
//! a change to summer time. UNTIL and the window's end are kept here. Guarantees bounded work for
//! any rule: rules by the minute or second are refused (no meeting recurs so), a rule without
//! COUNT is joined near the window instead of at its beginning, and steps are counted against an
//! allowance for the whole object.

use std::panic::{AssertUnwindSafe, catch_unwind};

use calcard::common::CalendarScale;
use calcard::icalendar::ICalendarWeekday;
use calcard::icalendar::{ICalendarDay, ICalendarFrequency, ICalendarRecurrenceRule};
use chrono::{Month, NaiveDateTime, TimeDelta, TimeZone, Weekday};
use rrule::{Frequency, NWeekday, RRule, Unvalidated};

use super::zone::{self, Zone};
use super::{MAX_INSTANCES, Problem};

/// Steps (days, weeks … looked at) that one rule may take, and what an impossible rule costs
/// before rrule gives up on it.
const MAX_STEPS: i64 = 100_000;

/// Occurrences on one day that a rule may name: rrule makes those of a whole year at once.
const MAX_TIMES_A_DAY: usize = 96;

/// Occurrences after which to stop: those that are kept, and what the margins of the window may
/// hold besides.
const ENOUGH: usize = MAX_INSTANCES + 5 * MAX_TIMES_A_DAY;

/// Values that a rule may list in all.
const MAX_VALUES: usize = 1_000;

/// What the rules of one object may cost together, in steps; about a second.
#[derive(Debug)]
pub(super) struct Effort {
    left: i64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { left: 40 * MAX_STEPS }
    }
}

/// What a rule gives within a window.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expansion {
    /// The occurrences on the wall clock, in order, without those before the window; not all of
    /// them if they are more than [`MAX_INSTANCES`] by far.
    pub(super) starts: Vec<NaiveDateTime>,
    /// Why they are not all.
    pub(super) problem: Option<Problem>,
}

/// The occurrences of `rule` from `window.0` to `window.1` for an event that begins at `start`,
/// all on the wall clock of `zone`. The beginning itself is one of them only if the rule says so.
pub(super) fn expand(
    start: NaiveDateTime,
    zone: &Zone,
    rule: &ICalendarRecurrenceRule,
    window: (NaiveDateTime, NaiveDateTime),
    effort: &mut Effort,
) -> Expansion {
    let bad = Expansion { starts: Vec::new(), problem: Some(Problem::BadRule) };
    let Some(step) = step(rule) else { return bad };
    let end = until(rule, zone).map_or(window.1, |until| until.min(window.1));
    if end < start {
        return Expansion::default();
    }
    let joined = join(start, window.0, rule, step);
    let steps = (end - joined).num_seconds() / step.num_seconds().max(1) + 1;
    if steps > MAX_STEPS || effort.left <= 0 || values(rule) > MAX_VALUES {
        return bad;
    }
    let run = Run { start, joined, from: window.0, end, step };
    let (expansion, cost) = catch_unwind(AssertUnwindSafe(|| run.collect(rule)))
        .unwrap_or((Expansion { starts: Vec::new(), problem: Some(Problem::Panicked) }, MAX_STEPS));
    effort.left -= cost.max(1);
    expansion
}

/// One expansion: where it begins, joins, is listened to and ends.
struct Run {
    start: NaiveDateTime,
    joined: NaiveDateTime,
    from: NaiveDateTime,
    end: NaiveDateTime,
    step: TimeDelta,
}

impl Run {
    /// Follows the rule to the end; with what it cost in steps.
    fn collect(&self, rule: &ICalendarRecurrenceRule) -> (Expansion, i64) {
        let first = rrule::Tz::UTC.from_utc_datetime(&self.joined);
        let mut expansion = Expansion::default();
        let Ok(set) = translate(rule).and_then(|rule| rule.build(first).ok()).ok_or(()) else {
            expansion.problem = Some(Problem::BadRule);
            return (expansion, 1);
        };
        let set = set.limit();
        let mut counted = 0u32;
        let mut reached = self.joined;
        for at in &set {
            reached = at.naive_utc();
            // The beginning counts as the first occurrence even where the rule has it not.
            counted += if counted == 0 && reached != self.start { 2 } else { 1 };
            let over = rule.count.is_some_and(|count| counted > count);
            if reached > self.end || over {
                return (expansion, self.steps_to(reached));
            }
            if reached < self.from {
                continue;
            }
            expansion.starts.push(reached);
            if expansion.starts.len() >= ENOUGH {
                return (expansion, self.steps_to(reached));
            }
        }
        let used_up = rule.count.is_some_and(|count| counted >= count);
        if used_up {
            return (expansion, self.steps_to(reached));
        }
        // The library looked for another occurrence in vain.
        expansion.problem = Some(Problem::BadRule);
        (expansion, MAX_STEPS)
    }

    /// How many steps it took to come to a date.
    fn steps_to(&self, reached: NaiveDateTime) -> i64 {
        (reached - self.joined).num_seconds() / self.step.num_seconds().max(1)
    }
}

/// The time from one period of the rule to the next, at the shortest; `None` if it is not
/// followed, as those of other calendars than the Gregorian (RFC 7529) are not.
fn step(rule: &ICalendarRecurrenceRule) -> Option<TimeDelta> {
    if rule.rscale.as_ref().is_some_and(|scale| *scale != CalendarScale::Gregorian) {
        return None;
    }
    let times = [&rule.byhour, &rule.byminute, &rule.bysecond]
        .into_iter()
        .map(|list| list.len().max(1))
        .fold(1usize, usize::saturating_mul);
    let hours = if rule.freq == ICalendarFrequency::Hourly { 24 } else { 1 };
    if times.saturating_mul(hours) > MAX_TIMES_A_DAY {
        return None;
    }
    let unit = match rule.freq {
        ICalendarFrequency::Yearly => TimeDelta::days(365),
        ICalendarFrequency::Monthly => TimeDelta::days(28),
        ICalendarFrequency::Weekly => TimeDelta::days(7),
        ICalendarFrequency::Daily => TimeDelta::days(1),
        ICalendarFrequency::Hourly => TimeDelta::hours(1),
        ICalendarFrequency::Minutely | ICalendarFrequency::Secondly => return None,
    };
    unit.checked_mul(i32::from(rule.interval.unwrap_or(1).max(1)))
}

/// A beginning from which the rule gives the same occurrences within the window: whole periods
/// later, for the frequencies whose periods are all of one length on the wall clock. COUNT must be
/// counted from the true beginning.
fn join(
    start: NaiveDateTime,
    from: NaiveDateTime,
    rule: &ICalendarRecurrenceRule,
    step: TimeDelta,
) -> NaiveDateTime {
    let even = matches!(
        rule.freq,
        ICalendarFrequency::Hourly | ICalendarFrequency::Daily | ICalendarFrequency::Weekly
    );
    if !even || rule.count.is_some() {
        return start;
    }
    let periods = (from - start).num_seconds() / step.num_seconds().max(1) - 1;
    i32::try_from(periods)
        .ok()
        .filter(|periods| *periods > 0)
        .and_then(|periods| step.checked_mul(periods))
        .and_then(|ahead| start.checked_add_signed(ahead))
        .unwrap_or(start)
}

/// The last moment at which the rule applies, on the wall clock: UNTIL in UTC, local, or a day
/// that counts to its end.
fn until(rule: &ICalendarRecurrenceRule, zone: &Zone) -> Option<NaiveDateTime> {
    let until = rule.until.as_ref()?;
    let (local, offset_s) = zone::naive(until)?;
    if !until.has_time() {
        return local.date().and_hms_opt(23, 59, 59);
    }
    let Some(offset_s) = offset_s else { return Some(local) };
    let utc = local.checked_sub_signed(TimeDelta::seconds(i64::from(offset_s)))?;
    zone.local(Zone::UTC.instant(utc)?)
}

/// How many values the rule lists.
fn values(rule: &ICalendarRecurrenceRule) -> usize {
    [rule.byday.len(), rule.bymonthday.len(), rule.byyearday.len(), rule.byweekno.len()]
        .into_iter()
        .chain([rule.bymonth.len(), rule.bysetpos.len()])
        .sum()
}

/// The rule in rrule's words, without UNTIL.
fn translate(rule: &ICalendarRecurrenceRule) -> Option<RRule<Unvalidated>> {
    let freq = match rule.freq {
        ICalendarFrequency::Yearly => Frequency::Yearly,
        ICalendarFrequency::Monthly => Frequency::Monthly,
        ICalendarFrequency::Weekly => Frequency::Weekly,
        ICalendarFrequency::Daily => Frequency::Daily,
        ICalendarFrequency::Hourly => Frequency::Hourly,
        ICalendarFrequency::Minutely | ICalendarFrequency::Secondly => return None,
    };
    let months: Option<Vec<Month>> =
        rule.bymonth.iter().map(|month| Month::try_from(month.month()).ok()).collect();
    let mut translated = RRule::new(freq)
        .interval(rule.interval.unwrap_or(1).max(1))
        .by_month(&months?)
        .by_month_day(rule.bymonthday.clone())
        .by_year_day(rule.byyearday.clone())
        .by_week_no(rule.byweekno.clone())
        .by_set_pos(rule.bysetpos.clone())
        .by_weekday(rule.byday.iter().map(|day| nth_weekday(*day, freq)).collect())
        .by_hour(rule.byhour.clone())
        .by_minute(rule.byminute.clone())
        .by_second(rule.bysecond.clone());
    if let Some(count) = rule.count {
        translated = translated.count(count);
    }
    if let Some(start) = rule.wkst {
        translated = translated.week_start(weekday(start));
    }
    Some(translated)
}

/// A weekday of a rule; only months and years have a second Tuesday.
fn nth_weekday(day: ICalendarDay, freq: Frequency) -> NWeekday {
    let counts = matches!(freq, Frequency::Yearly | Frequency::Monthly);
    let nth = day.ordwk.filter(|nth| *nth != 0 && counts);
    NWeekday::new(nth, weekday(day.weekday))
}

fn weekday(day: ICalendarWeekday) -> Weekday {
    match day {
        ICalendarWeekday::Monday => Weekday::Mon,
        ICalendarWeekday::Tuesday => Weekday::Tue,
        ICalendarWeekday::Wednesday => Weekday::Wed,
        ICalendarWeekday::Thursday => Weekday::Thu,
        ICalendarWeekday::Friday => Weekday::Fri,
        ICalendarWeekday::Saturday => Weekday::Sat,
        ICalendarWeekday::Sunday => Weekday::Sun,
    }
}
