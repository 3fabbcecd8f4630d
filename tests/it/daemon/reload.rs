//! SIGHUP: another configuration for a daemon that runs, all of it or nothing.

use std::fs;
use std::time::{Duration, Instant};

use super::{fill, wait_for_messages};
use crate::support::dovecot::{Dovecot, PASSWORD, free_port, make_maildir, put};
use crate::support::dump::rows;
use crate::support::generate::mailbox;
use crate::support::hook::Hook;
use crate::support::http::ask;
use crate::support::manager::Manager;
use crate::support::owe::owe;
use crate::support::process::{Place, Running};
use crate::support::proxy::Proxy;

/// How long things may take that should take a second.
const SOON: Duration = Duration::from_secs(60);
/// No watchdog bites within a test.
const PATIENT: Duration = Duration::from_secs(3600);
/// A secret of an endpoint, which is in no log.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/// Puts this text in the place of another in the configuration's file.
#[track_caller]
fn change(place: &Place, from: &str, to: &str) {
    let path = place.path("keepwarm.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "no `{from}` in\n{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Asks for a reload, and waits until it is over.
#[track_caller]
fn reload(daemon: &Running, manager: &Manager) {
    manager.forget();
    daemon.signal("-HUP");
    let begun = manager.wait_for("RELOADING=1", SOON);
    assert!(begun.lines().any(|line| line.starts_with("MONOTONIC_USEC=")), "{begun}");
    manager.wait_for("READY=1", SOON);
}

fn maildir(name: &str, more: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\nrep = \"ann\"\nkind = \"maildir\"\npath = \"{name}\"\n{more}"
    )
}

fn state(place: &Place, source: &str) -> String {
    let status = place.json(&["status"]);
    let found = status["sources"].as_array().unwrap().iter().find(|one| one["name"] == source);
    found.map_or_else(String::new, |one| one["state"].as_str().unwrap().to_owned())
}

#[test]
fn sources_come_and_go_and_one_that_is_the_same_keeps_its_connection() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(61, 40);
    fill(&server, "ann", &mails[..30]);
    let proxy = Proxy::start(server.imaps);
    let place = Place::new()
        .with("[sync]\npoll_seconds = 3600")
        .imap_at("ann-mail", &server, proxy.address, "ann", PASSWORD)
        .maildir("ann-old");
    let manager = Manager::of(&place);
    let mut daemon = manager.start(&place, PATIENT);
    manager.wait_for("READY=1", SOON);
    daemon.wait_for("source read", SOON);
    wait_for_messages(&place, 30);

    make_maildir(&place.path("ann-new"));
    put(&place.path("ann-new"), mails[30].at, &mails[30].bytes);
    change(&place, &maildir("ann-old", ""), &maildir("ann-new", "poll_seconds = 1"));
    reload(&daemon, &manager);
    wait_for_messages(&place, 31);
    assert_eq!(state(&place, "ann-old"), "disabled");

    put(&place.path("ann-old"), mails[31].at, &mails[31].bytes);
    put(&place.path("ann-new"), mails[32].at, &mails[32].bytes);
    wait_for_messages(&place, 32);
    let at = mails[33].at;
    server.deliver("ann", "INBOX", at, &mails[33].bytes);
    wait_for_messages(&place, 33);
    assert_eq!(proxy.connections(), 1, "the same connection, and it tells of news");

    // One that is changed is read anew, by what it is now.
    make_maildir(&place.path("ann-newer"));
    put(&place.path("ann-newer"), mails[34].at, &mails[34].bytes);
    change(&place, "path = \"ann-new\"", "path = \"ann-newer\"");
    reload(&daemon, &manager);
    wait_for_messages(&place, 34);
    assert_eq!(proxy.connections(), 1);

    let log = daemon.log();
    for line in [
        "configuration: removed setting=\"source ann-old\"",
        "configuration: added setting=\"source ann-new\"",
        "configuration: changed setting=\"source ann-new.path\"",
        "configuration read again changes=2",
        "configuration read again changes=1",
    ] {
        assert!(log.contains(line), "no `{line}` in\n{log}");
    }
    let ran = daemon.terminate(Duration::from_secs(5));
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
}

#[test]
fn a_wrong_configuration_changes_nothing_and_is_told_as_check_tells_it() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(62, 35);
    fill(&server, "ann", &mails[..30]);
    let proxy = Proxy::start(server.imaps);
    let place = Place::new().with("[sync]\npoll_seconds = 3600").imap_at(
        "ann-mail",
        &server,
        proxy.address,
        "ann",
        PASSWORD,
    );
    let manager = Manager::of(&place);
    let daemon = manager.start(&place, PATIENT);
    manager.wait_for("READY=1", SOON);
    wait_for_messages(&place, 30);
    let right = fs::read(place.path("keepwarm.toml")).unwrap();
    let endpoint = "[[endpoint]]\nname = \"crm\"\nurl = \"https://crm.us.example/\"\n";
    let wrong = [
        ("[sync\npoll_seconds = 3600".to_owned(), "keepwarm.toml:"),
        ("[sync]\npol_seconds = 3600".to_owned(), "did you mean"),
        (maildir("ann-new", "") + "[sync]\npoll_seconds = 0", "must be a whole number"),
        (format!("{endpoint}secret_file = \"none\"\n[sync]"), "none"),
        (format!("{endpoint}format = \"template\"\ntemplate = \"{{{{\"\n[sync]"), "template"),
    ];
    for ((to, says), count) in wrong.iter().zip(31..) {
        fs::write(place.path("keepwarm.toml"), &right).unwrap();
        let from = if to.ends_with("[sync]") { "[sync]" } else { "[sync]\npoll_seconds = 3600" };
        change(&place, from, to);
        let check = place.keepwarm(&["check"]);
        assert_eq!(check.status.code(), Some(2), "{to}: {}", check.stderr);
        assert!(check.stderr.contains(says), "{to}: {}", check.stderr);
        let before = daemon.log().len();
        reload(&daemon, &manager);
        let told = daemon.log().split_off(before);
        assert!(
            told.contains("the configuration is refused, the old one stays in force"),
            "{told}"
        );
        for line in check.stderr.lines() {
            assert!(told.lines().any(|found| found == line), "{to}: no `{line}` in\n{told}");
        }
        assert!(!told.contains("configuration: "), "{told}");
        let mail = &mails[count - 1];
        server.deliver("ann", "INBOX", mail.at, &mail.bytes);
        wait_for_messages(&place, i64::try_from(count).unwrap());
    }
    assert_eq!(proxy.connections(), 1);
    assert_eq!(state(&place, "ann-new"), "", "nothing of it was used");
}

