//! Which of the touched threads' messages answer which, and what counts because of it.

use crate::model::{Direction, Key, Timestamp};
use crate::normalise::thread::{self as threads, Linked, Loose, Node, NodeTouch};
use crate::store::interaction::{BySubject, MessageTouch, Standing};
use crate::store::{StoreError, interaction, message, thread};

use super::Work;

/// A message of a relationship that a subject may link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) message: i64,
    pub(super) at: Timestamp,
    pub(super) direction: Direction,
    pub(super) reply_subject: bool,
    pub(super) has_references: bool,
}

impl From<BySubject> for Candidate {
    fn from(found: BySubject) -> Self {
        Self {
            message: found.message,
            at: found.at,
            direction: found.direction,
            reply_subject: found.reply_subject,
            has_references: found.has_references,
        }
    }
}

/// Refers the answer among two messages to the other, if the subject says so.
pub(super) fn by_subject(
    work: &mut Work<'_>,
    a: &Candidate,
    b: &Candidate,
    subject: Key,
) -> Result<(), StoreError> {
    let loose = |c: &Candidate| Loose {
        at: c.at,
        direction: c.direction,
        subject: Some(subject),
        reply_subject: c.reply_subject,
        has_references: c.has_references,
    };
    let (reply, original) = if threads::answers_by_subject(&loose(a), &loose(b)) {
        (a, b)
    } else if threads::answers_by_subject(&loose(b), &loose(a)) {
        (b, a)
    } else {
        return Ok(());
    };
    let keys = |id| message::keys(work.db, id);
    let (Some(of_reply), Some(of_original)) =
        (keys(reply.message)?.first().copied(), keys(original.message)?.first().copied())
    else {
        return Ok(());
    };
    message::add_reference(work.db, reply.message, of_original)?;
    let joined = thread::join(work.db, &[of_original, of_reply])?;
    work.threads.insert(joined.thread);
    Ok(())
}

/// Decides the touched threads anew and notes what has changed.
pub(super) fn link_threads(work: &mut Work<'_>) -> Result<(), StoreError> {
    let mut roots = std::collections::BTreeSet::new();
    for thread in std::mem::take(&mut work.threads) {
        roots.insert(thread::root(work.db, thread)?);
    }
    for root in roots {
        let (nodes, touches) = load(work, root)?;
        let decided = threads::link(&nodes);
        for (touch, linked) in touches.iter().flatten().zip(decided.into_iter().flatten()) {
            save(work, touch, linked)?;
        }
    }
    Ok(())
}

fn load(work: &Work<'_>, thread: i64) -> Result<(Vec<Node>, Vec<Vec<MessageTouch>>), StoreError> {
    let mut nodes = Vec::new();
    let mut all = Vec::new();
    for found in message::of_thread(work.db, thread)? {
        let touches = interaction::of_message(work.db, found.id)?;
        nodes.push(Node {
            keys: found.keys,
            references: found.references,
            touches: touches.iter().map(node_touch).collect(),
        });
        all.push(touches);
    }
    Ok((nodes, all))
}

fn node_touch(touch: &MessageTouch) -> NodeTouch {
    NodeTouch {
        relationship: touch.relationship,
        direction: touch.interaction.direction,
        standing: match touch.standing {
            Standing::Sound => threads::Standing::Sound,
            Standing::Unverified => threads::Standing::Unverified,
            Standing::Unproven => threads::Standing::Unproven,
        },
    }
}

fn save(work: &mut Work<'_>, touch: &MessageTouch, decided: Linked) -> Result<(), StoreError> {
    if decided.linked == touch.interaction.linked && decided.counted == touch.counted {
        return Ok(());
    }
    interaction::relink(work.db, touch.id, decided.linked, decided.counted)?;
    let mut now = touch.interaction;
    now.linked = decided.linked;
    let touched = work.touched.entry(touch.relationship).or_default();
    match (touched.added.get_mut(&touch.id), touch.counted, decided.counted) {
        (Some(added), _, _) => *added = (now, decided.counted),
        (None, false, true) => {
            touched.added.insert(touch.id, (now, true));
        }
        (None, true, true) if decided.linked => touched.answered.push(now.at),
        _ => touched.refold = true,
    }
    Ok(())
}
