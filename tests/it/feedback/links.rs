//! Links in messages: following them changes nothing, the button does, once.

use super::{DAY_S, Desk, SECRET, SOON, now};
use crate::support::dump::{assert_unchanged, everything, execute, make_due, nudges};
use crate::support::hook::{Answer, Hook};
use crate::support::http;
use keepwarm::model::{Span, Timestamp};

const ALL: [&str; 6] = [
    "done@acme.example",
    "week@acme.example",
    "month@acme.example",
    "quarter@acme.example",
    "never@acme.example",
    "wrong@acme.example",
];

/// What mail and chat programs do to links before anybody reads the message.
#[test]
fn a_link_scanner_changes_nothing() {
    let hook = Hook::start();
    let desk = Desk::new(&["bo@acme.example"], hook.address());
    let nudge = desk.nudge("bo@acme.example");
    let daemon = desk.start();
    let links = desk.links(&nudge);
    let urls = [
        &links.done,
        &links.snooze_7,
        &links.snooze_30,
        &links.snooze_90,
        &links.not_relevant,
        &links.wrong_person,
    ];
    let before = everything(&desk.place.database());
    for round in 0..200 {
        let path = desk.path(urls[round % 6]);
        let (method, headers, status): (&str, &[&str], u16) = match round % 5 {
            0 => ("GET", &["User-Agent: Slackbot-LinkExpanding 1.0"], 200),
            1 => ("HEAD", &["User-Agent: Mozilla/5.0"], 200),
            2 => ("OPTIONS", &["Origin: https://scanner.example"], 405),
            3 => ("GET", &["Purpose: prefetch", "Sec-Purpose: prefetch;prerender"], 200),
            _ => ("POST", &["Content-Type: text/plain"], 422),
        };
        let found = http::ask(desk.address, method, path, headers, "").status;
        assert_eq!(found, status, "{method} {path}");
    }
    assert_unchanged(&before, &everything(&desk.place.database()), "looking");
    daemon.terminate(SOON);
}

#[test]
fn the_button_acts_once_and_twice_is_the_same() {
    let hook = Hook::start();
    let desk = Desk::new(&ALL, hook.address());
    let daemon = desk.start();
    let began = now();
    for contact in ALL {
        let links = desk.links(&desk.nudge(contact));
        let (url, title) = match contact.split('@').next().unwrap() {
            "done" => (links.done, "Marked as done"),
            "week" => (links.snooze_7, "Snoozed for 7 days"),
            "month" => (links.snooze_30, "Snoozed for 30 days"),
            "quarter" => (links.snooze_90, "Snoozed for 90 days"),
            "never" => (links.not_relevant, "No more nudges about this"),
            _ => (links.wrong_person, "Noted: the wrong person"),
        };
        let path = desk.path(&url);
        let asked = desk.get(path);
        assert!(asked.status == 200 && asked.body.contains("<button"), "{asked:?}");
        let pressed = desk.press(&url);
        assert_eq!(pressed.status, 303, "{pressed:?}");
        let last = path.rsplit('/').next().unwrap().to_lowercase();
        assert_eq!(pressed.header("location"), Some(last.as_str()));
        let told = desk.get(path);
        assert!(told.body.contains(title), "{contact}: {}", told.body);
        desk.settle();
        let once = everything(&desk.place.database());
        assert_eq!(desk.press(&url).status, 303);
        assert_unchanged(&once, &everything(&desk.place.database()), "twice is the same");
    }
    assert_eq!(
        desk.answers(),
        [
            "done@acme.example done done link holds",
            "week@acme.example snoozed snooze 7 link holds",
            "month@acme.example snoozed snooze 30 link holds",
            "quarter@acme.example snoozed snooze 90 link holds",
            "never@acme.example not_relevant not_relevant link holds",
            "wrong@acme.example wrong_person wrong_person link holds",
        ]
    );
    let ended = now();
    let until = desk.values("SELECT coalesce(until_at, 'for good') FROM silence ORDER BY id");
    for (until, days) in until.iter().zip([Some(21), Some(7), Some(30), Some(90), None, None]) {
        match days {
            None => assert_eq!(until, "for good"),
            Some(days) => {
                let until = Timestamp::from_millis(until.parse().unwrap());
                let days = Span::from_days(days);
                assert!((began + days..=ended + days).contains(&until), "{until}");
            }
        }
    }
    let log = daemon.terminate(SOON).stderr;
    assert!(log.contains("nudge answered"), "{log}");
    assert!(!log.contains("acme") && !log.contains("/feedback/"), "no names, no links: {log}");
}

