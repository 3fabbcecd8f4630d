//! Which of the touched threads' messages answer which, and what counts because of it.
//!
//! Decided anew from what is stored, so that what is taken back or moved later unlinks what it had
//! linked. An answer that only its subject tells may be in another thread than its original: all
//! threads that hang together by subjects are decided together.

use std::collections::BTreeSet;

use crate::model::{Direction, Key, Timestamp};
use crate::normalise::thread::{
    self as threads, Linked, Loose, Node, NodeTouch, SUBJECT_WINDOW, answers_by_subject,
};
use crate::store::interaction::MessageTouch;
use crate::store::message::{Message, ThreadMessage};
use crate::store::thread::From;
use crate::store::{StoreError, interaction, message, thread, turn};

use super::Work;

/// Messages to be decided together, and which answers which by its subject.
#[derive(Default)]
struct Component {
    messages: Vec<ThreadMessage>,
    /// Answer and original, by row.
    answers: BTreeSet<(i64, i64)>,
}

/// A message that answers another one, or is answered by it, by subject alone.
struct Neighbour {
    thread: i64,
    answer: i64,
    original: i64,
}

/// Notes the threads that a message hangs together with by its subject, before it changes.
pub(super) fn unsettle(
    work: &mut Work<'_>,
    id: i64,
    message: &Message,
    touches: &[MessageTouch],
) -> Result<(), StoreError> {
    for neighbour in neighbours(work, id, message, touches)? {
        work.threads.insert(neighbour.thread);
    }
    Ok(())
}

/// Has a thread made `from` others remembered, to which a message is about to be added, with the messages
/// that it has; gives whether it is. Once this commit has changed what it was, it is not, lest a long
/// thread be loaded again with every message.
pub(super) fn recall(work: &mut Work<'_>, thread: i64, from: From) -> Result<bool, StoreError> {
    if let Some(known) = work.recalled.get(&thread) {
        return Ok(known.is_some());
    }
    let known = match from {
        From::Nothing => Vec::new(),
        From::One | From::Several => message::of_thread(work.db, thread)?,
    };
    work.recalled.insert(thread, Some(known));
    Ok(true)
}

/// Adds a message to a thread that is remembered; its touches may wait to be stored.
pub(super) fn remember(work: &mut Work<'_>, thread: i64, message: ThreadMessage) {
    if let Some(Some(known)) = work.recalled.get_mut(&thread) {
        known.push(message);
    }
}

/// Notes that a thread is not what is remembered of it, and stores what waits of it.
pub(super) fn forget(work: &mut Work<'_>, thread: Option<i64>) -> Result<(), StoreError> {
    let Some(thread) = thread else { return Ok(()) };
    let known = work.recalled.insert(thread, None).flatten().unwrap_or_default();
    known
        .iter()
        .flat_map(|message| &message.touches)
        .try_for_each(|touch| work.unstored.store(work.db, touch))
}

/// Decides the touched threads anew, notes what has changed, and stores what has waited for it.
pub(super) fn link_threads(work: &mut Work<'_>) -> Result<(), StoreError> {
    let mut open = BTreeSet::new();
    for thread in std::mem::take(&mut work.threads) {
        open.insert(thread::root(work.db, thread)?);
    }
    while let Some(first) = open.pop_first() {
        let component = load(work, first, &mut open)?;
        let nodes = nodes(work, &component)?;
        let decided = threads::link(&nodes);
        work.answered_from.extend(threads::answered_from(&nodes, &decided));
        let touches = component.messages.iter().flat_map(|m| &m.touches);
        for (touch, linked) in touches.zip(decided.into_iter().flatten()) {
            save(work, touch, linked)?;
        }
    }
    work.unstored.store_all(work.db)
}

/// Loads a thread and all that hang together with it; those are no longer open.
fn load(
    work: &mut Work<'_>,
    first: i64,
    open: &mut BTreeSet<i64>,
) -> Result<Component, StoreError> {
    let mut component = Component::default();
    let mut reached = BTreeSet::from([first]);
    let mut next = vec![first];
    while let Some(root) = next.pop() {
        open.remove(&root);
        let found = match work.recalled.remove(&root).flatten() {
            Some(known) => known,
            None => message::of_thread(work.db, root)?,
        };
        for one in &found {
            for neighbour in neighbours(work, one.id, &one.message, &one.touches)? {
                component.answers.insert((neighbour.answer, neighbour.original));
                if reached.insert(neighbour.thread) {
                    next.push(neighbour.thread);
                }
            }
        }
        component.messages.extend(found);
    }
    Ok(component)
}

