//! Calibrating the hazard by the program: from raw mail, told by `explain`, and taken back.

use std::time::Duration;

use serde_json::Value;

use crate::support::dovecot::put;
use crate::support::dump::rows;
use crate::support::generate::{REP, letter};
use crate::support::process::Place;

/// 2024-01-01.
const FIRST_S: u64 = 1_704_067_200;
const DAY_S: u64 = 86_400;
const NOW: &str = "2025-06-01T00:00:00Z";

fn contact(number: u64) -> String {
    format!("c{number}@acme.example")
}

/// A question and its answer, with as many contacts: often at first, then after the same pause over
/// and over, which is a long one every third time. Nobody is ever lost.
fn place(contacts: u64) -> Place {
    let place = Place::new().maildir("mail");
    for number in 0..contacts {
        let contact = contact(number);
        let mut day = number % 7;
        for turn in 0..24 {
            let pause = match turn {
                ..8 => 2,
                _ if turn % 3 == 0 => 41,
                _ => 16 + number % 5,
            };
            day += pause;
            let at = FIRST_S + day * DAY_S;
            let ids = ["q", "a"].map(|kind| format!("{turn}.{kind}.{contact}"));
            let asked = letter("INBOX", [REP, &contact], at, &ids[0], None);
            let answered = letter("INBOX", [&contact, REP], at + 3600, &ids[1], Some(&ids[0]));
            for mail in [asked, answered] {
                put(&place.path("mail"), mail.at, &mail.bytes);
            }
        }
    }
    place.once(&["--now", NOW]);
    place
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn hazard(place: &Place) -> (f64, Value) {
    let explained = place.json(&["explain", "ann", &contact(3), "--now", NOW]);
    (explained["hazard"].as_f64().unwrap(), explained["calibration"].clone())
}

/// Starts it, and looks whether every relationship is computed again.
fn starts(place: &Place, again: bool) {
    let log = place.once(&["--log", "info", "--now", NOW]).stderr;
    assert_eq!(log.contains("every strength is computed again"), again, "{log}");
}

#[test]
fn the_own_history_puts_the_hazard_right_and_that_can_be_taken_back() {
    let place = place(30);
    let (shipped, none) = hazard(&place);
    assert_eq!(none, Value::Null);

    let would = place.json(&["calibrate", "--dry-run", "--now", NOW]);
    assert_eq!(would["outcome"], "would_calibrate", "{would}");
    assert_eq!(rows(&place.database(), "calibration"), 0, "a dry run keeps nothing");

    let mut daemon = place.start(&["--log", "info", "run"]);
    daemon.wait_for("keepwarm runs", Duration::from_secs(60));
    let refused = place.keepwarm(&["calibrate", "--now", NOW]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("hint: stop the service"), "{}", refused.stderr);
    drop(daemon);
    assert_eq!(hazard(&place), (shipped, Value::Null));

    let done = place.json(&["calibrate", "--now", NOW]);
    assert_eq!(done["outcome"], "calibrated", "{done}");
    let number = |key: &str| done[key].as_f64().unwrap();
    assert!(number("loss_after") < number("loss_before"), "{done}");
    for key in ["instants", "silent", "relationships", "slope", "intercept"] {
        assert_eq!(done[key], would[key], "{key}");
    }
    assert_eq!(done["relationships"], 30);

    let (calibrated, by) = hazard(&place);
    let expected = number("intercept") + number("slope") * logit(shipped);
    assert!((logit(calibrated) - expected).abs() < 1e-9, "{shipped} became {calibrated}: {done}");
    assert_eq!((&by["slope"], &by["instants"]), (&done["slope"], &done["instants"]));
    let told = place.keepwarm(&["explain", "ann", &contact(3), "--now", NOW]).stdout;
    assert!(told.contains("calibrated on 2025-06-01 to "), "{told}");

    starts(&place, true);
    starts(&place, false);
    let again = place.json(&["calibrate", "--now", NOW]);
    assert_eq!(again["outcome"], "no_better", "{again}");

    let undone = place.json(&["calibrate", "--undo"]);
    assert_eq!((&undone["outcome"], &undone["slope"]), (&"undone".into(), &done["slope"]));
    assert_eq!(hazard(&place), (shipped, Value::Null));
    starts(&place, true);
    assert_eq!(place.json(&["calibrate", "--undo"])["outcome"], "nothing_to_undo");
}

#[test]
fn too_few_change_nothing_and_it_is_said_what_is_missing() {
    let place = place(4);
    let (shipped, _) = hazard(&place);
    let ran = place.keepwarm(&["calibrate", "--now", NOW]);
    assert!(ran.status.success(), "{}", ran.stderr);
    assert!(ran.stdout.contains("4 of 20 relationships"), "{}", ran.stdout);
    assert_eq!(place.json(&["calibrate", "--now", NOW])["outcome"], "too_few");
    assert_eq!(hazard(&place), (shipped, Value::Null));
}
