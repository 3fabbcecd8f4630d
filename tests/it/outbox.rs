//! What becomes of deliveries whose endpoint fails, asks for patience or goes away, and of those that an
//! admin wants sent again or never: the program as a process, with nudges that are owed already.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::dump::{execute, make_due, rows};
use crate::support::hook::{Answer, Hook};
use crate::support::owe::{owe, owed, release};
use crate::support::process::Place;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const SOON: Duration = Duration::from_secs(30);

fn place(hook: &Hook) -> Place {
    Place::new().endpoint("crm", hook.address(), SECRET)
}

/// What status says of the only endpoint.
fn endpoint(place: &Place) -> Value {
    place.json(&["status"])["endpoints"][0].clone()
}

#[test]
fn an_endpoint_that_fails_is_left_alone_and_uses_up_no_tries() {
    let hook = Hook::start();
    hook.answer(Answer::Status(500));
    let place = place(&hook);
    owe(&place, &["crm"], 0..12);
    place.once(&[]);
    assert_eq!(hook.requests().len(), 5, "it opens at the fifth failure");
    let told = endpoint(&place);
    assert_eq!((&told["state"], &told["failures"]), (&json!("held"), &json!(5)), "{told}");
    assert_eq!(told["error"], "the endpoint has an error (500)");
    assert_eq!((&told["pending"], &told["dead"]), (&json!(12), &json!(0)));
    let said = place.keepwarm(&["status"]).stdout;
    assert!(said.contains("endpoint crm has failed 5 times in a row"), "{said}");

    make_due(&place.database());
    place.once(&[]);
    assert_eq!(hook.requests().len(), 5, "nor is it asked again by another process");
    assert_eq!(rows(&place.database(), "outbox WHERE attempts = 0"), 7);

    assert_eq!(release(&place.database()), 1);
    place.once(&[]);
    assert_eq!((hook.requests().len(), endpoint(&place)["failures"].clone()), (6, json!(6)));

    hook.answer(Answer::Status(204));
    release(&place.database());
    make_due(&place.database());
    place.once(&[]);
    assert_eq!(owed(&place.database(), "crm"), [0, 12, 0, 0]);
    assert_eq!(hook.requests().len(), 18);
    assert_eq!(
        (&endpoint(&place)["state"], &endpoint(&place)["failures"]),
        (&json!("active"), &json!(0))
    );
}

#[test]
fn retry_after_holds_everything_that_the_endpoint_is_owed() {
    let hook = Hook::start();
    hook.answer(Answer::Busy(3));
    let place = place(&hook);
    owe(&place, &["crm"], 0..8);
    let daemon = place.start(&["run"]);
    hook.wait_for(1, SOON);
    let began = Instant::now();
    hook.answer(Answer::Status(204));
    let requests = hook.wait_for(2, SOON);
    assert!(began.elapsed() > Duration::from_millis(2500), "{:?}: {requests:?}", began.elapsed());
    hook.wait_for(9, SOON);
    daemon.terminate(Duration::from_secs(5));
    assert_eq!(owed(&place.database(), "crm"), [0, 8, 0, 0]);
    assert_eq!(rows(&place.database(), "outbox WHERE attempts = 1"), 7, "one was tried twice");
}

