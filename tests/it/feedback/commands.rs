//! `keepwarm nudges done` and its like, and `keepwarm silences`: beside a running daemon and without.

use serde_json::json;

use super::{Desk, SOON, now};
use crate::support::hook::Hook;
use crate::support::process::Ran;
use keepwarm::model::Span;

#[track_caller]
fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.status.code(), Some(2), "{} {}", ran.stdout, ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is not in {}", ran.stderr);
    }
}

#[track_caller]
fn done(ran: &Ran, words: &[&str]) {
    assert!(ran.status.success(), "{}", ran.stderr);
    for word in words {
        assert!(ran.stdout.contains(word), "{word:?} is not in {}", ran.stdout);
    }
}

#[test]
fn nudges_are_answered_by_command_with_and_without_a_daemon() {
    let hook = Hook::start();
    let contacts = ["bo@acme.example", "eve@hooli.example", "li@globex.example"];
    let desk = Desk::new(&contacts, hook.address());
    let [bo, eve, li] = contacts.map(|contact| desk.nudge(contact));
    let keepwarm = |arguments: &[&str]| desk.place.keepwarm(&[&["nudges"], arguments].concat());

    refused(&keepwarm(&["done", "ndg_none"]), &["there is no nudge ndg_none", "nudges list"]);
    let part = bo.get(..12).unwrap();
    refused(&keepwarm(&["done", part]), &["did you mean", &bo]);
    refused(&keepwarm(&["snooze", &bo]), &["--days"]);
    refused(&keepwarm(&["snooze", "--days", "8", &bo]), &["7, 30, 90"]);
    done(&keepwarm(&["done", &bo]), &["is answered: done; nothing is said about bo@acme.example"]);

    let daemon = desk.start();
    done(&keepwarm(&["snooze", "--days", "30", &eve]), &["snooze_30", "until 20"]);
    done(&keepwarm(&["snooze", "--days", "30", &eve]), &["snooze_30 (since 20"]);
    refused(&keepwarm(&["done", &eve]), &["was answered with snooze_30", "take-back"]);
    done(&keepwarm(&["take-back", &eve]), &["no answer"]);
    done(&keepwarm(&["not-relevant", &eve]), &["not_relevant", "take-back"]);
    done(&keepwarm(&["wrong-person", &li]), &["wrong_person"]);
    daemon.terminate(SOON);
    assert_eq!(
        desk.answers(),
        [
            "bo@acme.example done done cli holds",
            "eve@hooli.example not_relevant snooze 30 cli undone",
            "eve@hooli.example not_relevant not_relevant cli holds",
            "li@globex.example wrong_person wrong_person cli holds",
        ]
    );
    let shown = desk.place.json(&["nudges"]);
    let by: Vec<&str> =
        shown.as_array().unwrap().iter().map(|one| one["resolved_by"].as_str().unwrap()).collect();
    assert!(by.contains(&"done") && by.contains(&"wrong_person"), "{by:?}");

    // A hint for who looks after contacts; nobody is taken apart for it.
    let hint = desk.place.keepwarm(&["contacts", "duplicates"]).stderr;
    assert!(hint.contains("a rep said \"wrong person\" of con_"), "{hint}");
    let merge = ["contacts", "merge", "li@globex.example", "bo@acme.example"];
    done(&desk.place.keepwarm(&merge), &["is now"]);
    let pairs = desk.place.json(&["contacts", "duplicates"]);
    let pair = pairs.as_array().unwrap().iter().find(|pair| pair["kind"] == "wrong_person");
    let pair = pair.unwrap_or_else(|| panic!("{pairs}"));
    assert!(pair["evidence"].as_str().unwrap().contains("contacts split"), "{pair}");
}

