//! What is stored, against a second opinion on what the server holds.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use keepwarm::model::{Span, Timestamp};
use serde_json::Value;

use crate::support::dav::Dav;
use crate::support::dump::rows;
use crate::support::process::Place;
use crate::support::python;
use crate::support::series::{NOW, ZONE};

/// A meeting: UID, where its rule put it, beginning, end, status.
type Told = BTreeSet<(String, i64, i64, i64, String)>;

/// Days before and after [`NOW`] that are compared: somewhat less than is kept.
const WINDOW: (i64, i64) = (399, 119);

/// Compares what is stored with what is in these calendars of the server, each object fetched by
/// another client and expanded by other code; gives how many meetings there are.
#[track_caller]
pub(super) fn assert_equal(place: &Place, server: &Dav, calendars: &[&str], step: &str) -> usize {
    let theirs = on_server(server, calendars);
    let ours = stored(place);
    let missing: Vec<_> = theirs.difference(&ours).take(5).collect();
    let extra: Vec<_> = ours.difference(&theirs).take(5).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{step}: {} stored, {} on the server\nmissing {missing:#?}\nextra {extra:#?}",
        ours.len(),
        theirs.len()
    );
    ours.len()
}

fn window() -> (Timestamp, Timestamp) {
    let now: Timestamp = NOW.parse().unwrap();
    (now - Span::from_days(WINDOW.0), now + Span::from_days(WINDOW.1))
}

fn stored(place: &Place) -> Told {
    let meetings = place.dump().meetings;
    let count = i64::try_from(meetings.len()).unwrap();
    assert_eq!(rows(&place.database(), "meeting"), count, "some are stored in two calendars");
    let (from, to) = window();
    let meetings = meetings.into_iter();
    meetings
        .map(|((uid, place), (starts, ends, status))| (uid, place, starts, ends, status))
        .filter(|(_, _, starts, ..)| (from.millis()..to.millis()).contains(starts))
        .collect()
}

fn on_server(server: &Dav, calendars: &[&str]) -> Told {
    let directory = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for path in calendars.iter().flat_map(|calendar| server.list(calendar)) {
        let file = directory.path().join(format!("{}.ics", files.len()));
        std::fs::write(&file, server.get(&path)).unwrap();
        files.push(file.to_str().unwrap().to_owned());
    }
    if files.is_empty() { Told::new() } else { expanded(&files) }
}

fn expanded(files: &[String]) -> Told {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/expand.py");
    let (from, to) = window();
    let mut child = python::interpreter()
        .arg(script)
        .args(["--from", &from.to_string(), "--to", &to.to_string(), "--zone", ZONE.name(), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut names = child.stdin.take().unwrap();
    let text = files.join("\n");
    let writing = std::thread::spawn(move || names.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success(), "expand.py does not take every object");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| told(&serde_json::from_str(line).unwrap())).collect()
}

/// A line of expand.py, if it tells of a meeting.
fn told(line: &Value) -> Option<(String, i64, i64, i64, String)> {
    let word = |key: &str| line[key].as_str().map(str::to_owned);
    let at = |key: &str| word(key).map_or(0, |text| text.parse::<Timestamp>().unwrap().millis());
    (word("standing")? == "meeting").then_some(())?;
    Some((word("uid")?, at("recurrence_at"), at("starts_at"), at("ends_at"), word("status")?))
}
