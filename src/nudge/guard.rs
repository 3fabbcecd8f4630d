//! Protection from wrong data: whether the clock can be believed, and whether so many relationships
//! decay at once that missing mail is the likelier reason.

use crate::model::{Span, Timestamp};

use super::Restraint;

/// A clock that goes back by more than this has jumped.
const BACK: Span = Span::from_hours(1);
/// So has one that has gone on by more than this since it was last believed: or nothing ran meanwhile,
/// which is as good a reason to look at what has come.
const ON: Span = Span::from_hours(48);

/// By how much the clock has jumped since it was last believed, if it has.
#[must_use]
pub fn jump(trusted_at: Timestamp, now: Timestamp) -> Option<Span> {
    let by = now - trusted_at;
    (now + BACK < trusted_at || by > ON).then_some(by)
}

/// Whether a message that was stored after the clock was last believed speaks for it: others' clocks
/// have dated it near `now`.
#[must_use]
pub fn speaks_for(message_at: Timestamp, now: Timestamp) -> bool {
    message_at <= now + BACK && now - message_at <= ON
}

/// Whether so many decays within a day are too many of so many established relationships of one rep.
#[must_use]
pub fn too_many(decaying: u32, established: u32, restraint: &Restraint) -> bool {
    decaying >= restraint.mass_least
        && f64::from(decaying) > restraint.mass_share * f64::from(established)
}

/// How many established relationships would be enough for so many decays: no more need be counted.
#[must_use]
pub fn enough_for(decaying: u32, restraint: &Restraint) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let enough = (f64::from(decaying) / restraint.mass_share).ceil() as u32;
    enough
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_is_told_from_one_that_goes() {
        let trusted = Timestamp::from_seconds(1_795_248_000);
        for (hours, jumped) in [
            (0, false),
            (47, false),
            (49, true),
            (9600, true),
            (-1, false),
            (-2, true),
            (-9600, true),
        ] {
            let now = trusted + Span::from_hours(hours);
            assert_eq!(jump(trusted, now).is_some(), jumped, "{hours} hours");
        }
    }

    #[test]
    fn mail_of_these_days_speaks_for_the_clock() {
        let now = Timestamp::from_seconds(1_795_248_000);
        for (hours, speaks) in [(0, true), (-47, true), (-49, false), (1, true), (2, false)] {
            assert_eq!(speaks_for(now + Span::from_hours(hours), now), speaks, "{hours} hours");
        }
    }

    #[test]
    fn a_fifth_of_what_mattered_does_not_fall_in_a_day() {
        let policy = Restraint { mass_share: 0.2, mass_least: 5, ..Restraint::default() };
        for (decaying, established, many) in
            [(4, 4, false), (5, 24, true), (5, 25, false), (40, 200, false), (41, 200, true)]
        {
            assert_eq!(
                too_many(decaying, established, &policy),
                many,
                "{decaying} of {established}"
            );
            let counted = established.min(enough_for(decaying, &policy));
            assert_eq!(too_many(decaying, counted, &policy), many, "{decaying}, counted so far");
        }
    }
}
