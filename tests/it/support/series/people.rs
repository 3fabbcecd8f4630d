//! Organisers and attendees with every parameter that calendars give them.

use super::super::generate::Draw;
use super::{once_in, one};

const OUTSIDERS: &[(&str, &str)] = &[
    ("Bo Li", "bo@acme.example"),
    ("Carla Núñez", "carla.nunez@globex.example"),
    ("Groß, Dieter", "dieter@initech.example"),
    ("Eve Adams", "Eve.Adams@Umbrella.example"),
    ("Farid Haddad", "farid@hooli.example"),
    ("Grace \u{2018}G\u{2019} Obi", "grace@acme.example"),
];
const ANSWERS: &[&str] =
    &["ACCEPTED", "ACCEPTED", "ACCEPTED", "DECLINED", "TENTATIVE", "NEEDS-ACTION", ""];
const EXTRAS: &[&str] = &[
    "",
    "",
    ";ROLE=REQ-PARTICIPANT",
    ";ROLE=OPT-PARTICIPANT;RSVP=TRUE",
    ";ROLE=CHAIR",
    ";CUTYPE=INDIVIDUAL",
    ";CUTYPE=UNKNOWN;LANGUAGE=de",
    ";SENT-BY=\"mailto:assistant@acme.example\"",
    ";MEMBER=\"mailto:sales@acme.example\"",
    ";DIR=\"ldap://ldap.example/cn=x\"",
    ";X-NUM-GUESTS=0;SCHEDULE-STATUS=1.1",
    ";DELEGATED-FROM=\"mailto:boss@acme.example\"",
];
/// Who is no person, or not by the usual property.
const OTHERS: &[&str] = &[
    "ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED;CN=Room 1:mailto:room1@us.example",
    "ATTENDEE;CUTYPE=RESOURCE;CN=Beamer:mailto:beamer@us.example",
    "ATTENDEE;CUTYPE=GROUP;CN=Sales:mailto:sales@acme.example",
    "ATTENDEE;ROLE=NON-PARTICIPANT:mailto:copy@acme.example",
    "ATTENDEE;PARTSTAT=ACCEPTED;EMAIL=hana@acme.example;CN=Hana:urn:uuid:6d1f0a5e-0001",
    "ATTENDEE;PARTSTAT=DECLINED;EMAIL=ivan@acme.example:/o=Labs/ou=X/cn=Recipients/cn=ivan",
    "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:mia@acme.example\":mailto:luis@acme.example",
    "ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:KATE@ACME.EXAMPLE",
    "ATTENDEE:mailto:c_1a2b@resource.calendar.google.com",
    "ATTENDEE:urn:uuid:6d1f0a5e-0002",
    "ATTENDEE;PARTSTAT=DECLINED:mailto:bo@acme.example",
];

/// ORGANIZER and ATTENDEE lines, parted by `|`; sometimes none.
pub(super) fn lines(draw: &mut Draw) -> String {
    if once_in(draw, 10) {
        return String::new();
    }
    let (name, address) = one(draw, OUTSIDERS);
    let mut text = match draw.below(4) {
        0 => format!("ORGANIZER;CN=\"{name}\":mailto:{address}|"),
        1 => format!(
            "ORGANIZER;CN=\"{name}\";SENT-BY=\"mailto:assistant@acme.example\":mailto:{address}|"
        ),
        2 => "ORGANIZER;CN=Ann Lee;EMAIL=ann@us.example:urn:uuid:6d1f0a5e-0003|".to_owned(),
        _ => "ORGANIZER;CN=Ann Lee:mailto:ann@us.example|".to_owned(),
    };
    for _ in 0..=draw.below(3) {
        let (name, address) = one(draw, OUTSIDERS);
        let answer = match one(draw, ANSWERS) {
            "" => String::new(),
            answer => format!(";PARTSTAT={answer}"),
        };
        let extra = one(draw, EXTRAS);
        text += &format!("ATTENDEE;CN=\"{name}\"{answer}{extra}:mailto:{address}|");
    }
    text += "ATTENDEE;CN=Ann Lee;PARTSTAT=ACCEPTED:mailto:ann@us.example|";
    for _ in 0..draw.below(3) {
        text = text + one(draw, OTHERS) + "|";
    }
    text
}

/// The lines after the first attendee who came has declined; the same if nobody came.
pub(super) fn declined(lines: &str) -> String {
    match lines.split_once("PARTSTAT=ACCEPTED") {
        Some((before, after)) => format!("{before}PARTSTAT=DECLINED{after}"),
        None => lines.to_owned(),
    }
}