#[test]
fn silences_are_listed_added_and_removed() {
    let hook = Hook::start();
    let desk = Desk::new(&["bo@acme.example"], hook.address());
    let keepwarm = |arguments: &[&str]| desk.place.keepwarm(&[&["silences"], arguments].concat());
    assert_eq!(desk.place.json(&["silences"]), json!([]));
    let bo = "bo@acme.example";
    refused(&keepwarm(&["add", "an", bo, "--days", "7"]), &["did you mean ann?"]);
    refused(&keepwarm(&["add", "zoe", bo, "--days", "7"]), &["the reps are ann"]);
    refused(
        &keepwarm(&["add", "ann", "bo@acne.example", "--days", "7"]),
        &["mean bo@acme.example?"],
    );
    refused(&keepwarm(&["add", "ann", bo]), &["--days", "--forever"]);
    refused(&keepwarm(&["remove", "1"]), &["no silence 1 is in force", "keepwarm silences"]);

    done(&keepwarm(&["add", "ann", bo, "--days", "7"]), &["silence 1", "until 20"]);
    let daemon = desk.start();
    done(&keepwarm(&["add", "ann", bo, "--forever"]), &["silence 2", "for good"]);
    let nudge = desk.nudge(bo);
    assert_eq!(desk.api("POST", &nudge, r#"{"action":"wrong_person"}"#).status, 200);
    let shown = desk.place.json(&["silences", "list"]);
    let fact = |key: &str| -> Vec<serde_json::Value> {
        shown.as_array().unwrap().iter().map(|one| one[key].clone()).collect()
    };
    assert_eq!(fact("silence"), [1, 2, 3]);
    assert_eq!(fact("reason"), ["command", "command", "wrong_person"]);
    let for_good: Vec<bool> = fact("until_at").iter().map(serde_json::Value::is_null).collect();
    assert_eq!(for_good, [false, true, true]);
    assert_eq!(
        (fact("rep")[0].as_str(), fact("organisation")[0].as_str()),
        (Some("ann"), Some("acme.example"))
    );
    let table = keepwarm(&["list"]).stdout;
    assert!(table.contains("wrong person") && table.contains("for good"), "{table}");
    let csv = keepwarm(&["--format", "csv"]).stdout;
    let head = "silence,rep,contact,organisation,reason,kind,made_at,until_at";
    assert!(csv.starts_with(head), "{csv}");

    done(&keepwarm(&["remove", "1"]), &["silence 1 has ended; another one"]);
    refused(&keepwarm(&["remove", "1"]), &["no silence 1 is in force"]);
    done(&keepwarm(&["remove", "2"]), &["another one"]);
    done(&keepwarm(&["remove", "3"]), &["ann may be nudged about bo@acme.example"]);
    assert_eq!(desk.place.json(&["silences"]), json!([]));
    daemon.terminate(SOON);
}

#[test]
fn a_silence_holds_a_nudge_back_until_it_ends() {
    let hook = Hook::start();
    let desk = Desk::unread(&["bo@acme.example", "eve@hooli.example"], hook.address());
    // Read five days after the last letter, when nobody has gone quiet yet.
    let early = (now() - Span::from_days(40)).to_string();
    desk.place.once(&["--now", &early]);
    assert_eq!(hook.requests(), []);
    let add = ["silences", "add", "ann", "bo@acme.example", "--forever"];
    done(&desk.place.keepwarm(&add), &["silence 1"]);
    desk.place.once(&["--now", &now().to_string()]);
    let told = hook.requests();
    assert!(told.len() == 1 && told[0].body.contains("eve@hooli.example"), "{told:?}");
    done(&desk.place.keepwarm(&["silences", "remove", "1"]), &["may be nudged"]);
    desk.place.once(&["--now", &now().to_string()]);
    let told = hook.requests();
    assert!(told.len() == 2 && told[1].body.contains("bo@acme.example"), "{told:?}");
}

/// A silence that begins when a nudge is made and not sent yet.
#[test]
fn what_waits_for_the_digest_waits_for_the_end_of_a_silence_too() {
    let hook = Hook::start();
    let contacts = ["bo@acme.example", "eve@hooli.example", "li@globex.example"];
    let desk = Desk::restrained(&contacts, hook.address(), "digest_at = \"08:30\"");
    let later = |days: i64| (now() + Span::from_days(days)).to_string();
    desk.place.once(&["--now", &now().to_string()]);
    let waiting = "SELECT count(*) FROM nudge WHERE state = 'waiting'";
    assert_eq!((desk.values(waiting), hook.requests().len()), (vec!["3".to_owned()], 0));
    for (contact, lasts) in [("bo@acme.example", "--days=3"), ("eve@hooli.example", "--forever")] {
        done(&desk.place.keepwarm(&["silences", "add", "ann", contact, lasts]), &["silence"]);
    }
    let about = |contact: &str| hook.requests().iter().filter(|r| r.body.contains(contact)).count();
    for (days, told) in [(1, [0, 0, 1]), (2, [0, 0, 1]), (5, [1, 0, 1]), (6, [1, 0, 1])] {
        desk.place.once(&["--now", &later(days)]);
        assert_eq!(contacts.map(about), told, "after {days} days");
    }
    let resolved = "SELECT concat_ws(' ', state, resolved_by) FROM nudge ORDER BY 1";
    assert_eq!(desk.values(resolved), ["cancelled not_relevant", "released", "released"]);
}
