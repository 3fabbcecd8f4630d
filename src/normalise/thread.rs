//! Which messages of a thread answer the other party, and which of them count.
//!
//! Order-free: a function of the set of messages. A touch is *linked* if its message refers (by
//! References, In-Reply-To or the guarded subject fallback) to a message of the other party in the
//! same relationship. A touch that is open to doubt counts only on evidence: a message that says
//! it is the rep's if it was met where only the rep puts messages; one from an unauthenticated
//! sender if it answers one of our own that counts. What else a thread says of its messages is
//! decided in [`turn`].

mod turn;

use std::collections::HashMap;

use crate::model::{Direction, Key, Span, Standing, Timestamp, Turn};

/// A subject without references links a reply to an original at most so much older.
pub const SUBJECT_WINDOW: Span = Span::from_days(14);

/// A message of a thread, as far as linking needs it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Every key that names the message.
    pub keys: Vec<Key>,
    /// When it was written.
    pub at: Timestamp,
    /// Its thread: several may hang together by subjects.
    pub thread: i64,
    /// The keys it refers to.
    pub references: Vec<Key>,
    /// The one of them that names its parent: In-Reply-To, else the last of References.
    pub parent: Option<Key>,
    /// A key of each message that it answers by its subject alone.
    pub guesses: Vec<Key>,
    /// Its touches.
    pub touches: Vec<NodeTouch>,
}

/// A touch of a message in a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeTouch {
    /// The relationship's row.
    pub relationship: i64,
    /// Which way.
    pub direction: Direction,
    /// What speaks for it.
    pub standing: Standing,
}

/// What became of a touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    /// Whether it answers a counted message of the other party.
    pub linked: bool,
    /// Whether it has mass and is counted.
    pub counted: bool,
    /// What its thread says of it; nothing of what does not count.
    pub turn: Turn,
}

/// The nodes by the keys that name them.
type ByKey = HashMap<Key, usize>;

/// Decides every touch of a thread; the result has the shape of `nodes` and their touches.
#[must_use]
pub fn link(nodes: &[Node]) -> Vec<Vec<Linked>> {
    let by_key: ByKey = nodes
        .iter()
        .enumerate()
        .flat_map(|(n, node)| node.keys.iter().map(move |k| (*k, n)))
        .collect();
    let mut result = answered(nodes, &by_key);
    turn::decide(nodes, &by_key, &mut result);
    result
}

/// Which touches answer the other party, and which count: the least fixed point, for what counts can
/// only make more count.
fn answered(nodes: &[Node], by_key: &ByKey) -> Vec<Vec<Linked>> {
    let mut result: Vec<Vec<Linked>> = nodes
        .iter()
        .map(|node| {
            let sound = |t: &NodeTouch| Linked {
                counted: t.standing == Standing::Sound,
                ..Linked::default()
            };
            node.touches.iter().map(sound).collect()
        })
        .collect();
    loop {
        let mut found = Vec::new();
        for (n, node) in nodes.iter().enumerate() {
            for (t, touch) in node.touches.iter().enumerate() {
                let known = result.get(n).and_then(|r| r.get(t)).copied().unwrap_or_default();
                if !known.linked && answers(node, touch, nodes, by_key, &result) {
                    found.push((n, t));
                }
            }
        }
        if found.is_empty() {
            return result;
        }
        for (n, t) in found {
            if let (Some(linked), Some(touch)) = (
                result.get_mut(n).and_then(|r| r.get_mut(t)),
                nodes.get(n).and_then(|node| node.touches.get(t)),
            ) {
                linked.linked = true;
                linked.counted |= touch.standing == Standing::Unverified;
            }
        }
    }
}

/// Whether one of the messages that `node` refers to is a counted one of the other party.
fn answers(
    node: &Node,
    touch: &NodeTouch,
    nodes: &[Node],
    by_key: &ByKey,
    result: &[Vec<Linked>],
) -> bool {
    node.references.iter().chain(&node.guesses).filter_map(|key| by_key.get(key)).any(|&parent| {
        let Some(parent_touches) = nodes.get(parent).map(|p| &p.touches) else { return false };
        let Some(parent_result) = result.get(parent) else { return false };
        parent_touches.iter().zip(parent_result).any(|(other, linked)| {
            linked.counted
                && other.relationship == touch.relationship
                && other.direction == touch.direction.opposite()
        })
    })
}

/// A message that carries no references, as the subject fallback sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loose {
    /// When it was written.
    pub at: Timestamp,
    /// Which way it touched the relationship.
    pub direction: Direction,
    /// Its subject without prefixes.
    pub subject: Option<Key>,
    /// Whether its subject began with a reply's prefix.
    pub reply_subject: bool,
    /// Whether it has references of its own, so that nothing need be guessed.
    pub has_references: bool,
}

/// Whether, within one relationship, `reply` may be taken for an answer to `original` by subject
/// alone: it has no references but a reply's prefix, the same base subject, went the other way,
/// and is younger by at most fourteen days.
#[must_use]
pub fn answers_by_subject(reply: &Loose, original: &Loose) -> bool {
    reply.reply_subject
        && !reply.has_references
        && reply.subject.is_some()
        && reply.subject == original.subject
        && reply.direction == original.direction.opposite()
        && reply.direction != Direction::Mutual
        && original.at < reply.at
        && reply.at - original.at <= SUBJECT_WINDOW
}

#[cfg(test)]
mod tests;
