//! The exchange of refresh tokens: once at a time, durable, and never in vain twice.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keepwarm::http::{AddressPolicy, Client};
use keepwarm::oauth::{Grant, Refresher, Settings};
use keepwarm::source::SourceError;
use keepwarm::source::credentials::{Secrets, looked_up};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::task::TaskTracker;

use crate::support::tokens::{Header, Provider, REFRESH, Rotation};

fn fixed(secret: &str) -> Arc<dyn Secrets> {
    let secret = SecretString::from(secret);
    looked_up(move || Ok(secret.clone()))
}

fn settings(provider: &Provider, directory: &Path, refresh_token: &str) -> Settings {
    Settings {
        token_url: provider.url().parse().unwrap(),
        scope: None,
        grant: grant(Some("canary-client"), fixed(refresh_token), directory),
    }
}

fn grant(client_secret: Option<&str>, refresh_token: Arc<dyn Secrets>, directory: &Path) -> Grant {
    Grant::RefreshToken {
        client_id: "kw".to_owned(),
        client_secret: client_secret.map(fixed),
        refresh_token,
        kept_in: directory.join("tokens/ann.json"),
    }
}

/// A refresher as after a start over this directory.
pub(super) fn refresher(provider: &Provider, directory: &Path, refresh_token: &str) -> Refresher {
    with(settings(provider, directory, refresh_token), AddressPolicy::AllowPrivate)
}

fn with(settings: Settings, policy: AddressPolicy) -> Refresher {
    Refresher::new(settings, Client::new(policy, None).unwrap(), TaskTracker::new())
}

async fn code(refresher: &Refresher) -> &'static str {
    refresher.secret().await.map_or_else(|error| error.code(), |_| "granted")
}

#[tokio::test]
async fn all_who_wait_share_one_refresh_and_its_failure() {
    let provider = Provider::start("ann", Rotation::Exchanged);
    let place = tempfile::tempdir().unwrap();
    let refresher = refresher(&provider, place.path(), REFRESH);
    provider.delay(Duration::from_millis(300));
    let all = || futures_util::future::join_all((0..20).map(|_| refresher.secret()));

    provider.fail(500, &[], "");
    assert!(
        all().await.iter().all(|found| found.as_ref().is_err_and(|e| e.code() == "unreachable"))
    );
    assert_eq!(provider.requests().len(), 1, "a failure is shared");
    provider.recover();
    let tokens: Vec<String> =
        all().await.into_iter().map(|token| token.unwrap().expose_secret().to_owned()).collect();
    assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(provider.requests().len(), 2, "a token is shared");

    // Twenty logins have it refused one after the other; the second would forget the new one.
    let refused = SecretString::from(tokens[0].clone());
    refresher.refused(&refused);
    let new = refresher.secret().await.unwrap();
    refresher.refused(&refused);
    assert_eq!(refresher.secret().await.unwrap().expose_secret(), new.expose_secret());
    assert_eq!(provider.requests().len(), 3);
}

#[tokio::test]
async fn an_exchanged_refresh_token_survives_a_restart_and_a_new_one_wins() {
    let provider = Provider::start("ann", Rotation::Exchanged);
    let place = tempfile::tempdir().unwrap();
    for expected in [REFRESH, "canary-refresh-1", "canary-refresh-2"] {
        refresher(&provider, place.path(), REFRESH).secret().await.unwrap();
        assert_eq!(provider.presented().last().unwrap(), expected);
    }
    let kept = place.path().join("tokens/ann.json");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&kept), mode(&place.path().join("tokens"))), (0o600, 0o700));
    let text = std::fs::read_to_string(&kept).unwrap();
    assert!(text.contains("canary-refresh-3"), "{text}");
    assert!(!text.contains(REFRESH) && !text.contains("canary-client"), "{text}");

    provider.sign_in("canary-anew");
    refresher(&provider, place.path(), "canary-anew").secret().await.unwrap();
    assert_eq!(provider.presented().last().unwrap(), "canary-anew");
    let valid = provider.valid();
    refresher(&provider, place.path(), "canary-anew").secret().await.unwrap();
    assert_eq!(*provider.presented().last().unwrap(), valid, "what came of the new one");
}

/// A pass is dropped whenever its time is up or the daemon stops, also while it waits for a token.
#[tokio::test]
async fn who_asked_may_go_before_the_answer_comes() {
    let provider = Provider::start("ann", Rotation::Exchanged);
    let place = tempfile::tempdir().unwrap();
    let refresher = refresher(&provider, place.path(), REFRESH);
    provider.delay(Duration::from_millis(300));
    let gone = tokio::time::timeout(Duration::from_millis(100), refresher.secret()).await;
    assert!(gone.is_err(), "the answer was not there yet");
    refresher.secret().await.unwrap();
    assert_eq!(provider.requests().len(), 1, "it was waited for by the next");
    self::refresher(&provider, place.path(), REFRESH).secret().await.unwrap();
    assert_eq!(provider.presented(), [REFRESH, "canary-refresh-1"], "and was kept");
}

