//! From a Maildir in which a relationship went quiet to the receiver of its nudge.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use super::now_s;
use crate::support::dovecot::{Dovecot, PASSWORD, put};
use crate::support::dump::{make_due, nudges};
use crate::support::generate::weekly;
use crate::support::hook::{Answer, Hook};
use crate::support::process::{Place, Running};

pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
/// How long a nudge may take from start to receiver, retries of five seconds included.
const SOON: Duration = Duration::from_secs(30);
const DAY_S: u64 = 86_400;

/// Half a year of weekly letters that ended so many days before `now`.
pub(super) fn went_quiet(place: &Place, source: &str, contact: &str, now: u64, days: u64) {
    for mail in weekly(contact, 26, now - days * DAY_S) {
        put(&place.path(source), mail.at, &mail.bytes);
    }
}

fn nobody() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}

fn daemon(place: &Place) -> Running {
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    daemon
}

#[test]
fn a_relationship_that_went_quiet_is_nudged_about_once() {
    let hook = Hook::start();
    let place = Place::new().maildir("ann-mail").endpoint("crm", hook.address(), SECRET);
    went_quiet(&place, "ann-mail", "bo@acme.example", now_s(), 45);
    went_quiet(&place, "ann-mail", "warm@acme.example", now_s(), 2);
    place.once(&[]);
    let requests = hook.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert!(request.is_signed_with(SECRET), "{request:?}");
    let signed_s: u64 = request.timestamp.parse().unwrap();
    assert!(now_s().abs_diff(signed_s) < 60, "{request:?}");
    let body = request.json();
    assert_eq!(body["type"], "nudge.decay.v1");
    let data = &body["data"];
    assert_eq!(data["nudge_id"], request.id.as_str());
    assert_eq!(data["rep"]["id"], "ann");
    assert_eq!(data["contact"]["address"], "bo@acme.example");
    assert_eq!(data["contact"]["organisation"], "acme.example");
    // strength = 100 S / (S + 2), and it falls when S has halved; scores are rounded to 0.1.
    let s = |key: &str| data["strength"][key].as_f64().map(|r| 2.0 * r / (100.0 - r)).unwrap();
    assert!(s("now") > 0.1 && s("now") < 0.51 * s("baseline"), "{data}");
    let silence = data["reasons"].as_array().unwrap().iter().find(|r| r["code"] == "silence");
    let silence = silence.unwrap_or_else(|| panic!("no silence in {data}"));
    assert_eq!((&silence["days"], &silence["usual_gap_days"]), (&45.into(), &7.into()), "{data}");

    place.once(&[]);
    assert_eq!(hook.requests().len(), 1, "not again");
    let (id, owed) = nudges(&place.database()).pop_first().unwrap();
    assert_eq!((id, owed.body), (request.id.clone(), request.body.clone()));
    assert_eq!(owed.outbox, [("crm".to_owned(), "delivered".to_owned(), 1)]);
}

/// What was held back for an hour would be, if nothing looked again once the source is read.
#[test]
fn a_nudge_held_back_by_a_source_comes_as_soon_as_that_is_read() {
    let server = Dovecot::start(&["ann"]);
    let hook = Hook::start();
    let place = Place::new()
        .maildir("a-archive")
        .imap_at("b-mail", &server, server.imaps, "ann", "wrong")
        .endpoint("crm", hook.address(), SECRET);
    went_quiet(&place, "a-archive", "bo@acme.example", now_s(), 45);
    let ran = place.keepwarm(&["run", "--once"]);
    assert_eq!((ran.status.code(), hook.requests().len()), (Some(1), 0), "{}", ran.stderr);
    std::fs::write(place.path("b-mail.password"), PASSWORD).unwrap();
    place.once(&[]);
    assert_eq!(hook.requests().len(), 1);
}

#[test]
fn history_can_be_replayed_as_of_any_day() {
    let hook = Hook::start();
    let place = Place::new().maildir("ann-mail").endpoint("crm", hook.address(), SECRET);
    let end: keepwarm::model::Timestamp = "2024-06-03T09:00:00Z".parse().unwrap();
    went_quiet(&place, "ann-mail", "bo@acme.example", u64::try_from(end.seconds()).unwrap(), 0);
    place.once(&["--now", "2024-06-10T09:00:00Z"]);
    assert_eq!(hook.requests(), [], "a week after the last letter");
    place.once(&["--now", "2024-07-18T09:00:00Z"]);
    let requests = hook.requests();
    assert!(requests.len() == 1 && requests[0].is_signed_with(SECRET), "{requests:?}");
    assert_eq!(requests[0].json()["timestamp"], "2024-07-18T09:00:00Z");
}

