//! The rhythm of a relationship: what is contact, and how long it usually is between.
//!
//! Contact is whatever the contact takes part in. What the rep writes is contact too, but not when
//! it goes into the void: none later than 90 days after the contact last took part. So whoever
//! writes again is in contact, and a rep who writes on without an answer is still told.
//!
//! Kept in order, an instant at a time; the order within an instant does not matter.

use crate::model::{Cadence, Relationship, Span, Timestamp};

/// The weight of the newest gap in the mean and in the variance.
const NEWEST_GAP_WEIGHT: f64 = 0.2;
/// So long after the contact last took part, what the rep writes is no contact until it is answered.
const VOID_AFTER: Span = Span::from_days(90);

/// Adds what happened at `at`, on the local day `today`; nothing folded before is later, and it is in
/// the state's last instants already.
pub(super) fn push(state: &mut Relationship, today: i64, at: Timestamp) {
    if !is_contact(state, at) {
        return;
    }
    let cadence = &mut state.cadence;
    cadence.contact_at = Some(at);
    if cadence.exchanges == 0 {
        cadence.exchanges = 1;
        cadence.exchange_day = today;
    } else if today > cadence.exchange_day.saturating_add(1) {
        exchange(cadence, today);
    }
}

/// Whether what happened at an instant, the last of the state, is contact.
fn is_contact(state: &Relationship, at: Timestamp) -> bool {
    let since = state.heard_at().or(state.first_at).unwrap_or(at);
    at - since <= VOID_AFTER
}

/// Begins an exchange, and learns from the gap since the one before.
fn exchange(cadence: &mut Cadence, today: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a count of days is far below 2^52")]
    let ln_gap = ((today - cadence.exchange_day) as f64).ln();
    if cadence.exchanges == 1 {
        cadence.mean_ln_gap = ln_gap;
    } else {
        let off = ln_gap - cadence.mean_ln_gap;
        cadence.mean_ln_gap += NEWEST_GAP_WEIGHT * off;
        cadence.variance_ln_gap =
            (1.0 - NEWEST_GAP_WEIGHT) * (cadence.variance_ln_gap + NEWEST_GAP_WEIGHT * off * off);
    }
    cadence.exchanges += 1;
    cadence.exchange_day = today;
}

/// The usual gap in days between exchanges, a geometric mean in which the newest gap counts a fifth;
/// `None` with fewer than three exchanges.
#[must_use]
pub fn usual_gap_days(cadence: &Cadence) -> Option<f64> {
    (cadence.exchanges >= 3).then(|| cadence.mean_ln_gap.exp())
}

#[cfg(test)]
mod tests {
    use super::usual_gap_days;
    use crate::model::{Cadence, Direction, Interaction, Kind, Span, Timestamp};
    use crate::score::{Parameters, rebuild};

    const START: Timestamp = Timestamp::from_seconds(1_577_836_800);

    fn at(day: i64, hour: i64) -> Timestamp {
        START + Span::from_days(day) + Span::from_hours(hour)
    }

    /// Days, with `o`utbound, `i`nbound or `m`eeting, at the hour before the day's.
    fn folded(history: &str) -> Cadence {
        let log: Vec<Interaction> = history.split_whitespace().map(one).collect();
        rebuild(&log, chrono_tz::UTC, &Parameters::default(), at(10_000, 0)).cadence
    }

    fn one(entry: &str) -> Interaction {
        let (day, what) = entry.split_at(entry.len() - 1);
        let (direction, kind) = match what {
            "o" => (Direction::Outbound, Kind::Message),
            "i" => (Direction::Inbound, Kind::Message),
            _ => (Direction::Mutual, Kind::Meeting),
        };
        let linked = direction != Direction::Outbound;
        Interaction { at: at(day.parse().unwrap(), 12), direction, kind, audience: 1, linked }
    }

    #[test]
    fn contact_is_what_the_contact_takes_part_in_and_what_is_not_written_into_the_void() {
        for (what, history, contact) in [
            ("one message", "0o", 0),
            ("an answer", "0o 3i", 3),
            ("a meeting", "0o 3i 9m", 9),
            ("many without an answer", "0i 1o 2o 3o 4o 5o 6o", 6),
            ("90 days after", "0o 1i 91o", 91),
            ("91 days after", "0o 1i 92o", 1),
            ("writing on and on", "0o 1i 31o 61o 91o 121o 151o", 91),
            ("an answer to that", "0o 1i 31o 61o 91o 121o 151o 152i 153o", 153),
            ("after a long silence the contact", "0o 1i 200i", 200),
            ("never an answer", "0o 30o 60o 90o 91o 120o", 90),
            ("at one instant", "0i 99o 99i", 99),
        ] {
            assert_eq!(folded(history).contact_at, Some(at(contact, 12)), "{what}");
        }
    }

    #[test]
    fn a_gap_lies_between_the_beginnings_of_exchanges() {
        for (what, history, gap) in [
            ("none", "", None),
            ("two exchanges", "0o 1i 10o 11i", None),
            ("every ten days, answered after midnight", "0o 1i 10o 11i 20o 21i", Some(10.0)),
            ("a change to every five days", "0m 10m 20m 25m", Some(10.0 * 0.5_f64.powf(0.2))),
            ("messages into the void", "0m 10m 20m 200o 201o 300o 350o", Some(10.0)),
        ] {
            let found = usual_gap_days(&folded(history));
            let close = match (found, gap) {
                (Some(found), Some(gap)) => (found - gap).abs() < 0.5,
                (found, gap) => found == gap,
            };
            assert!(close, "{what}: {found:?}, expected {gap:?}");
        }
    }

    #[test]
    fn the_variance_is_the_weighted_one() {
        let cadence = folded("0m 10m 30m 40m");
        let (a, b) = (10.0_f64.ln(), 20.0_f64.ln());
        let mean = a + 0.2 * (b - a);
        let variance = 0.8 * (0.2 * (b - a).powi(2));
        let off = a - mean;
        assert!((cadence.mean_ln_gap - (mean + 0.2 * off)).abs() < 1e-12);
        assert!((cadence.variance_ln_gap - 0.8 * (variance + 0.2 * off * off)).abs() < 1e-12);
    }
}
