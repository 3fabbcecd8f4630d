//! One calendar object before it is written: what is drawn, and what a change changes.

mod text;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike};

use super::super::generate::Draw;
use super::zones::Zone;
use super::{NOW, once_in, one, people, rules};

/// Occurrences of a series of which some are left out or replaced.
const SLOTS: u16 = 1_200;
/// The evenings before clocks change, somewhere.
const EVES: &[&str] =
    &["2025-10-25", "2026-03-07", "2026-03-28", "2026-10-03", "2026-10-24", "2026-10-31"];

/// What is drawn of an object. Times are on the wall clock of its zone, before `later`.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) uid: String,
    zone: Zone,
    kind: Kind,
    start: NaiveDateTime,
    minutes: i64,
    rule: Option<(&'static str, End)>,
    except: Vec<(Form, NaiveDateTime)>,
    extra: Vec<(Form, NaiveDateTime)>,
    replaced: Vec<Replaced>,
    people: String,
    /// STATUS, TRANSP, CLASS and the like.
    facts: String,
    sequence: u32,
    /// How much later everything is, in minutes.
    later: i64,
    synchronised: bool,
}

/// How an event says when and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// DTSTART and DTEND.
    Ends,
    /// DTSTART and DURATION in hours and minutes, or in whole days.
    Lasts,
    LastsDays,
    /// DTSTART alone.
    Begins,
    /// Days instead of times.
    AllDay,
}

/// Where a rule ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Never,
    Count(usize),
    /// UNTIL in UTC, at a slot or somewhat later.
    At(NaiveDateTime),
    SoonAfter(NaiveDateTime),
    /// UNTIL as a time without a zone, or as a day.
    Local(NaiveDateTime),
    Day(NaiveDate),
}

/// How a slot is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Local,
    Utc,
    Day,
    Period,
}

/// What stands in for one occurrence, or for it and all later ones.
#[derive(Clone, Debug)]
struct Replaced {
    slot: NaiveDateTime,
    form: Form,
    future: bool,
    to: NaiveDateTime,
    minutes: i64,
    people: String,
    facts: &'static str,
    sequence: u32,
}

impl Plan {
    /// Draws one.
    pub(super) fn draw(draw: &mut Draw, number: usize, seed: u64) -> Self {
        let zone = Zone::draw(draw);
        let kind = match draw.below(16) {
            0..=8 => Kind::Ends,
            9..=11 => Kind::Lasts,
            12 => Kind::LastsDays,
            13 => Kind::Begins,
            _ => Kind::AllDay,
        };
        let mut plan = Self {
            uid: format!("{number:05}-{seed:x}@series.example"),
            zone,
            kind,
            start: start(draw, kind),
            minutes: one(draw, &[15, 30, 45, 60, 60, 90, 150, 600]),
            rule: None,
            except: Vec::new(),
            extra: Vec::new(),
            replaced: Vec::new(),
            people: people::lines(draw),
            facts: facts(draw),
            sequence: u32::try_from(draw.below(9)).unwrap(),
            later: 0,
            synchronised: true,
        };
        if !once_in(draw, 6) {
            plan.recur(draw);
        }
        plan
    }

    /// Makes it a series.
    fn recur(&mut self, draw: &mut Draw) {
        let rule = match rules::rule(draw) {
            rules::HALF_DAYS if self.kind == Kind::AllDay => "FREQ=DAILY",
            rule => rule,
        };
        let slots = rules::slots(rule, self.start, SLOTS);
        self.synchronised = !once_in(draw, 25);
        if self.synchronised {
            self.start = slots[0];
        }
        let last = slots[usize::try_from(draw.below(60)).unwrap().min(slots.len() - 1)];
        let end = match (draw.below(4), self.kind, self.zone) {
            (0, ..) => End::Count(1 + usize::try_from(draw.below(40)).unwrap()),
            (1, Kind::AllDay, _) => End::Day(last.date()),
            (1, _, Zone::Floating) => End::Local(last),
            (1, _, zone) if zone.utc(last).is_some() => End::At(last),
            (1, ..) => End::SoonAfter(last),
            (2, kind, zone) if kind != Kind::AllDay && !matches!(zone, Zone::Floating) => {
                match draw.below(8) {
                    0 => End::Day(last.date()),
                    _ => End::SoonAfter(last),
                }
            }
            _ => End::Never,
        };
        self.rule = Some((rule, end));
        self.exceptions(draw, &slots);
    }