#[test]
fn a_link_does_one_thing_for_its_time_and_outlives_a_restart() {
    let hook = Hook::start();
    let desk = Desk::new(&["bo@acme.example", "eve@hooli.example"], hook.address());
    let (bo, eve) = (desk.nudge("bo@acme.example"), desk.nudge("eve@hooli.example"));
    let good = desk.links(&bo);
    let daemon = desk.start();
    let old = desk.links_until(&bo, now() - Span::from_seconds(1));
    let forged = [
        good.done.replace(&bo, &eve),
        good.done.replace("/done/", "/not_relevant/"),
        good.done.replace("/done/", "/take_back/"),
        format!("{}A", good.done),
        good.done.get(..good.done.len() - 1).unwrap().to_owned(),
    ];
    let before = everything(&desk.place.database());
    let expired = [(&old.done, 410, "has expired"), (&old.snooze_7, 410, "has expired")];
    for (url, status, says) in forged.iter().map(|url| (url, 403, "not valid")).chain(expired) {
        for reply in [desk.get(desk.path(url)), desk.press(url)] {
            assert_eq!(reply.status, status, "{url}: {}", reply.body);
            assert!(reply.body.contains(says) && !reply.body.contains("acme"), "{}", reply.body);
        }
    }
    assert_unchanged(&before, &everything(&desk.place.database()), "looking");
    daemon.terminate(SOON);

    let daemon = desk.start();
    assert_eq!(desk.press(&good.done).status, 303, "the key is kept");
    let refused = desk.press(&good.snooze_7);
    assert!(refused.status == 409 && refused.body.contains("Answered already"), "{refused:?}");
    assert_eq!(desk.answers(), ["bo@acme.example done done link holds"]);

    // As the page offers it.
    let page = desk.get(desk.path(&good.done)).body;
    let target = page.split("action=\"../../").nth(1).unwrap().split('"').next().unwrap();
    let back = format!("http://{}/feedback/{bo}/{target}", desk.address);
    assert_eq!(desk.press(&back).status, 303);
    assert_eq!(desk.press(&back).status, 303, "twice is the same");
    assert_eq!(desk.answers(), ["bo@acme.example done link undone"]);
    assert_eq!(desk.values("SELECT count(*) FROM silence WHERE ended_at IS NULL"), ["0"]);
    assert_eq!(desk.press(&good.snooze_7).status, 303, "now it can");
    daemon.terminate(SOON);
}

/// A nudge that is answered before it has arrived everywhere does not arrive any more.
#[test]
fn what_was_answered_is_not_sent_any_more() {
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let desk = Desk::new(&["bo@acme.example", "eve@hooli.example"], nobody);
    let daemon = desk.start();
    let bo = desk.nudge("bo@acme.example");
    assert_eq!(desk.press(&desk.links(&bo).done).status, 303);
    daemon.terminate(SOON);
    let owed = nudges(&desk.place.database());
    let states: Vec<&str> = owed.values().map(|owed| owed.outbox[0].1.as_str()).collect();
    assert_eq!(states.iter().filter(|state| **state == "cancelled").count(), 1, "{owed:?}");
    assert_eq!(owed[&bo].outbox[0].1, "cancelled");
    assert_eq!(make_due(&desk.place.database()), 1);
    let hook = Hook::start_at(nobody, Answer::Status(204));
    desk.place.once(&[]);
    let requests = hook.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].body.contains("eve@hooli.example") && requests[0].is_signed_with(SECRET));
}

