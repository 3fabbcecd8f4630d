//! A daemon whose access tokens expire all the time, whose refresh tokens are exchanged at each use,
//! and whose connections are ended by the server: no mail is late. Half a minute here; for so many
//! minutes as KEEPWARM_OAUTH_MINUTES says in `tests/servers/oauth`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::support::dovecot::Dovecot;
use crate::support::dump::rows;
use crate::support::process::Place;
use crate::support::tokens::{Provider, REFRESH, Rotation};

/// How long, and how often what happens.
struct Plan {
    lasts: Duration,
    /// Of access tokens, in seconds.
    life: i64,
    /// Between two ends of all connections.
    kick: Duration,
    /// Between two messages.
    mail: Duration,
}

impl Plan {
    fn asked() -> Self {
        let second = Duration::from_secs;
        match std::env::var("KEEPWARM_OAUTH_MINUTES").ok().and_then(|text| text.parse().ok()) {
            None => Self { lasts: second(25), life: 6, kick: second(9), mail: second(1) },
            Some(minutes) => {
                let lasts = second(minutes).saturating_mul(60);
                Self { lasts, life: 30, kick: second(61), mail: second(5) }
            }
        }
    }
}

fn oauth(provider: &Provider) -> String {
    format!(
        "[source.oauth]\ntoken_url = \"{}\"\nclient_id = \"kw\"\nrefresh_token = \"{REFRESH}\"",
        provider.url()
    )
}

/// The state of every source, in the order of their names.
fn states(place: &Place) -> Vec<(String, String)> {
    let status = place.json(&["status"]);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let sources = status["sources"].as_array().unwrap().iter();
    sources.map(|source| (text(&source["state"]), text(&source["error"]))).collect()
}

#[test]
fn tokens_that_expire_and_rotate_cost_no_mail_and_a_revoked_one_stops_its_source_only() {
    const LATEST: Duration = Duration::from_secs(60);
    let plan = Plan::asked();
    let servers = ["xoauth2", "oauthbearer"].map(|m| Dovecot::with_tokens(&["ann"], m, ""));
    let providers = servers.each_ref().map(|_| Provider::start("ann", Rotation::Exchanged));
    let mut place = Place::new().with("[sync]\npoll_seconds = 10");
    for ((name, server), provider) in ["a-xoauth2", "b-bearer"].iter().zip(&servers).zip(&providers)
    {
        provider.live(plan.life);
        place = place.imap_by(name, server, server.imaps, "ann", &oauth(provider));
    }
    // Each server has an authority of its own.
    std::fs::write(place.path("ca.pem"), servers.each_ref().map(Dovecot::ca_pem).concat()).unwrap();
    let mut daemon = place.start(&["run"]);
    let (began, mut kicked, mut mailed) = (Instant::now(), Instant::now(), None::<Instant>);
    let (mut sent, mut late, mut waiting) = (0_u64, Duration::ZERO, VecDeque::new());
    let mut kicks = 0;
    while began.elapsed() < plan.lasts || !waiting.is_empty() {
        std::thread::sleep(Duration::from_millis(100));
        assert!(!daemon.has_ended(), "{}", daemon.log());
        if began.elapsed() < plan.lasts && mailed.is_none_or(|at| at.elapsed() >= plan.mail) {
            for server in &servers {
                let text = format!("Message-ID: <{sent}@x>\r\nFrom: bo@acme.example\r\n\r\n");
                // What one person writes in one second is one message.
                server.deliver("ann", "INBOX", 1_704_067_200 + 60 * sent, text.as_bytes());
                sent += 1;
                waiting.push_back((sent, Instant::now()));
            }
            mailed = Some(Instant::now());
        }
        if kicked.elapsed() >= plan.kick {
            servers.iter().for_each(Dovecot::end_connections);
            (kicked, kicks) = (Instant::now(), kicks + 1);
        }
        let stored = if place.database().exists() { rows(&place.database(), "message") } else { 0 };
        while let Some((_, at)) =
            waiting.front().filter(|(number, _)| *number <= stored.unsigned_abs())
        {
            late = late.max(at.elapsed());
            waiting.pop_front();
        }
        let waits = waiting.front().map_or(Duration::ZERO, |(_, at)| at.elapsed());
        assert!(waits < LATEST, "{stored} of {sent} after {waits:?}: {}", daemon.log());
    }
    let exchanges: Vec<usize> = providers.iter().map(|p| p.requests().len()).collect();
    eprintln!(
        "{sent} messages over {:?}: the latest was stored after {late:?}; {kicks} times all \
         connections were ended, exchanges {exchanges:?}",
        began.elapsed()
    );
    assert!(exchanges.iter().all(|count| *count >= 2), "tokens were renewed: {exchanges:?}");
    let log = daemon.log();
    assert!(!log.contains("signed out") && !log.contains("login refused"), "{log}");
    revoked(&place, &servers, &providers, plan.life);
    daemon.signal("-TERM");
}

/// From when its last access token has expired, the first source is stopped and says why; its provider
/// is asked for the newest token and the one before it, and no more. The other goes on.
fn revoked(place: &Place, servers: &[Dovecot; 2], providers: &[Provider; 2], life: i64) {
    providers[0].sign_in("canary-somebody-else");
    let asked = providers[0].requests().len();
    std::thread::sleep(Duration::from_secs(life.unsigned_abs() + 1));
    servers[0].end_connections();
    let began = Instant::now();
    while states(place)[0].0 != "auth_required" {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", states(place));
        std::thread::sleep(Duration::from_millis(200));
    }
    std::thread::sleep(Duration::from_secs(5));
    servers[0].end_connections();
    let told = states(place);
    assert!(told[0].1.contains("invalid_grant") && told[0].1.contains("hint: "), "{told:?}");
    assert_eq!(told[0].0, "auth_required");
    assert_eq!(providers[0].requests().len() - asked, 2, "no storm");
    let stored = rows(&place.database(), "message");
    servers[1].deliver("ann", "INBOX", 1_704_067_200, b"Message-ID: <last@x>\r\n\r\n");
    while rows(&place.database(), "message") == stored {
        assert!(
            began.elapsed() < Duration::from_secs(90),
            "the other is read: {:?}",
            states(place)
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A process that is killed at any instant of an exchange has a token that the provider takes: the one
/// it presented stays valid until the next one is presented, and that is on the disk by then.
#[test]
fn a_kill_at_any_instant_loses_no_login() {
    let server = Dovecot::with_tokens(&["ann"], "xoauth2", "");
    let provider = Provider::start("ann", Rotation::Graceful);
    let place = Place::new().imap_by("ann-mail", &server, server.imaps, "ann", &oauth(&provider));
    for round in 0..12 {
        let before = provider.requests().len();
        let daemon = place.start(&["run"]);
        let began = Instant::now();
        while provider.requests().len() == before {
            assert!(began.elapsed() < Duration::from_secs(20), "round {round}: {}", daemon.log());
            std::thread::sleep(Duration::from_micros(200));
        }
        // From before the answer arrives to after the login.
        std::thread::sleep(Duration::from_micros(500 * round * round));
        daemon.kill();
    }
    place.once(&[]);
    assert_eq!(states(&place)[0].0, "ok");
}