    /// Leaves some occurrences out, adds and replaces others.
    fn exceptions(&mut self, draw: &mut Draw, slots: &[NaiveDateTime]) {
        let now = NaiveDateTime::parse_from_str(NOW, "%Y-%m-%dT%H:%M:%SZ").unwrap();
        let (from, to) = (now - TimeDelta::days(400), now + TimeDelta::days(120));
        let mut near: Vec<_> = slots.iter().filter(|at| from < **at && **at < to).collect();
        near.truncate(60);
        let mut pick = |draw: &mut Draw| {
            let place = usize::try_from(draw.below(near.len() as u64)).unwrap();
            (!near.is_empty()).then(|| *near.remove(place))
        };
        for _ in 0..draw.below(4) {
            let form = match self.form(draw) {
                // A day would leave out two, and what replaces the other.
                Form::Day if self.twice_a_day() => Form::Local,
                form => form,
            };
            self.except.extend(pick(draw).map(|slot| (form, slot)));
        }
        for _ in 0..draw.below(8).saturating_sub(5) {
            let Some(slot) = pick(draw) else { break };
            // No zone is so far from UTC: the Python libraries mix up what is.
            let later = [0, 5 * 60 + 20, 74 * 60 + 40];
            let (form, minutes) = (self.form(draw), one(draw, &later));
            let form = match form {
                Form::Day if self.kind != Kind::AllDay => Form::Period,
                form => form,
            };
            let minutes = if self.kind == Kind::AllDay { 24 * 60 } else { minutes };
            self.extra.push((form, slot + TimeDelta::minutes(minutes)));
        }
        // How far an hour that is skipped is moved, nobody says.
        let future = once_in(draw, 6) && self.start.hour() > 3;
        for place in 0..draw.below(4) {
            let Some(slot) = pick(draw) else { break };
            let replaced = self.replace(draw, slot);
            self.replaced.push(Replaced { future: future && place == 0, ..replaced });
        }
    }

    fn twice_a_day(&self) -> bool {
        matches!(self.rule, Some((rules::HALF_DAYS, _)))
    }

    /// How to name a slot so that the naming is exact.
    fn form(&self, draw: &mut Draw) -> Form {
        if self.kind == Kind::AllDay {
            return Form::Day;
        }
        match draw.below(3) {
            0 if self.zone.utc(self.start).is_some() => Form::Utc,
            1 => Form::Day,
            _ => Form::Local,
        }
    }

    /// A replacement of a slot: moved or called off.
    fn replace(&self, draw: &mut Draw, slot: NaiveDateTime) -> Replaced {
        let form = match self.form(draw) {
            Form::Day if self.kind != Kind::AllDay && !once_in(draw, 8) => Form::Local,
            form => form,
        };
        let minutes = match self.kind {
            Kind::AllDay => one(draw, &[0, 24 * 60]),
            _ => one(draw, &[0, 30, 90, -60, 24 * 60 + 15, -48 * 60]),
        };
        Replaced {
            slot,
            form,
            future: false,
            to: slot + TimeDelta::minutes(minutes),
            minutes: one(draw, &[self.minutes, 20, 120]),
            people: if once_in(draw, 2) { self.people.clone() } else { people::lines(draw) },
            facts: one(
                draw,
                &["", "", "", "STATUS:CANCELLED|", "STATUS:TENTATIVE|", "TRANSP:TRANSPARENT|"],
            ),
            sequence: one(draw, &[0, self.sequence, self.sequence, self.sequence + 3]),
        }
    }

