//! Relationships at snapshots: what every score says of them then, and what happened afterwards.
//!
//! Guarantees that scores know nothing later than the snapshot, and that strengths are those of the
//! store: they are folded by `score::fold`, once along the log.

use super::log::History;
use crate::model::relationship::Relationship;
use crate::model::{Direction, Interaction, Kind, Span, Timestamp};
use crate::score::fold::walk;
use crate::score::{Parameters, Strength, strength_at};

/// A relationship is a candidate for so long after its last interaction.
const ACTIVE: Span = Span::from_days(365);
/// How far ahead is looked, in days.
pub const HORIZONS_DAYS: [i64; 3] = [30, 60, 90];
/// The window of the frequency.
const FREQUENCY: Span = Span::from_days(90);
/// What a message from the rep counts for in the Interactions Rank, and what one from the contact
/// does (Roth et al. 2010, "Suggesting friends using the implicit social graph").
const RANK_WEIGHTS: (f64, f64) = (5.0, 1.0);
/// The exponent of the factor (1 + days of silence) by which S is lowered for ranking.
const RANKING_EXPONENT: f64 = -0.15;

/// What relationships are ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// S, without the gate.
    S,
    /// The strength that is displayed: 0 until one has answered the other.
    Strength,
    /// S (1 + days of silence)^-0.15.
    Ranking,
    /// The less time since the last interaction, the better.
    Recency,
    /// Interactions of the last 90 days.
    Frequency,
    /// Interactions Rank with a half-life of 7 days.
    Rank7,
    /// Interactions Rank with a half-life of 30 days.
    Rank30,
}

impl Score {
    /// All of them, ours first.
    pub const ALL: [Self; 7] = [
        Self::S,
        Self::Strength,
        Self::Ranking,
        Self::Recency,
        Self::Frequency,
        Self::Rank7,
        Self::Rank30,
    ];

    /// Whether it is not ours, but what ours is to beat.
    #[must_use]
    pub const fn is_baseline(self) -> bool {
        matches!(self, Self::Recency | Self::Frequency | Self::Rank7 | Self::Rank30)
    }

    /// The word for it in JSON and CSV.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::S => "s",
            Self::Strength => "strength",
            Self::Ranking => "s_by_silence",
            Self::Recency => "recency",
            Self::Frequency => "frequency_90",
            Self::Rank7 => "interactions_rank_7",
            Self::Rank30 => "interactions_rank_30",
        }
    }
}

/// A relationship at a snapshot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The snapshot.
    pub at: Timestamp,
    /// The strength then.
    pub strength: Strength,
    /// By [`Score::ALL`].
    pub scores: [f64; Score::ALL.len()],
    /// Whether both had written by then.
    pub established: bool,
    /// Whether both have written within each of [`HORIZONS_DAYS`] after it.
    pub labels: [bool; HORIZONS_DAYS.len()],
}

/// Shows a history at those of `snapshots` (in order) at which it is a candidate: at least one
/// interaction of any kind in the 365 days up to then.
pub fn candidates(
    history: &History,
    snapshots: &[Timestamp],
    parameters: &Parameters,
    mut show: impl FnMut(&Candidate),
) {
    let rows = history.interactions.as_slice();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
    let begin = snapshots.partition_point(|at| *at < first.at);
    let end = snapshots.partition_point(|at| *at < last.at + ACTIVE);
    let mut left = snapshots.get(begin..end).unwrap_or_default();
    let Some(until) = left.last() else { return };
    let again = again(rows);
    let mut past = Past::of(rows);
    let mut pass = |before: &Relationship, to: Option<Timestamp>| {
        while let Some((at, rest)) =
            left.split_first().filter(|(at, _)| to.is_none_or(|to| **at < to))
        {
            left = rest;
            past.bring_to(*at);
            if past.last.is_some_and(|last| *at - last < ACTIVE) {
                let again = again.get(past.seen).copied().flatten();
                show(&past.candidate(*at, strength_at(before, *at), again));
            }
        }
    };
    let mut before = Relationship::default();
    walk(rows, history.zone, parameters, *until, |state| {
        pass(&before, Some(state.masses.at));
        before = *state;
    });
    pass(&before, None);
}

