//! No secret leaves its file: not into a log at its loudest, the database or the process list.

use std::time::Duration;

use super::nudges::went_quiet;
use super::{fill, now_s};
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::generate::mailbox;
use crate::support::hook::{Answer, Hook};
use crate::support::process::Place;

const SOON: Duration = Duration::from_secs(30);
const SECRET: &str = "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeQ==";

/// What must be seen nowhere: passwords right and wrong as they are and as SASL sends them, the
/// endpoint's key encoded and decoded, the query of its URL.
fn canaries() -> Vec<Vec<u8>> {
    use base64::Engine;
    let sasl = |password: &str| {
        let plain = format!("\0ann\0{password}");
        base64::engine::general_purpose::STANDARD.encode(plain).into_bytes()
    };
    let plain = [PASSWORD, "canary-wrong", SECRET, "canary-canary", "canary-in-a-query"];
    let mut canaries: Vec<Vec<u8>> = plain.iter().map(|text| text.as_bytes().to_vec()).collect();
    canaries.extend([sasl(PASSWORD), sasl("canary-wrong")]);
    canaries.push(PASSWORD.replace('"', "\\\"").into_bytes());
    canaries.push(SECRET.trim_start_matches("whsec_").as_bytes().to_vec());
    canaries
}

fn assert_none(what: &str, bytes: &[u8]) {
    for canary in canaries() {
        let found = bytes.windows(canary.len()).any(|window| window == canary);
        assert!(!found, "{what} holds {}", String::from_utf8_lossy(&canary));
    }
}

/// Neither does a log tell who writes to whom about what.
fn assert_impersonal(log: &str) {
    assert_none("the log", log.as_bytes());
    for personal in ["ann@us.example", "acme.example", "hooli.example", "Quarterly", "Bo Li"] {
        assert!(!log.contains(personal), "the log holds {personal}");
    }
}

#[test]
fn no_secret_is_logged_stored_or_shown() {
    let server = Dovecot::start(&["ann"]);
    fill(&server, "ann", &mailbox(41, 40));
    let (hook, failing) = (Hook::start(), Hook::start());
    failing.answer(Answer::Status(500));
    let place = Place::new()
        .with("[sync]\npoll_seconds = 1")
        .imap("a-good", &server, "ann")
        .imap_at("b-refused", &server, server.imaps, "ann", "canary-wrong")
        .maildir("c-archive")
        .endpoint("crm", hook.address(), SECRET)
        .endpoint("failing", failing.address(), SECRET);
    went_quiet(&place, "c-archive", "bo@acme.example", now_s(), 45);
    // A refused login would hold back every nudge of its rep: first without it.
    let quiet = Place::new().maildir("c-archive").endpoint("crm", hook.address(), SECRET).endpoint(
        "failing",
        failing.address(),
        SECRET,
    );
    went_quiet(&quiet, "c-archive", "bo@acme.example", now_s(), 45);

    for (place, logged) in [(&quiet, "nudge delivered"), (&place, "source not read")] {
        let mut daemon = place.start(&["--log", "trace", "run"]);
        daemon.wait_for(logged, SOON);
        if logged == "nudge delivered" {
            daemon.wait_for("nudge not delivered yet", SOON);
        } else {
            daemon.wait_for("source read", SOON);
        }
        let shown = std::fs::read(format!("/proc/{}/cmdline", daemon.id())).unwrap();
        assert!(shown.windows(3).any(|word| word == b"run"));
        assert_none("the process list", &shown);
        let log = daemon.log();
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "logged at its loudest: {log}");
        assert_impersonal(&log);
        // With its write-ahead log still there.
        check_files(place);
        let ran = daemon.terminate(Duration::from_secs(5));
        assert_impersonal(&ran.stderr);
        for format in ["table", "json", "csv"] {
            for command in [&["status"] as &[&str], &["nudges", "list"], &["relationships"]] {
                let ran = place.keepwarm(&[command, &["--format", format]].concat());
                assert_none(&format!("{command:?} as {format}"), ran.stdout.as_bytes());
            }
        }
    }
    let once = place.keepwarm(&["--log", "trace", "run", "--once"]);
    assert_impersonal(&once.stderr);
    check_files(&place);
}

/// Everything the program has written: all but the configuration and the files of secrets.
fn check_files(place: &Place) {
    let mut databases = 0;
    for (path, bytes) in place.files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "keepwarm.toml" || name.ends_with(".password") {
            continue;
        }
        databases += u32::from(name.starts_with("kw.db"));
        assert_none(&name, &bytes);
    }
    assert!(databases >= 2, "the database and its log are looked at");
}
