//! Tokens: logins by them on a real Dovecot, and where they come from, on a real HTTP server.

mod company;
mod login;
mod long;
mod refresh;

use std::sync::Arc;
use std::time::Duration;

use keepwarm::http::tls_config;
use keepwarm::source::SourceError;
use keepwarm::source::credentials::{Credentials, looked_up};
use keepwarm::source::imap::{Settings, probe};

use crate::support::dovecot::Dovecot;
use crate::support::generate::mailbox;
use crate::support::process::Place;
use crate::support::script::Scripted;
use crate::support::tokens::{Provider, REFRESH, Rotation, access_token};

/// What a Dovecot can do that has no initial response.
const WITHOUT_SASL_IR: &str = "imap_capability = IMAP4rev1 LITERAL+ ID ENABLE IDLE";

fn fixed(token: &str) -> Credentials {
    let token = token.to_owned();
    Credentials::Token(looked_up(move || Ok(token.as_str().into())))
}

async fn log_in(server: &Dovecot, credentials: Credentials) -> Result<(), SourceError> {
    let settings = Settings { credentials, ..server.settings("ann") };
    let tls = tls_config(Some(server.ca_pem())).unwrap();
    probe(&settings, &tls).await.map(drop)
}

/// Without the answer to the challenge a refused login would wait for ever.
#[tokio::test]
async fn a_token_logs_in_or_is_refused_by_either_mechanism_in_one_or_two_steps() {
    for (mechanisms, config, method) in [
        ("xoauth2 oauthbearer", "", "method=OAUTHBEARER"),
        ("xoauth2 oauthbearer", WITHOUT_SASL_IR, "method=OAUTHBEARER"),
        ("xoauth2", "", "method=XOAUTH2"),
        ("xoauth2", WITHOUT_SASL_IR, "method=XOAUTH2"),
    ] {
        let server = Dovecot::with_tokens(&["ann"], mechanisms, config);
        let what = format!("{mechanisms} {config:?}");
        let done = log_in(&server, fixed(&access_token("ann", 3600))).await;
        assert!(done.is_ok(), "{what}: {done:?}\n{}", server.log());
        assert!(server.log().contains(method), "{what}: {}", server.log());
        for (token, why) in [
            (access_token("ann", -30), "expired"),
            (access_token("bob", 3600), "another's"),
            ("canary".to_owned(), "no JWT"),
        ] {
            let error = log_in(&server, fixed(&token)).await.unwrap_err();
            let told = error.to_string();
            assert_eq!(error.code(), "unauthorized", "{what}, {why}: {told}");
            assert!(told.contains("hint: ") && !told.contains(&token), "{what}, {why}: {told}");
        }
    }
}

#[tokio::test]
async fn a_server_without_tokens_says_so() {
    let server = Dovecot::start(&["ann"]);
    let error = log_in(&server, fixed("canary")).await.unwrap_err();
    assert_eq!(error.code(), "misconfigured", "{error}");
}

/// An access token expires between two logins, or is revoked before its time.
#[tokio::test]
async fn a_refused_token_is_exchanged_for_another_once() {
    for config in ["", WITHOUT_SASL_IR] {
        let server = Dovecot::with_tokens(&["ann"], "xoauth2 oauthbearer", config);
        let provider = Provider::start("ann", Rotation::Kept);
        let place = tempfile::tempdir().unwrap();
        let refresher = Arc::new(refresh::refresher(&provider, place.path(), REFRESH));
        let credentials = || Credentials::Token(refresher.clone());

        provider.lives(&[-30]);
        log_in(&server, credentials()).await.unwrap();
        assert_eq!(provider.requests().len(), 2, "the second token is good");
        log_in(&server, credentials()).await.unwrap();
        assert_eq!(provider.requests().len(), 2, "and is kept");

        let place = tempfile::tempdir().unwrap();
        let refresher = Arc::new(refresh::refresher(&provider, place.path(), REFRESH));
        provider.lives(&[-30, -30]);
        let error = log_in(&server, Credentials::Token(refresher)).await.unwrap_err();
        assert_eq!(error.code(), "unauthorized", "{error}");
        assert_eq!(provider.requests().len(), 4, "not again and again");
    }
}

