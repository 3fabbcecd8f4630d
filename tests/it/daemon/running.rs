//! `run` as a daemon: it polls, it ends when told, it is alone, it says when it is ready.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use super::{fill, wait_for_messages};
use crate::support::dovecot::Dovecot;
use crate::support::dump::rows;
use crate::support::generate::mailbox;
use crate::support::process::Place;

/// How long things may take that should take a second.
const SOON: Duration = Duration::from_secs(20);
/// How long stopping may take.
const AT_ONCE: Duration = Duration::from_secs(5);

#[test]
fn new_mail_is_found_by_polling_though_another_source_fails() {
    let server = Dovecot::start(&["ann", "archive"]);
    let mails = mailbox(31, 51);
    fill(&server, "ann", &mails[..50]);
    let place = Place::new()
        .with("[sync]\npoll_seconds = 1")
        .imap_at("a-broken", &server, "127.0.0.1:1".parse().unwrap(), "ann", "x")
        .imap_at("b-refused", &server, server.imaps, "ann", "wrong")
        .imap("c-good", &server, "ann");
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    wait_for_messages(&place, 50);
    fill(&server, "ann", &mails[50..]);
    wait_for_messages(&place, 51);
    let states: Vec<String> = place.json(&["status"])["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| source["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["degraded", "degraded", "ok"], "refused once is not for good");
    let ran = daemon.terminate(AT_ONCE);
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("keepwarm has stopped"), "{}", ran.stderr);
}

#[test]
fn told_to_stop_in_the_middle_of_a_first_sync_it_stops_and_goes_on_later() {
    let server = Dovecot::start(&["ann"]);
    fill(&server, "ann", &mailbox(32, 9000));
    let place = Place::new().imap("ann-mail", &server, "ann");
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    let deadline = Instant::now() + SOON;
    while rows(&place.database(), "message") == 0 {
        assert!(Instant::now() < deadline, "nothing is read");
        std::thread::sleep(Duration::from_millis(5));
    }
    let ran = daemon.terminate(AT_ONCE);
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
    let stored = rows(&place.database(), "message");
    assert!(stored < 9000, "it was faster than the signal");
    let told = place.json(&["status"])["sources"][0].clone();
    assert_eq!(told["state"], "syncing", "{told}");
    let count = |key: &str| told[key].as_i64().unwrap();
    assert!((stored..9000).contains(&count("seen")), "{stored}: {told}");
    place.once(&[]);
    let clean = Place::new().imap("ann-mail", &server, "ann");
    clean.once(&[]);
    place.dump().assert_same(&clean.dump(), &format!("stopped after {stored} messages"));
}

#[test]
fn a_second_process_on_the_same_database_is_refused() {
    let place = Place::new().maildir("ann-mail");
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    for arguments in [&["run"] as &[&str], &["run", "--once"]] {
        let ran = place.keepwarm(arguments);
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("in use by another"), "{arguments:?}: {}", ran.stderr);
    }
    assert!(!daemon.has_ended());
    let status = place.keepwarm(&["status"]);
    assert!(status.status.success(), "looking is allowed: {}", status.stderr);
}

#[test]
fn the_service_manager_hears_when_it_is_ready() {
    let place = Place::new().maildir("ann-mail");
    let path = place.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let daemon = place.start_with(&["run"], &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    let hear = || {
        let mut bytes = [0; 512];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let ready = hear();
    assert!(ready.lines().any(|line| line == "READY=1"), "{ready}");
    daemon.signal("-TERM");
    let stopping = hear();
    assert!(stopping.lines().any(|line| line == "STOPPING=1"), "{stopping}");
    assert!(daemon.finish(AT_ONCE).status.success());
}