/// When, after the first n interactions, both will have written: the later of the next message
/// from either. A message of both at once is one of either; meetings are no messages.
fn again(rows: &[Interaction]) -> Vec<Option<Timestamp>> {
    let (mut outbound, mut inbound): (Option<Timestamp>, Option<Timestamp>) = (None, None);
    let mut again = vec![None; rows.len() + 1];
    for (row, again) in rows.iter().zip(&mut again).rev() {
        let (from_rep, from_contact) = writes(row);
        outbound = if from_rep { Some(row.at) } else { outbound };
        inbound = if from_contact { Some(row.at) } else { inbound };
        *again = outbound.zip(inbound).map(|(o, i)| o.max(i));
    }
    again
}

/// Whether the rep and whether the contact has written.
fn writes(row: &Interaction) -> (bool, bool) {
    let message = row.kind == Kind::Message;
    (
        message && row.direction != Direction::Inbound,
        message && row.direction != Direction::Outbound,
    )
}

/// What the baselines need of the past, brought forward as time goes on.
struct Past<'a> {
    rows: &'a [Interaction],
    /// How many are past.
    seen: usize,
    /// How many are older than the window of the frequency.
    aged: usize,
    last: Option<Timestamp>,
    /// Interactions Rank with 7 and with 30 days, at `last`.
    ranks: [f64; 2],
    wrote: (bool, bool),
}

const RANK_HALF_LIVES_DAYS: [f64; 2] = [7.0, 30.0];

impl<'a> Past<'a> {
    fn of(rows: &'a [Interaction]) -> Self {
        Self { rows, seen: 0, aged: 0, last: None, ranks: [0.0; 2], wrote: (false, false) }
    }

    fn bring_to(&mut self, at: Timestamp) {
        while let Some(row) = self.rows.get(self.seen).filter(|row| row.at <= at) {
            self.ranks = self.ranks_at(row.at);
            let (out, inward) = RANK_WEIGHTS;
            let weight = match row.direction {
                Direction::Outbound => out,
                Direction::Inbound => inward,
                Direction::Mutual => out + inward,
            };
            self.ranks = self.ranks.map(|rank| rank + weight);
            self.last = Some(row.at);
            let (from_rep, from_contact) = writes(row);
            self.wrote = (self.wrote.0 || from_rep, self.wrote.1 || from_contact);
            self.seen += 1;
        }
        let old = |row: &&Interaction| at - row.at >= FREQUENCY;
        while self.rows.get(self.aged).filter(old).is_some() {
            self.aged += 1;
        }
    }

    fn ranks_at(&self, at: Timestamp) -> [f64; 2] {
        let days = self.last.map_or(0.0, |last| at.days_since(last));
        let mut ranks = self.ranks;
        for (rank, half_life) in ranks.iter_mut().zip(RANK_HALF_LIVES_DAYS) {
            *rank *= (-days / half_life).exp2();
        }
        ranks
    }

    fn candidate(&self, at: Timestamp, strength: Strength, again: Option<Timestamp>) -> Candidate {
        let silence = self.last.map_or(0.0, |last| at.days_since(last));
        let recent = u32::try_from(self.seen.saturating_sub(self.aged)).unwrap_or(u32::MAX);
        let [rank_7, rank_30] = self.ranks_at(at);
        let scores = Score::ALL.map(|score| match score {
            Score::S => strength.s,
            Score::Strength => strength.score,
            Score::Ranking => strength.s * (1.0 + silence).powf(RANKING_EXPONENT),
            Score::Recency => -silence,
            Score::Frequency => f64::from(recent),
            Score::Rank7 => rank_7,
            Score::Rank30 => rank_30,
        });
        let labels = HORIZONS_DAYS
            .map(|days| again.is_some_and(|again| again <= at + Span::from_days(days)));
        Candidate { at, strength, scores, established: self.wrote.0 && self.wrote.1, labels }
    }
}