/// What is asked not to be said is not, until its time is over.
#[test]
fn a_snooze_is_kept_and_then_it_is_told_again() {
    let hook = Hook::start();
    let contacts = ["week@acme.example", "never@acme.example", "done@acme.example"];
    let desk = Desk::new(&contacts, hook.address());
    let daemon = desk.start();
    let [week, never, done] = contacts.map(|contact| desk.nudge(contact));
    desk.press(&desk.links(&week).snooze_7);
    desk.press(&desk.links(&never).not_relevant);
    desk.press(&desk.links(&done).done);
    daemon.terminate(SOON);
    let told = hook.requests().len();
    let day = |days: u64| now() + Span::from_seconds(i64::try_from(days * DAY_S).unwrap());
    desk.place.once(&["--now", &day(6).to_string()]);
    assert_eq!(hook.requests().len(), told, "six days later");
    desk.place.once(&["--now", &day(8).to_string()]);
    let again = hook.requests().split_off(told);
    let [again] = again.as_slice() else { panic!("told again once: {again:?}") };
    let data = &again.json()["data"];
    assert_eq!(data["contact"]["address"], "week@acme.example");
    assert_ne!(data["nudge_id"], week.as_str(), "another nudge, with links of its own");
    assert_eq!(data["reminder"], 1, "{data}");
    desk.place.once(&["--now", &day(9).to_string()]);
    assert_eq!(hook.requests().len(), told + 1, "and once only");
}

/// From the message, as a rep gets it, to the page and back.
#[test]
fn the_links_that_stand_in_a_message_work() {
    let hook = Hook::start();
    let mut desk = Desk::unread(&["bo@acme.example"], hook.address());
    desk.place = desk.place.with(&format!(
        "[[endpoint]]\nname = \"chat\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nformat = \"slack\"",
        hook.url()
    ));
    desk.place.once(&[]);
    let told = hook.requests().into_iter().find(|request| request.body.contains("blocks"));
    let message = told.unwrap_or_else(|| panic!("{:?}", hook.requests())).json().to_string();
    let base = format!("<http://{}/feedback/", desk.address);
    let urls: Vec<&str> =
        message.split(&base).skip(1).filter_map(|rest| rest.split('|').next()).collect();
    let what: Vec<&str> = urls.iter().filter_map(|url| url.split('/').nth(1)).collect();
    let all = ["done", "snooze_7", "snooze_30", "snooze_90", "not_relevant", "wrong_person"];
    assert!(all.iter().all(|one| what.contains(one)), "{what:?} in {message}");
    let daemon = desk.start();
    let snooze = urls.iter().find(|url| url.contains("/snooze_30/")).unwrap();
    let url = format!("http://{}/feedback/{snooze}", desk.address);
    assert!(desk.get(desk.path(&url)).body.contains("Snooze for 30 days?"));
    assert_eq!(desk.press(&url).status, 303);
    assert_eq!(desk.answers(), ["bo@acme.example snoozed snooze 30 link holds"]);
    daemon.terminate(SOON);
}

/// A silence that begins between the decision and the first try of a delivery.
#[test]
fn what_is_owed_and_not_tried_yet_is_kept_back_by_a_silence() {
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let desk = Desk::new(&["bo@acme.example", "eve@hooli.example"], nobody);
    // As if it had not been tried: what was written once is not written again.
    let untried = "UPDATE outbox SET body = NULL, attempts = 0; DELETE FROM attempt;";
    execute(&desk.place.database(), untried);
    let add = ["silences", "add", "ann", "bo@acme.example", "--days", "7"];
    assert!(desk.place.keepwarm(&add).status.success());
    make_due(&desk.place.database());
    let hook = Hook::start_at(nobody, Answer::Status(204));
    desk.place.once(&[]);
    let requests = hook.requests();
    assert!(requests.len() == 1 && requests[0].body.contains("eve@hooli.example"), "{requests:?}");
    let states = desk.values("SELECT state FROM outbox ORDER BY state");
    assert_eq!(states, ["cancelled", "delivered"]);
}