#[test]
fn what_was_given_up_is_sent_again_when_somebody_asks_for_it() {
    let hook = Hook::start();
    hook.answer(Answer::Status(400));
    let place = place(&hook);
    let ids = owe(&place, &["crm"], 0..3);
    place.once(&[]);
    execute(&place.database(), "UPDATE outbox SET attempts = 9, next_attempt_at = 0");
    place.once(&[]);
    assert_eq!(owed(&place.database(), "crm"), [0, 0, 3, 0]);
    let listed = place.json(&["nudges", "outbox", "--state", "dead"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(3), "{listed}");
    assert_eq!(listed[0]["verdict"], "the endpoint refuses the request (400)");
    assert_eq!((&listed[0]["attempts"], &listed[0]["endpoint"]), (&json!(10), &json!("crm")));

    hook.answer(Answer::Status(204));
    let sent = hook.requests();
    let ran = place.keepwarm(&["nudges", "replay", "--dead", "--endpoint", "crm"]);
    assert_eq!(ran.stdout, "3 deliveries to crm are owed again\n", "{}", ran.stderr);
    place.once(&[]);
    assert_eq!(owed(&place.database(), "crm"), [0, 3, 0, 0]);
    for again in &hook.requests()[6..] {
        assert!(sent.iter().any(|one| one.id == again.id && one.body == again.body), "{again:?}");
    }

    // Beside a daemon, by its id, although it has arrived.
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    let ran = place.keepwarm(&["nudges", "replay", &ids[1]]);
    assert_eq!(ran.stdout, "1 delivery to crm is owed again\n", "{}", ran.stderr);
    let requests = hook.wait_for(10, SOON);
    assert_eq!(requests[9].id, ids[1]);
    for (arguments, why) in [
        (&["nudges", "replay", "ndg_none"][..], "there is no such delivery of ndg_none"),
        (&["nudges", "replay", "--dead"], "there is no such delivery"),
        (&["nudges", "drop", "--endpoint", "erp"], "there is no endpoint erp"),
    ] {
        let ran = place.keepwarm(arguments);
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}");
        assert!(ran.stderr.contains(why) && ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
    daemon.terminate(Duration::from_secs(5));
}

#[test]
fn what_is_dropped_is_not_sent() {
    let (crm, erp) = (Hook::start(), Hook::start());
    let place = place(&crm).endpoint("erp", erp.address(), SECRET);
    let ids = owe(&place, &["crm", "erp"], 0..4);
    let ran = place.keepwarm(&["nudges", "drop", &ids[0]]);
    assert_eq!(ran.stdout, "1 delivery to crm, 1 to erp are dropped\n", "{}", ran.stderr);
    let ran = place.keepwarm(&["nudges", "drop", "--endpoint", "erp"]);
    assert_eq!(ran.stdout, "3 deliveries to erp are dropped\n", "{}", ran.stderr);
    for nothing in [&["nudges", "drop"][..], &["nudges", "replay"]] {
        assert_eq!(place.keepwarm(nothing).status.code(), Some(2), "{nothing:?}");
    }
    place.once(&[]);
    assert_eq!((crm.requests().len(), erp.requests().len()), (3, 0));
    assert_eq!(owed(&place.database(), "erp"), [0, 0, 0, 4]);
}

#[test]
fn what_does_not_hold_any_more_is_not_tried_again() {
    let hook = Hook::start();
    hook.answer(Answer::Status(500));
    let place = place(&hook);
    let ids = owe(&place, &["crm"], 0..2);
    place.once(&[]);
    let resolved = "UPDATE nudge SET resolved_at = 1, resolved_by = 'recovered' WHERE public_id = ";
    execute(&place.database(), &format!("{resolved}'{}'", ids[0]));
    make_due(&place.database());
    hook.answer(Answer::Status(204));
    place.once(&[]);
    assert_eq!(owed(&place.database(), "crm"), [0, 1, 0, 1]);
    assert_eq!(hook.requests().last().unwrap().id, ids[1]);
    // Unless it is what somebody wants.
    place.keepwarm(&["nudges", "replay", &ids[0]]);
    place.once(&[]);
    assert_eq!(hook.requests().last().unwrap().id, ids[0]);
}

/// An endpoint that takes nothing for days does not get what was to be said then when it is back.
#[test]
fn what_is_owed_for_too_long_is_given_up() {
    let hook = Hook::start();
    hook.answer(Answer::Status(503));
    let place = place(&hook);
    owe(&place, &["crm"], 0..8);
    let days_ago = "UPDATE outbox SET made_at = made_at - 77 * 3600000 WHERE id <= 6";
    execute(&place.database(), days_ago);
    let ran = place.once(&["--log", "info"]);
    assert_eq!(owed(&place.database(), "crm"), [2, 0, 6, 0], "{}", ran.stderr);
    assert!(ran.stderr.contains("nudges given up"), "{}", ran.stderr);
    assert_eq!(hook.requests().len(), 5);

    hook.answer(Answer::Status(204));
    place.keepwarm(&["nudges", "replay", "--dead"]);
    place.once(&[]);
    assert_eq!(owed(&place.database(), "crm"), [0, 8, 0, 0]);
}

/// What was put off by a clock that ran a year ahead is not put off for a year.
#[test]
fn a_clock_that_was_put_right_does_not_keep_deliveries_waiting() {
    let hook = Hook::start();
    hook.answer(Answer::Status(500));
    let place = place(&hook);
    owe(&place, &["crm"], 0..6);
    place.once(&[]);
    let days = "400 * 86400000";
    let ahead = format!(
        "UPDATE outbox SET next_attempt_at = next_attempt_at + {days} WHERE attempts > 0;
         UPDATE endpoint SET held_until = held_until + {days}"
    );
    execute(&place.database(), &ahead);
    hook.answer(Answer::Status(204));
    place.once(&[]);
    assert_eq!(owed(&place.database(), "crm"), [0, 6, 0, 0]);
}

#[test]
fn a_changed_url_is_tried_at_once_whatever_became_of_the_one_before() {
    let (gone, other) = (Hook::start(), Hook::start());
    gone.answer(Answer::Status(410));
    let place = place(&gone);
    owe(&place, &["crm"], 0..3);
    place.once(&[]);
    assert_eq!((gone.requests().len(), endpoint(&place)["state"].clone()), (1, json!("gone")));
    place.once(&[]);
    assert_eq!(gone.requests().len(), 1);
    let text = std::fs::read_to_string(place.path("keepwarm.toml")).unwrap();
    std::fs::write(place.path("keepwarm.toml"), text.replace(&gone.url(), &other.url())).unwrap();
    place.once(&[]);
    assert_eq!((other.requests().len(), endpoint(&place)["state"].clone()), (3, json!("active")));
    assert_eq!(owed(&place.database(), "crm"), [0, 3, 0, 0]);
}

#[test]
fn a_test_tells_what_came_back_and_what_to_do() {
    let (good, bad) = (Hook::start(), Hook::start());
    bad.answer(Answer::Status(404));
    let place = place(&good)
        .endpoint("erp", bad.address(), SECRET)
        .endpoint("intranet", "10.0.0.1:80".parse().unwrap(), SECRET)
        .with("allow_http = true");
    let ran = place.keepwarm(&["nudges", "test", "--format", "json"]);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = |key: &str| [&told[0][key], &told[1][key], &told[2][key]];
    assert_eq!(of("delivered"), [&json!(true), &json!(false), &json!(false)], "{told}");
    assert_eq!(of("status"), [&json!(204), &json!(404), &json!(null)]);
    for (number, hint) in [(1, "path of the url"), (2, "allow_private = true")] {
        assert!(told[number]["hint"].as_str().unwrap().contains(hint), "{told}");
        assert!(ran.stderr.contains(hint), "{}", ran.stderr);
    }
    let [request] = good.requests().try_into().unwrap();
    assert!(request.is_signed_with(SECRET), "{request:?}");
    assert_eq!(request.json()["type"], "nudge.test.v1");
    assert_eq!(request.json()["data"]["nudge_id"], told[0]["webhook_id"]);
    assert!(!place.database().exists(), "no database is needed");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary"), "no query is shown");
    let ran = place.keepwarm(&["nudges", "test", "crn"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(ran.stderr.contains("there is crm, erp, intranet"), "{}", ran.stderr);
}

/// Nobody waits for half an hour who has just seen that it works again.
#[test]
fn an_endpoint_that_takes_a_test_is_tried_again_at_once() {
    let hook = Hook::start();
    hook.answer(Answer::Status(500));
    let place = place(&hook);
    owe(&place, &["crm"], 0..9);
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("endpoint left alone", SOON);
    hook.answer(Answer::Status(204));
    let ran = place.keepwarm(&["nudges", "test"]);
    assert!(ran.status.success() && ran.stderr.contains("tried again now"), "{}", ran.stderr);
    hook.wait_for(5 + 1 + 9, SOON);
    daemon.terminate(Duration::from_secs(5));
    assert_eq!(owed(&place.database(), "crm")[..2], [0, 9]);
}
