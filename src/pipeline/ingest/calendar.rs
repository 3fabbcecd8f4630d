//! A calendar as it is now, against what is stored of it: what was moved, declined or cancelled
//! takes its interactions back, and the strength follows exactly.

use std::collections::HashSet;

use crate::model::{Direction, Interaction, Key, Kind, Meeting, Standing, Timestamp};
use crate::normalise::held::{Met, met};
use crate::store::interaction::Origin;
use crate::store::{StoreError, contact, interaction, meeting};

use super::{Calendar, Work};

/// Brings the stored meetings of a calendar, or of one object of it, in line with what it holds.
pub(super) fn store(
    work: &mut Work<'_>,
    mailbox: i64,
    rep: i64,
    calendar: &Calendar,
) -> Result<(), StoreError> {
    let (from, to) = calendar.window;
    let mut known = meeting::between(work.db, mailbox, calendar.item, from, to)?;
    let mut sorted: Vec<&Meeting> = calendar.meetings.iter().collect();
    sorted.sort_by_key(|m| (m.starts_at, m.ends_at));
    let zone = work.rules.zone(rep);
    let mut once_a_day = HashSet::new();
    for found in sorted {
        let mut people = met(found, rep, &work.rules.own);
        if found.recurrence_at.is_some() {
            let day = found.starts_at.local_day(zone);
            people.retain(|m| {
                once_a_day.insert((found.uid.as_str(), day, m.contact.address.clone()))
            });
        }
        let digest = digest(found, &people);
        let name = (found.uid.clone(), found.recurrence_at.unwrap_or_default());
        let before = known.remove(&name);
        if before.is_some_and(|stored| stored.digest == digest) {
            continue;
        }
        let id = meeting::upsert(work.db, mailbox, calendar.item, found, digest)?;
        // Those of a meeting that stood outside the window are met only now.
        take_back(work, id)?;
        hold(work, rep, id, found.ends_at, &people)?;
    }
    for gone in known.into_values().filter(|_| calendar.whole) {
        take_back(work, gone.id)?;
        meeting::delete(work.db, gone.id)?;
    }
    Ok(())
}

/// Takes back the meetings of objects that a calendar no longer holds.
pub(super) fn forget(work: &mut Work<'_>, mailbox: i64, gone: &[i64]) -> Result<(), StoreError> {
    for item in gone {
        for id in meeting::of_object(work.db, mailbox, *item)? {
            take_back(work, id)?;
            meeting::delete(work.db, id)?;
        }
    }
    Ok(())
}

fn take_back(work: &mut Work<'_>, meeting: i64) -> Result<(), StoreError> {
    for relationship in interaction::delete_of_meeting(work.db, meeting)? {
        work.refold(relationship);
    }
    Ok(())
}

fn hold(
    work: &mut Work<'_>,
    rep: i64,
    meeting: i64,
    at: Timestamp,
    people: &[Met],
) -> Result<(), StoreError> {
    for person in people {
        let (row, contact) = work.relationship(rep, &person.contact.address)?;
        work.named(contact, &person.contact.name, contact::NEVER);
        let held = Interaction {
            at,
            direction: Direction::Mutual,
            kind: Kind::Meeting,
            audience: person.audience,
            linked: true,
        };
        let origin = Origin::Meeting(meeting);
        if let Some(id) = interaction::insert(work.db, row, &held, origin, Standing::Sound, true)? {
            work.added(row, id, held, true);
        }
    }
    Ok(())
}

/// Hash of everything that decides a meeting's interactions.
fn digest(meeting: &Meeting, people: &[Met]) -> Key {
    let mut text = format!(
        "{} {} {}",
        meeting.starts_at.millis(),
        meeting.ends_at.millis(),
        meeting.status.code()
    );
    for person in people {
        text.push_str(&format!(" {}/{}", person.contact.address, person.audience));
    }
    Key::of("meeting", &[text.as_bytes()])
}
