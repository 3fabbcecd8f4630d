//! From a delta to a batch: everything that can be done before the store is asked. Pure.

use std::iter::once;

use crate::model::{Automated, Delta, Envelope, Key, Marks, Object, RawItem, Timestamp, window};
use crate::normalise::calendar::{self, Problem};
use crate::normalise::envelope::writers;
use crate::normalise::invitation::{self, Method};
use crate::normalise::{Unusable, envelope};
use crate::pipeline::ingest::{Batch, Calendar, Letter};
use crate::store::quarantine::{Aside, Flaw};

use super::Source;

/// Whether a batch says no more than that the end of its mailbox was reached: nothing of that
/// mailbox comes after it, so it may be committed later.
pub(super) fn is_quiet(batch: &Batch) -> bool {
    batch.complete
        && batch.messages.is_empty()
        && batch.calendars.is_empty()
        && batch.objects.is_empty()
        && batch.quarantined.is_empty()
        && batch.seen.is_empty()
        && batch.gone.is_empty()
        && batch.excluded == 0
}

/// Everything that can be done with a delta before the store is asked.
pub(super) fn normalise(delta: Delta, from: &Source, zone: chrono_tz::Tz, now: Timestamp) -> Batch {
    let not_before = from.history.map(|history| now - history);
    let window = window::around(now);
    let is_private = is_private(&delta.mailbox.name, &from.private);
    let (mut batch, items) = empty(delta, from);
    let mut whole = true;
    for item in items {
        match item {
            RawItem::Message { item, received_at, header, .. } if is_private => {
                private(&mut batch, item, received_at, &header);
            }
            RawItem::Message { item, received_at, header, marks, calendar } => {
                batch.seen.push(item);
                match envelope(&header, received_at, from.authserv_id.as_deref()) {
                    Ok(envelope) if not_before.is_some_and(|limit| envelope.at < limit) => {
                        batch.excluded += 1;
                    }
                    Ok(envelope) => {
                        let mut envelope = marked(envelope, marks, from);
                        if let Some(part) = calendar {
                            invited(&mut batch, item, &mut envelope, (&header, &part));
                        }
                        batch.messages.push(envelope);
                    }
                    Err(Unusable::Private) => batch.excluded += 1,
                    Err(why) => batch.quarantined.push(unusable(item, why.describe().to_owned())),
                }
            }
            RawItem::Excluded { item } => {
                batch.seen.push(item);
                batch.excluded += 1;
            }
            RawItem::Calendar { object: Object::WHOLE, bytes } => {
                whole &= whole_calendar(&mut batch, &bytes, window, zone);
            }
            RawItem::Calendar { object, bytes } => {
                one_object(&mut batch, object, &bytes, window, zone);
            }
            RawItem::Unreadable { item, why } => {
                // Not noted as seen, for it may be given when it is asked for again.
                whole = false;
                batch.quarantined.push(Aside { item, why, flaw: Flaw::Unreadable });
            }
        }
    }
    for calendar in batch.calendars.iter_mut().filter(|c| c.item == Object::WHOLE.item) {
        calendar.whole = whole;
    }
    batch
}

/// A batch of which nothing is known yet but where it is from, and the items that it is to be made of.
fn empty(delta: Delta, from: &Source) -> (Batch, Vec<RawItem>) {
    let batch = Batch {
        source: from.id,
        rep: from.rep,
        mailbox: delta.mailbox,
        messages: Vec::with_capacity(delta.items.len()),
        invitations: Vec::new(),
        calendars: Vec::new(),
        objects: Vec::new(),
        quarantined: Vec::new(),
        seen: Vec::with_capacity(delta.items.len()),
        gone: delta.vanished,
        private: Vec::new(),
        excluded: 0,
        complete: delta.complete,
        cursor: delta.cursor,
        total: delta.total,
    };
    (batch, delta.items)
}

/// Notes of a message that lies where only the rep looks nothing but its names.
fn private(batch: &mut Batch, item: i64, received_at: Option<Timestamp>, header: &[u8]) {
    batch.seen.push(item);
    batch.excluded += 1;
    if let Ok(found) = envelope(header, received_at, None) {
        batch.private.push(once(found.key).chain(found.aliases).collect());
    }
}

/// Whether a mailbox, or one that it lies in, has a name that makes it private.
fn is_private(mailbox: &str, names: &[String]) -> bool {
    let is = |level: &str| names.iter().any(|name| name.to_lowercase() == level.to_lowercase());
    is(mailbox) || mailbox.split(['/', '.']).any(is)
}

