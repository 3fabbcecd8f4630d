//! The exchange of refresh tokens: once at a time, durable, and never in vain twice.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use keepwarm::http::{AddressPolicy, Client};
use keepwarm::oauth::{Grant, Keeping, Refresher, Sealed, Settings, Shelf};
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
        refresh_token: Some(refresh_token),
        keeping: keeping(directory),
    }
}

/// A key that is always the same.
pub(super) const KEY: &str = "canary-key-0123456789-0123456789";

/// Keeps a token in a file of that directory: the daemon does so in its database.
#[derive(Debug)]
pub(super) struct Filed(PathBuf);

pub(super) fn keeping(directory: &Path) -> Keeping {
    let shelf = Arc::new(Filed(directory.join("kept")));
    Keeping { source: "ann-mail".to_owned(), key: fixed(KEY), shelf }
}

impl Shelf for Filed {
    fn find(&self) -> BoxFuture<'_, Result<Option<Sealed>, SourceError>> {
        let found = match std::fs::read(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SourceError::Unreachable(error.to_string())),
            Ok(bytes) => {
                let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
                let origin = String::from_utf8(bytes[..end].to_vec()).unwrap();
                Ok(Some(Sealed { origin, bytes: bytes[end + 1..].to_vec() }))
            }
        };
        async { found }.boxed()
    }

    fn put(&self, _: Option<String>, sealed: Sealed) -> BoxFuture<'_, Result<(), SourceError>> {
        let bytes = [sealed.origin.as_bytes(), b"\n", &sealed.bytes].concat();
        let new = self.0.with_extension("new");
        let done = std::fs::write(&new, bytes).and_then(|()| std::fs::rename(new, &self.0));
        async { done.map_err(|error| SourceError::Unreachable(error.to_string())) }.boxed()
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
    let kept = std::fs::read(place.path().join("kept")).unwrap();
    assert!(!kept.windows(6).any(|bytes| bytes == b"canary"), "{kept:?}");

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
    // A directory where the file has to be: root may write everywhere else.
    std::fs::create_dir_all(place.path().join("kept")).unwrap();
    // Not even read: nothing is presented that could be exchanged.
    assert_eq!(code(&refresher).await, "unreachable");
    assert_eq!(provider.requests().len(), 0);

    std::fs::remove_dir(place.path().join("kept")).unwrap();
    let in_the_way = place.path().join("kept.new");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let error = refresher.secret().await.unwrap_err();
    assert_eq!(error.code(), "unreachable", "{error}");
    assert!(error.to_string().contains("keeping the new refresh token"), "{error}");
    assert_eq!(code(&refresher).await, "unreachable", "still not");
    assert_eq!(provider.presented(), [REFRESH], "and nothing else is asked for");
    std::fs::remove_dir(in_the_way).unwrap();
    assert_eq!(code(&refresher).await, "granted");
    assert_eq!(provider.presented(), [REFRESH, "canary-refresh-1"], "it was not lost");
}

/// A key that cannot seal is found out before anything is exchanged, and so is another key.
#[tokio::test]
async fn without_the_key_nothing_is_exchanged() {
    let provider = Provider::start("ann", Rotation::Exchanged);
    let place = tempfile::tempdir().unwrap();
    let by = |key: &str| {
        let keeping = Keeping { key: fixed(key), ..keeping(place.path()) };
        let refresh_token = Some(fixed(REFRESH));
        let client_id = "kw".to_owned();
        let grant = Grant::RefreshToken { client_id, client_secret: None, refresh_token, keeping };
        with(
            Settings { grant, ..settings(&provider, place.path(), "") },
            AddressPolicy::AllowPrivate,
        )
    };
    assert_eq!(code(&by("short")).await, "misconfigured");
    assert_eq!(provider.requests().len(), 0);
    assert_eq!(code(&by(KEY)).await, "granted");
    let error = by(&KEY.replace('0', "1")).secret().await.unwrap_err();
    assert!(error.to_string().contains("another store.token_key; hint: "), "{error}");
    assert_eq!(provider.requests().len(), 1);
    assert_eq!(code(&by(KEY)).await, "granted");
}

/// The provider has forgotten what it gave last, as after a restore, or never got to keep it.
#[tokio::test]
async fn the_token_before_the_newest_is_presented_when_that_is_refused() {
    let provider = Provider::start("ann", Rotation::Exchanged);
    let place = tempfile::tempdir().unwrap();
    refresher(&provider, place.path(), REFRESH).secret().await.unwrap();
    provider.sign_in(REFRESH);
    refresher(&provider, place.path(), REFRESH).secret().await.unwrap();
    assert_eq!(provider.presented(), [REFRESH, "canary-refresh-1", REFRESH]);
    refresher(&provider, place.path(), REFRESH).secret().await.unwrap();
    assert_eq!(provider.presented().last().unwrap(), "canary-refresh-3", "the line goes on");
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
        assert_eq!(error.code(), "signed_out", "{error}");
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
