//! `POST` and `DELETE /v1/nudges/{id}/feedback` of the running daemon.

use serde_json::{Value, json};

use super::{Desk, SOON, TOKEN};
use crate::support::dump::{assert_unchanged, everything};
use crate::support::hook::Hook;
use crate::support::http;

const DONE: &str = r#"{"action":"done"}"#;

#[test]
fn a_program_answers_and_takes_back() {
    let hook = Hook::start();
    let desk = Desk::new(&["bo@acme.example"], hook.address());
    let bo = desk.nudge("bo@acme.example");
    let daemon = desk.start();
    let before = everything(&desk.place.database());
    for (header, nudge) in [
        ("X-None: 1", bo.as_str()),
        ("Authorization: Bearer canary-token-0123456788", &bo),
        ("X-None: 1", "ndg_none"),
    ] {
        let path = format!("/v1/nudges/{nudge}/feedback");
        let reply = http::ask(desk.address, "POST", &path, &[header], DONE);
        assert_eq!((reply.status, reply.json()["status"].as_u64()), (401, Some(401)), "{header}");
    }
    for (nudge, body, status) in [
        ("ndg_none", DONE, 404),
        (&bo, r#"{"action":"done","days":7}"#, 422),
        (&bo, r#"{"action":"snooze","days":14}"#, 422),
        (&bo, "{", 400),
    ] {
        let reply = desk.api("POST", nudge, body);
        assert_eq!(reply.status, status, "{nudge} {body}: {}", reply.body);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
    assert_unchanged(&before, &everything(&desk.place.database()), "refused");

    let never = r#"{"action":"not_relevant"}"#;
    let first = desk.api("POST", &bo, never);
    let said = first.json();
    assert_eq!((first.status, &said["action"]), (200, &json!("not_relevant")), "{said}");
    assert_eq!((&said["silent_until"], &said["repeated"]), (&Value::Null, &json!(false)), "{said}");
    desk.settle();
    let once = everything(&desk.place.database());
    let second = desk.api("POST", &bo, never).json();
    assert_eq!((&second["at"], &second["repeated"]), (&said["at"], &json!(true)), "{second}");
    assert_unchanged(&once, &everything(&desk.place.database()), "looking");
    let other = desk.api("POST", &bo, r#"{"action":"snooze","days":7}"#);
    assert_eq!((other.status, &other.json()["title"]), (409, &json!("Conflict")));
    assert_eq!(desk.api("DELETE", &bo, "").status, 204);
    assert_eq!(desk.api("DELETE", &bo, "").status, 204);
    assert_eq!(desk.api("DELETE", "ndg_none", "").status, 404);
    let snoozed = desk.api("POST", &bo, r#"{"action":"snooze","days":7}"#).json();
    assert!(snoozed["silent_until"].is_string() && snoozed["days"] == 7, "{snoozed}");
    assert_eq!(
        desk.answers(),
        [
            "bo@acme.example snoozed not_relevant api undone",
            "bo@acme.example snoozed snooze 7 api holds"
        ]
    );
    let log = daemon.terminate(SOON).stderr;
    assert!(!log.contains(TOKEN) && !log.contains("acme"), "{log}");
}

#[test]
fn without_a_token_nobody_is_let_in() {
    let hook = Hook::start();
    let desk = Desk::new(&["bo@acme.example"], hook.address());
    let bo = desk.nudge("bo@acme.example");
    let file = desk.place.path("keepwarm.toml");
    let with = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, with.replace("token_file = \"api\"", "")).unwrap();
    let daemon = desk.start();
    for nudge in [&bo, "ndg_none"] {
        let reply = desk.api("POST", nudge, DONE);
        assert_eq!(reply.status, 403, "{}", reply.body);
        assert!(reply.body.contains("`[serve] token` is not configured"), "{}", reply.body);
    }
    assert_eq!(desk.answers(), [""; 0]);
    daemon.terminate(SOON);

    std::fs::write(&file, with).unwrap();
    std::fs::write(desk.place.path("api"), "short").unwrap();
    let ran = desk.place.keepwarm(&["run"]);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("serve.token: it has fewer than 16 characters"), "{}", ran.stderr);
}
