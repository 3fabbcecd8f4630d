//! Every UID is covered once, whatever was read before.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const WINDOW: u32 = 4;

fn places(uids: &[u32]) -> Vec<Place> {
    uids.iter()
        .zip((1..).step_by(WINDOW as usize))
        .map(|(uid, sequence)| Place { sequence, uid: *uid })
        .collect()
}

fn cursor(uid_validity: u32, low: u32, high: u32) -> Cursor {
    Cursor::Imap { uid_validity, low, high }
}

#[test]
fn a_pass_begins_where_the_cursor_still_means_something() {
    let snapshot = Snapshot { uid_validity: 7, uid_next: 100, exists: 10 };
    for (cursor, beginning, low, high) in [
        (None, Beginning::First, 100, 99),
        (Some(cursor(7, 50, 80)), Beginning::Continued, 50, 80),
        (Some(cursor(7, 100, 99)), Beginning::Continued, 100, 99),
        (Some(cursor(8, 50, 80)), Beginning::ValidityChanged, 100, 99),
        (Some(cursor(7, 50, 100)), Beginning::Rewound, 100, 99),
        (Some(cursor(7, 90, 10)), Beginning::First, 100, 99),
        (Some(Cursor::Maildir), Beginning::First, 100, 99),
    ] {
        assert_eq!(
            begin(cursor.as_ref(), snapshot),
            (beginning, Reach { low, high }),
            "{cursor:?}"
        );
    }
    let empty = Snapshot { exists: 0, ..snapshot };
    assert_eq!(begin(None, empty), (Beginning::First, Reach { low: 100, high: 99 }));
    assert!(steps(Reach { low: 100, high: 99 }, empty, &[]).is_empty());
}

#[test]
fn new_mail_comes_first_then_the_past_backwards() {
    let snapshot = Snapshot { uid_validity: 1, uid_next: 31, exists: 30 };
    let found: Vec<_> =
        steps(Reach { low: 13, high: 20 }, snapshot, &places(&[1, 5, 9, 13, 17, 21, 25, 29]))
            .into_iter()
            .map(|step| (step.uids, step.way))
            .collect();
    assert_eq!(
        found,
        [
            (21..=24, Way::Up),
            (25..=28, Way::Up),
            (29..=30, Way::Up),
            (9..=12, Way::Down),
            (5..=8, Way::Down),
            (1..=4, Way::Down),
        ]
    );
}

#[test]
fn boundaries_are_asked_for_only_where_uids_are_many_and_in_short_lines() {
    let snapshot = Snapshot { uid_validity: 1, uid_next: 1001, exists: 1000 };
    assert!(boundary_lists(Reach { low: 1, high: 990 }, snapshot, 100).is_empty());
    assert_eq!(boundary_lists(Reach { low: 1001, high: 1000 }, snapshot, 400), ["1,401,801"]);
    let huge = Snapshot { uid_validity: 1, uid_next: u32::MAX, exists: u32::MAX };
    let lists = boundary_lists(Reach { low: u32::MAX, high: u32::MAX - 1 }, huge, 1000);
    assert!(lists.iter().all(|list| list.len() <= 1000));
    let count: usize = lists.iter().map(|list| list.split(',').count()).sum();
    assert!(count <= MOST_BOUNDARIES as usize + 1, "{count}");
}

#[test]
fn a_step_is_halved_down_to_one_uid() {
    let step = Step { uids: 5..=8, way: Way::Down, expected: Some(4) };
    let [first, second] = step.halves().unwrap();
    assert_eq!((first.uids, second.uids), (7..=8, 5..=6));
    assert_eq!(Step { uids: 5..=5, way: Way::Up, expected: None }.halves(), None);
    let all = Step { uids: 1..=u32::MAX, way: Way::Up, expected: None }.halves().unwrap();
    assert_eq!((*all[0].uids.start(), *all[1].uids.end()), (1, u32::MAX));
}

/// What happens to a mailbox between and during passes.
#[derive(Clone, Debug)]
enum Event {
    /// So many messages arrive, each UID that many above the last.
    Arrive { count: u32, gap: u32 },
    /// The message at this place, modulo their number, is deleted.
    Delete(u32),
    /// A pass is made that breaks after so many windows; some of its windows prove troublesome.
    Pass { windows: usize, halve: bool },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (1u32..12, 1u32..50).prop_map(|(count, gap)| Event::Arrive { count, gap }),
        any::<u32>().prop_map(Event::Delete),
        (0usize..5, any::<bool>()).prop_map(|(windows, halve)| Event::Pass { windows, halve }),
    ];
    proptest::collection::vec(event, 0..60)
}

/// A mailbox and what was read of it.
struct Model {
    uids: BTreeSet<u32>,
    next: u32,
    cursor: Option<Cursor>,
    read: Vec<u32>,
}

impl Model {
    fn pass(&mut self, limit: usize, halve: bool) {
        let exists = u32::try_from(self.uids.len()).unwrap();
        let snapshot = Snapshot { uid_validity: 1, uid_next: self.next, exists };
        let (_, mut reach) = begin(self.cursor.as_ref(), snapshot);
        let uids: Vec<u32> = self.uids.iter().copied().collect();
        let place = |sequence: u32| Place { sequence, uid: uids[sequence as usize - 1] };
        let boundaries: Vec<Place> = boundary_lists(reach, snapshot, WINDOW)
            .iter()
            .flat_map(|list| list.split(','))
            .map(|sequence| place(sequence.parse().unwrap()))
            .collect();
        let mut todo = steps(reach, snapshot, &boundaries);
        let mut done = 0;
        while let Some(step) = todo.pop_front() {
            if done >= limit {
                return;
            }
            if halve && let Some([first, second]) = step.halves() {
                todo.push_front(second);
                todo.push_front(first);
                continue;
            }
            let found = self.uids.range(step.uids.clone());
            if let Some(expected) = step.expected {
                assert_eq!(found.clone().count(), expected as usize, "{step:?}");
            }
            self.read.extend(found);
            reach = reach.after(&step);
            self.cursor = Some(reach.cursor(snapshot));
            done += 1;
        }
        self.cursor = Some(reach.cursor(snapshot));
        if exists > 0 {
            assert_eq!(reach, Reach { low: 1, high: self.next - 1 }, "a whole pass covers all");
        }
    }
}

proptest! {
    /// Whatever arrives, is deleted or breaks in between: in the end every message that stayed has
    /// been read, and none twice.
    #[test]
    fn every_uid_is_read_exactly_once(events in events()) {
        let mut model = Model { uids: BTreeSet::new(), next: 1, cursor: None, read: Vec::new() };
        for event in events {
            match event {
                Event::Arrive { count, gap } => {
                    for _ in 0..count {
                        model.uids.insert(model.next + gap - 1);
                        model.next += gap;
                    }
                }
                Event::Delete(place) if !model.uids.is_empty() => {
                    let place = place as usize % model.uids.len();
                    let uid = *model.uids.iter().nth(place).unwrap();
                    model.uids.remove(&uid);
                }
                Event::Delete(_) => {}
                Event::Pass { windows, halve } => model.pass(windows, halve),
            }
        }
        model.pass(usize::MAX, false);
        let read: BTreeSet<u32> = model.read.iter().copied().collect();
        prop_assert_eq!(read.len(), model.read.len(), "something was read twice");
        prop_assert!(model.uids.is_subset(&read), "something was never read");
    }
}