/// Several sources may share a login, and all find at once that its token has expired.
#[tokio::test]
async fn logins_at_the_same_time_cost_one_exchange() {
    let server = Dovecot::with_tokens(&["ann"], "xoauth2 oauthbearer", "");
    let provider = Provider::start("ann", Rotation::Exchanged);
    let place = tempfile::tempdir().unwrap();
    let refresher = Arc::new(refresh::refresher(&provider, place.path(), REFRESH));
    provider.lives(&[-30]);
    provider.delay(Duration::from_millis(300));
    let logins = (0..8).map(|_| log_in(&server, Credentials::Token(refresher.clone())));
    for done in futures_util::future::join_all(logins).await {
        assert!(done.is_ok(), "{done:?}");
    }
    assert_eq!(provider.presented(), [REFRESH, "canary-refresh-1"], "the expired one, a good one");
}

/// From the configuration to the mail, and what rotates goes on after a restart.
#[test]
fn every_configured_way_to_a_token_reads_mail() {
    let server = Dovecot::with_tokens(&["ann"], "xoauth2 oauthbearer", "");
    for mail in mailbox(51, 20) {
        server.deliver("ann", mail.mailbox, mail.at, &mail.bytes);
    }
    let provider = Provider::start("ann", Rotation::Exchanged);
    let oauth = format!(
        "[source.oauth]\ntoken_url = \"{}\"\nclient_id = \"kw\"\nclient_secret = \"canary-client\"\n\
         refresh_token_file = \"ann.refresh\"\nscope = \"mail offline\"",
        provider.url()
    );
    for (way, login) in [
        ("file", "token_file = \"ann.token\""),
        (
            "command",
            "token_command = [\"/bin/sh\", \"-c\", \"cat `dirname $0`/ann.token\", \"@DIR@/x\"]",
        ),
        ("oauth", &oauth),
    ] {
        let place = Place::new();
        let directory = place.path("");
        std::fs::write(place.path("ann.token"), access_token("ann", 3600)).unwrap();
        std::fs::write(place.path("ann.refresh"), format!("{REFRESH}\n")).unwrap();
        let login = login.replace("@DIR@", directory.to_str().unwrap());
        let place = place.imap_by("ann-mail", &server, server.imaps, "ann", &login);
        for _ in 0..2 {
            place.once(&[]);
        }
        assert_eq!(place.json(&["status"])["sources"][0]["state"], "ok", "{way}");
        let stored = crate::support::dump::rows(&place.database(), "message");
        assert_eq!(stored, 20, "{way}");
        let kept = crate::support::dump::rows(&place.database(), "login");
        assert_eq!(kept, i64::from(way == "oauth"), "{way}");
    }
    assert_eq!(provider.presented(), [REFRESH, "canary-refresh-1"]);
    let form = provider.requests().remove(0);
    assert_eq!((&*form["client_id"], &*form["client_secret"]), ("kw", "canary-client"));
    assert_eq!(form["scope"], "mail offline");
}

/// A tenant's app, consented to by its admin, reads the mail of all who are named.
#[test]
fn an_app_in_its_own_right_reads_mail() {
    let server = Dovecot::with_tokens(&["ann"], "xoauth2 oauthbearer", "");
    let mail = mailbox(52, 1).remove(0);
    server.deliver("ann", mail.mailbox, mail.at, &mail.bytes);
    let provider = Scripted::start();
    provider.expect(&format!(
        "> POST /token\n> grant_type=client_credentials\n> client_id=kw\n\
         > client_secret=canary-client\n> scope=https://outlook.office365.com/.default\n< 200\n\
         {{\"access_token\": \"{}\", \"expires_in\": 3599}}",
        access_token("ann", 3600)
    ));
    let oauth = format!(
        "[source.oauth]\ngrant = \"client_credentials\"\ntoken_url = \"{}/token\"\n\
         client_id = \"kw\"\nclient_secret = \"canary-client\"",
        provider.base()
    );
    let place = Place::new().imap_by("ann-mail", &server, server.imaps, "ann", &oauth);
    place.once(&[]);
    provider.assert_done("one token");
    assert_eq!(crate::support::dump::rows(&place.database(), "message"), 1);
    assert_eq!(crate::support::dump::rows(&place.database(), "login"), 0, "nothing to keep");
}

