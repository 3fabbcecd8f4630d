//! From a meeting to the interactions it makes once it has been held.
//!
//! A meeting counts for the rep whose calendar it stands in, with every outsider, if it was not
//! cancelled and both accepted. Organising is accepting, unless the organiser declines. An
//! invitation that was never answered is a message without an answer, however often it recurs.

use crate::model::{Attendee, Meeting, MeetingStatus, Participation, Person};

use super::people::{Own, Who};

/// One outsider met by the rep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// Who.
    pub contact: Person,
    /// How many people besides the rep were asked to come, aliases folded.
    pub audience: u32,
}

/// Whom the rep has met in this meeting, once it is over; empty if it does not count.
#[must_use]
pub fn met(meeting: &Meeting, rep: i64, own: &Own) -> Vec<Met> {
    let people: Vec<(&Attendee, Who)> =
        meeting.attendees.iter().map(|a| (a, own.who(&a.person.address))).collect();
    let Some((me, _)) = people.iter().find(|(_, who)| *who == Who::Rep(rep)) else {
        return Vec::new();
    };
    if meeting.status == MeetingStatus::Cancelled || !comes(me) {
        return Vec::new();
    }
    let others = people.iter().filter(|(_, who)| *who != Who::Rep(rep)).count();
    let audience = u32::try_from(others).unwrap_or(u32::MAX);
    people
        .iter()
        .filter(|(_, who)| *who == Who::Outsider)
        .filter(|(a, _)| comes(a))
        .map(|(a, _)| Met { contact: a.person.clone(), audience })
        .collect()
}

fn comes(attendee: &Attendee) -> bool {
    match attendee.participation {
        Participation::Accepted => true,
        Participation::Declined => false,
        Participation::Tentative | Participation::NeedsAction => attendee.organizer,
    }
}

#[cfg(test)]
mod tests {
    use super::met;
    use crate::model::{Attendee, Meeting, MeetingStatus, Participation, Timestamp};
    use crate::normalise::address::{canonical, parse};
    use crate::normalise::people::Own;

    /// `*name` organises; a trailing `+`, `-` or `?` accepted, declined or has not answered.
    fn attendee(text: &str) -> Attendee {
        let participation = match text.chars().last() {
            Some('-') => Participation::Declined,
            Some('?') => Participation::NeedsAction,
            _ => Participation::Accepted,
        };
        let address = text.trim_start_matches('*').trim_end_matches(['+', '-', '?']);
        Attendee {
            person: parse(address, None).unwrap(),
            participation,
            organizer: text.starts_with('*'),
        }
    }

    #[test]
    fn only_meetings_that_both_accepted_count() {
        let own = Own::new([(canonical("ann@us.example").unwrap(), 1)], ["us.example".to_owned()]);
        for (people, expected) in [
            ("*ann@us.example bo@acme.example+", "bo/1"),
            ("*ann@us.example bo@acme.example?", ""),
            ("*ann@us.example- bo@acme.example+", ""),
            ("*ann@us.example bo@acme.example? cy@acme.example+", "cy/2"),
            ("*ann@us.example bo@acme.example-", ""),
            ("*bo@acme.example ann@us.example+", "bo/1"),
            ("*bo@acme.example ann@us.example?", ""),
            ("*bo@acme.example ann@us.example-", ""),
            ("*ann@us.example carl@us.example+", ""),
            ("*ann@us.example carl@us.example+ bo@acme.example+", "bo/2"),
            ("*carl@us.example bo@acme.example+", ""),
        ] {
            let meeting = Meeting {
                uid: "m".into(),
                recurrence_at: None,
                starts_at: Timestamp::from_seconds(0),
                ends_at: Timestamp::from_seconds(1800),
                status: MeetingStatus::Confirmed,
                attendees: people.split_whitespace().map(attendee).collect(),
            };
            let told = |meeting: &Meeting| {
                let one = |m: &super::Met| format!("{}/{}", m.contact.address.local(), m.audience);
                met(meeting, 1, &own).iter().map(one).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(told(&meeting), expected, "{people}");
            let cancelled = Meeting { status: MeetingStatus::Cancelled, ..meeting };
            assert_eq!(told(&cancelled), "", "{people}, cancelled");
        }
    }
}
