//! The story is what it is said to be, by an oracle of its own: the formula of the strength,
//! written down once more over the interactions that the story intends.

mod oracle;

use std::collections::BTreeMap;
use std::path::Path;

use super::cast::{self, REPS};
use super::days::Days;
use super::story::{self, Genre, Who};
use super::*;
use oracle::Verdict;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A day in autumn, summer, on a Sunday, a leap day, the nights when clocks change, early and late.
const NOWS: [&str; 10] = [
    "2026-11-21T22:30:00Z",
    "2026-07-15T15:00:00Z",
    "2026-08-30T12:00:00Z",
    "2028-02-29T09:00:00Z",
    "2026-03-08T07:30:00Z",
    "2026-11-01T05:30:00Z",
    "2027-01-01T00:00:00Z",
    "2026-12-24T04:59:59Z",
    "2027-05-03T13:05:00Z",
    "2030-09-18T18:00:00Z",
];

fn told(now: &str) -> (Vec<cast::Contact>, Days, Story) {
    let (cast, days) = (cast::contacts(), Days::until(at(now), TIME_ZONE));
    let story = story::tell(&cast, &days);
    (cast, days, story)
}

#[test]
fn five_relationships_fell_in_the_last_three_weeks_whatever_day_it_is() {
    for now in NOWS {
        let (cast, days, story) = told(now);
        let mut fell = Vec::new();
        for ((rep, contact), state) in oracle::relationships(&cast, &days, &story) {
            let (person, verdict) = (&cast[contact], state.verdict(days.now));
            // Whoever fell more than two months ago is no news by any setting of the nudges.
            if let Verdict::Fell { days_ago, silent } = verdict
                && days_ago < 62.0
            {
                println!("{now} {} and {}: {state:.2?}, {verdict:.1?}", REPS[rep].id, person.name);
                let in_time = (3.0..21.0).contains(&days_ago) && silent >= 7.0;
                fell.push((person.arc, rep, person.slot, in_time));
            }
        }
        let fading = |rep, slot| (arcs::Arc::Fading, rep, slot, true);
        let all = [fading(0, 0), fading(0, 1), fading(1, 0), fading(1, 1), fading(2, 0)];
        assert_eq!(fell, all, "{now}");
    }
}

#[test]
fn the_others_are_what_their_part_says() {
    use arcs::Arc;
    for now in NOWS {
        let (cast, days, story) = told(now);
        let states = oracle::relationships(&cast, &days, &story);
        for (index, contact) in cast.iter().enumerate() {
            let Some(state) = states.get(&(contact.rep, index)) else {
                panic!("{now}: nothing happened with {:?} {}", contact.arc, contact.name);
            };
            let (score, who) =
                (state.score(), format!("{now}: {:?} {}", contact.arc, contact.name));
            match contact.arc {
                Arc::Steady => assert!(score > 60.0, "{who} {score}"),
                Arc::Recovering => assert!(state.s > 0.7 * state.baseline, "{who} {score}"),
                Arc::Planned => assert_eq!(state.verdict(days.now), Verdict::Planned, "{who}"),
                Arc::Lapsed => assert!(state.silence_days(days.now) > 360.0, "{who}"),
                Arc::Cold => assert!(score < f64::EPSILON, "{who} {score}"),
                Arc::MovedTo => assert!(score > 45.0, "{who} {score}"),
                _ => {}
            }
        }
    }
}

#[test]
fn the_size_is_as_announced() {
    for now in NOWS {
        let (cast, _, story) = told(now);
        let letters = story.mails.iter().filter(|mail| mail.genre == Genre::Letter).count();
        let summary = format!(
            "{now}: {} messages, {letters} letters, {} events, {} contacts",
            story.mails.len(),
            story.events.len(),
            cast.len()
        );
        println!("{summary}");
        assert!((5_700..6_300).contains(&story.mails.len()), "{summary}");
        assert!((280..=320).contains(&story.events.len()), "{summary}");
        assert!((115..=125).contains(&cast.len()), "{summary}");
    }
}

#[test]
fn names_and_ids_are_each_somebodys_own() {
    let (cast, _, story) = told(NOWS[0]);
    let addresses: BTreeMap<_, _> = cast.iter().map(|c| (c.address(), &c.name)).collect();
    let names: BTreeMap<_, _> = cast.iter().map(|c| (&c.name, c.address())).collect();
    assert_eq!(addresses.len(), cast.len());
    assert_eq!(names.len(), cast.len() - 1, "only one person has two addresses");
    let ids: BTreeMap<_, _> = story.mails.iter().map(|mail| (&mail.id, mail.at)).collect();
    assert_eq!(ids.len(), story.mails.len());
    for mail in &story.mails {
        for answered in &mail.answers {
            let before = ids.get(answered).copied();
            assert!(
                before.is_some_and(|before| before < mail.at),
                "{} answers {answered}",
                mail.id
            );
        }
    }
}

