//! What a thread says of its messages beside which answer which: who began it, which message was the
//! first to answer which, and what its own writer has followed up. Engagement is told from it.
//!
//! A message's parent is the last one that it refers to (In-Reply-To, else the end of References),
//! and if that is not known the latest known of the others. Only what counts takes part, and one
//! relationship's messages say nothing of another's. What only a subject tells is no parent: when it
//! was written is a guess too many.

use std::collections::BTreeMap;

use crate::model::{Direction, Key, Timestamp};

use super::{ByKey, Linked, Node};

/// A touch: its node, and its place among the touches of that.
type Place = (usize, usize);

/// By when it was written, and where that is the same by its least key and its direction, so that
/// rows decide nothing.
type Rank = (Timestamp, Option<Key>, Direction);

/// The first of several touches, by what they have in common.
struct First<K>(BTreeMap<K, (Rank, Place)>);

impl<K: Ord> First<K> {
    fn offer(&mut self, of: K, rank: Rank, place: Place) {
        let first = self.0.entry(of).or_insert((rank, place));
        *first = (*first).min((rank, place));
    }
}

/// Decides the turns of all touches that count; which do stands in `result`.
pub(super) fn decide(nodes: &[Node], by_key: &ByKey, result: &mut [Vec<Linked>]) {
    let mut openings = First(BTreeMap::new());
    let mut replies = First(BTreeMap::new());
    let mut followed: BTreeMap<Place, Timestamp> = BTreeMap::new();
    for (n, node) in nodes.iter().enumerate() {
        let least = node.keys.iter().min().copied();
        let parent = parent(n, node, nodes, by_key);
        for (t, touch) in node.touches.iter().enumerate() {
            let Some(linked) = result.get(n).and_then(|r| r.get(t)).filter(|l| l.counted) else {
                continue;
            };
            let rank = (node.at, least, touch.direction);
            if !linked.linked {
                openings.offer((touch.relationship, node.thread), rank, (n, t));
            }
            let Some(parent) = parent else { continue };
            for (place, direction) in counted(parent, touch.relationship, nodes, result) {
                if direction == touch.direction {
                    let first = followed.entry(place).or_insert(node.at);
                    *first = node.at.min(*first);
                } else if direction == touch.direction.opposite() {
                    replies.offer((place, touch.direction), rank, (n, t));
                }
            }
        }
    }
    result.iter_mut().flatten().for_each(|linked| linked.turn.opens = Some(false));
    for (_, (_, place)) in openings.0 {
        turn(result, place, |linked| linked.turn.opens = Some(true));
    }
    for (((parent, _), _), (_, place)) in replies.0 {
        let parent_at = nodes.get(parent).map(|parent| parent.at);
        turn(result, place, |linked| linked.turn.parent_at = parent_at);
    }
    for (place, at) in followed {
        turn(result, place, |linked| linked.turn.followed_at = Some(at));
    }
}

fn turn(result: &mut [Vec<Linked>], (n, t): Place, change: impl FnOnce(&mut Linked)) {
    if let Some(linked) = result.get_mut(n).and_then(|touches| touches.get_mut(t)) {
        change(linked);
    }
}

/// The message that `node`, number `n`, answers or follows up, by number.
fn parent(n: usize, node: &Node, nodes: &[Node], by_key: &ByKey) -> Option<usize> {
    let find = |key: &Key| by_key.get(key).copied().filter(|found| *found != n);
    let rank = |n: &usize| nodes.get(*n).map(|node| (node.at, node.keys.iter().min().copied()));
    let named = node.parent.as_ref().and_then(find);
    named.or_else(|| node.references.iter().filter_map(find).max_by_key(rank))
}

/// The touches of a message in a relationship that count.
fn counted(
    message: usize,
    relationship: i64,
    nodes: &[Node],
    result: &[Vec<Linked>],
) -> impl Iterator<Item = (Place, Direction)> {
    let touches = nodes.get(message).map_or(&[][..], |node| &node.touches);
    let linked = result.get(message).map_or(&[][..], Vec::as_slice);
    touches
        .iter()
        .zip(linked)
        .enumerate()
        .filter(move |(_, (touch, linked))| touch.relationship == relationship && linked.counted)
        .map(move |(t, (touch, _))| ((message, t), touch.direction))
}