fn neighbours(
    work: &mut Work<'_>,
    id: i64,
    message: &Message,
    touches: &[MessageTouch],
) -> Result<Vec<Neighbour>, StoreError> {
    let mut found = Vec::new();
    let Some(subject) = message.subject else { return Ok(found) };
    let loose = |at: Timestamp, direction: Direction, reply_subject: bool, has_references: bool| {
        Loose { at, direction, subject: Some(subject), reply_subject, has_references }
    };
    let (from, to) = (message.at - SUBJECT_WINDOW, message.at + SUBJECT_WINDOW);
    for touch in touches {
        if !work.is_loose(touch.relationship)? {
            continue;
        }
        let me = loose(
            message.at,
            touch.interaction.direction,
            message.reply_subject,
            !message.references.is_empty(),
        );
        work.unstored.store_of(work.db, touch.relationship)?;
        let others = interaction::with_subject(work.db, touch.relationship, subject, from, to)?;
        for other in others.into_iter().filter(|other| other.message != id) {
            let them = loose(other.at, other.direction, other.reply_subject, other.has_references);
            let (answer, original) = if answers_by_subject(&me, &them) {
                (id, other.message)
            } else if answers_by_subject(&them, &me) {
                (other.message, id)
            } else {
                continue;
            };
            found.push(Neighbour { thread: other.thread, answer, original });
        }
    }
    Ok(found)
}

/// The messages as linking sees them; one that refers to itself does not answer itself.
fn nodes(work: &mut Work<'_>, component: &Component) -> Result<Vec<Node>, StoreError> {
    let first_key = |id: i64| -> Option<Key> {
        component.messages.iter().find(|m| m.id == id).and_then(|m| m.message.keys.first().copied())
    };
    let mut nodes = Vec::with_capacity(component.messages.len());
    for found in &component.messages {
        let keys = found.message.keys.clone();
        let mut references = found.message.references.clone();
        let parent = references.last().copied().filter(|key| !keys.contains(key));
        references.retain(|key| !keys.contains(key));
        let by_subject = component.answers.range((found.id, i64::MIN)..=(found.id, i64::MAX));
        let mut touches = Vec::with_capacity(found.touches.len());
        for touch in &found.touches {
            touches.push(node_touch(touch, work.address(touch.line)?));
        }
        nodes.push(Node {
            keys,
            at: found.message.at,
            thread: found.message.thread.unwrap_or_default(),
            references,
            parent,
            guesses: by_subject.filter_map(|(_, original)| first_key(*original)).collect(),
            touches,
        });
    }
    Ok(nodes)
}

const fn node_touch(touch: &MessageTouch, address: i64) -> NodeTouch {
    NodeTouch {
        address,
        relationship: touch.relationship,
        direction: touch.interaction.direction,
        audience: touch.interaction.audience,
        standing: touch.standing,
    }
}

fn save(work: &mut Work<'_>, touch: &MessageTouch, decided: Linked) -> Result<(), StoreError> {
    let same = decided.linked == touch.interaction.linked && decided.counted == touch.counted;
    if same && decided.turn == touch.turn {
        return Ok(());
    }
    if !work.unstored.decide(touch, decided) {
        turn::relink(work.db, touch.id, decided.linked, decided.counted, decided.turn)?;
    }
    if same {
        return Ok(());
    }
    let mut now = touch.interaction;
    now.linked = decided.linked;
    let touched = work.touched.entry(touch.relationship).or_default();
    match (touched.added.get_mut(&touch.id), touch.counted, decided.counted) {
        (Some(added), _, _) => *added = (now, decided.counted),
        (None, false, true) => {
            touched.added.insert(touch.id, (now, true));
        }
        (None, true, true) if decided.linked => touched.answered.push(now.at),
        (None, false, false) => {}
        _ => touched.refold = true,
    }
    Ok(())
}