#[test]
fn two_runs_are_the_same_byte_for_byte_and_every_file_reads_back() {
    let [one, two] = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let now = at(NOWS[0]);
    let [first, second] = [&one, &two].map(|dir| {
        let sample = write(dir.path(), now).unwrap();
        (sample.messages, sample.events, sample.bytes)
    });
    assert_eq!(first, second);
    let files = contents(one.path());
    assert_eq!(files, contents(two.path()));
    println!("{} messages, {} events, {} bytes", first.0, first.1, first.2);

    let mut read = 0;
    for (path, (received, bytes)) in &files {
        if path.contains("/cur/") || path.contains("/new/") {
            let mail = mail_parser::MessageParser::default().parse_headers(bytes).unwrap();
            assert!(mail.from().is_some_and(|from| from.first().is_some()), "{path}");
            let date = mail.date().map(mail_parser::DateTime::to_timestamp);
            assert_eq!(date, Some(*received), "{path}: file time is the time of receipt");
            assert!(mail.message_id().is_some(), "{path}");
            let latest = bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
            assert!(latest < Some(998), "{path}");
            read += 1;
        }
    }
    assert_eq!(read, first.0);
}

#[test]
fn calendars_are_icalendar() {
    for now in NOWS {
        let (_, days, story) = told(now);
        for rep in 0..REPS.len() {
            let (text, entries) = diary::calendar(&story.events, rep, &days);
            let calendar = calcard::icalendar::ICalendar::parse(&text).unwrap();
            let event = calcard::icalendar::ICalendarComponentType::VEvent;
            let read = calendar.components.iter().filter(|c| c.component_type == event).count();
            assert_eq!(read, entries, "{now} {rep}");
            assert!(text.lines().all(|line| line.len() <= 75), "{now} {rep}");
            for what in ["RRULE:", "EXDATE;", "TRANSP:", "CANCELLED", "DECLINED", "VALUE=DATE"] {
                assert!(text.contains(what), "{now} {rep}: {what}");
            }
        }
    }
}

#[test]
fn every_kind_of_mail_that_misleads_is_there() {
    let (_, _, story) = told(NOWS[0]);
    let lies = |folder| story.mails.iter().any(|mail| mail.copies.iter().any(|c| c.1 == folder));
    for folder in FOLDERS {
        assert!(lies(folder), "{folder:?}");
    }
    for genre in [
        Genre::BareReply,
        Genre::Newsletter,
        Genre::Robot,
        Genre::Bounce,
        Genre::AutoReply,
        Genre::Invitation("REQUEST"),
        Genre::Invitation("REPLY"),
        Genre::Forged,
        Genre::Spam,
        Genre::Hidden,
        Genre::Draft,
    ] {
        assert!(story.mails.iter().any(|mail| mail.genre == genre), "{genre:?}");
    }
    let two_reps = |mail: &&Mail| {
        let mut reps = mail.copies.iter().map(|copy| copy.0);
        let first = reps.next();
        reps.any(|rep| Some(rep) != first)
    };
    assert!(
        story.mails.iter().filter(two_reps).any(|mail| matches!(mail.from.who, Who::Contact(_)))
    );
    let all: String = story
        .mails
        .iter()
        .fold(String::new(), |all, mail| all + &letter::header(mail, mail.copies[0].1, TIME_ZONE));
    for header in [
        "\nReturn-Path: <>\n",
        "dmarc=fail",
        "=?utf-8?B?",
        "=?iso-8859-1?Q?",
        "@xn--",
        "@münzwerk",
        "+orders@",
        "Thread-Topic: ",
        "undisclosed-recipients:;",
        "nora@hearth.example",
        "method=REQUEST",
        "report-type=delivery-status",
    ] {
        // A header block begins with a line of its own.
        assert!(format!("\n{all}").contains(header), "{header}");
    }
}

/// Every file below `root`, with its time in seconds.
fn contents(root: &Path) -> BTreeMap<String, (i64, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let modified = path.metadata().unwrap().modified().unwrap();
            let mut seconds = modified.duration_since(UNIX_EPOCH).unwrap().as_secs();
            if !name.contains("/cur/") && !name.contains("/new/") {
                seconds = 0;
            }
            files.insert(name, (i64::try_from(seconds).unwrap(), std::fs::read(&path).unwrap()));
        }
    }
    files
}
