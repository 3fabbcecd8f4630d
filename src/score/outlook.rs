//! What would change a strength, and what silence makes of it: the real fold, carried on.

use crate::model::{Direction, Interaction, Kind, Relationship, Span, Timestamp};

use super::fold::{Zone, extend};
use super::mass::Parameters;
use super::strength::{Strength, strength_at};

/// How far ahead silence is looked at, in days.
pub const AHEAD_DAYS: [u32; 3] = [30, 60, 90];

/// A strength as it would be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// After one exchange now: a message from the rep, and the contact's answer.
    pub exchange: Strength,
    /// After a one-to-one meeting that both accepted and that ends now.
    pub meeting: Strength,
    /// After one more message from the rep, which nobody answers.
    pub unanswered: Strength,
    /// If nothing happens for so many days: those of [`AHEAD_DAYS`].
    pub silence: [Strength; 3],
}

/// What is ahead of a state as of `now`, none of whose interactions is later.
///
/// `log` holds at least what the state counts of the local day of `now`: what comes on top of a busy
/// day weighs less.
#[must_use]
pub fn outlook(
    state: &Relationship,
    log: &[Interaction],
    zone: Zone,
    parameters: &Parameters,
    now: Timestamp,
) -> Outlook {
    let one =
        |direction, kind, linked| Interaction { at: now, direction, kind, audience: 1, linked };
    let written = one(Direction::Outbound, Kind::Message, false);
    let answered = one(Direction::Inbound, Kind::Message, true);
    let met = one(Direction::Mutual, Kind::Meeting, true);
    let after = |added: &[Interaction]| {
        let mut state = *state;
        extend(&mut state, log, added, zone, parameters);
        strength_at(&state, now)
    };
    Outlook {
        exchange: after(&[written, answered]),
        meeting: after(&[met]),
        unanswered: after(&[written]),
        silence: AHEAD_DAYS.map(|days| strength_at(state, now + Span::from_days(i64::from(days)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::rebuild;

    const NOON: Timestamp = Timestamp::from_seconds(1_577_880_000);
    const ZONE: Zone = chrono_tz::UTC;

    fn mail(hours: i64, direction: Direction) -> Interaction {
        let linked = direction == Direction::Inbound;
        let at = NOON + Span::from_hours(hours);
        Interaction { at, direction, kind: Kind::Message, audience: 1, linked }
    }

    fn of(log: &[Interaction], now: Timestamp) -> (Strength, Outlook) {
        let state = rebuild(log, ZONE, &Parameters::default(), now);
        (strength_at(&state, now), outlook(&state, log, ZONE, &Parameters::default(), now))
    }

    #[test]
    fn it_is_what_a_rebuild_would_give() {
        let weekly: Vec<_> = (0..20)
            .flat_map(|week| {
                [mail(168 * week, Direction::Outbound), mail(168 * week + 3, Direction::Inbound)]
            })
            .collect();
        let now = NOON + Span::from_hours(168 * 19 + 5);
        let (today, ahead) = of(&weekly, now);
        let with = |more: &[Interaction]| of(&[weekly.as_slice(), more].concat(), now).0;
        let at_now = |direction, linked| Interaction { at: now, linked, ..mail(0, direction) };
        let (out, answer) = (at_now(Direction::Outbound, false), at_now(Direction::Inbound, true));
        let meeting = Interaction { kind: Kind::Meeting, ..at_now(Direction::Mutual, true) };
        for (what, found, expected) in [
            ("exchange", ahead.exchange, with(&[out, answer])),
            ("meeting", ahead.meeting, with(&[meeting])),
            ("unanswered", ahead.unanswered, with(&[out])),
        ] {
            assert!((found.s - expected.s).abs() < 1e-12, "{what}: {found:?} {expected:?}");
        }
        assert!(ahead.meeting.s > ahead.exchange.s && ahead.exchange.s > today.s);
        // On a day that has had its exchange one more is worth a quarter.
        let tomorrow = of(&weekly, now + Span::from_days(1));
        assert!(tomorrow.1.exchange.s - tomorrow.0.s > 3.0 * (ahead.exchange.s - today.s));
        let silent = ahead.silence.map(|strength| strength.s);
        assert!(today.s > silent[0] && silent[0] > silent[1] && silent[1] > silent[2]);
    }

    #[test]
    fn only_an_answer_opens_the_gate() {
        let now = NOON + Span::from_days(3);
        let (today, ahead) = of(&[mail(0, Direction::Outbound)], now);
        assert!(today.score <= 0.0 && ahead.unanswered.score <= 0.0);
        assert!(ahead.exchange.score > 0.0 && ahead.meeting.score > 0.0);
    }
}
