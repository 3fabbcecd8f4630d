//! What to fetch next in a mailbox: new mail first, then the past, newest first.
//!
//! Pure. Every UID below the mailbox's UIDNEXT at the beginning of a pass is covered by exactly one
//! step, whatever was read before; after each step the span of UIDs that have been read is one
//! without holes, so that any step may be the last and a later pass continues from its cursor.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use crate::model::Cursor;

/// Longest list of sequence numbers in one command, in characters (RFC 2683, 3.2.1.5: servers need
/// not take lines of more than 1,000).
const LIST_CHARS: usize = 900;

/// Most boundaries asked for in one mailbox; beyond that the windows grow instead.
const MOST_BOUNDARIES: u32 = 10_000;

/// A mailbox as the server describes it when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// UIDVALIDITY: UIDs of another value mean nothing here.
    pub(super) uid_validity: u32,
    /// UIDNEXT: every message there is has a lower UID.
    pub(super) uid_next: u32,
    /// How many messages there are.
    pub(super) exists: u32,
}

/// The span of UIDs that has been read, `low..=high`; empty when `low` is `high + 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// The lowest UID read.
    pub(super) low: u32,
    /// The highest UID read.
    pub(super) high: u32,
}

/// How a pass over a mailbox begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Nothing has been read yet.
    First,
    /// Where the last pass left off.
    Continued,
    /// The UIDs read before have lost their meaning: all is read again, and recognised by what the
    /// messages say.
    ValidityChanged,
    /// UIDNEXT has fallen below what was read, which a restored backup does: as before.
    Rewound,
}

/// Which end of the reach a step moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `high`, towards new mail.
    Up,
    /// `low`, towards the past.
    Down,
    /// None: what is within it is asked for once more.
    Again,
}

/// One window of UIDs, adjacent to what has been read when its turn comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The UIDs to fetch, of which many may not exist.
    pub(super) uids: RangeInclusive<u32>,
    /// Which end of the reach it moves.
    pub(super) way: Way,
    /// How many messages there are among them, where the sequence numbers of both ends tell.
    pub(super) expected: Option<u32>,
}

/// A message by its place in the mailbox and its UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Its sequence number.
    pub(super) sequence: u32,
    /// Its UID.
    pub(super) uid: u32,
}

/// Where a pass begins, given the last committed cursor. An empty mailbox is no exception: one that
/// says so by mistake must not count as read.
pub(super) fn begin(cursor: Option<&Cursor>, snapshot: Snapshot) -> (Beginning, Reach) {
    let top = snapshot.uid_next.saturating_sub(1);
    let nothing = Reach { low: top.saturating_add(1), high: top };
    match cursor {
        Some(Cursor::Imap { uid_validity, .. }) if *uid_validity != snapshot.uid_validity => {
            (Beginning::ValidityChanged, nothing)
        }
        Some(Cursor::Imap { high, .. }) if *high > top => (Beginning::Rewound, nothing),
        Some(Cursor::Imap { low, high, .. }) if *low >= 1 && *low <= high.saturating_add(1) => {
            (Beginning::Continued, Reach { low: *low, high: *high })
        }
        _ => (Beginning::First, nothing),
    }
}

/// The sequence numbers whose UIDs cut the mailbox into windows of about `window` messages: lists
/// for commands, none where the UIDs themselves are few enough.
pub(super) fn boundary_lists(reach: Reach, snapshot: Snapshot, window: u32) -> Vec<String> {
    let widest = gaps(reach, snapshot).into_iter().map(|(uids, _)| width(&uids)).max();
    if widest.unwrap_or(0) <= window {
        return Vec::new();
    }
    let stride = window.max(snapshot.exists.div_ceil(MOST_BOUNDARIES)).max(1);
    let mut lists: Vec<String> = Vec::new();
    let mut sequence = 1u32;
    while sequence <= snapshot.exists {
        match lists.last_mut() {
            Some(list) if list.len() < LIST_CHARS => {
                list.push(',');
                list.push_str(&sequence.to_string());
            }
            _ => lists.push(sequence.to_string()),
        }
        let Some(next) = sequence.checked_add(stride) else { break };
        sequence = next;
    }
    lists
}

