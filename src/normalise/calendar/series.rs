//! Lays the events of one UID over each other: the series, and what replaces its occurrences.
//!
//! An override belongs to the occurrence that its RECURRENCE-ID names, as an instant, whatever its
//! SEQUENCE (Google and Exchange count those apart). It stands by itself: it counts where it now
//! is, and also if its series is not there, as in an invitation to a single occurrence.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};

use super::event::{Event, Range, Slot, Standing};
use super::recur::{self, Effort};
use super::{MAX_INSTANCES, Problem, zone};
use crate::model::meeting::Version;
use crate::model::{Meeting, Span, Timestamp};

/// How far the window is widened on the wall clock, so that no change of it loses an occurrence.
const MARGIN: TimeDelta = TimeDelta::days(2);

/// The meetings of a UID that begin in the window, in order.
pub(super) fn meetings(
    uid: &str,
    events: Vec<Event>,
    window: (Timestamp, Timestamp),
    effort: &mut Effort,
    problems: &mut Vec<Problem>,
) -> Vec<Meeting> {
    let (overrides, masters): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|event| event.replaces.is_some());
    let master = masters.into_iter().max_by_key(|event| event.sequence);
    let overrides = Overrides::of(overrides, master.as_ref());
    let mut meetings = match &master {
        Some(master) if master.recurs() => {
            let slots = slots(master, window, effort, problems);
            let kept = slots.into_iter().filter(|slot| !overrides.by_slot.contains_key(slot));
            kept.filter_map(|slot| overrides.occurrence(uid, master, slot)).collect()
        }
        Some(master) if !overrides.by_slot.contains_key(&master.starts_at) => {
            Vec::from_iter(meeting(uid, None, master.starts_at, master))
        }
        _ => Vec::new(),
    };
    let replacements = overrides.by_slot.iter();
    meetings
        .extend(replacements.filter_map(|(slot, ev)| meeting(uid, Some(*slot), ev.starts_at, ev)));
    meetings.retain(|meeting| window.0 <= meeting.starts_at && meeting.starts_at < window.1);
    meetings.sort_by_key(|meeting| (meeting.starts_at, meeting.recurrence_at));
    meetings
}

/// What replaces occurrences, by the instant at which the rule put them.
struct Overrides {
    by_slot: BTreeMap<Timestamp, Event>,
}

impl Overrides {
    /// Of several for one occurrence the highest version holds, and of equal ones the last.
    fn of(mut events: Vec<Event>, master: Option<&Event>) -> Self {
        events.sort_by_key(|event| event.sequence);
        let keyed = events.into_iter().filter_map(|event| Some((slot_of(&event, master)?, event)));
        Self { by_slot: keyed.collect() }
    }

    /// The occurrence in a slot: as the series has it, or as an override of this and later ones.
    fn occurrence(&self, uid: &str, master: &Event, slot: Timestamp) -> Option<Meeting> {
        let earlier = self.by_slot.range(..slot).rev();
        let mut lasting = earlier.filter(|(_, event)| {
            event.replaces.is_some_and(|replaced| replaced.range == Range::ThisAndFuture)
        });
        match lasting.next() {
            Some((from, event)) => {
                meeting(uid, Some(slot), slot + (event.starts_at - *from), event)
            }
            None => meeting(uid, Some(slot), slot, master),
        }
    }
}

/// The instant that an override names. A day stands for the occurrence on it, which has the
/// series' time of day.
fn slot_of(event: &Event, master: Option<&Event>) -> Option<Timestamp> {
    match event.replaces?.slot {
        Slot::At(at) => Some(at),
        Slot::On(day) => {
            let series = master.unwrap_or(event);
            zone::instant(series.zone, day.and_time(series.start.time()))
        }
    }
}

/// The instants of a series around the window, in order, without those it leaves out.
fn slots(
    master: &Event,
    window: (Timestamp, Timestamp),
    effort: &mut Effort,
    problems: &mut Vec<Problem>,
) -> Vec<Timestamp> {
    if master.standing == Standing::LeftOut {
        return Vec::new();
    }
    let mut starts = vec![master.start];
    if let Some(around) = around(master, window) {
        for rule in &master.rules {
            let expansion = recur::expand(master.start, master.zone, rule, around, effort);
            starts.extend(expansion.starts);
            problems.extend(expansion.problem);
        }
    }
    let ruled = starts.iter().filter_map(|start| zone::instant(master.zone, *start));
    let extra = master.extra.iter().filter_map(|slot| match slot {
        Slot::At(at) => Some(*at),
        Slot::On(day) => zone::instant(master.zone, day.and_time(master.start.time())),
    });
    let mut slots: Vec<Timestamp> = ruled.chain(extra).collect();
    slots.sort_unstable();
    slots.dedup();
    let except = Exceptions::of(master);
    slots.retain(|slot| !except.contains(master, *slot));
    let within = |slot: &Timestamp| *slot >= window.0 && *slot < window.1;
    if slots.iter().filter(|slot| within(slot)).count() > MAX_INSTANCES {
        problems.push(Problem::TooManyInstances);
        let mut left = MAX_INSTANCES;
        slots.retain(|slot| {
            let kept = within(slot) && left > 0;
            left -= usize::from(kept);
            kept
        });
    }
    slots
}

/// The window on the wall clock of the series, a little wider.
fn around(
    master: &Event,
    window: (Timestamp, Timestamp),
) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let from = zone::local(master.zone, window.0)?.checked_sub_signed(MARGIN)?;
    let to = zone::local(master.zone, window.1)?.checked_add_signed(MARGIN)?;
    Some((from, to))
}

/// The occurrences that a series leaves out, sorted.
struct Exceptions {
    slots: Vec<Slot>,
}

impl Exceptions {
    fn of(master: &Event) -> Self {
        let mut slots = master.except.clone();
        slots.sort_unstable();
        Self { slots }
    }

    /// Whether a slot is left out, by its instant or by its day in the zone of the series.
    fn contains(&self, master: &Event, slot: Timestamp) -> bool {
        let day = zone::local(master.zone, slot).map(|local| Slot::On(local.date()));
        self.slots.binary_search(&Slot::At(slot)).is_ok()
            || day.is_some_and(|day| self.slots.binary_search(&day).is_ok())
    }
}

/// An event as a meeting; `None` if it is none.
fn meeting(
    uid: &str,
    recurrence_at: Option<Timestamp>,
    starts_at: Timestamp,
    event: &Event,
) -> Option<Meeting> {
    let length = event.length.max(Span::ZERO);
    (event.standing == Standing::Meeting).then(|| Meeting {
        uid: uid.to_owned(),
        recurrence_at,
        starts_at,
        ends_at: starts_at + length,
        status: event.status,
        attendees: event.attendees.clone(),
        version: Version { sequence: event.sequence, modified_at: event.modified_at },
    })
}
