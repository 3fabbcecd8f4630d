//! Lays the events of one UID over each other: the series, and what replaces its occurrences.
//!
//! An override belongs to the occurrence that its RECURRENCE-ID names, as an instant, whatever its
//! SEQUENCE (Google and Exchange count those apart). It stands by itself: it counts where it now
//! is, and also if its series is not there, as in an invitation to a single occurrence, or has no
//! such occurrence; only what the series leaves out by an EXDATE stays out.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};

use super::event::{Event, Range};
use super::recur::{self, Effort};
use super::time::{Length, Slot};
use super::{Instance, MAX_INSTANCES, Problem, Scope, Standing};
use crate::model::{Meeting, Timestamp};

/// How far the window is widened on the wall clock, so that no change of it loses an occurrence.
const MARGIN: TimeDelta = TimeDelta::days(2);

/// The furthest that an override of all later occurrences can move them.
const MAX_SHIFT: TimeDelta = TimeDelta::days(366);

/// The occurrences of a UID that begin in the window, in order.
pub(super) fn instances(
    uid: &str,
    events: Vec<Event>,
    window: (Timestamp, Timestamp),
    scope: Scope,
    effort: &mut Effort,
    problems: &mut Vec<Problem>,
) -> Vec<Instance> {
    let (overrides, masters): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|event| event.replaces.is_some());
    let master = masters.into_iter().max_by_key(|event| event.version);
    let mut overrides = Overrides::of(overrides, master.as_ref());
    let mut found = match &master {
        Some(master) if master.recurs() => {
            let except = Exceptions::of(master);
            overrides.single.retain(|slot, _| !except.contains(*slot));
            let wanted = scope == Scope::Everything
                || overrides.standings(master).any(|standing| standing == Standing::Meeting);
            let around = if wanted { around(master, &overrides, window) } else { None };
            let slots = around.map(|around| slots(master, &except, around, effort, problems));
            let kept = slots.unwrap_or_default().into_iter();
            kept.filter(|(slot, _)| !overrides.single.contains_key(slot))
                .map(|(slot, length)| overrides.occurrence(master, slot, length))
                .collect()
        }
        Some(master) if !overrides.single.contains_key(&master.starts_at) => {
            vec![Occurrence::of(None, master)]
        }
        _ => Vec::new(),
    };
    found.extend(overrides.single.iter().map(|(slot, event)| Occurrence::of(Some(*slot), event)));
    found.retain(|one| window.0 <= one.starts_at && one.starts_at < window.1);
    found.retain(|one| scope == Scope::Everything || one.event.standing == Standing::Meeting);
    found.sort_by_key(|one| (one.starts_at, one.recurrence_at));
    if found.len() > MAX_INSTANCES {
        problems.push(Problem::TooManyInstances);
        found.truncate(MAX_INSTANCES);
    }
    found.into_iter().map(|one| one.instance(uid)).collect()
}

/// An occurrence of an event.
struct Occurrence<'e> {
    recurrence_at: Option<Timestamp>,
    starts_at: Timestamp,
    length: Length,
    event: &'e Event,
}

impl<'e> Occurrence<'e> {
    /// The event where it says that it is.
    fn of(recurrence_at: Option<Timestamp>, event: &'e Event) -> Self {
        Self { recurrence_at, starts_at: event.starts_at, length: event.length, event }
    }

    fn instance(self, uid: &str) -> Instance {
        let meeting = Meeting {
            uid: uid.to_owned(),
            recurrence_at: self.recurrence_at,
            starts_at: self.starts_at,
            ends_at: self.length.after(self.starts_at, &self.event.zone),
            status: self.event.status,
            attendees: self.event.attendees.clone(),
        };
        Instance { meeting, standing: self.event.standing }
    }
}

/// What replaces occurrences, by the instant at which the rule put them.
struct Overrides {
    /// What replaces just that one.
    single: BTreeMap<Timestamp, Event>,
    /// What replaces the later ones too.
    lasting: BTreeMap<Timestamp, Event>,
}

impl Overrides {
    /// Of several for one occurrence the highest version holds, and of equal ones the last.
    fn of(mut events: Vec<Event>, master: Option<&Event>) -> Self {
        events.sort_by_key(|event| event.version);
        let mut overrides = Self { single: BTreeMap::new(), lasting: BTreeMap::new() };
        for event in events {
            let Some((slot, range)) = slot_of(&event, master) else { continue };
            if range == Range::ThisAndFuture {
                overrides.lasting.insert(slot, event.clone());
            }
            overrides.single.insert(slot, event);
        }
        overrides
    }