/// Adds the invitation that a message has, which then is a calendar's word and nobody's letter.
fn invited(batch: &mut Batch, item: i64, envelope: &mut Envelope, (header, part): (&[u8], &[u8])) {
    match invitation::read(part) {
        Ok(Some(says)) => {
            if says.method != Method::Publish {
                envelope.automated = Some(Automated::Calendar);
            }
            let envelope = envelope.clone();
            batch.invitations.push(Letter { envelope, writers: writers(header), says });
        }
        Ok(None) => {}
        Err(problem) => batch.quarantined.push(unusable(item, problem.to_string())),
    }
}

/// Adds what a file or feed holds to the one calendar that all files of its source make; gives
/// whether all of it was understood.
fn whole_calendar(
    batch: &mut Batch,
    bytes: &[u8],
    window: (Timestamp, Timestamp),
    zone: chrono_tz::Tz,
) -> bool {
    let (meetings, issues) = calendar::meetings(bytes, window, zone);
    let understood = issues.iter().all(|issue| issue.item != 0);
    let cut = is_cut(&issues);
    let odd = issues.into_iter().map(|issue| unusable(issue.item, issue.problem.to_string()));
    batch.quarantined.extend(odd);
    // One that is cut is being written: what it says is known when it is whole.
    if !cut {
        match batch.calendars.first_mut() {
            Some(calendar) => calendar.meetings.extend(meetings),
            None => {
                let item = Object::WHOLE.item;
                batch.calendars.push(Calendar { item, window, meetings, whole: true });
            }
        }
    }
    understood
}

/// Adds an object of a calendar on a server, which is put aside under its own number.
fn one_object(
    batch: &mut Batch,
    object: Object,
    bytes: &[u8],
    window: (Timestamp, Timestamp),
    zone: chrono_tz::Tz,
) {
    let (meetings, issues) = calendar::meetings(bytes, window, zone);
    let whole = issues.iter().all(|issue| issue.item != 0);
    batch.objects.push(object);
    batch.seen.push(object.item);
    if !is_cut(&issues) {
        batch.calendars.push(Calendar { item: object.item, window, meetings, whole });
    }
    if let Some(issue) = issues.first() {
        batch.quarantined.push(unusable(object.item, issue.problem.to_string()));
    }
}

fn is_cut(issues: &[calendar::Issue]) -> bool {
    issues.iter().any(|issue| issue.problem == Problem::Truncated)
}

const fn unusable(item: i64, why: String) -> Aside {
    Aside { item, why, flaw: Flaw::Unusable }
}

/// The envelope with what the server knows beside the header. Numbers of threads are the login's
/// own: those of another one mean other threads.
fn marked(mut envelope: Envelope, marks: Marks, from: &Source) -> Envelope {
    let login = from.id.to_be_bytes();
    envelope.thread = marks.thread.map(|n| Key::of("server-thread", &[&login, &n.to_be_bytes()]));
    envelope.sent = marks.sent;
    envelope
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::DAY_MS;
    use crate::model::{Cursor, MailboxInfo, Role};
    use crate::source::{Reader, ics};

    /// The days, from `now` on, on which a daily meeting is stored that is read then.
    fn days_known(now: Timestamp) -> Vec<i64> {
        let bytes = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:daily\r\nDTSTART:20200101T090000Z\r\n\
            DTEND:20200101T093000Z\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let object = Object { item: 7, tag: 1 };
        let delta = Delta {
            mailbox: MailboxInfo { name: "work".into(), role: Role::Calendar },
            items: vec![RawItem::Calendar { object, bytes: bytes.to_vec() }],
            vanished: Vec::new(),
            complete: true,
            cursor: Cursor::Calendar { token: None, day: 0 },
            total: None,
        };
        let reader = Reader::Ics(ics::Settings { path: "nowhere".into() }, ics::Watch::default());
        let (name, authserv_id, history) = ("ann-dav".to_owned(), None, None);
        let private = Vec::new();
        let from = Source { id: 1, rep: 1, name, reader, authserv_id, history, private };
        let batch = normalise(delta, &from, chrono_tz::UTC, now);
        assert_eq!((batch.objects, batch.seen), (vec![object], vec![7]));
        let starts = batch.calendars[0].meetings.iter().map(|m| m.starts_at);
        starts.map(|at| (at - now).millis().div_euclid(DAY_MS)).collect()
    }

    #[test]
    fn what_is_120_days_ahead_is_known_until_an_object_is_read_again() {
        let read_at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let known = days_known(read_at);
        for passed in 0..=14 {
            for ahead in -386..120 {
                let day = passed + ahead;
                assert!(known.contains(&day), "{ahead} days ahead, {passed} days after");
            }
        }
        assert_eq!((known.first(), known.last()), (Some(&-400), Some(&134)));
    }
}
