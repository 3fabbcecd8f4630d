//! One message: met again, or new; its thread and its touches.

use crate::model::{Envelope, Interaction, Key, Kind};
use crate::normalise::thread::SUBJECT_WINDOW;
use crate::normalise::{Directed, LeftOut, Touch, directed};
use crate::store::interaction::{Origin, Standing};
use crate::store::message::NewMessage;
use crate::store::{StoreError, interaction, message, relationship, thread};

use super::Work;
use super::link::{Candidate, by_subject};

/// Stores a message, or notes a further copy of one. `proven`: it was met where only the rep puts
/// messages, so that what says it is the rep's is.
pub(super) fn store(
    work: &mut Work<'_>,
    envelope: &Envelope,
    proven: bool,
) -> Result<(), StoreError> {
    let names = std::iter::once(envelope.key).chain(envelope.aliases.iter().copied());
    let decided = directed(envelope, &work.rules.own);
    if let Some(known) = thread::message_of(work.db, names.clone())? {
        return again(work, known, envelope, &decided, proven);
    }
    match decided {
        Directed::Excluded => {
            work.outcome.excluded += 1;
            Ok(())
        }
        Directed::LeftOut(reason) => leave_out(work, envelope, reason, proven),
        Directed::Touches(touches) => {
            let mut rows = Vec::with_capacity(touches.len());
            for touch in &touches {
                rows.push(work.relationship(touch.rep, &touch.contact, envelope.at)?);
            }
            if let Some(twin) = twin(work, envelope, &touches, &rows)? {
                thread::name(work.db, names.clone(), twin)?;
                for key in names {
                    message::add_key(work.db, twin, key)?;
                }
                let known = message::get(work.db, twin)?;
                thread::join(work.db, &keys_and_references(envelope))?;
                work.threads.extend(known.thread);
                return again(work, twin, envelope, &Directed::Touches(touches), proven);
            }
            insert(work, envelope, &touches, &rows, proven)
        }
    }
}

/// A copy of a message that is stored: it may prove it, date it earlier, or take it back.
fn again(
    work: &mut Work<'_>,
    id: i64,
    envelope: &Envelope,
    decided: &Directed,
    proven: bool,
) -> Result<(), StoreError> {
    work.outcome.copies += 1;
    let known = message::get(work.db, id)?;
    if known.left_out {
        return Ok(());
    }
    if let Directed::LeftOut(reason @ LeftOut::Automated(_)) = decided {
        for touch in interaction::of_message(work.db, id)? {
            work.refold(touch.relationship);
            work.touched.entry(touch.relationship).or_default().added.remove(&touch.id);
        }
        message::leave_out(work.db, id, reason.code())?;
        work.threads.extend(known.thread);
        return Ok(());
    }
    if proven && !known.proven {
        message::prove(work.db, id)?;
        work.threads.extend(known.thread);
    }
    if !known.dated && !envelope.dated && envelope.at < known.at {
        message::redate(work.db, id, envelope.at)?;
        for touch in interaction::of_message(work.db, id)? {
            work.refold(touch.relationship);
        }
    }
    Ok(())
}

/// Stores a message that makes no interaction, so that it is counted once and met again cheaply.
fn leave_out(
    work: &mut Work<'_>,
    envelope: &Envelope,
    reason: LeftOut,
    proven: bool,
) -> Result<(), StoreError> {
    let id = message::insert(
        work.db,
        &NewMessage {
            thread: None,
            at: envelope.at,
            dated: envelope.dated,
            proven,
            left_out: Some(reason.code()),
            subject: None,
            reply_subject: false,
            keys: &[],
            references: &[],
        },
    )?;
    work.outcome.messages += 1;
    thread::name(work.db, [envelope.key], id)
}

/// The copy of this message that was given another Message-ID on its way into a mailbox: the same
/// writer to the same person in the same second with the same subject.
fn twin(
    work: &Work<'_>,
    envelope: &Envelope,
    touches: &[Touch],
    rows: &[i64],
) -> Result<Option<i64>, StoreError> {
    match (touches.first(), rows.first()) {
        (Some(touch), Some(row)) if envelope.dated => {
            interaction::twin(work.db, *row, envelope.at, touch.direction, envelope.subject)
        }
        _ => Ok(None),
    }
}

fn insert(
    work: &mut Work<'_>,
    envelope: &Envelope,
    touches: &[Touch],
    rows: &[i64],
    proven: bool,
) -> Result<(), StoreError> {
    let mut keys = vec![envelope.key];
    keys.extend_from_slice(&envelope.aliases);
    let joined = thread::join(work.db, &keys_and_references(envelope))?;
    let id = message::insert(
        work.db,
        &NewMessage {
            thread: Some(joined.thread),
            at: envelope.at,
            dated: envelope.dated,
            proven,
            left_out: None,
            subject: envelope.subject,
            reply_subject: envelope.reply_subject,
            keys: &keys,
            references: &envelope.references,
        },
    )?;
    work.outcome.messages += 1;
    thread::name(work.db, keys, id)?;
    if joined.known {
        work.threads.insert(joined.thread);
    }
    for (touch, row) in touches.iter().zip(rows) {
        let found = Interaction {
            at: envelope.at,
            direction: touch.direction,
            kind: Kind::Message,
            audience: touch.audience,
            linked: false,
        };
        let standing = standing(envelope, touch, proven);
        let counted = standing == Standing::Sound;
        let origin = Origin::Message(id);
        if let Some(new) = interaction::insert(work.db, *row, &found, origin, standing, counted)? {
            work.added(*row, new, found, counted);
        }
        link_by_subject(work, envelope, id, touch, *row)?;
    }
    Ok(())
}

/// What speaks for a touch when it is first met.
fn standing(envelope: &Envelope, touch: &Touch, proven: bool) -> Standing {
    use crate::model::Direction;
    match touch.direction {
        Direction::Outbound if !proven => Standing::Unproven,
        Direction::Inbound if envelope.authenticated == Some(false) => Standing::Unverified,
        _ => Standing::Sound,
    }
}

/// Joins a message to those that only its subject tells it belongs to.
fn link_by_subject(
    work: &mut Work<'_>,
    envelope: &Envelope,
    id: i64,
    touch: &Touch,
    row: i64,
) -> Result<(), StoreError> {
    let Some(subject) = envelope.subject else { return Ok(()) };
    let is_loose_reply = envelope.reply_subject && envelope.references.is_empty();
    let loose = match work.loose.get(&row) {
        Some(loose) => *loose,
        None => relationship::get(work.db, row)?.loose_replies,
    };
    work.loose.insert(row, loose || is_loose_reply);
    if is_loose_reply {
        work.touched.entry(row).or_default().loose_reply = true;
    } else if !loose {
        return Ok(());
    }
    let me = Candidate {
        message: id,
        at: envelope.at,
        direction: touch.direction,
        reply_subject: envelope.reply_subject,
        has_references: !envelope.references.is_empty(),
    };
    let (from, to) = (envelope.at - SUBJECT_WINDOW, envelope.at + SUBJECT_WINDOW);
    let others = interaction::with_subject(work.db, row, subject, from, to)?;
    for other in others.into_iter().filter(|other| other.message != id) {
        by_subject(work, &me, &other.into(), subject)?;
    }
    Ok(())
}

fn keys_and_references(envelope: &Envelope) -> Vec<Key> {
    let mut keys = vec![envelope.key];
    keys.extend_from_slice(&envelope.aliases);
    keys.extend_from_slice(&envelope.references);
    keys
}
