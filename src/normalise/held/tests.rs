//! Who has met whom, and which copy of a meeting counts: tables.

use super::{Copy, Found, Touch, Unanswered, counted, met, missed, weigh};
use crate::model::{
    Attendee, Fate, Meeting, MeetingStatus, Participation, Span, Standing, Timestamp, Version,
};
use crate::normalise::address::{canonical, parse};
use crate::normalise::people::Own;

/// `*name` organises; a trailing `+`, `-`, `~` or `?` accepted, declined, may come or has not
/// answered.
fn attendee(text: &str) -> Attendee {
    let participation = match text.chars().last() {
        Some('-') => Participation::Declined,
        Some('~') => Participation::Tentative,
        Some('?') => Participation::NeedsAction,
        _ => Participation::Accepted,
    };
    let address = text.trim_start_matches('*').trim_end_matches(['+', '-', '~', '?']);
    Attendee {
        person: parse(address, None).unwrap(),
        participation,
        organizer: text.starts_with('*'),
    }
}

/// `bo/2`: met among two; `bo?/2`: asked among two, without an answer.
#[test]
fn only_meetings_that_both_accepted_count() {
    let own = Own::new([(canonical("ann@us.example").unwrap(), 1)], ["us.example".to_owned()]);
    for (people, expected) in [
        ("*ann@us.example bo@acme.example+", "bo/1"),
        ("*ann@us.example bo@acme.example?", "bo?/1"),
        ("*ann@us.example bo@acme.example~", ""),
        ("*ann@us.example- bo@acme.example+", ""),
        ("*ann@us.example- bo@acme.example?", ""),
        ("*ann@us.example? bo@acme.example+", "bo/1"),
        ("*ann@us.example bo@acme.example? cy@acme.example+", "bo?/2 cy/2"),
        ("*ann@us.example bo@acme.example-", ""),
        ("*bo@acme.example ann@us.example+", "bo/1"),
        ("*bo@acme.example? ann@us.example+", "bo/1"),
        ("*bo@acme.example ann@us.example+ cy@acme.example?", "bo/2"),
        ("*bo@acme.example ann@us.example?", ""),
        ("*bo@acme.example ann@us.example~", ""),
        ("*bo@acme.example ann@us.example-", ""),
        ("*ann@us.example carl@us.example+", ""),
        ("*ann@us.example carl@us.example+ bo@acme.example+", "bo/2"),
        ("*carl@us.example bo@acme.example+", ""),
        ("*carl@us.example ann@us.example+ bo@acme.example?", ""),
    ] {
        let meeting = Meeting {
            uid: "m".into(),
            recurrence_at: None,
            starts_at: Timestamp::from_seconds(0),
            ends_at: Timestamp::from_seconds(1800),
            status: MeetingStatus::Confirmed,
            attendees: people.split_whitespace().map(attendee).collect(),
            version: Version::default(),
        };
        let told = |meeting: &Meeting| {
            let one = |m: &super::Met| {
                let open = if m.standing == Standing::Sound { "" } else { "?" };
                format!("{}{open}/{}", m.contact.address.local(), m.audience)
            };
            met(meeting, 1, &own).iter().map(one).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(&meeting), expected, "{people}");
        let cancelled = Meeting { status: MeetingStatus::Cancelled, ..meeting };
        assert_eq!(told(&cancelled), "", "{people}, cancelled");
    }
}

