//! Which meetings count, decided anew from what is stored of them whenever a copy of one has changed
//! or somebody who has not answered has written: what is taken back later takes back what it had
//! made count. The rules are `normalise::held`'s.

use crate::model::Interaction;
use crate::normalise::held::{self, Copy, Found, Touch};
use crate::store::interaction::MessageTouch;
use crate::store::meeting::{self, Unanswered};
use crate::store::{StoreError, interaction};

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

/// Weighs the unanswered meetings of every relationship that was touched by what was written.
fn weigh_unanswered(work: &mut Work<'_>) -> Result<(), StoreError> {
    if !meeting::any_unanswered(work.db)? {
        return Ok(());
    }
    let mut relationships = std::mem::take(&mut work.unanswered);
    relationships.extend(work.touched.keys());
    for relationship in relationships {
        for meeting in meeting::unanswered(work.db, relationship)? {
            weigh(work, &meeting)?;
        }
    }
    Ok(())
}

fn weigh(work: &mut Work<'_>, meeting: &Unanswered) -> Result<(), StoreError> {
    let before = &meeting.touch;
    let (from, to) = held::about_then(meeting.starts_at, meeting.ends_at);
    let wrote = interaction::first_inbound(work.db, before.relationship, from, to)?;
    let (at, standing) = held::unanswered(meeting.ends_at, wrote);
    if (at, standing) != (before.interaction.at, before.standing) {
        let interaction = Interaction { at, ..before.interaction };
        rewrite(work, before, MessageTouch { interaction, standing, ..*before })?;
        work.meetings.insert((meeting.rep, meeting.uid.clone()));
    }
    Ok(())
}

fn told(copy: &meeting::Copy) -> Copy<'_> {
    let touch = |touch: &MessageTouch| Touch {
        id: touch.id,
        relationship: touch.relationship,
        at: touch.interaction.at,
        standing: touch.standing,
    };
    Copy {
        recurrence_at: copy.recurrence_at,
        starts_at: copy.starts_at,
        found: if copy.in_calendar { Found::InCalendar } else { Found::InMail },
        version: copy.version,
        place: (&copy.mailbox, &copy.source, copy.item),
        touches: copy.touches.iter().map(touch).collect(),
    }
}
