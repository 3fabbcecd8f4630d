//! One source for all reps, read by a service account or by an app: mail from a real Dovecot, calendars
//! from their services' interfaces; who is not there stops nobody else, and `doctor` says who it is.

use ring::signature::KeyPair as _;
use serde_json::Value;

use crate::google::key_file;
use crate::support::company::Company;
use crate::support::dovecot::{APP_TOO, Dovecot};
use crate::support::dump::values;
use crate::support::process::Place;

const NOW: &str = "2026-11-21T08:00:00Z";
const PEOPLE: [&str; 2] = ["ann@us.example", "bob@us.example"];

/// Three reps, of whom the third is nobody at the provider.
fn place(server: &Dovecot, mail: &str, calendar: &str) -> Place {
    let place = Place::new().with(
        "[[rep]]\nid = \"bob\"\nname = \"Bob\"\naddresses = [\"bob@us.example\"]\n\
         [[rep]]\nid = \"cyd\"\nname = \"Cyd\"\naddresses = [\"cyd@us.example\"]",
    );
    std::fs::write(place.path("ca.pem"), server.ca_pem()).unwrap();
    place.with(&format!(
        "[[source]]\nname = \"mail\"\nreps = \"*\"\nkind = \"imap\"\nhost = \"localhost\"\n\
         port = {}\nca_file = \"ca.pem\"\nusername = \"{{address}}\"\n{mail}\n\
         [[source]]\nname = \"calendar\"\nreps = \"*\"\n{calendar}",
        server.imaps.port()
    ))
}

/// A Dovecot that believes tokens of one person and of the app, with a message for each of these.
fn dovecot() -> Dovecot {
    let server = Dovecot::with_tokens(&PEOPLE, "xoauth2 oauthbearer", APP_TOO);
    for person in PEOPLE {
        let text = format!(
            "Message-ID: <{person}>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\
             From: bo@acme.example\r\nTo: {person}\r\n\r\n"
        );
        server.deliver(person, "INBOX", 1_704_067_200, text.as_bytes());
    }
    server
}

/// Each source with its state.
fn states(place: &Place) -> Vec<String> {
    let status = place.json(&["status"]);
    let sources = status["sources"].as_array().unwrap();
    let told = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    sources.iter().map(|one| format!("{} {}", told(one, "name"), told(one, "state"))).collect()
}

/// Who has met whom how, by day.
fn interactions(place: &Place) -> Vec<String> {
    values(
        &place.database(),
        "SELECT rep.code || ' ' || CASE interaction.direction WHEN 1 THEN 'inbound'
             WHEN 2 THEN 'mutual' END FROM interaction
         JOIN line ON line.id = interaction.line_id JOIN rep ON rep.id = line.rep_id ORDER BY 1",
    )
}

/// What doctor finds of the logins.
fn logins(place: &Place, arguments: &[&str]) -> (Vec<String>, i32) {
    let ran = place.keepwarm(&[&["doctor", "--no-post", "--format", "json"], arguments].concat());
    let found: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    assert!(!ran.stdout.contains("canary"), "{}", ran.stdout);
    let of = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let logins = found.iter().filter(|row| row["check"] == "login");
    let told = |row: &Value| format!("{} {}", of(row, "subject"), of(row, "result"));
    (logins.map(told).collect(), ran.status.code().unwrap())
}

#[test]
fn a_service_account_reads_mail_and_calendars_of_everybody() {
    let server = dovecot();
    let keys = tempfile::tempdir().unwrap();
    let key = key_file(&keys.path().join("service.json"));
    let company = Company::start(&PEOPLE, key.public_key().as_ref());
    let base = company.base();
    let oauth = format!(
        "[source.oauth]\ngrant = \"service_account\"\ntoken_url = \"{base}/token\"\n\
         key_file = \"service.json\"\nsubject = \"{{address}}\""
    );
    let calendar = format!("kind = \"google_calendar\"\napi_url = \"{base}/calendar/v3\"\n{oauth}");
    let place = place(&server, &oauth, &calendar);
    std::fs::copy(keys.path().join("service.json"), place.path("service.json")).unwrap();
    let ran = place.keepwarm(&["run", "--once", "--now", NOW]);
    let expected = [
        "calendar/ann ok",
        "calendar/bob ok",
        "calendar/cyd degraded",
        "mail/ann ok",
        "mail/bob ok",
        "mail/cyd degraded",
    ];
    assert_eq!(states(&place), expected, "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: check subject"), "{}", ran.stderr);
    let met = ["ann inbound", "ann mutual", "bob inbound", "bob mutual"];
    assert_eq!(interactions(&place), met, "{}", ran.stderr);
    let scopes = ["\"https://mail.google.com/\"", CALENDAR];
    let each = PEOPLE.iter().flat_map(|who| scopes.map(|scope| format!("{who} {scope}")));
    assert_eq!(company.asked(), each.collect::<Vec<_>>(), "one token for each source");

    let (told, status) = logins(&place, &[]);
    let expected = [
        "source mail/ann ok",
        "source mail/bob ok",
        "source mail/cyd failed",
        "source calendar/ann ok",
        "source calendar/bob ok",
        "source calendar/cyd failed",
    ];
    assert_eq!((told, status), (expected.map(str::to_owned).to_vec(), 1));
    let (told, status) = logins(&place, &["--source", "mail/bob"]);
    assert_eq!((told, status), (vec!["source mail/bob ok".to_owned()], 0));
    let (told, status) = logins(&place, &["--source", "calendar"]);
    assert_eq!((told.len(), status), (3, 1), "the source as it is written: {told:?}");
}

const CALENDAR: &str = "\"https://www.googleapis.com/auth/calendar.events.readonly\"";

#[test]
fn an_app_reads_mail_and_calendars_of_everybody() {
    let server = dovecot();
    let company = Company::start(&PEOPLE, &[]);
    let base = company.base();
    let oauth = format!(
        "[source.oauth]\ngrant = \"client_credentials\"\ntoken_url = \"{base}/token\"\n\
         client_id = \"kw\"\nclient_secret = \"canary-client\""
    );
    let calendar = format!(
        "kind = \"graph_calendar\"\napi_url = \"{base}/v1.0\"\nusername = \"{{address}}\"\n{oauth}"
    );
    let place = place(&server, &oauth, &calendar);
    let ran = place.keepwarm(&["run", "--once", "--now", NOW]);
    // This Dovecot makes a mailbox for anybody whose token it believes.
    let expected = [
        "calendar/ann ok",
        "calendar/bob ok",
        "calendar/cyd misconfigured",
        "mail/ann ok",
        "mail/bob ok",
        "mail/cyd ok",
    ];
    assert_eq!(states(&place), expected, "{}", ran.stderr);
    let met = ["ann inbound", "ann mutual", "bob inbound", "bob mutual"];
    assert_eq!(interactions(&place), met, "{}", ran.stderr);
    assert_eq!(company.asked().len(), 6, "one token for each source: {:?}", company.asked());
    let (told, status) = logins(&place, &[]);
    let expected = [
        "source mail/ann ok",
        "source mail/bob ok",
        "source mail/cyd ok",
        "source calendar/ann ok",
        "source calendar/bob ok",
        "source calendar/cyd failed",
    ];
    assert_eq!((told, status), (expected.map(str::to_owned).to_vec(), 1));
}
