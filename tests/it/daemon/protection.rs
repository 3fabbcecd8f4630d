//! Nothing is said from wrong data: each way in which data goes wrong is caused for real, is seen by
//! the admin, and passes.

use std::path::PathBuf;
use std::time::Duration;

use keepwarm::model::{Span, Timestamp};

use super::nudges::{SECRET, went_quiet};
use super::{fill, now_s};
use crate::support::dovecot::{Dovecot, PASSWORD, put};
use crate::support::generate::{REP, letter, weekly};
use crate::support::hook::Hook;
use crate::support::process::{Place, Ran};
use crate::support::proxy::Proxy;

/// The last of half a year of weekly letters.
const LAST: &str = "2025-03-03T09:00:00Z";
const SOON: Duration = Duration::from_secs(30);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.seconds()).unwrap()
}

/// A rep with a mailbox in which a relationship goes quiet, and when that is due.
fn quiet(server: &Dovecot, hook: &Hook, through: std::net::SocketAddr) -> (Place, Timestamp) {
    fill(server, "ann", &weekly("bo@acme.example", 26, seconds(at(LAST))));
    let place = Place::new()
        .imap_at("ann-mail", server, through, "ann", PASSWORD)
        .endpoint("crm", hook.address(), SECRET)
        .with("[nudge]\nkinds = [\"decay\"]");
    once(&place, at(LAST) + Span::from_days(1));
    let args = ["relationships", "--now", "2025-03-04T09:00:00Z"];
    let falls = place.json(&args)[0]["falls_at"].as_str().unwrap().to_owned();
    (place, at(&falls))
}

fn run(place: &Place, now: Timestamp) -> Ran {
    place.keepwarm(&["run", "--once", "--now", &now.to_string()])
}

#[track_caller]
fn once(place: &Place, now: Timestamp) {
    let ran = run(place, now);
    assert!(ran.status.success(), "{}", ran.stderr);
}

#[test]
fn a_password_that_has_expired_holds_nudges_back() {
    let (server, hook) = (Dovecot::start(&["ann"]), Hook::start());
    let (place, falls) = quiet(&server, &hook, server.imaps);
    once(&place, falls - Span::from_hours(25));
    std::fs::write(place.path("ann-mail.password"), "expired").unwrap();
    let ran = run(&place, falls + Span::from_hours(1));
    assert_eq!((ran.status.code(), hook.requests().len()), (Some(1), 0), "{}", ran.stderr);
    let status = place.json(&["status"]);
    let error = status["sources"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("login refused"), "{status}");
    assert_eq!((&status["nudges"], &status["nudging"]["waiting"]), (&0.into(), &0.into()));
    std::fs::write(place.path("ann-mail.password"), PASSWORD).unwrap();
    once(&place, falls + Span::from_hours(2));
    assert_eq!(hook.requests().len(), 1, "once the mail is known to be all there is");
}

#[test]
fn a_mailbox_that_is_numbered_anew_holds_nudges_back_until_it_is_read_again() {
    let (server, hook) = (Dovecot::start(&["ann"]), Hook::start());
    // Enough for several commits, of people who write once.
    for n in 0..5000 {
        let from = format!("c{n}@other.example");
        let once = letter("INBOX", [&from, REP], seconds(at(LAST)) - 180 * n, &from, None);
        server.deliver("ann", once.mailbox, once.at, &once.bytes);
    }
    let proxy = Proxy::start(server.imaps);
    let (place, falls) = quiet(&server, &hook, proxy.address);
    let whole = proxy.passed();
    once(&place, falls - Span::from_hours(1));
    // One connection that ends somewhere in the middle, and none after it, until it is numbered anew in
    // the database too.
    let cut = (12..36).find(|part| {
        server.forget_uids("ann", "INBOX");
        let passed = proxy.passed();
        proxy.cut_after(whole * part / 32);
        let now = (falls - Span::from_seconds(1800)).to_string();
        let running = place.start(&["run", "--once", "--now", &now]);
        while proxy.passed() < passed + 1000 {
            std::thread::sleep(Duration::from_millis(1));
        }
        proxy.cut_after(1);
        running.finish(Duration::from_secs(120));
        let inbox = &status(&place)["sources"][0]["mailboxes"][0];
        inbox["name"] == "INBOX" && inbox["complete"] == false
    });
    assert!(cut.is_some(), "no pass stopped in the middle");
    let ran = run(&place, falls + Span::from_hours(1));
    assert!(!ran.status.success(), "nothing can be read: {}", ran.stderr);
    proxy.cut_after(u64::MAX);
    assert_eq!(hook.requests(), [], "though all was read an hour before it fell");
    once(&place, falls + Span::from_hours(2));
    assert_eq!(hook.requests().len(), 1);
}