#[test]
fn endpoints_and_settings_change_and_what_takes_a_restart_is_named() {
    let (old, new) = (Hook::start(), Hook::start());
    let (port, other) = (free_port(), free_port());
    let place = Place::new()
        .serving(&format!("listen = \"127.0.0.1:{port}\""))
        .maildir("ann-mail")
        .endpoint("crm", old.address(), SECRET)
        .with("[nudge]\nper_rep_per_week = 900");
    owe(&place, &["crm"], 0..2);
    let manager = Manager::of(&place);
    let daemon = manager.start(&place, PATIENT);
    manager.wait_for("READY=1", SOON);
    old.wait_for(2, SOON);
    change(&place, &old.url(), &new.url());
    change(&place, "per_rep_per_week = 900", "per_rep_per_week = 800");
    change(&place, &format!("127.0.0.1:{port}"), &format!("127.0.0.1:{other}"));
    change(
        &place,
        "path = \"kw.db\"",
        "path = \"other.db\"\ntoken_key = \"canary-key-canary-key-canary-key-canary-key=\"",
    );
    reload(&daemon, &manager);
    let log = daemon.log();
    for words in [
        "setting=\"endpoint crm.url\"",
        "setting=\"nudge.per_rep_per_week\" old=\"900\" new=\"800\"",
        "takes a restart: until then it is as it was setting=\"store.path\"",
        "takes a restart: until then it is as it was setting=\"store.token_key\"",
        "takes a restart: until then it is as it was setting=\"serve.listen\"",
    ] {
        assert!(log.contains(words), "no `{words}` in\n{log}");
    }
    for secret in ["canary", "MfKQ9r8GKYqrTwjUPD8", new.url().as_str()] {
        assert!(!log.contains(secret), "{secret} in\n{log}");
    }
    assert!(!place.path("other.db").exists());
    let asked = ask(([127, 0, 0, 1], port).into(), "GET", "/-/ready", &[], "");
    assert_eq!(asked.status, 200, "{}", asked.body);
    let replayed = place.keepwarm(&["nudges", "test", "crm"]);
    assert!(replayed.status.success(), "{}", replayed.stderr);
    assert_eq!(old.requests().len(), 2);
}

#[test]
fn told_to_reload_in_the_middle_of_a_first_sync_it_reads_all_there_is() {
    let server = Dovecot::start(&["ann"]);
    fill(&server, "ann", &mailbox(63, 3000));
    let place = Place::new().with("[sync]\npoll_seconds = 3600").imap("ann-mail", &server, "ann");
    let manager = Manager::of(&place);
    let daemon = manager.start(&place, PATIENT);
    manager.wait_for("READY=1", SOON);
    let deadline = Instant::now() + SOON;
    while rows(&place.database(), "message") == 0 {
        assert!(Instant::now() < deadline, "nothing is read");
        std::thread::sleep(Duration::from_millis(5));
    }
    // By other parameters of the strength: what was read by the old ones is computed again.
    change(&place, "[sync]", "[strength]\nbaseline_half_life_days = 90\n[sync]");
    reload(&daemon, &manager);
    let stale = || rows(&place.database(), "relationship WHERE baseline_stale = 1");
    while state(&place, "ann-mail") != "ok" || stale() > 0 {
        assert!(Instant::now() < deadline, "not read through: {}", daemon.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    let ran = daemon.terminate(Duration::from_secs(5));
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
    let clean = Place::new()
        .with("[strength]\nbaseline_half_life_days = 90\n[sync]\npoll_seconds = 3600")
        .imap("ann-mail", &server, "ann");
    clean.once(&[]);
    place.dump().assert_same(&clean.dump(), "reloaded in the middle");
}
