//! A calendar as it is now, against what is stored of it: what was moved, declined or cancelled
//! takes its interactions back. Which of the interactions count is decided in `held`, when all that
//! a commit brings is stored.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::model::{Direction, Interaction, Key, Kind, Meeting, Standing, Timestamp, Turn};
use crate::normalise::Own;
use crate::normalise::held::{Met, Missed, met, missed};
use crate::store::interaction::{MessageTouch, New, Origin};
use crate::store::meeting::Place;
use crate::store::{StoreError, contact, fate, interaction, meeting};

use super::{Batch, Calendar, Work, held};

/// Brings the stored meetings of a calendar, or of one object of it, in line with what it holds. A
/// mailbox that is no calendar holds what was put together from invitations, under objects of its
/// own: it yields to calendars.
pub(super) fn store(
    work: &mut Work<'_>,
    mailbox: i64,
    rep: i64,
    calendar: &Calendar,
) -> Result<(), StoreError> {
    let (from, to) = calendar.window;
    let place = Place { rep, mailbox, item: calendar.item };
    let mut known = meeting::between(work.db, mailbox, calendar.item, from, to)?;
    let meetings = unnamed(&calendar.meetings, &work.rules.own);
    for (name, found) in latest(&meetings) {
        let people = met(found, rep, &work.rules.own);
        let not_met = missed(found, rep, &work.rules.own);
        let digest = digest(found, &people, &not_met);
        let changed = known.remove(&name).is_none_or(|stored| stored.digest != digest);
        if changed {
            let id = meeting::upsert(work.db, place, found, digest)?;
            hold(work, rep, id, found.ends_at, people)?;
            miss(work, rep, id, found.ends_at, &not_met)?;
        }
        // The days of a series are told apart by the rep's time zone, which may be another now.
        if changed || found.recurrence_at.is_some() {
            work.meetings.insert((rep, name.0));
        }
    }
    for ((uid, _), gone) in known.into_iter().filter(|_| calendar.whole) {
        forget_one(work, rep, gone.id, uid)?;
    }
    Ok(())
}

/// The meetings, none of whose names holds the address of somebody who was erased.
fn unnamed<'m>(meetings: &'m [Meeting], own: &Own) -> Cow<'m, [Meeting]> {
    let mut all = Cow::Borrowed(meetings);
    for (n, meeting) in meetings.iter().enumerate() {
        if let Cow::Owned(uid) = own.unname(&meeting.uid)
            && let Some(changed) = all.to_mut().get_mut(n)
        {
            changed.uid = uid;
        }
    }
    all
}

/// Takes back the meetings from `from` on of objects that a calendar no longer holds.
pub(super) fn forget(
    work: &mut Work<'_>,
    mailbox: i64,
    batch: &Batch,
    from: Timestamp,
) -> Result<(), StoreError> {
    for item in &batch.gone {
        for (id, uid) in meeting::of_object(work.db, mailbox, *item, from)? {
            forget_one(work, batch.rep, id, uid)?;
        }
    }
    Ok(())
}

/// Takes a meeting back, with its interactions.
pub(super) fn forget_one(
    work: &mut Work<'_>,
    rep: i64,
    id: i64,
    uid: String,
) -> Result<(), StoreError> {
    for touch in interaction::of_meeting(work.db, id)? {
        take_back(work, &touch)?;
    }
    meeting::delete(work.db, id)?;
    work.meetings.insert((rep, uid));
    Ok(())
}

/// The meetings by name. Of two of one name, as two files of a directory may have them, the latest
/// version.
fn latest(meetings: &[Meeting]) -> BTreeMap<meeting::Name, &Meeting> {
    let mut latest: BTreeMap<meeting::Name, &Meeting> = BTreeMap::new();
    let version = |m: &Meeting| (m.version, m.starts_at, m.ends_at);
    for found in meetings {
        let name = (found.uid.clone(), found.recurrence_at.unwrap_or_default());
        let first = latest.entry(name).or_insert(found);
        if version(first) <= version(found) {
            *first = found;
        }
    }
    latest
}

/// Brings the interactions of a meeting in line with whom the rep has met in it.
fn hold(
    work: &mut Work<'_>,
    rep: i64,
    meeting: i64,
    ends_at: Timestamp,
    people: Vec<Met>,
) -> Result<(), StoreError> {
    let stored = interaction::of_meeting(work.db, meeting)?;
    let mut stored: HashMap<i64, MessageTouch> =
        stored.into_iter().map(|touch| (touch.line, touch)).collect();
    for person in people {
        let line = work.line(rep, &person.contact.address)?;
        work.named(line.address, &person.contact.name, contact::NEVER);
        let mut held = Interaction {
            at: ends_at,
            direction: Direction::Mutual,
            kind: Kind::Meeting,
            audience: person.audience,
            linked: person.standing == Standing::Sound,
        };
        match stored.remove(&line.id) {
            Some(before) => {
                let mut standing = person.standing;
                if standing != Standing::Sound && before.standing != Standing::Sound {
                    // Weighed anew when everything is stored.
                    (held.at, standing) = (before.interaction.at, before.standing);
                }
                let now = MessageTouch { interaction: held, standing, ..before };
                held::rewrite(work, &before, now)?;
            }
            None => {
                let new = New {
                    line: line.id,
                    interaction: held,
                    origin: Origin::Meeting(meeting),
                    standing: person.standing,
                    counted: false,
                    turn: Turn::default(),
                };
                let row = work.unstored.row(work.db)?;
                if interaction::insert(work.db, row, &new)? {
                    work.added(line.relationship, row, held, false);
                }
            }
        }
    }
    stored.values().try_for_each(|gone| take_back(work, gone))
}

/// Stores with whom a meeting did not come about. It is told of, and has no interaction.
fn miss(
    work: &mut Work<'_>,
    rep: i64,
    meeting: i64,
    ends_at: Timestamp,
    people: &[Missed],
) -> Result<(), StoreError> {
    let mut told = Vec::with_capacity(people.len());
    for person in people {
        let line = work.line(rep, &person.contact.address)?;
        work.named(line.address, &person.contact.name, contact::NEVER);
        told.push((line.id, person.fate));
    }
    fate::replace(work.db, meeting, ends_at, &told)
}

fn take_back(work: &mut Work<'_>, touch: &MessageTouch) -> Result<(), StoreError> {
    interaction::delete(work.db, touch.id)?;
    let touched = work.touched.entry(touch.relationship).or_default();
    touched.added.remove(&touch.id);
    touched.refold |= touch.counted;
    Ok(())
}

/// Hash of everything that is stored of a meeting.
fn digest(meeting: &Meeting, people: &[Met], not_met: &[Missed]) -> Key {
    let mut text = format!(
        "{} {} {} {} {}",
        meeting.starts_at.millis(),
        meeting.ends_at.millis(),
        meeting.status.code(),
        meeting.version.sequence,
        meeting.version.modified_at.map_or(i64::MIN, Timestamp::millis),
    );
    for person in people {
        let open = if person.standing == Standing::Sound { "" } else { "?" };
        text.push_str(&format!(" {}{open}/{}", person.contact.address, person.audience));
    }
    for person in not_met {
        text.push_str(&format!(" {} {:?}", person.contact.address, person.fate));
    }
    Key::of("meeting", &[text.as_bytes()])
}