/// `bo x` was called off, `bo -` the contact declined, `bo !` the rep did; then the same of the
/// meeting when it was called off.
#[test]
fn what_did_not_come_about_is_told_of_whom_it_concerns() {
    let own = Own::new([(canonical("ann@us.example").unwrap(), 1)], ["us.example".to_owned()]);
    for (people, stands, called_off) in [
        ("*ann@us.example bo@acme.example+", "", "bo x"),
        ("*ann@us.example bo@acme.example?", "", "bo x"),
        ("*ann@us.example bo@acme.example~", "", ""),
        ("*ann@us.example bo@acme.example-", "bo -", ""),
        ("*ann@us.example- bo@acme.example+", "", ""),
        ("*ann@us.example bo@acme.example- cy@acme.example+", "bo -", "cy x"),
        ("*bo@acme.example ann@us.example+", "", "bo x"),
        ("*bo@acme.example ann@us.example?", "", ""),
        ("*bo@acme.example ann@us.example~", "", ""),
        ("*bo@acme.example ann@us.example-", "bo !", ""),
        ("*bo@acme.example- ann@us.example-", "", ""),
        ("*bo@acme.example- ann@us.example+", "bo -", ""),
        ("*bo@acme.example ann@us.example- cy@acme.example+", "bo !", ""),
        ("*bo@acme.example ann@us.example+ cy@acme.example?", "", "bo x"),
        ("*carl@us.example ann@us.example+ bo@acme.example-", "bo -", ""),
        ("*carl@us.example ann@us.example- bo@acme.example+", "", ""),
        ("*carl@us.example ann@us.example+ bo@acme.example+", "", "bo x"),
        ("*carl@us.example bo@acme.example-", "", ""),
    ] {
        let told = |status: MeetingStatus| {
            let (starts_at, ends_at) = (Timestamp::from_seconds(0), Timestamp::from_seconds(1800));
            let attendees = people.split_whitespace().map(attendee).collect();
            let (uid, version) = ("m".into(), Version::default());
            let meeting = Meeting {
                uid,
                recurrence_at: None,
                starts_at,
                ends_at,
                status,
                attendees,
                version,
            };
            let one = |m: &super::Missed| {
                let mark = match m.fate {
                    Fate::Cancelled => "x",
                    Fate::DeclinedByContact => "-",
                    Fate::DeclinedByRep => "!",
                };
                format!("{} {mark}", m.contact.address.local())
            };
            missed(&meeting, 1, &own).iter().map(one).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(MeetingStatus::Confirmed), stands, "{people}");
        assert_eq!(told(MeetingStatus::Cancelled), called_off, "{people}, called off");
    }
}

/// Meetings of an hour at hours after the beginning, and when the contact wrote; then for each when
/// it is dated, if it counts.
#[test]
fn one_message_speaks_for_one_meeting_and_dates_it() {
    let fortnight = 14 * 24;
    for (what, meetings, wrote, expected) in [
        ("nothing was written", vec![100], vec![], vec![None]),
        ("before", vec![100], vec![90], vec![Some(101)]),
        ("after", vec![100], vec![110], vec![Some(110)]),
        ("twice", vec![100], vec![90, 110], vec![Some(101)]),
        ("a fortnight before", vec![400], vec![400 - fortnight], vec![Some(401)]),
        ("longer before", vec![400], vec![399 - fortnight], vec![None]),
        ("a fortnight after", vec![400], vec![401 + fortnight], vec![Some(401 + fortnight)]),
        ("longer after", vec![400], vec![402 + fortnight], vec![None]),
        ("two and one message", vec![100, 124], vec![110], vec![Some(110), None]),
        ("the first is too early", vec![100, 600], vec![590], vec![None, Some(601)]),
        ("two and two", vec![100, 124], vec![90, 130], vec![Some(101), Some(130)]),
        ("two and two at once", vec![100, 124], vec![90, 90], vec![Some(101), Some(125)]),
        ("two at one time", vec![100, 100], vec![90], vec![Some(101), None]),
    ] {
        let one = |(n, at): (usize, &i64)| Unanswered {
            starts_at: hour(*at),
            ends_at: hour(*at) + HOUR,
            name: (if n == 0 { "a" } else { "b" }, hour(0)),
        };
        let asked: Vec<_> = meetings.iter().enumerate().map(one).collect();
        let wrote: Vec<Timestamp> = wrote.into_iter().map(hour).collect();
        let told = |asked: &[Unanswered<'_>]| {
            weigh(asked, &wrote)
                .into_iter()
                .map(|(at, standing)| (standing == Standing::Unverified).then_some(at))
                .collect::<Vec<_>>()
        };
        let mut expected: Vec<_> = expected.into_iter().map(|at| at.map(hour)).collect();
        assert_eq!(told(&asked), expected, "{what}");
        let backwards: Vec<_> = asked.into_iter().rev().collect();
        expected.reverse();
        assert_eq!(told(&backwards), expected, "{what}, backwards");
    }
}

const HOUR: Span = Span::from_hours(1);

fn hour(n: i64) -> Timestamp {
    Timestamp::from_seconds(3600 * n)
}