#[tokio::test]
async fn nothing_is_used_before_the_new_refresh_token_is_on_disk() {
    let provider = Provider::start("ann", Rotation::Exchanged);
    let place = tempfile::tempdir().unwrap();
    let refresher = refresher(&provider, place.path(), REFRESH);
    // A file where the directory has to be: root may write everywhere else.
    let tokens = place.path().join("tokens");
    std::fs::write(&tokens, "").unwrap();
    // Not even read: nothing is presented that could be exchanged.
    assert_eq!(code(&refresher).await, "unreachable");
    assert_eq!(provider.requests().len(), 0);

    std::fs::remove_file(&tokens).unwrap();
    std::fs::create_dir_all(tokens.join("ann.json.new/in-the-way")).unwrap();
    let error = refresher.secret().await.unwrap_err();
    assert_eq!(error.code(), "unreachable", "{error}");
    assert!(error.to_string().contains("keeping the new refresh token"), "{error}");
    assert_eq!(code(&refresher).await, "unreachable", "still not");
    assert_eq!(provider.presented(), [REFRESH], "and nothing else is asked for");
    std::fs::remove_dir_all(tokens.join("ann.json.new")).unwrap();
    assert_eq!(code(&refresher).await, "granted");
    assert_eq!(provider.presented(), [REFRESH, "canary-refresh-1"], "it was not lost");
}

#[tokio::test]
async fn what_was_refused_is_not_presented_again_until_it_is_another() {
    let provider = Provider::start("ann", Rotation::Kept);
    let place = tempfile::tempdir().unwrap();
    let configured = Arc::new(Mutex::new("canary-revoked".to_owned()));
    let look = Arc::clone(&configured);
    let refresh_token = looked_up(move || Ok(look.lock().unwrap().as_str().into()));
    let grant = grant(Some("canary-client"), refresh_token, place.path());
    let settings = Settings { grant, ..settings(&provider, place.path(), "") };
    let refresher = with(settings, AddressPolicy::AllowPrivate);
    for _ in 0..3 {
        let error = refresher.secret().await.unwrap_err();
        assert_eq!(error.code(), "unauthorized", "{error}");
        let told = error.to_string();
        assert!(told.contains("invalid_grant, AADSTS70008; hint: ") && !told.contains("canary"));
    }
    assert_eq!(provider.requests().len(), 1);
    REFRESH.clone_into(&mut configured.lock().unwrap());
    assert_eq!(code(&refresher).await, "granted");
}

#[tokio::test]
async fn each_failure_says_what_the_caller_does_next() {
    let provider = Provider::start("ann", Rotation::Kept);
    let place = tempfile::tempdir().unwrap();
    let refresher = refresher(&provider, place.path(), REFRESH);
    let endless = format!("{{\"access_token\":\"{}\"}}", "x".repeat(70_000));
    let table: &[(u16, &[Header], &str, &str)] = &[
        (500, &[], "", "unreachable"),
        (503, &[("retry-after", "7")], "", "throttled"),
        (307, &[("location", "/elsewhere")], "", "misconfigured"),
        (200, &[], "{}", "protocol"),
        (200, &[], &endless, "protocol"),
        (403, &[], "<html>", "protocol"),
    ];
    for (status, headers, body, expected) in table {
        let before = provider.requests().len();
        provider.fail(*status, headers, body);
        assert_eq!(code(&refresher).await, *expected, "{status}");
        assert_eq!(provider.requests().len(), before + 1, "{status}: asked once");
    }
    provider.fail(429, &[("retry-after", "7")], "");
    let error = refresher.secret().await.unwrap_err();
    let asked = SourceError::Throttled {
        after: Some(Duration::from_secs(7)),
        said: "by the token provider".to_owned(),
    };
    assert_eq!(error, asked);
    provider.recover();
    assert_eq!(code(&refresher).await, "granted");

    let guarded = with(settings(&provider, place.path(), REFRESH), AddressPolicy::Public);
    let before = provider.requests().len();
    assert_eq!(code(&guarded).await, "misconfigured", "this machine was not named for it");
    assert_eq!(provider.requests().len(), before);
    let shown = format!("{guarded:?}");
    assert!(shown.contains("127.0.0.1") && !shown.contains("canary"), "{shown}");

    let gone = self::refresher(&provider, place.path(), REFRESH);
    drop(provider);
    let error = gone.secret().await.unwrap_err();
    assert_eq!(error.code(), "unreachable");
    assert!(!error.to_string().contains("canary"), "{error}");
}

/// What is refused is left alone until what is configured is another: both secrets are.
#[tokio::test]
async fn another_secret_of_the_client_is_another_fingerprint() {
    let provider = Provider::start("ann", Rotation::Kept);
    let place = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    for (token, client_secret) in [
        ("one", Some("expired")),
        ("one", Some("renewed")),
        ("two", Some("renewed")),
        ("two", None),
        ("one", None),
    ] {
        let mut settings = settings(&provider, place.path(), token);
        settings.grant = grant(client_secret, fixed(token), place.path());
        let refresher = with(settings, AddressPolicy::AllowPrivate);
        found.push(refresher.fingerprint().await.unwrap());
    }
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 5, "{found:?}");
}