    /// What occurrences of the series may count as.
    fn standings(&self, master: &Event) -> impl Iterator<Item = Standing> {
        let lasting = self.lasting.values().map(|event| event.standing);
        std::iter::once(master.standing).chain(lasting)
    }

    /// The occurrence in a slot: as the series has it, or as an override of earlier ones that
    /// lasts. That moves it as far on the wall clock as the one that it names (RFC 5545, 3.2.13).
    fn occurrence<'e>(
        &'e self,
        master: &'e Event,
        slot: Timestamp,
        length: Option<Length>,
    ) -> Occurrence<'e> {
        let recurrence_at = Some(slot);
        let Some((named, event)) = self.lasting.range(..slot).next_back() else {
            let length = length.unwrap_or(master.length);
            return Occurrence { recurrence_at, starts_at: slot, length, event: master };
        };
        let moved = shift(master, *named, event)
            .and_then(|shift| master.zone.local(slot)?.checked_add_signed(shift))
            .and_then(|local| master.zone.instant(local));
        let (starts_at, length) = (moved.unwrap_or(slot), length.unwrap_or(event.length));
        Occurrence { recurrence_at, starts_at, length, event }
    }

    /// How far occurrences are moved at the most.
    fn furthest(&self, master: &Event) -> TimeDelta {
        let shifts = self.lasting.iter().filter_map(|(named, event)| shift(master, *named, event));
        shifts.map(|shift| shift.abs().min(MAX_SHIFT)).max().unwrap_or_default()
    }
}

/// How far an override moves the occurrence that it names, on the wall clock of the series.
fn shift(master: &Event, named: Timestamp, event: &Event) -> Option<TimeDelta> {
    Some(master.zone.local(event.starts_at)? - master.zone.local(named)?)
}

/// The instant that an override names, and how far it goes. A day stands for the occurrence on it,
/// which has the series' time of day.
fn slot_of(event: &Event, master: Option<&Event>) -> Option<(Timestamp, Range)> {
    let replaced = event.replaces?;
    let series = master.unwrap_or(event);
    let slot = match series.named(replaced.slot) {
        Slot::At(at) => at,
        Slot::On(day) => on(series, day)?,
    };
    Some((slot, replaced.range))
}

/// The time of day of a series on some day.
fn on(series: &Event, day: chrono::NaiveDate) -> Option<Timestamp> {
    series.zone.instant(day.and_time(series.start.time()))
}

/// The instants of a series around the window, in order, without those it leaves out; with their
/// length if it is not that of the series.
fn slots(
    master: &Event,
    except: &Exceptions<'_>,
    around: (NaiveDateTime, NaiveDateTime),
    effort: &mut Effort,
    problems: &mut Vec<Problem>,
) -> Vec<(Timestamp, Option<Length>)> {
    let mut starts = vec![master.start];
    for rule in &master.rules {
        let expansion = recur::expand(master.start, &master.zone, rule, around, effort);
        starts.extend(expansion.starts);
        problems.extend(expansion.problem);
    }
    let ruled = starts.iter().filter_map(|start| Some((master.zone.instant(*start)?, None)));
    let extra = master.extra.iter().filter_map(|(slot, length)| match master.named(*slot) {
        Slot::At(at) => Some((at, *length)),
        Slot::On(day) => Some((on(master, day)?, *length)),
    });
    let mut slots: Vec<_> = ruled.chain(extra).collect();
    slots.sort_by_key(|(slot, length)| (*slot, length.is_none()));
    slots.dedup_by_key(|(slot, _)| *slot);
    slots.retain(|(slot, _)| !except.contains(*slot));
    slots
}

/// The window on the wall clock of the series, as much wider as something may move into it.
fn around(
    master: &Event,
    overrides: &Overrides,
    window: (Timestamp, Timestamp),
) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let margin = MARGIN + overrides.furthest(master);
    let from = master.zone.local(window.0)?.checked_sub_signed(margin)?;
    let to = master.zone.local(window.1)?.checked_add_signed(margin)?;
    Some((from, to))
}

/// The occurrences that a series leaves out, sorted.
struct Exceptions<'e> {
    master: &'e Event,
    slots: Vec<Slot>,
}

impl<'e> Exceptions<'e> {
    fn of(master: &'e Event) -> Self {
        let mut slots: Vec<_> = master.except.iter().map(|slot| master.named(*slot)).collect();
        slots.sort_unstable();
        Self { master, slots }
    }

    /// Whether a slot is left out, by its instant or by its day in the zone of the series.
    fn contains(&self, slot: Timestamp) -> bool {
        let day = self.master.zone.local(slot).map(|local| Slot::On(local.date()));
        self.slots.binary_search(&Slot::At(slot)).is_ok()
            || day.is_some_and(|day| self.slots.binary_search(&day).is_ok())
    }
}
