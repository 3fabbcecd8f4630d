//! Which messages of a thread answer the other party, and which of them count.
//!
//! Order-free: a function of the set of messages. What is decided is decided between a rep and a
//! contact, whichever of the contact's addresses were written to or from: an answer may come from
//! another address, and a message to two addresses of one contact counts once. A touch is *linked* if its message refers (by
//! References, In-Reply-To or the guarded subject fallback) to a message of the other party in the
//! same relationship. A touch that is open to doubt counts only on evidence: a message that says
//! it is the rep's if it was met where only the rep puts messages; one from an unauthenticated
//! sender if it answers one of our own that counts. What else a thread says of its messages is
//! decided in [`turn`].

mod turn;

use foldhash::{HashMap, HashMapExt};

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

/// A touch of a message in a thread: of one address of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeTouch {
    /// The row of the address: which one of the contact it is, whoever the rep.
    pub address: i64,
    /// The relationship's row.
    pub relationship: i64,
    /// Which way.
    pub direction: Direction,
    /// To how many people.
    pub audience: u32,
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
    let by_key = by_key(nodes);
    let mut result = answered(nodes, &by_key);
    for (node, linked) in nodes.iter().zip(&mut result) {
        count_once(&node.touches, linked);
    }
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
            break;
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
    result
}

/// Of the touches of one message with one contact in one direction one counts: that with the larger
/// audience, for more recipients never raise a strength (G3). Two of one audience weigh the same.
fn count_once(touches: &[NodeTouch], linked: &mut [Linked]) {
    let mut first = 0;
    while let Some(one) = touches.get(first) {
        for (n, other) in touches.iter().enumerate().skip(first + 1) {
            let both = [first, n].iter().all(|n| linked.get(*n).is_some_and(|l| l.counted));
            if both && same_way(one, other) {
                let less = if other.audience > one.audience { first } else { n };
                linked.iter_mut().skip(less).take(1).for_each(|linked| linked.counted = false);
            }
        }
        first += 1;
    }
}

fn same_way(a: &NodeTouch, b: &NodeTouch) -> bool {
    a.relationship == b.relationship && a.direction == b.direction
}

/// Where a message was answered from an address that it did not go to: the address that it went to,
/// and that from which the answer came. Only of answers about which there is no doubt, and of messages
/// that count. Whichever rep wrote: who answers one rep with a copy to another one answers from where
/// the message went, though nothing links the copy. So does who was written to in any of the messages
/// that the answer refers to.
#[must_use]
pub fn answered_from(nodes: &[Node], decided: &[Vec<Linked>]) -> Vec<(i64, i64)> {
    let touches = |n: usize, direction: Direction| {
        let node = nodes.get(n).map_or(&[][..], |node| &node.touches);
        let linked = decided.get(n).map_or(&[][..], |linked| linked);
        node.iter().zip(linked).filter(move |(t, l)| t.direction == direction && l.counted)
    };
    let unlinked = |n: usize| {
        touches(n, Direction::Inbound).filter(|(t, l)| !l.linked && t.standing == Standing::Sound)
    };
    let asking =
        |(n, node): &(usize, &Node)| !node.references.is_empty() && unlinked(*n).next().is_some();
    let mut answers = nodes.iter().enumerate().filter(asking).peekable();
    if answers.peek().is_none() {
        return Vec::new();
    }
    let by_key = by_key(nodes);
    let mut found = Vec::new();
    for (n, node) in answers {
        let parents: Vec<usize> =
            node.references.iter().filter_map(|key| by_key.get(key)).copied().collect();
        let went_to = |address: i64| {
            let all = parents.iter().filter_map(|n| nodes.get(*n)).flat_map(|node| &node.touches);
            all.into_iter().any(|t| t.direction == Direction::Outbound && t.address == address)
        };
        for (answer, _) in unlinked(n).filter(|(answer, _)| !went_to(answer.address)) {
            let written = parents.iter().flat_map(|n| touches(*n, Direction::Outbound));
            found.extend(written.map(|(written, _)| (written.address, answer.address)));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn by_key(nodes: &[Node]) -> ByKey {
    let mut by_key = HashMap::with_capacity(nodes.len());
    for (n, node) in nodes.iter().enumerate() {
        by_key.extend(node.keys.iter().map(|key| (*key, n)));
    }
    by_key
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
