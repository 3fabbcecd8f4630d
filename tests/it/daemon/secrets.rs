//! No secret leaves its file: not into a log at its loudest, the database or the process list.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::nudges::went_quiet;
use super::{fill, now_s};
use crate::support::dovecot::{Dovecot, PASSWORD, free_port};
use crate::support::generate::mailbox;
use crate::support::hook::{Answer, Hook};
use crate::support::http::ask;
use crate::support::process::Place;
use crate::support::tokens::{Provider, REFRESH, Rotation};

const SOON: Duration = Duration::from_secs(30);
const SECRET: &str = "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeQ==";

/// What the failing endpoint had before that, an ed25519 key.
const PREVIOUS: &str = "whsk_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmE=";

/// What programs show to the daemon.
const API_TOKEN: &str = "canary-api-0123456789";

/// What begins every refresh token: only the configuration may hold it.
const REFRESH_TOKENS: &str = "canary-refresh";

/// What must be seen nowhere: passwords right and wrong as they are and as SASL sends them, the
/// endpoints' keys encoded and decoded, the query of its URL, the secret of the client at the
/// provider of tokens and the words of that provider.
fn canaries() -> Vec<Vec<u8>> {
    let sasl = |password: &str| STANDARD.encode(format!("\0ann\0{password}")).into_bytes();
    let plain = [
        PASSWORD,
        "canary-wrong",
        SECRET,
        "canary-canary",
        "canary-in-a-query",
        "canary-client",
        "canary-access",
        "canary-words",
        API_TOKEN,
    ];
    let mut canaries: Vec<Vec<u8>> = plain.iter().map(|text| text.as_bytes().to_vec()).collect();
    canaries.extend([sasl(PASSWORD), sasl("canary-wrong")]);
    canaries.push(PASSWORD.replace('"', "\\\"").into_bytes());
    canaries.push(SECRET.trim_start_matches("whsec_").as_bytes().to_vec());
    canaries.push(PREVIOUS.trim_start_matches("whsk_").as_bytes().to_vec());
    canaries
}

fn assert_none(what: &str, bytes: &[u8]) {
    for canary in canaries() {
        let found = bytes.windows(canary.len()).any(|window| window == canary);
        assert!(!found, "{what} holds {}", String::from_utf8_lossy(&canary));
    }
}

/// Neither access tokens, as they are and as SASL sends them (from wherever in a group of three
/// bytes they begin there), nor refresh tokens.
fn assert_no_tokens(what: &str, bytes: &[u8], access: &[String]) {
    let holds =
        |canary: &str| bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
    assert!(!holds(REFRESH_TOKENS), "{what} holds a refresh token");
    for token in access {
        assert!(!holds(token), "{what} holds an access token");
        for skipped in 0..3 {
            let sent = STANDARD.encode(token.get(skipped..skipped + 90).unwrap());
            assert!(!holds(&sent), "{what} holds an access token as it is sent");
        }
    }
}

/// Neither does a log tell who writes to whom about what.
fn assert_impersonal(log: &str) {
    assert_none("the log", log.as_bytes());
    for personal in ["ann@us.example", "acme.example", "hooli.example", "Quarterly", "Bo Li"] {
        assert!(!log.contains(personal), "the log holds {personal}");
    }
}

/// A login by every way, good and refused.
fn every_way(server: &Dovecot, provider: &Provider) -> Place {
    let oauth = |refresh_token: &str| {
        format!(
            "[source.oauth]\ntoken_url = \"{}\"\nclient_id = \"kw\"\nclient_secret = \
             \"canary-client\"\nrefresh_token = \"{refresh_token}\"",
            provider.url()
        )
    };
    let refused = "token_command = [\"/bin/echo\", \"canary-access\"]";
    Place::new()
        .with("[sync]\npoll_seconds = 1")
        .imap("a-good", server, "ann")
        .imap_at("b-refused", server, server.imaps, "ann", "canary-wrong")
        .imap_by("d-oauth", server, server.imaps, "dan", &oauth(REFRESH))
        .imap_by("e-revoked", server, server.imaps, "ann", &oauth("canary-refresh-revoked"))
        .imap_by("f-refused", server, server.imaps, "ann", refused)
}

