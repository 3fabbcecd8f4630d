//! What Python's icalendar and recurring-ical-events make of the same calendars (tests/oracle).
//!
//! Compared are all occurrences in a window, also those that are no meetings: UID, slot, beginning,
//! end, standing, status and people. What the libraries are known to read otherwise is left out;
//! tests/oracle/README.md lists it with its reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keepwarm::model::{Participation, Span, Timestamp};
use keepwarm::normalise::calendar::{Instance, Standing, instances};
use serde_json::Value;

use super::at;
use crate::support::generate::Draw;
use crate::support::series::{NOW, Series, ZONE, changed, series};
use crate::support::served::installed;

/// An occurrence as both sides tell it.
type Told = BTreeSet<String>;

/// What expand.py says of each file, or why it does not take it.
pub(super) fn second_opinion(
    files: &[PathBuf],
    window: (Timestamp, Timestamp),
) -> BTreeMap<String, Result<Told, String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/expand.py");
    let mut child = Command::new(installed("venv/bin/python"))
        .arg(script)
        .args(["--by-file", "--zone", ZONE.name()])
        .args(["--from", &window.0.to_string(), "--to", &window.1.to_string(), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let names: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let mut stdin = child.stdin.take().unwrap();
    let names = names.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(names.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let mut opinions = BTreeMap::new();
    let mut current = String::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(file) = line["file"].as_str() {
            current = file.to_owned();
            let error = line["error"].as_str().map(str::to_owned);
            opinions.insert(current.clone(), error.map_or(Ok(Told::new()), Err));
        } else if let Some(Ok(told)) = opinions.get_mut(&current) {
            told.insert(theirs(&line));
        }
    }
    opinions
}

fn theirs(line: &Value) -> String {
    let people: Vec<String> = line["attendees"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| {
            format!("{}={}", person[0].as_str().unwrap(), answer(person[1].as_str().unwrap()))
        })
        .collect();
    let text = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
    let keys = ["uid", "recurrence_at", "starts_at", "ends_at", "standing", "status"];
    format!("{} {}", keys.map(text).join(" "), people.join(" "))
}

/// PARTSTAT as keepwarm keeps it.
fn answer(partstat: &str) -> &'static str {
    match partstat {
        "ACCEPTED" | "COMPLETED" | "IN-PROCESS" => "accepted",
        "DECLINED" | "DELEGATED" => "declined",
        "TENTATIVE" => "tentative",
        _ => "needs-action",
    }
}

pub(super) fn ours(instance: &Instance) -> String {
    let meeting = &instance.meeting;
    let standing = match instance.standing {
        Standing::Meeting => "meeting",
        Standing::AllDay => "all_day",
        Standing::Free => "free",
        Standing::Private => "private",
    };
    let people = meeting.attendees.iter().map(|attendee| {
        let answer = match attendee.participation {
            Participation::Accepted => "accepted",
            Participation::Declined => "declined",
            Participation::Tentative => "tentative",
            Participation::NeedsAction => "needs-action",
        };
        format!("{}={answer}", attendee.person.address.as_str())
    });
    let people: Vec<String> = people.collect();
    let place = meeting.recurrence_at.map_or("-".to_owned(), |at| at.to_string());
    let (status, people) = (meeting.status.code(), people.join(" "));
    let (uid, starts_at, ends_at) = (&meeting.uid, meeting.starts_at, meeting.ends_at);
    format!("{uid} {place} {starts_at} {ends_at} {standing} {status} {people}")
}

/// What must be among the series that are compared.
const FEATURES: &[&str] = &[
    "DTSTART;TZID=Europe/Berlin",
    "DTSTART;TZID=America/New_York",
    "DTSTART;TZID=W. Europe Standard Time",
    "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin",
    "DTSTART;TZID=Our Office",
    "DTSTART;TZID=\"tzone://Microsoft/Custom\"",
    "DTSTART;TZID=Head Office",
    "DTSTART:20260",
    "DTSTART;VALUE=DATE",
    "T023000",
    "FREQ=HOURLY",
    "FREQ=DAILY",
    "FREQ=WEEKLY",
    "FREQ=MONTHLY",
    "FREQ=YEARLY",
    "BYSETPOS=-1",
    "BYMONTHDAY=-1",
    "BYWEEKNO=",
    "BYYEARDAY=",
    "WKST=SU",
    "INTERVAL=2",
    "COUNT=",
    "00Z\r\n",
    "EXDATE;VALUE=DATE",
    "EXDATE;TZID=",
    "EXDATE:",
    "RDATE;TZID=",
    "RDATE;VALUE=PERIOD",
    "RECURRENCE-ID;TZID=",
    "RECURRENCE-ID:",
    "RECURRENCE-ID;VALUE=DATE",
    "RECURRENCE-ID;RANGE=THISANDFUTURE",
    "STATUS:CANCELLED",
    "TRANSP:TRANSPARENT",
    "CLASS:PRIVATE",
    "DURATION:P1D",
    "CUTYPE=ROOM",
    "CUTYPE=GROUP",
    "ROLE=NON-PARTICIPANT",
    "SENT-BY=",
    "EMAIL=",
    "PARTSTAT=DELEGATED",
];

#[test]
fn series_of_every_kind_are_read_as_python_reads_them() {
    let window = (at(NOW) - Span::from_days(400), at(NOW) + Span::from_days(120));
    let directory = tempfile::tempdir().unwrap();
    let mut draw = Draw::new(2);
    let drawn = series(1, 600);
    let touched: Vec<_> = drawn.iter().take(200).map(|series| changed(series, &mut draw)).collect();
    let mut all: Vec<_> = drawn.into_iter().chain(touched).collect();
    all.retain(|series| series.differs.is_none());
    assert!(all.len() >= 700, "only {} are compared", all.len());
    for feature in FEATURES {
        let unfolded = |series: &Series| series.ics.replace("\r\n ", "").contains(feature);
        assert!(all.iter().any(unfolded), "no series has {feature}");
    }
    let path = |number: usize| directory.path().join(format!("{number}.ics"));
    for (number, series) in all.iter().enumerate() {
        std::fs::write(path(number), &series.ics).unwrap();
    }
    let files: Vec<_> = (0..all.len()).map(path).collect();
    let opinions = second_opinion(&files, window);
    let mut wrong = String::new();
    for (file, series) in files.iter().zip(&all) {
        let (found, issues) = instances(series.ics.as_bytes(), window, ZONE);
        let found: Told = found.iter().map(ours).collect();
        let theirs = &opinions[file.to_str().unwrap()];
        if theirs.as_ref() != Ok(&found) || !issues.is_empty() {
            let none = Told::new();
            let theirs = theirs.as_ref().unwrap_or(&none);
            let (only_ours, only_theirs) = (&found - theirs, theirs - &found);
            wrong += &format!(
                "{issues:?}\nonly ours: {only_ours:#?}\nonly theirs: {only_theirs:#?}\n{}",
                series.ics
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
