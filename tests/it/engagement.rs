//! Engagement by the program, from raw mail and a calendar: every number equals what a plain
//! recomputation over the same mail gives, as of any day.

mod oracle;
mod plan;

use serde_json::Value;

use self::oracle::{NAMES, close, engagement};
use self::plan::{Mail, plan};
use crate::support::dovecot::put;
use crate::support::process::Place;

const SUNDAY: &str = "2026-03-01T00:00:00Z";

/// A place that reads a plan's mail for ann, who works in New York, from a Maildir.
fn place(mails: &[Mail]) -> Place {
    let place = Place::new().with("time_zone = \"America/New_York\"").maildir("mail");
    for mail in mails.iter().filter(|mail| mail.is_known()) {
        put(&place.path("mail"), mail.at, mail.text(mails).as_bytes());
    }
    place
}

fn with(place: &Place, contact: &str, now: &str) -> Option<Value> {
    let all = place.json(&["relationships", "--now", now]);
    all.as_array().unwrap().iter().find(|one| one["addresses"][0] == contact).cloned()
}

#[test]
fn every_number_is_what_the_mail_gives_when_it_is_counted_by_hand() {
    for seed in 1..4 {
        let mails = plan(seed, 240);
        let place = place(&mails);
        place.once(&["--now", "2026-03-01T00:00:00Z"]);
        for now in [SUNDAY, "2026-01-05T14:00:00Z", "2025-10-20T09:30:00Z"] {
            for contact in plan::CONTACTS {
                let expected = engagement(&mails, contact, now.parse().unwrap());
                let Some(found) = with(&place, contact, now) else {
                    assert!(expected.is_none(), "seed {seed}: {contact} at {now} is missing");
                    continue;
                };
                let expected = expected.unwrap();
                for (days, numbers) in &expected {
                    let window = &found["engagement"][format!("days_{days}")];
                    for (name, number) in NAMES.iter().zip(numbers) {
                        let is = name.split('.').fold(window, |at, key| &at[key]);
                        assert!(
                            close(is.as_f64(), *number),
                            "seed {seed}: {contact} at {now}, {days} days: {name} is {is}, not \
                             {number:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_trend_is_s_now_and_s_as_of_thirty_days_ago() {
    let mails = plan(7, 240);
    let place = place(&mails);
    place.once(&["--now", SUNDAY]);
    for contact in plan::CONTACTS {
        let now = with(&place, contact, SUNDAY).unwrap();
        let then = with(&place, contact, "2026-01-30T00:00:00Z").unwrap();
        let trend = &now["engagement"]["trend"];
        assert!(close(trend["s"].as_f64(), now["s"].as_f64()), "{contact}: {trend}");
        assert!(close(trend["s_30_days_ago"].as_f64(), then["s"].as_f64()), "{contact}: {trend}");
        let explained = place.json(&["explain", "ann", contact, "--now", SUNDAY]);
        assert_eq!(explained["engagement"], now["engagement"], "{contact}");
    }
}

/// A calendar with one event of an hour for each: its UID, its day of February, whether it was called
/// off, who organises it, and what the other answered.
fn calendar(events: &[(&str, u32, &str, &str, &str)]) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n".to_owned();
    for (uid, day, status, organizer, answer) in events {
        let (asks, asked) = match *organizer {
            "ann" => ("ann@us.example", "bo@acme.example"),
            _ => ("bo@acme.example", "ann@us.example"),
        };
        text.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nSTATUS:{status}\r\n\
             DTSTART:202602{day:02}T150000Z\r\nDTEND:202602{day:02}T160000Z\r\n\
             ORGANIZER:mailto:{asks}\r\nATTENDEE;PARTSTAT={answer}:mailto:{asked}\r\nEND:VEVENT\r\n"
        ));
    }
    text + "END:VCALENDAR\r\n"
}

#[test]
fn meetings_are_told_by_what_became_of_them() {
    let place = Place::new();
    let text = calendar(&[
        ("held", 2, "CONFIRMED", "ann", "ACCEPTED"),
        ("off", 3, "CANCELLED", "ann", "ACCEPTED"),
        ("contact-declined", 4, "CONFIRMED", "ann", "DECLINED"),
        ("rep-declined", 5, "CONFIRMED", "bo", "DECLINED"),
        ("not-answered", 6, "CONFIRMED", "bo", "NEEDS-ACTION"),
        ("to-come", 27, "CANCELLED", "ann", "ACCEPTED"),
    ]);
    std::fs::write(place.path("ann.ics"), text).unwrap();
    let source =
        "[[source]]\nname = \"ann-ics\"\nrep = \"ann\"\nkind = \"ics\"\npath = \"ann.ics\"";
    let place = place.with(source);
    place.once(&["--now", "2026-02-20T00:00:00Z"]);
    for (now, expected) in [
        ("2026-02-20T00:00:00Z", [1, 1, 2, 1]),
        ("2026-02-03T15:30:00Z", [1, 0, 0, 0]),
        ("2026-02-04T16:00:00Z", [1, 1, 1, 1]),
        ("2026-02-28T00:00:00Z", [1, 2, 2, 1]),
        ("2026-03-10T00:00:00Z", [0, 1, 0, 0]),
    ] {
        let found = with(&place, "bo@acme.example", now).unwrap();
        let told = &found["engagement"]["days_30"]["meetings"];
        let names = ["held", "cancelled", "declined", "declined_by_contact"];
        let is = names.map(|name| told[name].as_i64().unwrap());
        assert_eq!(is, expected, "{now}: {told}");
    }
    let explained =
        place.keepwarm(&["explain", "ann", "bo@acme.example", "--now", "2026-02-20T00:00:00Z"]);
    let row = explained.stdout.lines().find(|line| line.contains("called off, declined")).unwrap();
    assert!(row.contains("1, 1, 2"), "{}", explained.stdout);
}