/// A copy of the occurrence at hour `n` with one interaction, of that row, with contact 7.
fn copy(n: i64, found: Found, place: (&'static str, &'static str, i64), id: i64) -> Copy<'static> {
    let standing = Standing::Sound;
    let touch = Touch { id, relationship: 7, at: hour(n) + HOUR, standing };
    let version = Version::default();
    let (recurrence_at, starts_at, touches) = (hour(n), hour(n), vec![touch]);
    Copy { id, recurrence_at, starts_at, found, version, place, touches }
}

fn in_calendar(n: i64, id: i64) -> Copy<'static> {
    copy(n, Found::InCalendar, ("work", "dav", 0), id)
}

#[test]
fn one_copy_of_a_meeting_counts_whatever_their_order() {
    let (work, home) = (in_calendar(1, 1), copy(1, Found::InCalendar, ("home", "dav", 0), 2));
    let other = copy(1, Found::InCalendar, ("home", "ics", 0), 5);
    let object = copy(1, Found::InCalendar, ("home", "dav", 9), 6);
    let mail = copy(1, Found::InMail, ("INBOX", "a-mail", 4), 3);
    let sent = |sequence, modified_s: Option<i64>, copy: &Copy<'static>| {
        let modified_at = modified_s.map(Timestamp::from_seconds);
        Copy { version: Version { sequence, modified_at }, ..copy.clone() }
    };
    let silent = |copy: &Copy<'static>| Copy { touches: Vec::new(), ..copy.clone() };
    let later = in_calendar(30, 4);
    for (what, copies, expected) in [
        ("by name of the mailbox", vec![work.clone(), home.clone()], vec![2]),
        ("by name of the source", vec![other, home.clone()], vec![2]),
        ("by object", vec![object, home.clone()], vec![2]),
        ("by sequence", vec![sent(1, None, &work), sent(0, Some(9), &home)], vec![1]),
        ("by change", vec![sent(1, Some(8), &work), sent(1, Some(7), &home)], vec![1]),
        ("a change that is told of", vec![sent(1, Some(8), &work), home.clone()], vec![1]),
        ("a calendar", vec![work.clone(), sent(9, Some(9), &mail)], vec![1]),
        ("only mail", vec![mail.clone()], vec![3]),
        ("declined in the calendar", vec![silent(&work), mail.clone()], vec![]),
        ("declined in the one that speaks", vec![work.clone(), silent(&home)], vec![]),
        ("declined in mail", vec![work.clone(), silent(&mail)], vec![1]),
        ("another occurrence", vec![work, mail, later], vec![1, 4]),
    ] {
        let backwards: Vec<_> = copies.iter().rev().cloned().collect();
        for copies in [copies, backwards] {
            let found: Vec<i64> = counted(&copies, chrono_tz::UTC).into_iter().collect();
            assert_eq!(found, expected, "{what}");
        }
    }
}

#[test]
fn a_contact_is_met_once_a_day_by_one_uid() {
    let later = |mut copy: Copy<'static>| {
        copy.touches[0].at = hour(200);
        copy
    };
    let weak = |mut copy: Copy<'static>, standing| {
        copy.touches[0].standing = standing;
        copy
    };
    let of_another = |mut copy: Copy<'static>| {
        copy.touches[0].relationship = 8;
        copy
    };
    let (one, two, next_day) = (in_calendar(1, 1), in_calendar(6, 2), in_calendar(25, 3));
    for (what, copies, utc, new_york) in [
        // Hour 1 is still the day before in New York.
        ("three", vec![one.clone(), two.clone(), next_day.clone()], vec![1, 3], vec![1, 2]),
        ("the first is dated later", vec![later(one.clone()), two.clone()], vec![2], vec![1, 2]),
        (
            "the first does not count",
            vec![weak(one.clone(), Standing::Unproven), two.clone()],
            vec![2],
            vec![2],
        ),
        (
            "the first counts without an answer",
            vec![weak(one.clone(), Standing::Unverified), two.clone()],
            vec![1],
            vec![1, 2],
        ),
        ("two contacts", vec![one, of_another(two)], vec![1, 2], vec![1, 2]),
    ] {
        let backwards: Vec<_> = copies.iter().rev().cloned().collect();
        for copies in [copies, backwards] {
            let day = |zone| counted(&copies, zone).into_iter().collect::<Vec<_>>();
            assert_eq!(day(chrono_tz::UTC), utc, "{what}");
            assert_eq!(day(chrono_tz::America::New_York), new_york, "{what}, New York");
        }
    }
}
