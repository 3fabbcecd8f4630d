//! Which meetings count, decided anew from what is stored of them whenever a copy of one has changed
//! or somebody who has not answered has written: what is taken back later takes back what it had
//! made count. The rules are `normalise::held`'s.

use std::collections::BTreeSet;

use crate::model::{Interaction, Standing, Timestamp};
use crate::normalise::held::{self, Copy, Found, Touch, Unanswered};
use crate::store::interaction::MessageTouch;
use crate::store::{Db, StoreError, interaction, meeting};

use super::Work;

/// Decides what a commit has touched, after its messages are linked.
pub(super) fn count(work: &mut Work<'_>) -> Result<(), StoreError> {
    weigh_unanswered(work)?;
    for (rep, uid) in std::mem::take(&mut work.meetings) {
        let copies = meeting::copies(work.db, rep, &uid)?;
        let told: Vec<Copy<'_>> = copies.iter().map(told).collect();
        let counted = held::counted(&told, work.rules.zone(rep));
        for touch in copies.iter().flat_map(|copy| &copy.touches) {
            let now = MessageTouch { counted: counted.contains(&touch.id), ..*touch };
            rewrite(work, touch, now)?;
        }
    }
    Ok(())
}

/// Stores what has become of an interaction of a meeting, if anything has, and notes it.
pub(super) fn rewrite(
    work: &mut Work<'_>,
    before: &MessageTouch,
    now: MessageTouch,
) -> Result<(), StoreError> {
    if *before == now {
        return Ok(());
    }
    interaction::rewrite(work.db, &now)?;
    let touched = work.touched.entry(now.relationship).or_default();
    let added: (Interaction, bool) = (now.interaction, now.counted);
    match (touched.added.get_mut(&now.id), before.counted, now.counted) {
        (Some(known), _, _) => *known = added,
        (None, false, true) => {
            touched.added.insert(now.id, added);
        }
        (None, false, false) => {}
        (None, true, _) => touched.refold |= !now.counted || before.interaction != now.interaction,
    }
    Ok(())
}

/// Weighs the unanswered meetings of every relationship in which anything was written or taken back,
/// or one of whose meetings has changed.
fn weigh_unanswered(work: &mut Work<'_>) -> Result<(), StoreError> {
    if !meeting::any_unanswered(work.db)? {
        return Ok(());
    }
    let mut relationships: BTreeSet<i64> = work.touched.keys().copied().collect();
    for (rep, uid) in &work.meetings {
        relationships.extend(meeting::without_answer(work.db, *rep, uid)?);
    }
    relationships.into_iter().try_for_each(|relationship| weigh(work, relationship))
}

fn weigh(work: &mut Work<'_>, relationship: i64) -> Result<(), StoreError> {
    let stored = meeting::unanswered(work.db, relationship)?;
    let mut speaking = Vec::with_capacity(stored.len());
    for one in stored {
        // Of several copies the others ask for no message.
        if !one.accepted && speaks(work.db, one.id, one.rep, &one.uid, one.recurrence_at)? {
            speaking.push(one);
        } else {
            save(work, &one, (one.ends_at, Standing::Unproven))?;
        }
    }
    let asked: Vec<Unanswered<'_>> = speaking.iter().map(asked).collect();
    let spans = asked.iter().map(Unanswered::about_then);
    let Some((from, to)) = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
        return Ok(());
    };
    let wrote = interaction::inbound(work.db, relationship, from, to)?;
    let weighed = held::weigh(&asked, &wrote);
    speaking.iter().zip(weighed).try_for_each(|(one, weighed)| save(work, one, weighed))
}

/// Whether a copy is the one that speaks for its meeting, of all that a rep has of one occurrence.
///
/// # Errors
/// As every read.
pub fn speaks(
    db: &Db,
    copy: i64,
    rep: i64,
    uid: &str,
    recurrence_at: Timestamp,
) -> Result<bool, StoreError> {
    let rivals = meeting::rivals(db, rep, uid, recurrence_at)?;
    let rivals: Vec<Copy<'_>> = rivals.iter().map(told).collect();
    Ok(held::speaking(&rivals).into_values().any(|speaks| speaks.id == copy))
}

fn save(
    work: &mut Work<'_>,
    one: &meeting::Unanswered,
    (at, standing): (Timestamp, Standing),
) -> Result<(), StoreError> {
    let before = &one.touch;
    if (at, standing) == (before.interaction.at, before.standing) {
        return Ok(());
    }
    work.meetings.insert((one.rep, one.uid.clone()));
    let interaction = Interaction { at, ..before.interaction };
    rewrite(work, before, MessageTouch { interaction, standing, ..*before })
}

fn asked(one: &meeting::Unanswered) -> Unanswered<'_> {
    let meeting::Unanswered { starts_at, ends_at, uid, recurrence_at, .. } = one;
    Unanswered { starts_at: *starts_at, ends_at: *ends_at, name: (uid, *recurrence_at) }
}

fn told(copy: &meeting::Copy) -> Copy<'_> {
    let touch = |touch: &MessageTouch| Touch {
        id: touch.id,
        relationship: touch.relationship,
        at: touch.interaction.at,
        standing: touch.standing,
    };
    Copy {
        id: copy.id,
        recurrence_at: copy.recurrence_at,
        starts_at: copy.starts_at,
        found: if copy.in_calendar { Found::InCalendar } else { Found::InMail },
        version: copy.version,
        place: (&copy.mailbox, &copy.source, copy.item),
        touches: copy.touches.iter().map(touch).collect(),
    }
}
