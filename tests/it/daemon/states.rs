//! What becomes of a source that fails: it is left alone as long as it should be, over restarts too,
//! and everybody can see it.

use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fill;
use crate::support::dovecot::Dovecot;
use crate::support::dump::execute;
use crate::support::generate::mailbox;
use crate::support::process::Place;
use crate::support::served::installed;

/// How long things may take that should take seconds.
const SOON: Duration = Duration::from_secs(30);

/// A port that accepts every connection and drops it, and how many there were.
fn dropping() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            drop(connection);
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, count)
}

fn source(place: &Place) -> Value {
    place.json(&["status"])["sources"][0].clone()
}

/// Waits until the source is as wanted; answers with its status.
#[track_caller]
fn wait_until(place: &Place, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + SOON;
    loop {
        let found = source(place);
        if wanted(&found) {
            return found;
        }
        assert!(Instant::now() < deadline, "not {what}: {found}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn millis(instant: &Value) -> i64 {
    instant.as_str().unwrap().parse::<keepwarm::model::Timestamp>().unwrap().millis()
}

fn now_ms() -> i64 {
    keepwarm::clock::Clock::System.now().millis()
}

/// The logins that a server has refused.
fn refused(server: &Dovecot) -> usize {
    server.log().matches("auth failed").count()
}

#[test]
fn a_pause_outlives_the_process() {
    let server = Dovecot::start(&["ann"]);
    let (address, connections) = dropping();
    let place = Place::new().imap_at("ann-mail", &server, address, "ann", "x");
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    let failed = wait_until(&place, "failed twice", |source| source["failures"] == 2);
    assert_eq!(failed["state"], "degraded");
    let (retry_at, tried) = (millis(&failed["retry_at"]), connections.load(Ordering::SeqCst));
    daemon.kill();

    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    let begun = now_ms();
    while connections.load(Ordering::SeqCst) == tried {
        assert!(now_ms() < retry_at + 20_000, "never tried again:\n{}", daemon.log());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(begun < retry_at, "the pause was over before the daemon was back: prove it otherwise");
    // A connection is counted after it was made, so this can only be late.
    assert!(now_ms() >= retry_at, "tried {} ms early", retry_at - now_ms());
    wait_until(&place, "failed a third time", |source| source["failures"] == 3);
}

#[test]
fn other_credentials_are_tried_at_once() {
    use crate::support::dovecot::PASSWORD;
    let server = Dovecot::start(&["ann"]);
    fill(&server, "ann", &mailbox(51, 3));
    let place = Place::new().imap_at("ann-mail", &server, server.imaps, "ann", "wrong");
    for _ in 0..3 {
        place.keepwarm(&["run", "--once"]);
    }
    assert_eq!(source(&place)["state"], "auth_required");
    assert_eq!(refused(&server), 2);
    std::fs::write(place.path("ann-mail.password"), PASSWORD).unwrap();
    let ran = place.keepwarm(&["run", "--once"]);
    assert!(ran.status.success(), "{}", ran.stderr);
    let found = source(&place);
    assert_eq!((&found["state"], &found["failures"]), (&json!("ok"), &json!(0)), "{found}");
}

#[test]
fn refused_credentials_are_tried_twice_and_then_left_alone() {
    let server = Dovecot::start(&["ann"]);
    let place = Place::new().imap_at("ann-mail", &server, server.imaps, "ann", "wrong");
    let once = || place.keepwarm(&["run", "--once"]);
    let each = [(1, "degraded"), (2, "auth_required"), (2, "auth_required")];
    for (run, (attempts, state)) in each.into_iter().enumerate() {
        let ran = once();
        assert_eq!(ran.status.code(), Some(1), "run {run}: {}", ran.stderr);
        assert!(ran.stderr.contains("login refused: "), "run {run}: {}", ran.stderr);
        assert_eq!(refused(&server), attempts, "run {run}: {}", server.log());
        assert_eq!(source(&place)["state"], state, "run {run}");
    }
    assert!(once().stderr.contains("not tried before 20"), "the time is told");

    // Neither does a daemon try that was restarted at once ...
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    std::thread::sleep(Duration::from_millis(500));
    daemon.kill();
    assert_eq!(refused(&server), 2);
    // ... but one does that was restarted a quarter of an hour later.
    execute(&place.database(), "UPDATE source SET failed_at = failed_at - 900000");
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("source not read", SOON);
    assert_eq!(refused(&server), 3);
}

#[test]
fn a_source_that_asks_to_be_left_alone_is() {
    let server = Dovecot::start(&["ann"]);
    let (address, connections) = dropping();
    let place = Place::new().imap_at("ann-mail", &server, address, "ann", "x");
    place.keepwarm(&["run", "--once"]);
    let tried = connections.load(Ordering::SeqCst);
    assert!(tried > 0);
    let until = now_ms() + 1_800_000;
    let throttled = format!("UPDATE source SET state = 'throttled', retry_at = {until}");
    execute(&place.database(), &throttled);
    let ran = place.keepwarm(&["run", "--once"]);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("not tried before 20"), "{}", ran.stderr);
    assert_eq!(connections.load(Ordering::SeqCst), tried);
    let told = place.keepwarm(&["status"]).stdout;
    assert!(told.contains("throttled until "), "{told}");
    // An instant that no wait reaches was written by a clock that ran ahead.
    let ahead = format!("UPDATE source SET retry_at = {}", until + 86_400_000);
    execute(&place.database(), &ahead);
    place.keepwarm(&["run", "--once"]);
    assert!(connections.load(Ordering::SeqCst) > tried);
}

#[test]
fn status_and_metrics_tell_what_was_read_and_what_is_missing() {
    let server = Dovecot::start(&["ann"]);
    fill(&server, "ann", &mailbox(41, 60));
    let place =
        Place::new().with("[sync]\npoll_seconds = 1").imap("ann-mail", &server, "ann").endpoint(
            "crm",
            "127.0.0.1:1".parse().unwrap(),
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
        );
    place.once(&[]);
    let whole = source(&place);
    let expected = [("state", json!("ok")), ("seen", json!(60)), ("on_server", json!(60))];
    for (key, expected) in expected.into_iter().chain([("failures", json!(0))]) {
        assert_eq!(whole[key], expected, "{key}: {whole}");
    }
    let inbox = |source: &Value| {
        let all = source["mailboxes"].as_array().unwrap().clone();
        all.into_iter().find(|mailbox| mailbox["name"] == "INBOX").unwrap()
    };
    let of = inbox(&whole);
    let told = ["role", "complete", "missing"].map(|key| of[key].clone());
    assert_eq!(told, [json!("inbox"), json!(true), json!(0)]);
    assert_eq!(of["seen"], of["on_server"], "{of}");
    let endpoints = place.json(&["status"])["endpoints"].clone();
    let told = ["name", "state", "gone_at", "failures", "pending"].map(|key| &endpoints[0][key]);
    assert_eq!(told, [&json!("crm"), &json!("active"), &json!(null), &json!(0), &json!(0)]);
    assert_eq!(endpoints.as_array().map(Vec::len), Some(1), "{endpoints}");

    // As if the server had listed five and given none.
    let lost = "UPDATE mailbox SET seen_count = seen_count - 5 WHERE name = 'INBOX'";
    execute(&place.database(), lost);
    assert_eq!(inbox(&source(&place))["missing"], 5);
    let told = place.keepwarm(&["status"]).stdout;
    assert!(told.contains("ok, missing 5") && told.contains("missing: 5 of the "), "{told}");

    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let environment = [("KEEPWARM__SERVE__LISTEN", port.to_string())];
    let environment = environment.each_ref().map(|(key, value)| (*key, value.as_str()));
    let mut daemon = place.start_with(&["run"], &environment);
    daemon.wait_for("keepwarm runs", SOON);
    let text = get(port, "/metrics");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    for line in [
        "keepwarm_source_state{source=\"ann-mail\",state=\"ok\"} 1",
        "keepwarm_source_messages_on_server{source=\"ann-mail\"} 60",
        "keepwarm_source_messages_seen{source=\"ann-mail\"} 55",
        "keepwarm_source_messages_missing{source=\"ann-mail\"} 5",
        "keepwarm_messages_total 60",
        "keepwarm_outbox{state=\"pending\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
    }
    assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
    let families = families(text.split_once("\r\n\r\n").unwrap().1);
    assert!(families.lines().any(|family| family == "keepwarm_nudges_by_state"), "{families}");
    assert!(!text.contains('@') && !text.contains("INBOX"), "nothing of any person:\n{text}");
}

/// The metrics that a parser finds which takes nothing but OpenMetrics.
fn families(text: &str) -> String {
    use std::io::Write as _;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/daemon/openmetrics.py");
    let mut child = Command::new(installed("venv/bin/python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{text}");
    String::from_utf8(output.stdout).unwrap()
}

fn get(address: SocketAddr, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let deadline = Instant::now() + SOON;
    let mut stream = loop {
        match std::net::TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
