//! Calendars by URL, from a scripted server, and files that are watched.

use std::time::{Duration, Instant};

use crate::support::process::Place;
use crate::support::script::Scripted;
use crate::support::story::{interactions, meetings, play};

const SOON: Duration = Duration::from_secs(20);

/// One meeting of ann and bo, on that day of November 2026.
fn calendar(day: u32) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nX-PUBLISHED-TTL:PT1H\r\nBEGIN:VEVENT\r\nUID:u\r\n\
         DTSTART:202611{day:02}T120000Z\r\nDTEND:202611{day:02}T130000Z\r\n\
         ORGANIZER:mailto:ann@us.example\r\n\
         ATTENDEE;PARTSTAT=ACCEPTED:mailto:bo@acme.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn source(keys: &str) -> String {
    format!("[[source]]\nname = \"ann-feed\"\nrep = \"ann\"\nkind = \"ics\"\n{keys}")
}

/// Waits until the one meeting stored begins on that day.
#[track_caller]
fn wait_for_day(place: &Place, day: u32) -> Duration {
    let began = Instant::now();
    loop {
        let stored = meetings(place);
        if stored.iter().any(|row| row.contains(&format!("2026-11-{day:02}T12:00"))) {
            assert_eq!(stored.len(), 1, "{stored:?}");
            return began.elapsed();
        }
        assert!(began.elapsed() < SOON, "not on day {day}: {stored:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_feed_is_read_whole_or_not_at_all_and_only_when_it_has_changed() {
    let server = Scripted::start();
    let url = format!("{}/private-canary-path/basic.ics?key=canary-key", server.base());
    let place = Place::new().with(&source(&format!("url = \"{url}\"")));
    play(&place, &server, include_str!("feed/story.txt"), &["canary"]);
    assert_eq!(interactions(&place), 0, "what was taken back took its interactions along");
}

#[test]
fn a_port_without_tls_is_told_as_one() {
    let server = Scripted::start();
    let url = server.base().replace("http:", "https:");
    let place = Place::new().with(&source(&format!("url = \"{url}/a.ics\"")));
    let ran = place.keepwarm(&["run", "--once"]);
    assert!(ran.stderr.contains("hint: the port speaks no TLS"), "{}", ran.stderr);
}

/// A private host that the admin has not allowed, and one that a public-looking server names.
#[test]
fn an_address_is_asked_for_only_where_that_is_allowed() {
    let server = Scripted::start();
    let redirects = |to: &str| server.expect(&format!("> GET /a\n< 302\n< Location: {to}\n"));
    let named = server.base().replace("127.0.0.1", "localhost");
    for (location, words) in [
        (server.base().replace("127.0.0.1", "127.0.0.2"), "to another host by plain http"),
        (named.replace("http:", "https:"), "the address is this machine's own"),
        ("https://169.254.169.254/latest/".to_owned(), "the address is link-local"),
        ("ftp://us.example/canary".to_owned(), "to something that is not the web"),
    ] {
        redirects(&location);
        let place = Place::new().with(&source(&format!("url = \"{}/a\"", server.base())));
        let ran = place.keepwarm(&["run", "--once"]);
        server.assert_done(&location);
        assert!(!ran.status.success() && ran.stderr.contains(words), "{location}: {}", ran.stderr);
        assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    }
    let url = "url = \"webcal://10.255.255.1/canary.ics\"";
    let ran = Place::new().with(&source(url)).keepwarm(&["run", "--once"]);
    assert!(ran.stderr.contains("private network and those are not allowed"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
}

/// A small answer can become a large one.
#[test]
fn a_feed_that_unpacks_to_more_than_is_read_is_refused() {
    let server = Scripted::start();
    let place = Place::new().with(&source(&format!("url = \"{}/a\"", server.base())));
    let bomb = format!("BEGIN:VCALENDAR{}", " ".repeat(64 << 20));
    server.expect(&format!("> GET /a\n< 200\n< Content-Encoding: gzip\n{bomb}"));
    let ran = place.keepwarm(&["run", "--once"]);
    assert!(ran.stderr.contains("the answer is larger than 64 MiB"), "{}", ran.stderr);
    server.assert_done("once");
}

/// It asks once an hour in spite of a poll every second; what is not there is asked for again.
#[test]
fn a_feed_is_asked_for_no_more_often_than_it_says() {
    let server = Scripted::start();
    let place = Place::new().with("[sync]\npoll_seconds = 1");
    let place = place.with(&source(&format!("url = \"{}/a\"", server.base())));
    server.expect(&format!("> GET /a\n< 200\n< ETag: \"1\"\n{}", calendar(3)));
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("source read", SOON);
    wait_for_day(&place, 3);
    std::thread::sleep(Duration::from_secs(4));
    daemon.terminate(SOON);
    server.assert_done("once an hour");

    // A feed that says nothing is polled.
    let text = calendar(4).replace("X-PUBLISHED-TTL:PT1H\r\n", "");
    server.expect(&format!("> GET /a\n> If-None-Match: \"1\"\n< 200\n< ETag: \"2\"\n{text}"));
    server.expect(&"> GET /a\n> If-None-Match: \"2\"\n< 304\n".repeat(3));
    server.expect(&format!("> GET /a\n< 200\n{}", calendar(5)));
    let daemon = place.start(&["run"]);
    wait_for_day(&place, 5);
    daemon.terminate(SOON);
    server.assert_done("every second");
}

/// No poll comes within this test.
#[test]
fn a_file_that_is_replaced_or_written_is_read_within_two_seconds() {
    let place = Place::new().with("[sync]\npoll_seconds = 3600");
    let path = place.path("ann.ics");
    std::fs::write(&path, calendar(1)).unwrap();
    let place = place.with(&source("path = \"ann.ics\""));
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("source read", SOON);
    wait_for_day(&place, 1);
    for day in 2..=5 {
        let new = place.path("ann.ics.new");
        match day % 2 {
            // As editors and vdirsyncer do.
            0 => {
                std::fs::write(&new, calendar(day)).unwrap();
                std::fs::rename(&new, &path).unwrap();
            }
            _ => std::fs::write(&path, calendar(day)).unwrap(),
        }
        let took = wait_for_day(&place, day);
        assert!(took < Duration::from_millis(2500), "day {day}: {took:?}");
    }
    // Gone for a while: nothing is taken back, and its return is seen.
    std::fs::remove_file(&path).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    wait_for_day(&place, 5);
    std::fs::write(&path, calendar(6)).unwrap();
    wait_for_day(&place, 6);
    assert_eq!(interactions(&place), 1);
    daemon.terminate(SOON);
}