/// The steps from `reach` to the whole mailbox, cut where a UID of `boundaries` begins a window.
///
/// Boundaries may come in any order and may be missing or wrong: then windows are larger or
/// smaller, but they cover the same.
pub(super) fn steps(reach: Reach, snapshot: Snapshot, boundaries: &[Place]) -> VecDeque<Step> {
    let mut places = boundaries.to_vec();
    places.sort_unstable_by_key(|place| place.uid);
    let boundaries: Vec<u32> = places.iter().map(|place| place.uid).collect();
    let mut steps = VecDeque::new();
    for (gap, way) in gaps(reach, snapshot) {
        let mut cut: Vec<Step> = windows(&gap, &boundaries)
            .map(|uids| Step { expected: expected(&uids, snapshot, &places), uids, way })
            .collect();
        if way == Way::Down {
            cut.reverse();
        }
        steps.extend(cut);
    }
    steps
}

/// How many messages a window holds: those before its end less those before its beginning; `places`
/// by ascending UID.
fn expected(uids: &RangeInclusive<u32>, snapshot: Snapshot, places: &[Place]) -> Option<u32> {
    let before = |uid: u32| {
        if uid <= 1 {
            return Some(0);
        }
        if uid >= snapshot.uid_next {
            return Some(snapshot.exists);
        }
        let found = places.binary_search_by_key(&uid, |place| place.uid).ok()?;
        Some(places.get(found)?.sequence.saturating_sub(1))
    };
    before(uids.end().saturating_add(1))?.checked_sub(before(*uids.start())?)
}

impl Reach {
    /// What has been read once the step is done.
    pub(super) fn after(self, step: &Step) -> Self {
        match step.way {
            Way::Up => Self { high: *step.uids.end(), ..self },
            Way::Down => Self { low: *step.uids.start(), ..self },
            Way::Again => self,
        }
    }

    /// The cursor that says so.
    pub(super) fn cursor(self, snapshot: Snapshot) -> Cursor {
        Cursor::Imap { uid_validity: snapshot.uid_validity, low: self.low, high: self.high }
    }
}

impl Step {
    /// The step in two halves, in the order in which they are to be done; `None` for a single UID.
    pub(super) fn halves(&self) -> Option<[Self; 2]> {
        let (start, end) = (*self.uids.start(), *self.uids.end());
        if start >= end {
            return None;
        }
        let middle = start.midpoint(end);
        let part = |uids| Self { uids, way: self.way, expected: None };
        let lower = part(start..=middle);
        let upper = part(middle.saturating_add(1)..=end);
        Some(match self.way {
            Way::Up | Way::Again => [lower, upper],
            Way::Down => [upper, lower],
        })
    }
}

/// What has not been read: above the reach, then below it.
fn gaps(reach: Reach, snapshot: Snapshot) -> Vec<(RangeInclusive<u32>, Way)> {
    let above = reach.high.saturating_add(1)..=snapshot.uid_next.saturating_sub(1);
    let below = 1..=reach.low.saturating_sub(1);
    [(above, Way::Up), (below, Way::Down)]
        .into_iter()
        .filter(|(uids, _)| snapshot.exists > 0 && !uids.is_empty())
        .collect()
}

fn width(uids: &RangeInclusive<u32>) -> u32 {
    uids.end().saturating_sub(*uids.start()).saturating_add(1)
}

/// A range cut before each boundary within it; `boundaries` ascending.
fn windows(
    uids: &RangeInclusive<u32>,
    boundaries: &[u32],
) -> impl Iterator<Item = RangeInclusive<u32>> {
    let (first, last) = (*uids.start(), *uids.end());
    let cuts = boundaries.iter().copied().filter(move |uid| *uid > first && *uid <= last);
    let starts = std::iter::once(first).chain(cuts.clone());
    let ends = cuts.map(|uid| uid.saturating_sub(1)).chain(std::iter::once(last));
    starts.zip(ends).filter(|(start, end)| start <= end).map(|(start, end)| start..=end)
}

#[cfg(test)]
mod tests;