    /// Changes it as people do.
    pub(super) fn change(&mut self, draw: &mut Draw) {
        self.sequence += 1;
        let next = self.rule.as_ref().filter(|_| self.replaced.is_empty()).and_then(|(rule, _)| {
            let slots = rules::slots(rule, self.start, 8);
            slots.into_iter().find(|slot| !self.except.iter().any(|(_, left)| left == slot))
        });
        match (draw.below(4), next) {
            (0, Some(slot)) => {
                let replaced = self.replace(draw, slot);
                let form = if self.kind == Kind::AllDay { Form::Day } else { Form::Local };
                self.replaced.push(Replaced { form, ..replaced });
            }
            (0 | 1, _) if self.kind != Kind::AllDay && self.start.hour() < 21 => self.later += 15,
            (2, _) => self.facts = "STATUS:CANCELLED|".to_owned(),
            _ => self.people = people::declined(&self.people),
        }
    }

    /// Why the Python libraries read it otherwise.
    pub(super) fn differs(&self) -> Option<&'static str> {
        let timed = self.kind != Kind::AllDay;
        let counted = matches!(self.rule, Some((_, End::Count(_))));
        if counted && !self.synchronised {
            return Some("COUNT does not count a DTSTART that the rule has not");
        }
        if timed && matches!(self.rule, Some((_, End::Day(_)))) {
            return Some("a day as UNTIL of a series with times ends at its beginning");
        }
        if timed && self.replaced.iter().any(|replaced| replaced.form == Form::Day) {
            return Some("a day as RECURRENCE-ID of a series with times names nothing");
        }
        if timed && self.may_be_skipped() {
            return Some("the skipped hour of a VTIMEZONE counts by the offset after the gap");
        }
        None
    }

    /// Whether a time may lie in the hour that the clock of a defined zone skips.
    fn may_be_skipped(&self) -> bool {
        let Some(gap) = self.zone.gap() else { return false };
        let replaced = self.replaced.iter().map(|replaced| (replaced.to, replaced.minutes));
        let extra = self.extra.iter().map(|(_, at)| (*at, self.minutes));
        let mut times = replaced.chain(extra).chain([(self.start, self.minutes)]);
        times.any(|(start, minutes)| {
            [self.later, self.later + minutes].iter().any(|minutes| {
                let after = (start + TimeDelta::minutes(*minutes)).time() - gap;
                after >= TimeDelta::zero() && after < TimeDelta::hours(1)
            })
        })
    }
}

/// When it begins: mostly by day, often at hours that clocks skip or repeat.
fn start(draw: &mut Draw, kind: Kind) -> NaiveDateTime {
    let now: NaiveDateTime = NaiveDateTime::parse_from_str(NOW, "%Y-%m-%dT%H:%M:%SZ").unwrap();
    let back = i64::try_from(draw.below(1_000)).unwrap() - 100;
    let day = match once_in(draw, 5) {
        true => one(draw, EVES).parse().unwrap(),
        false => (now - TimeDelta::days(back)).date(),
    };
    let (hour, minute) = match (kind, once_in(draw, 3)) {
        (Kind::AllDay, _) => (0, 0),
        (_, true) => one(draw, &[(0, 30), (1, 0), (1, 30), (2, 0), (2, 30), (2, 45), (3, 0)]),
        (_, false) => one(draw, &[(8, 0), (9, 0), (9, 30), (11, 15), (14, 0), (17, 30), (22, 0)]),
    };
    day.and_hms_opt(hour, minute, 0).unwrap()
}

fn facts(draw: &mut Draw) -> String {
    let status =
        one(draw, &["", "", "STATUS:CONFIRMED|", "STATUS:TENTATIVE|", "STATUS:CANCELLED|"]);
    let free = one(draw, &["", "", "TRANSP:OPAQUE|", "TRANSP:OPAQUE|", "TRANSP:TRANSPARENT|"]);
    let class = one(draw, &["", "", "", "CLASS:PUBLIC|", "CLASS:PRIVATE|", ""]);
    format!("{status}{free}{class}")
}
