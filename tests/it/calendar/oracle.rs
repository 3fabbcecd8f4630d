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
use crate::support::series::{NOW, ZONE, series};
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

#[test]
fn series_of_every_kind_are_read_as_python_reads_them() {
    let window = (at(NOW) - Span::from_days(400), at(NOW) + Span::from_days(120));
    let directory = tempfile::tempdir().unwrap();
    let path = |uid: &str| directory.path().join(format!("{uid}.ics"));
    let all = series(1, 600);
    for series in &all {
        std::fs::write(path(&series.uid), &series.ics).unwrap();
    }
    let files: Vec<_> = all.iter().map(|series| path(&series.uid)).collect();
    let opinions = second_opinion(&files, window);
    let (mut compared, mut count) = (0, 0);
    let mut wrong = Vec::new();
    for series in all.iter().filter(|series| series.differs.is_none()) {
        let (found, issues) = instances(series.ics.as_bytes(), window, ZONE);
        let found: Told = found.iter().map(ours).collect();
        let theirs = opinions[path(&series.uid).to_str().unwrap()].clone().unwrap_or_default();
        compared += 1;
        count += found.len();
        if theirs != found || !issues.is_empty() {
            wrong.push(format!(
                "{issues:?}\nonly ours: {:#?}\nonly theirs: {:#?}\n{}",
                found.difference(&theirs).collect::<Vec<_>>(),
                theirs.difference(&found).collect::<Vec<_>>(),
                series.ics
            ));
        }
    }
    println!("{compared} {count}");
    assert!(wrong.is_empty(), "{} series differ: {}", wrong.len(), wrong.join("\n"));
}
