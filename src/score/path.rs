//! Warm paths: a rep who does not know somebody, by way of a colleague who does.
//!
//! A path is worth what its weaker step is, never a product: an introduction fails at the weaker of
//! the two, and two good steps are a good way.
//!
//! What two reps have is scored as any relationship is, by the messages that one has written to the
//! other. Of those it is not kept which answers which: that they take turns within thirty days stands
//! for it, as in a log without threads.

use crate::model::{Direction, Interaction, Kind, Span, Timestamp};

use super::strength::score_of;

/// A message stands for an answer to the other's last one if that is at most so much older.
const TURN: Span = Span::from_days(30);

/// The log of what a rep has with a colleague, by time: messages each way, with their audience.
#[must_use]
pub fn colleagues(sent: &[(Timestamp, u32)], received: &[(Timestamp, u32)]) -> Vec<Interaction> {
    let message = |direction| {
        move |(at, audience): &(Timestamp, u32)| Interaction {
            at: *at,
            direction,
            kind: Kind::Message,
            audience: *audience,
            linked: false,
        }
    };
    let mut log: Vec<Interaction> = sent.iter().map(message(Direction::Outbound)).collect();
    log.extend(received.iter().map(message(Direction::Inbound)));
    log.sort_by_key(|one| (one.at, one.direction, one.audience));
    let (mut sent_at, mut received_at) = (None, None);
    for one in &mut log {
        let (mine, theirs): (&mut Option<Timestamp>, Option<Timestamp>) = match one.direction {
            Direction::Outbound => (&mut sent_at, received_at),
            Direction::Inbound | Direction::Mutual => (&mut received_at, sent_at),
        };
        one.linked = theirs.is_some_and(|theirs| one.at - theirs <= TURN);
        *mine = Some(one.at);
    }
    log
}

/// A step from a rep to somebody: another rep or a contact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The rep's row.
    pub rep: i64,
    /// The row of whom the rep knows: of a rep, or of a contact.
    pub knows: i64,
    /// S if one has answered the other, else 0.
    pub s: f64,
}

/// A way of two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// From a rep to a colleague, who is a rep.
    pub first: Step,
    /// From that colleague to a contact.
    pub second: Step,
}

impl Path {
    /// S of the weaker step.
    #[must_use]
    pub fn s(&self) -> f64 {
        self.first.s.min(self.second.s)
    }

    /// The strength of the weaker step, 0 to 100.
    #[must_use]
    pub fn strength(&self) -> f64 {
        score_of(self.s())
    }
}

/// Every way of two steps, the warmest first; of two that are worth the same the one with the warmer
/// other step. Steps that are worth nothing lead nowhere, and nobody is their own colleague.
#[must_use]
pub fn paths(colleagues: &[Step], contacts: &[Step]) -> Vec<Path> {
    let warm = |step: &&Step| step.s > 0.0 && step.rep != step.knows;
    let mut found: Vec<Path> = Vec::new();
    for first in colleagues.iter().filter(warm) {
        let known = contacts.iter().filter(|second| second.rep == first.knows && second.s > 0.0);
        found.extend(known.map(|second| Path { first: *first, second: *second }));
    }
    let other = |path: &Path| path.first.s.max(path.second.s);
    let rows = |path: &Path| (path.first.rep, path.first.knows, path.second.knows);
    found.sort_by(|a, b| {
        let warmer = b.s().total_cmp(&a.s()).then(other(b).total_cmp(&other(a)));
        warmer.then_with(|| rows(a).cmp(&rows(b)))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(of: &[(i64, i64, f64)]) -> Vec<Step> {
        of.iter().map(|(rep, knows, s)| Step { rep: *rep, knows: *knows, s: *s }).collect()
    }

    #[test]
    fn a_path_is_worth_its_weaker_step() {
        // Reps 1 to 4; contacts 10 and 11.
        let colleagues = steps(&[(1, 2, 3.0), (2, 1, 2.0), (1, 3, 1.0), (1, 4, 0.0), (1, 1, 9.0)]);
        let contacts =
            steps(&[(2, 10, 1.5), (3, 10, 4.0), (4, 10, 4.0), (2, 11, 0.0), (1, 10, 0.2)]);
        let found = paths(&colleagues, &contacts);
        let told: Vec<(i64, i64, i64, f64)> = found
            .iter()
            .map(|path| (path.first.rep, path.first.knows, path.second.knows, path.s()))
            .collect();
        assert_eq!(told, [(1, 2, 10, 1.5), (1, 3, 10, 1.0), (2, 1, 10, 0.2)]);
    }

    #[test]
    fn reps_who_take_turns_answer_each_other() {
        let days = |days: &[i64]| -> Vec<(Timestamp, u32)> {
            days.iter().map(|d| (Timestamp::default() + Span::from_days(*d), 1)).collect()
        };
        let log = colleagues(&days(&[1, 2, 80]), &days(&[32, 40, 111]));
        let linked: Vec<bool> = log.iter().map(|one| one.linked).collect();
        assert_eq!(linked, [false, false, true, false, false, false]);
        let monologue = colleagues(&days(&[1, 2, 3]), &[]);
        assert!(monologue.iter().all(|one| !one.linked));
    }

    #[test]
    fn of_two_that_are_worth_the_same_the_warmer_other_step_decides() {
        let colleagues = steps(&[(1, 2, 1.0), (1, 3, 5.0)]);
        let contacts = steps(&[(2, 10, 1.0), (3, 10, 1.0)]);
        let via: Vec<i64> = paths(&colleagues, &contacts).iter().map(|p| p.first.knows).collect();
        assert_eq!(via, [3, 2]);
    }
}
