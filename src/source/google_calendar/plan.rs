//! What a pass over a Google calendar asks for, and what it makes of the answers. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Event, Part};
use crate::model::{Cursor, Key, Object, RawItem, Timestamp, window};
use crate::source::web::vcalendar;

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// All events.
    Everything,
    /// Those that have changed since the answer that gave this token.
    Since(String),
}

/// What to ask for by what is known on that day.
pub(super) fn ask(cursor: Option<&Cursor>, today: i64) -> Ask {
    match cursor {
        Some(Cursor::Calendar { token: Some(token), day })
            if (0..window::ROLL_DAYS).contains(&(today - day)) =>
        {
            Ask::Since(token.clone())
        }
        _ => Ask::Everything,
    }
}

/// Events by the object they belong to: a single one by itself, a series with its exceptions.
#[derive(Debug, Default)]
pub(super) struct Found {
    objects: BTreeMap<String, Vec<Event>>,
    /// Objects that are there, and over for so long that nothing is stored of them.
    over: BTreeSet<i64>,
}

impl Found {
    /// Adds an event of a list of all; those that ended before `horizon` are only noted.
    pub(super) fn add(&mut self, event: Event, horizon: Timestamp) {
        let tombstone = event.is_cancelled() && event.part() != Part::Exception;
        if tombstone || !event.is_of_interest() {
            return;
        }
        if event.is_over(horizon) {
            self.over.insert(item(&event.id));
            return;
        }
        self.objects.entry(event.whole().to_owned()).or_default().push(event);
    }

    /// All that is there, over or not.
    pub(super) fn items(&self) -> BTreeSet<i64> {
        let standing = self.objects.iter().filter(|(_, events)| stands(events));
        standing.map(|(id, _)| item(id)).chain(self.over.iter().copied()).collect()
    }

    /// What is to be stored.
    pub(super) fn into_objects(self) -> Vec<RawItem> {
        let standing = self.objects.into_iter().filter(|(_, events)| stands(events));
        standing.map(|(id, events)| object(&id, &events)).collect()
    }
}

/// Whether anything of an object takes place.
fn stands(events: &[Event]) -> bool {
    events.iter().any(|event| !event.is_cancelled())
}

/// What has become of an object.
#[derive(Debug)]
pub(super) enum Change {
    /// It is no more.
    Gone,
    /// It is this event.
    Single(Box<Event>),
    /// Something of a series has changed, of which the list tells only that: all of it is asked for,
    /// by its UID where that is known.
    Series(Option<String>),
}

/// What has become of the objects of a list of changes, by their ids.
pub(super) fn changes(events: Vec<Event>) -> BTreeMap<String, Change> {
    let mut changes: BTreeMap<String, Change> = BTreeMap::new();
    for event in events.into_iter().filter(Event::is_of_interest) {
        let whole = event.whole().to_owned();
        let before = changes.remove(&whole);
        let uid = match &before {
            Some(Change::Series(uid)) => uid.clone(),
            _ => None,
        };
        let series = Change::Series(uid.or_else(|| event.uid.clone()));
        let change = match (event.part(), event.is_cancelled(), before) {
            // With its series it is gone.
            (Part::Exception, true, Some(Change::Gone)) => Change::Gone,
            // An exception may stand without its series: for who is invited to it alone.
            (Part::Exception, _, _) | (Part::Master, false, _) => series,
            (Part::Single | Part::Master, _, Some(Change::Series(_))) => series,
            (Part::Single | Part::Master, true, _) => Change::Gone,
            (Part::Single, false, _) => Change::Single(Box::new(event)),
        };
        changes.insert(whole, change);
    }
    changes
}

/// The object of an id with its events, as it is stored.
pub(super) fn object(id: &str, events: &[Event]) -> RawItem {
    // The master's word counts, which every exception repeats unless it was called off.
    let uid = events.iter().find_map(|event| event.uid.clone());
    let uid = uid.unwrap_or_else(|| format!("{id}@google.com"));
    let vevents: Vec<_> = events.iter().filter_map(|event| event.vevent(&uid)).collect();
    let bytes = vcalendar::write(&vevents);
    let tag = Key::of("google-event-text", &[&bytes]).0;
    RawItem::Calendar { object: Object { item: item(id), tag }, bytes }
}

/// The number of an object.
pub(super) fn item(id: &str) -> i64 {
    Key::of("google-event", &[id.as_bytes()]).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Event {
        let times = r#""start":{"dateTime":"2026-11-02T09:00:00+01:00"},"iCalUID":"u""#;
        serde_json::from_str(&format!("{{{json},{times}}}")).unwrap()
    }

    const MASTER: &str = r#""id":"m","status":"confirmed","recurrence":["RRULE:FREQ=DAILY"]"#;
    const DELETED: &str = r#""id":"m","status":"cancelled""#;
    const SINGLE: &str = r#""id":"m","status":"confirmed""#;
    const MOVED: &str = r#""id":"m_1","status":"confirmed","recurringEventId":"m""#;
    const CALLED_OFF: &str = r#""id":"m_2","status":"cancelled","recurringEventId":"m""#;
    const ABSENCE: &str = r#""id":"m","status":"confirmed","eventType":"outOfOffice""#;

    /// The list may tell of a series and of its exceptions in any order.
    #[test]
    fn what_has_become_of_an_object_does_not_depend_on_the_order_in_which_it_is_told() {
        for (events, expected) in [
            (vec![SINGLE], "single"),
            (vec![DELETED], "gone"),
            (vec![MASTER], "series"),
            (vec![MOVED], "series"),
            (vec![CALLED_OFF], "series"),
            (vec![MASTER, CALLED_OFF], "series"),
            (vec![DELETED, MOVED], "series"),
            (vec![SINGLE, CALLED_OFF], "series"),
            (vec![ABSENCE], "nothing"),
        ] {
            for events in [events.clone(), events.into_iter().rev().collect()] {
                let changes = changes(events.iter().map(|json| event(json)).collect());
                let found = match changes.get("m") {
                    None => "nothing",
                    Some(Change::Gone) => "gone",
                    Some(Change::Single(_)) => "single",
                    Some(Change::Series(uid)) => {
                        assert_eq!(uid.as_deref(), Some("u"));
                        "series"
                    }
                };
                assert_eq!(found, expected, "{events:?}");
            }
        }
    }

    #[test]
    fn everything_is_read_again_when_the_window_has_moved_on() {
        let read = |day| Cursor::Calendar { token: Some("t".to_owned()), day };
        for (cursor, expected) in [
            (Some(read(1000)), Ask::Since("t".to_owned())),
            (Some(read(987)), Ask::Since("t".to_owned())),
            (Some(read(986)), Ask::Everything),
            (Some(read(1001)), Ask::Everything),
            (Some(Cursor::Calendar { token: None, day: 1000 }), Ask::Everything),
            (Some(Cursor::Maildir), Ask::Everything),
            (None, Ask::Everything),
        ] {
            assert_eq!(ask(cursor.as_ref(), 1000), expected, "{cursor:?}");
        }
    }
}
