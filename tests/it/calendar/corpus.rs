//! A corpus of real calendars, where there is one: every `.ics` below `KEEPWARM_ICS_CORPUS`.
//!
//! None may panic or take long, and each is compared with what Python makes of it, where that
//! takes it at all: UID, beginning, end, slot, status and people of every occurrence in windows of
//! two years before and after a day, from 1996 to 2028.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use keepwarm::normalise::calendar::{Problem, instances, meetings};

use super::oracle::{ours, second_opinion};
use super::{BERLIN, at};
use crate::support::series::ZONE;

/// Where we believe that we are right, but for the last: the end of the file's name, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("korganizer_sample", COUNT),
    ("222", COUNT),
    ("Christian32Holidays", COUNT),
    ("181", COUNT),
    ("lotr", UNTIL),
    ("lotr-updated", UNTIL),
    ("223", UNTIL),
    ("224", UNTIL),
    ("event_full_day_rrule_until_before_dtstart", UNTIL),
    ("incoming", "of two with the same SEQUENCE the later DTSTAMP holds (RFC 5546, 2.1.5)"),
    ("220", "of two with the same SEQUENCE the later DTSTAMP holds (RFC 5546, 2.1.5)"),
    ("event_mixed_recurrence_id_dt_type", "a day as RECURRENCE-ID names the occurrence on it"),
    ("event5", DAY),
    ("event_full_day_rrule_count_500", DAY),
    ("event_full_day_rrule_until_2y", DAY),
    ("event_full_day_rrule_until_50y", DAY),
    ("event_full_day_rrule_until_5000y", DAY),
    ("google_aus_holidays", DAY),
    ("219", DAY),
    ("017", "an event that ends before it begins begins where it says"),
    ("021", "`(UTC-05:00) Eastern Time (US and Canada)` is Outlook's name of a zone"),
    ("027", "`(GMT +01:00)` says what it is"),
    ("083", "a parameter without a name does not make DTSTART unreadable"),
    ("110", "an empty line within a folded one ends it, and so there is no UID"),
    ("000", ZONES),
    ("samples__ical_002", ZONES),
];
const COUNT: &str = "DTSTART counts as the first occurrence (RFC 5545, 3.3.10)";
const DAY: &str = "a day with a TZID is a day, not a midnight: its length is in days";
const UNTIL: &str = "DTSTART is an occurrence whatever the rule says (RFC 5545, 3.8.5.3)";

const ZONES: &str = "chrono-tz has no rules of 2026 yet, by which Vancouver stays on summer time";

/// What a file may take.
const TARGET: Duration = Duration::from_millis(250);

#[test]
#[ignore = "needs a corpus; set KEEPWARM_ICS_CORPUS"]
fn a_corpus_is_read_without_panic_and_in_time() {
    let window = (at("1990-01-01"), at("2030-01-01"));
    let (mut files, mut found, mut slowest) = (0, 0, (Duration::ZERO, String::new()));
    let mut problems = BTreeMap::<Problem, usize>::new();
    for path in corpus() {
        let bytes = std::fs::read(&path).unwrap();
        let timed = || {
            let begun = Instant::now();
            (meetings(&bytes, window, BERLIN), begun.elapsed())
        };
        let ((meetings, issues), mut took) = timed();
        // Something else may have had the processor.
        for _ in 0..5 {
            if took >= TARGET {
                took = timed().1;
            }
        }
        assert!(took < TARGET, "{path:?} took {took:?}");
        slowest = slowest.max((took, format!("{path:?}")));
        (files, found) = (files + 1, found + meetings.len());
        for issue in issues {
            assert_ne!(issue.problem, Problem::Panicked, "{path:?}");
            *problems.entry(issue.problem).or_default() += 1;
        }
    }
    println!("{files} files, {found} meetings, {problems:?}, slowest {slowest:?}");
    assert!(files > 0);
}

#[test]
#[ignore = "needs a corpus; set KEEPWARM_ICS_CORPUS"]
fn a_corpus_is_read_as_python_reads_it() {
    let files = corpus();
    let (mut taken, mut compared) = (BTreeSet::new(), 0);
    let mut different = BTreeMap::new();
    for year in (1998..=2026).step_by(4) {
        let window = (at(&format!("{}-11-21", year - 2)), at(&format!("{}-11-21", year + 2)));
        for (file, theirs) in second_opinion(&files, window) {
            let Ok(theirs) = theirs else { continue };
            let (found, _) = instances(&std::fs::read(&file).unwrap(), window, ZONE);
            let found: BTreeSet<_> = found.iter().map(|one| placed(&ours(one))).collect();
            let theirs: BTreeSet<_> = theirs.iter().map(String::as_str).map(placed).collect();
            taken.insert(file.clone());
            compared += theirs.len();
            if found != theirs {
                different.insert(file, (found, theirs));
            }
        }
    }
    println!("{} of {} files, {compared} occurrences", taken.len(), files.len());
    println!("{} files differ, as the table says", different.len());
    let reason = |file: &str| {
        let stem = Path::new(file).file_stem().unwrap().to_str().unwrap();
        DIFFERENCES.iter().find(|(name, _)| {
            stem.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with("__"))
        })
    };
    let unexplained: Vec<_> = different.iter().filter(|(file, _)| reason(file).is_none()).collect();
    for (file, (found, theirs)) in &unexplained {
        let (ours, theirs) = (found.difference(theirs).next(), theirs.difference(found).next());
        println!("{file}\n  only ours: {ours:?}\n  only theirs: {theirs:?}");
    }
    assert!(unexplained.is_empty(), "{} files differ without a reason", unexplained.len());
    for file in taken.iter().filter(|file| reason(file).is_some()) {
        assert!(different.contains_key(file), "{file} is in the table and does not differ");
    }
}

/// An occurrence without its standing: the libraries turn a day with a TZID into a time.
fn placed(told: &str) -> String {
    let words: Vec<&str> = told.split(' ').collect();
    let standings = ["meeting", "all_day", "free", "private"];
    let kept: Vec<&str> = words.into_iter().filter(|word| !standings.contains(word)).collect();
    kept.join(" ")
}

/// The files, sorted.
fn corpus() -> Vec<PathBuf> {
    let root = std::env::var("KEEPWARM_ICS_CORPUS").unwrap();
    let mut files = files_below(root.as_ref());
    files.sort();
    files
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files_below(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|end| end == "ics"))
        .collect()
}