#[test]
fn a_receiver_that_comes_back_gets_the_nudge_under_the_same_id() {
    let address = nobody();
    let place = Place::new().maildir("ann-mail").endpoint("crm", address, SECRET);
    went_quiet(&place, "ann-mail", "bo@acme.example", now_s(), 45);
    let mut daemon = daemon(&place);
    daemon.wait_for("nudge not delivered yet", SOON);
    let hook = Hook::start_at(address, Answer::Status(500));
    hook.wait_for(1, SOON);
    daemon.terminate(Duration::from_secs(5));
    hook.answer(Answer::Status(204));
    let (id, owed) = nudges(&place.database()).pop_first().unwrap();
    let [(_, state, attempts)] = owed.outbox.as_slice() else { panic!("{owed:?}") };
    assert!(state == "pending" && *attempts >= 1, "{owed:?}");
    assert_eq!(make_due(&place.database()), 1);
    let daemon = self::daemon(&place);
    let requests = hook.wait_for(2, SOON);
    let same = |r: &crate::support::hook::Request| r.id == id && r.body == owed.body;
    assert!(requests.iter().all(|r| same(r) && r.is_signed_with(SECRET)), "{requests:?}");
    daemon.terminate(Duration::from_secs(5));
    assert_eq!(hook.requests().len(), 2, "once it was taken, never again");
}

#[test]
fn an_endpoint_that_hangs_holds_up_no_other() {
    let (hanging, good) = (Hook::start(), Hook::start());
    hanging.answer(Answer::Never);
    let place = Place::new()
        .maildir("ann-mail")
        .endpoint("a-hanging", hanging.address(), SECRET)
        .endpoint("b-good", good.address(), SECRET);
    for contact in ["bo@acme.example", "eve@hooli.example", "li@globex.example"] {
        went_quiet(&place, "ann-mail", contact, now_s(), 45);
    }
    let daemon = daemon(&place);
    good.wait_for(3, Duration::from_secs(10));
    assert_eq!(hanging.wait_for(1, SOON).len(), 1);
    let ran = daemon.terminate(Duration::from_secs(5));
    assert!(ran.status.success(), "{}", ran.stderr);
}

/// One pass tries everything that is owed, once, and the endpoints side by side.
#[test]
fn a_single_pass_waits_for_a_hanging_endpoint_once() {
    let (hanging, good) = (Hook::start(), Hook::start());
    hanging.answer(Answer::Never);
    let place = Place::new()
        .maildir("ann-mail")
        .endpoint("a-hanging", hanging.address(), SECRET)
        .with("timeout_seconds = 6")
        .endpoint("b-good", good.address(), SECRET);
    for contact in ["bo@acme.example", "eve@hooli.example"] {
        went_quiet(&place, "ann-mail", contact, now_s(), 45);
    }
    let pass = place.start(&["run", "--once"]);
    good.wait_for(2, Duration::from_secs(5));
    pass.finish(Duration::from_secs(20));
    assert_eq!(hanging.requests().len(), 2, "each delivery once");
}

#[test]
fn an_endpoint_that_is_gone_is_not_asked_again() {
    let hook = Hook::start();
    hook.answer(Answer::Status(410));
    let place = Place::new().maildir("ann-mail").endpoint("crm", hook.address(), SECRET);
    for contact in ["bo@acme.example", "eve@hooli.example"] {
        went_quiet(&place, "ann-mail", contact, now_s(), 45);
    }
    let mut first = daemon(&place);
    first.wait_for("endpoint disabled", SOON);
    first.terminate(Duration::from_secs(5));
    let again = daemon(&place);
    place_is_quiet(&hook);
    again.terminate(Duration::from_secs(5));
    let ran = place.once(&[]);
    assert!(ran.stderr.contains("410"), "it is told why: {}", ran.stderr);
    assert_eq!(hook.requests().len(), 1);
}

fn place_is_quiet(hook: &Hook) {
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(hook.requests().len(), 1);
}

/// A retry is no reason to wake anybody.
#[test]
fn what_failed_in_the_evening_is_tried_again_in_the_morning() {
    let address = nobody();
    let place = Place::new().maildir("ann-mail").endpoint("crm", address, SECRET).with(
        "[nudge]\nkinds = [\"decay\"]\ndigest_at = \"off\"\nquiet_hours = \"19:00-07:00\"\n\
         [identity]\ngoogle_domains = []",
    );
    let end: keepwarm::model::Timestamp = "2024-06-03T09:00:00Z".parse().unwrap();
    went_quiet(&place, "ann-mail", "bo@acme.example", u64::try_from(end.seconds()).unwrap(), 0);
    let hook = Hook::start_at(address, Answer::Status(500));
    for (now, requests) in [
        ("2024-07-18T18:59:00Z", 1),
        ("2024-07-18T19:30:00Z", 1),
        ("2024-07-19T06:59:00Z", 1),
        ("2024-07-19T07:00:30Z", 2),
    ] {
        place.once(&["--now", now]);
        assert_eq!(hook.requests().len(), requests, "{now}");
    }
}