/// The library that shows a process another time; `tests/run` installs it.
fn faketime() -> PathBuf {
    let libraries = std::fs::read_dir("/usr/lib").unwrap();
    let found = libraries
        .filter_map(|entry| Some(entry.ok()?.path().join("faketime/libfaketime.so.1")))
        .find(|path| path.exists());
    found.expect("libfaketime is missing: tests/run installs it")
}

fn status(place: &Place) -> serde_json::Value {
    place.json(&["status"])
}

#[test]
fn a_clock_that_jumps_holds_nudges_back_until_mail_speaks_for_it() {
    let library = faketime();
    for days in [30i32, 400, -400] {
        let offset = format!("{days:+}d");
        let hook = Hook::start();
        let place = Place::new()
            .maildir("ann-mail")
            .endpoint("crm", hook.address(), SECRET)
            .with("[sync]\npoll_seconds = 1\n[nudge]\nkinds = [\"decay\"]");
        went_quiet(&place, "ann-mail", "bo@acme.example", now_s(), 20);
        let shift = place.path("shift");
        std::fs::write(&shift, "+0").unwrap();
        let mut daemon = place.start_with(
            &["run"],
            &[
                ("LD_PRELOAD", library.to_str().unwrap()),
                ("FAKETIME_TIMESTAMP_FILE", shift.to_str().unwrap()),
                ("FAKETIME_NO_CACHE", "1"),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ],
        );
        daemon.wait_for("source read", SOON);
        std::fs::write(&shift, &offset).unwrap();
        let old = letter("INBOX", ["di@acme.example", REP], now_s() - 86_400 * 5, "old", None);
        put(&place.path("ann-mail"), old.at, &old.bytes);
        daemon.wait_for("no nudges: the clock has jumped", SOON);
        let told = status(&place);
        let jumped = told["nudging"]["clock"]["jumped_by_days"].as_f64().unwrap();
        assert!((jumped - f64::from(days)).abs() < 0.5, "{offset}: {told}");
        assert_eq!(told["nudges"], 0, "{offset}");
        let shown = place.keepwarm(&["status"]).stdout;
        assert!(shown.contains("no nudges: the clock has jumped by"), "{shown}");

        // Mail of these days comes in, by other people's clocks.
        let there = i64::try_from(now_s()).unwrap() + i64::from(days) * 86_400;
        let news = letter(
            "INBOX",
            ["cy@acme.example", REP],
            u64::try_from(there).unwrap() - 60,
            "news",
            None,
        );
        put(&place.path("ann-mail"), news.at, &news.bytes);
        daemon.wait_for("nudges go on: the clock is believed again", SOON);
        assert!(status(&place)["nudging"]["clock"].is_null(), "{offset}");
        if days == 30 {
            assert_eq!(hook.wait_for(1, SOON).len(), 1, "what has really fallen meanwhile is told");
        } else {
            assert_eq!(hook.requests(), [], "{offset}: it fell long ago, or has not yet");
        }
        daemon.terminate(Duration::from_secs(5));
    }
}

#[test]
fn many_decays_at_once_are_missing_mail_until_the_admin_says_otherwise() {
    let hook = Hook::start();
    let place = Place::new()
        .maildir("ann-mail")
        .endpoint("crm", hook.address(), SECRET)
        .with("[nudge]\nkinds = [\"decay\"]\nmass_decay_least = 5\nper_rep_per_week = 100");
    for n in 0..6 {
        went_quiet(&place, "ann-mail", &format!("c{n}@acme.example"), now_s(), 45);
    }
    let ran = place.once(&[]);
    assert!(ran.stderr.contains("no nudges to a rep"), "{}", ran.stderr);
    assert_eq!(hook.requests(), []);
    let held = status(&place)["nudging"]["held"][0].clone();
    assert_eq!((&held["rep"], &held["decaying"]), (&"ann".into(), &6.into()), "{held}");
    let shown = place.keepwarm(&["status"]).stdout;
    assert!(shown.contains("6 of 6 relationships that mattered decay at once"), "{shown}");
    let resumed = place.keepwarm(&["nudges", "resume", "ann"]);
    assert!(resumed.status.success(), "{}", resumed.stderr);
    place.once(&[]);
    assert_eq!(hook.requests().len(), 6);
}