#[test]
fn no_secret_is_logged_stored_or_shown() {
    let server = Dovecot::with_tokens(&["ann", "dan"], "xoauth2 oauthbearer", "");
    fill(&server, "ann", &mailbox(41, 40));
    fill(&server, "dan", &mailbox(42, 10));
    let provider = Provider::start("dan", Rotation::Exchanged);
    // The first login finds that its token has expired.
    provider.lives(&[-30]);
    let (hook, failing) = (Hook::start(), Hook::start());
    failing.answer(Answer::Status(500));
    let place = every_way(&server, &provider)
        .maildir("c-archive")
        .endpoint("crm", hook.address(), SECRET)
        .endpoint("failing", failing.address(), SECRET)
        .with(&format!("previous_secret = \"{PREVIOUS}\""));
    went_quiet(&place, "c-archive", "bo@acme.example", now_s(), 45);
    // A refused login would hold back every nudge of its rep: first without it.
    let quiet = Place::new()
        .maildir("c-archive")
        .endpoint("crm", hook.address(), SECRET)
        .endpoint("failing", failing.address(), SECRET)
        .with(&format!("previous_secret = \"{PREVIOUS}\""));
    went_quiet(&quiet, "c-archive", "bo@acme.example", now_s(), 45);

    let (first, second) = (free_port(), free_port());
    let serving = |place: Place, port: u16| {
        place.serving(&format!("listen = \"127.0.0.1:{port}\"\ntoken = \"{API_TOKEN}\""))
    };
    let (quiet, place) = (serving(quiet, first), serving(place, second));
    for (place, port, logged) in
        [(&quiet, first, "nudge delivered"), (&place, second, "source not read")]
    {
        let mut daemon = place.start(&["--log", "trace", "run"]);
        daemon.wait_for(logged, SOON);
        if logged == "nudge delivered" {
            daemon.wait_for("nudge not delivered yet", SOON);
        } else {
            for words in
                ["source=\"a-good\"", "source=\"d-oauth\"", "AADSTS70008", "the token is not valid"]
            {
                daemon.wait_for(words, SOON);
            }
            assert!(provider.granted().len() >= 2, "expired and exchanged");
        }
        let shown = std::fs::read(format!("/proc/{}/cmdline", daemon.id())).unwrap();
        assert!(shown.windows(3).any(|word| word == b"run"));
        assert_none("the process list", &shown);
        let log = daemon.log();
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "logged at its loudest: {log}");
        assert_impersonal(&log);
        assert_no_tokens("the log", log.as_bytes(), &provider.granted());
        check_served(port);
        // With its write-ahead log still there.
        check_files(place, &provider.granted());
        let ran = daemon.terminate(Duration::from_secs(5));
        assert_impersonal(&ran.stderr);
        assert_no_tokens("the log", ran.stderr.as_bytes(), &provider.granted());
        check_commands(place);
    }
    let once = place.keepwarm(&["--log", "trace", "run", "--once"]);
    assert_impersonal(&once.stderr);
    assert_no_tokens("the log", once.stderr.as_bytes(), &provider.granted());
    let kept = crate::support::dump::rows(&place.database(), "login");
    assert_eq!(kept, 1, "a refresh token is kept");
    check_files(&place, &provider.granted());
}

/// What is answered over HTTP: metrics, and errors of every kind.
fn check_served(port: u16) {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let right = format!("Authorization: Bearer {API_TOKEN}");
    let wrong = "Authorization: Bearer canary-wrong-0123456789";
    let post = |token: &str, body: &str| {
        ask(address, "POST", "/v1/nudges/ndg_none/feedback", &[token], body)
    };
    let metrics = ask(address, "GET", "/metrics", &[], "");
    assert!(metrics.status == 200 && metrics.body.contains("keepwarm_outbox{"), "{metrics:?}");
    for personal in ["us.example", "acme.example", "Ann Lee", "Bo Li"] {
        assert!(!metrics.body.contains(personal), "the metrics hold {personal}");
    }
    for (reply, status) in [
        (metrics, 200),
        (ask(address, "GET", "/-/ready", &[], ""), 200),
        (ask(address, "GET", "/canary-in-a-query", &[], ""), 404),
        (ask(address, "GET", "/feedback/canary-access?t=canary-words", &[], ""), 404),
        (post(wrong, "{}"), 401),
        (post(&right, "{\"feedback\": \"canary-access\"}"), 400),
        (post(&right, "canary-words"), 400),
    ] {
        assert_none("an answer", format!("{:?}{}", reply.headers, reply.body).as_bytes());
        let fits = reply.status == status || status >= 400 && (400..500).contains(&reply.status);
        assert!(fits, "{status}, not {reply:?}");
    }
}

/// What commands show, in every form.
fn check_commands(place: &Place) {
    let ran = place.keepwarm(&["--log", "trace", "doctor", "--no-post"]);
    assert!(ran.stdout.contains("source c-archive"), "{}{}", ran.stdout, ran.stderr);
    assert_none("doctor", format!("{}{}", ran.stdout, ran.stderr).as_bytes());
    for format in ["table", "json", "csv"] {
        for command in [
            &["status"] as &[&str],
            &["nudges", "list"],
            &["nudges", "outbox", "--state", "all"],
            &["nudges", "test"],
            &["nudges", "key"],
            &["relationships"],
        ] {
            let ran = place.keepwarm(&[command, &["--format", format]].concat());
            let shown = format!("{}{}", ran.stdout, ran.stderr);
            assert_none(&format!("{command:?} as {format}"), shown.as_bytes());
        }
    }
}

/// Everything the program has written: all but the configuration and the files of secrets.
fn check_files(place: &Place, access: &[String]) {
    let mut databases = 0;
    for (path, bytes) in place.files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "keepwarm.toml" || name.ends_with(".password") {
            continue;
        }
        databases += u32::from(name.starts_with("kw.db"));
        assert_none(&name, &bytes);
        assert_no_tokens(&name, &bytes, access);
    }
    assert!(databases >= 2, "the database and its log are looked at");
}