/// What is lost in the middle of an exchange is lost for good: the provider has forgotten the old
/// refresh token, and nobody has the new one.
#[test]
fn a_daemon_that_is_told_to_stop_waits_for_the_exchange_under_way() {
    let server = Dovecot::with_tokens(&["ann"], "xoauth2", "");
    for command in [&["run"] as &[&str], &["run", "--once"]] {
        let provider = Provider::start("ann", Rotation::Exchanged);
        provider.delay(Duration::from_secs(1));
        let oauth = format!(
            "[source.oauth]\ntoken_url = \"{}\"\nclient_id = \"kw\"\nrefresh_token = \"{REFRESH}\"",
            provider.url()
        );
        let place = Place::new().imap_by("ann-mail", &server, server.imaps, "ann", &oauth);
        let daemon = place.start(command);
        let began = std::time::Instant::now();
        while provider.requests().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "{command:?}: nothing is asked for");
            std::thread::sleep(Duration::from_millis(5));
        }
        daemon.terminate(Duration::from_secs(10));
        let kept = crate::support::dump::rows(&place.database(), "login");
        assert_eq!(kept, 1, "{command:?}");
        provider.delay(Duration::ZERO);
        place.once(&[]);
        let presented = provider.presented();
        assert_eq!(presented.last().unwrap(), "canary-refresh-1", "{command:?}");
    }
}

/// Somebody else keeps the file fresh: no restart is needed.
#[test]
fn a_token_or_password_that_is_changed_is_seen_at_the_next_login() {
    const SOON: Duration = Duration::from_secs(30);
    let server = Dovecot::with_tokens(&["ann"], "xoauth2", "");
    let place = Place::new().with("[sync]\npoll_seconds = 1").imap_by(
        "ann-mail",
        &server,
        server.imaps,
        "ann",
        "token_file = \"ann.token\"",
    );
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("token: reading", SOON);
    std::fs::write(place.path("ann.token"), access_token("ann", 3600)).unwrap();
    server.deliver("ann", "INBOX", 1_704_067_200, b"Message-ID: <i@x>\r\n\r\n");
    daemon.wait_for("source read", SOON);
    daemon.terminate(Duration::from_secs(5));
}

/// One source for a whole company: what is wrong with one mailbox is nothing to the others.
#[test]
fn one_source_reads_everybody_and_a_revoked_or_missing_mailbox_stops_nobody_else() {
    let people = ["ann@us.example", "bob@us.example", "cyd@us.example"];
    let server = Dovecot::with_tokens(&people, "xoauth2 oauthbearer", "");
    let mut place = Place::new().imap_by(
        "mail",
        &server,
        server.imaps,
        "{address}",
        "token_file = \"{rep}.token\"",
    );
    let config = std::fs::read_to_string(place.path("keepwarm.toml")).unwrap();
    place = place.with(
        "[[rep]]\nid = \"bob\"\nname = \"Bob\"\naddresses = [\"bob@us.example\"]\n\
         [[rep]]\nid = \"cyd\"\nname = \"Cyd\"\naddresses = [\"cyd@us.example\"]\n\
         [[rep]]\nid = \"dan\"\nname = \"Dan\"\naddresses = [\"dan@us.example\"]",
    );
    assert!(config.contains("rep = \"ann\"\nkind"), "{config}");
    let everybody = std::fs::read_to_string(place.path("keepwarm.toml")).unwrap();
    let everybody = everybody.replace("rep = \"ann\"\nkind", "reps = \"*\"\nkind");
    std::fs::write(place.path("keepwarm.toml"), everybody).unwrap();
    for (person, life) in [("ann", 3600), ("bob", -30), ("cyd", 3600)] {
        let address = format!("{person}@us.example");
        std::fs::write(place.path(&format!("{person}.token")), access_token(&address, life))
            .unwrap();
        let text = format!("Message-ID: <{person}@x>\r\nFrom: bo@{person}.example\r\n\r\n");
        server.deliver(&address, "INBOX", 1_704_067_200, text.as_bytes());
    }
    let ran = place.keepwarm(&["run", "--once"]);
    let status = place.json(&["status"]);
    let sources = status["sources"].as_array().unwrap();
    let states: Vec<(&str, &str)> = sources
        .iter()
        .map(|source| (source["name"].as_str().unwrap(), source["state"].as_str().unwrap()))
        .collect();
    let expected = [
        ("mail/ann", "ok"),
        ("mail/bob", "degraded"),
        ("mail/cyd", "ok"),
        ("mail/dan", "degraded"),
    ];
    assert_eq!(states, expected, "{}", ran.stderr);
    assert_eq!(crate::support::dump::rows(&place.database(), "message"), 2);
}
