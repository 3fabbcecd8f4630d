//! `keepwarm doctor` against real servers: what works, and every failure with what to do about it.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::dovecot::{Dovecot, free_port};
use crate::support::hook::{Answer, Hook};
use crate::support::process::Place;
use crate::support::radicale::{self, Radicale};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/// What doctor finds, and whether it says that all is well.
fn doctor(place: &Place, arguments: &[&str]) -> (Vec<Value>, i32) {
    let ran = place.keepwarm(&[&["doctor", "--format", "json"], arguments].concat());
    let found: Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr));
    (found.as_array().unwrap().clone(), ran.status.code().unwrap())
}

/// The row about one thing.
#[track_caller]
fn row<'a>(rows: &'a [Value], subject: &str, check: &str) -> &'a Value {
    let found = rows.iter().find(|row| row["subject"] == subject && row["check"] == check);
    found.unwrap_or_else(|| panic!("no {subject}, {check} in {rows:#?}"))
}

#[track_caller]
fn assert_row(rows: &[Value], subject: &str, check: &str, result: &str, words: &str) {
    let row = row(rows, subject, check);
    assert_eq!(row["result"], result, "{row}");
    assert!(row["found"].as_str().unwrap().contains(words), "no `{words}` in {row}");
    assert_eq!(row["hint"].is_string(), ["failed", "warning"].contains(&result), "{row}");
}

fn dav(place: Place, name: &str, port: u16, password: &str) -> Place {
    place.with(&format!(
        "[[source]]\nname = \"{name}\"\nrep = \"ann\"\nkind = \"caldav\"\n\
         url = \"https://localhost:{port}/\"\nca_file = \"dav.pem\"\nusername = \"{}\"\n\
         password = \"{password}\"",
        radicale::USER
    ))
}

#[test]
fn everything_that_works_is_told_with_what_was_found() {
    let server = Dovecot::start(&["ann"]);
    let (calendars, ca) = Radicale::with_tls();
    let hook = Hook::start();
    let place = Place::new().imap("mail", &server, "ann").maildir("archive");
    std::fs::write(place.path("dav.pem"), &ca).unwrap();
    let place = dav(place, "calendar", calendars.address.port(), radicale::PASSWORD).endpoint(
        "crm",
        hook.address(),
        SECRET,
    );
    place.once(&[]);

    let (rows, status) = doctor(&place, &[]);
    for (subject, check, words) in [
        ("database", "integrity", "sound"),
        ("database", "mode", "600"),
        ("source mail", "dns", "127.0.0.1"),
        ("source mail", "tcp", "connected to"),
        ("source mail", "tls", "more days"),
        ("source mail", "capabilities", "IDLE"),
        ("source mail", "login", "accepted"),
        ("source mail", "mailboxes", "are read"),
        ("source archive", "mailboxes", "1 are read"),
        ("source calendar", "tls", "more days"),
        ("source calendar", "discovery", "https://localhost"),
        ("source calendar", "clock", " s "),
        ("endpoint crm", "post", "did you see it?"),
    ] {
        let found = row(&rows, subject, check);
        let told = found["found"].as_str().unwrap();
        let calendars_are_none = subject == "source calendar" && check == "mailboxes";
        assert!(found["result"] == "ok" || calendars_are_none, "{found}");
        assert!(told.contains(words), "no `{words}` in {found}");
    }
    // A login without calendars is no use.
    assert_row(&rows, "source calendar", "mailboxes", "failed", "0 are read");
    assert_eq!(status, 1);
    assert_eq!(hook.requests().len(), 1, "one test message");

    let (rows, status) = doctor(&place, &["--source", "mail"]);
    assert_eq!((status, rows.iter().all(|row| row["subject"] == "source mail")), (0, true));
    assert_eq!(hook.requests().len(), 1, "no other is posted");
}

#[test]
fn every_failure_is_told_where_it_is_with_what_to_do() {
    let server = Dovecot::start(&["ann"]);
    let (calendars, ca) = Radicale::with_tls();
    let hook = Hook::start();
    hook.answer(Answer::Status(500));
    let closed = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
    let place = Place::new()
        .imap_at("password", &server, server.imaps, "ann", "canary-wrong")
        .imap_at("closed", &server, closed, "ann", "canary-wrong")
        .with(
            "[[source]]\nname = \"named\"\nrep = \"ann\"\nkind = \"imap\"\n\
             host = \"no.such.host.invalid\"\nusername = \"ann\"\npassword = \"canary-wrong\"",
        )
        .with("[[source]]\nname = \"archive\"\nrep = \"ann\"\nkind = \"maildir\"\npath = \"none\"");
    std::fs::write(place.path("dav.pem"), &ca).unwrap();
    let place = dav(place, "calendar", calendars.address.port(), "canary-wrong").with(&format!(
        "[[endpoint]]\nname = \"crm\"\nurl = \"{}\"\nsecret = \"{SECRET}\"",
        hook.url()
    ));
    std::fs::write(place.path("kw.db"), b"this is no database, however long it may be ".repeat(99))
        .unwrap();

    let (rows, status) = doctor(&place, &[]);
    assert_eq!(status, 1);
    for (subject, check, words) in [
        ("database", "integrity", "database"),
        ("source password", "login", "login refused"),
        ("source closed", "tcp", "refused"),
        ("source named", "dns", "no.such.host.invalid"),
        ("source archive", "mailboxes", ""),
        ("source calendar", "login", "refused"),
        ("endpoint crm", "post", "500"),
    ] {
        assert_row(&rows, subject, check, "failed", words);
    }
    assert_row(&rows, "source password", "capabilities", "ok", "IMAP4REV1");
    assert_row(&rows, "source password", "mailboxes", "skipped", "not reached");
    let ran = place.keepwarm(&["doctor", "--no-post"]);
    assert_eq!(ran.status.code(), Some(1));
    let all = format!("{rows:?}{}{}", ran.stdout, ran.stderr);
    assert!(!all.contains("canary-wrong") && !all.contains(SECRET), "{all}");
    assert!(ran.stderr.contains("hint: source closed, tcp: "), "{}", ran.stderr);
    assert_eq!(hook.requests().len(), 1, "posted only where it was asked for");
}

#[test]
fn a_database_that_others_can_read_is_a_failure() {
    let place = Place::new().maildir("archive");
    place.once(&[]);
    std::fs::set_permissions(place.database(), PermissionsExt::from_mode(0o644)).unwrap();
    let (rows, status) = doctor(&place, &[]);
    assert_row(&rows, "database", "mode", "failed", "644");
    assert!(row(&rows, "database", "mode")["hint"].as_str().unwrap().starts_with("chmod 600 "));
    assert_eq!(status, 1);
    let ran = place.keepwarm(&["doctor", "--source", "none"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(ran.stderr.contains("hint: there is archive"), "{}", ran.stderr);
}
