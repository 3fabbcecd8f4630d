//! `run` under a service manager: when it says that it is ready, what it does, and that it is well.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::wait_for_messages;
use crate::support::dovecot::{free_port, put};
use crate::support::generate::mailbox;
use crate::support::http::ask;
use crate::support::manager::Manager;
use crate::support::process::Place;

/// How long things may take that should take a second.
const SOON: Duration = Duration::from_secs(60);
/// How long stopping may take.
const AT_ONCE: Duration = Duration::from_secs(5);
/// A watchdog that is fed every third of a second.
const WATCHDOG: Duration = Duration::from_secs(1);

#[test]
fn it_is_ready_when_its_loops_have_begun_and_says_what_it_does() {
    let place = Place::new().maildir("ann-mail").maildir("ann-old");
    let manager = Manager::of(&place);
    let mut daemon = manager.start(&place, WATCHDOG);
    let ready = manager.wait_for("READY=1", SOON);
    let log = daemon.log();
    assert!(log.contains("keepwarm runs"), "said before it was so: {log}");
    assert!(place.database().exists());
    let status = ready.lines().find_map(|line| line.strip_prefix("STATUS=")).unwrap();
    assert!(status.starts_with("sources: "), "{status}");
    assert!(status.ends_with("; nudges due: 0; outbox: 0 waiting"), "{status}");
    for _ in 0..3 {
        manager.wait_for("WATCHDOG=1", SOON);
    }
    manager.wait_for("STATUS=sources: 2 ok, 0 syncing; nudges due: 0; outbox: 0 waiting", SOON);
    assert!(!daemon.has_ended());
    daemon.signal("-TERM");
    manager.wait_for("STOPPING=1", SOON);
    let ran = daemon.finish(AT_ONCE);
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
}

#[test]
fn a_loop_that_hangs_starves_the_watchdog_until_it_goes_on() {
    let port = free_port();
    let place = Place::new()
        .serving(&format!("listen = \"127.0.0.1:{port}\""))
        .with("[sync]\nstuck_seconds = 10\npoll_seconds = 1")
        .maildir("ann-mail")
        .with(
            "[[source]]\nname = \"ann-calendar\"\nrep = \"ann\"\nkind = \"ics\"\npath = \"ann.ics\"",
        );
    // Whoever opens it waits for somebody who writes: as a file of a server that does not answer.
    let pipe = place.path("ann.ics");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let manager = Manager::of(&place);
    let mut daemon = manager.start(&place, WATCHDOG);
    manager.wait_for("READY=1", SOON);
    manager.wait_for("WATCHDOG=1", SOON);
    daemon.wait_for("stuck: the watchdog is not fed", SOON);
    let log = daemon.log();
    let told = log.lines().find(|line| line.contains("stuck:")).unwrap();
    assert!(told.contains("source ann-calendar") && told.contains("ERROR"), "{told}");
    manager.forget();
    let until = Instant::now() + 3 * WATCHDOG;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
        let told = manager.hear(left).unwrap_or_default();
        assert!(!told.contains("WATCHDOG"), "fed though a loop is stuck");
    }
    let metrics = ask(([127, 0, 0, 1], port).into(), "GET", "/metrics", &[], "").body;
    let line = r#"keepwarm_loop_healthy{loop="source",name="ann-calendar"} 0"#;
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
    assert!(metrics.contains(r#"keepwarm_loop_healthy{loop="nudges",name=""}"#), "{metrics}");
    let mail = &mailbox(51, 1)[0];
    put(&place.path("ann-mail"), mail.at, &mail.bytes);
    wait_for_messages(&place, 1);

    // The file comes at last, and is a file from then on.
    let calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n";
    fs::write(place.path("ann.new"), calendar).unwrap();
    let waiting = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    fs::rename(place.path("ann.new"), &pipe).unwrap();
    drop(waiting);
    manager.wait_for("WATCHDOG=1", SOON);
    let ran = daemon.terminate(AT_ONCE);
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
}

#[test]
fn it_stops_at_once_though_a_loop_hangs() {
    let place = Place::new().with(
        "[[source]]\nname = \"ann-calendar\"\nrep = \"ann\"\nkind = \"ics\"\npath = \"ann.ics\"",
    );
    assert!(Command::new("mkfifo").arg(place.path("ann.ics")).status().unwrap().success());
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    let ran = daemon.terminate(AT_ONCE);
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
}

#[test]
fn what_only_the_admin_can_mend_ends_it_with_2() {
    let endpoint = "[[endpoint]]\nname = \"crm\"\nurl = \"https://crm.us.example/\"\n";
    let source = "[[source]]\nname = \"a\"\nrep = \"ann\"\nkind = \"imap\"\nhost = \"h.us.example\"\n\
                  username = \"ann\"\n";
    for (what, lines) in [
        ("no TOML", "[sync\n".to_owned()),
        ("an unknown key", "[sync]\npol_seconds = 3\n".to_owned()),
        ("a value out of range", "[sync]\nstuck_seconds = 3\n".to_owned()),
        ("an unknown rep", source.replace("\"ann\"\nkind", "\"bob\"\nkind") + "password = \"x\"\n"),
        ("a missing secret", format!("{source}password_file = \"none\"\n")),
        ("a missing root", format!("{source}password = \"x\"\nca_file = \"none.pem\"\n")),
        (
            "a missing template",
            format!("{endpoint}format = \"template\"\ntemplate_file = \"none\"\n"),
        ),
        ("a missing file of people", "[identity]\nfile = \"none.toml\"\n".to_owned()),
    ] {
        let ran = Place::new().with(&lines).start(&["run"]).finish(SOON);
        assert_eq!(ran.status.code(), Some(2), "{what}: {}", ran.stderr);
        assert!(!ran.stderr.trim().is_empty(), "{what}");
    }
    let unit = include_str!("../../../systemd/keepwarm.service");
    assert!(unit.lines().any(|line| line == "RestartPreventExitStatus=2"));
}
