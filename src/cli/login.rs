//! `keepwarm login SOURCE`: somebody signs in at the provider, by a browser or on another device, and
//! the source goes on with what that gives, beside a running daemon or before there is one.
//!
//! Guarantees that nobody is asked to sign in for what could not be kept, that a login which the
//! source refuses is not kept, and that no token is printed.

mod terms;

use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use secrecy::SecretString;

use self::terms::Terms;
use super::{Failure, ask, load, output, runtime};
use crate::clock::{self, Clock};
use crate::config::{self, Config, Login, Provider, SecretSource, SourceKind};
use crate::daemon;
use crate::http::{AddressPolicy, Clients};
use crate::oauth::{Applicant, Granted, Landed, Landing, Outcome, Shown};
use crate::pipeline::request::{Answer, Request};
use crate::source::SourceError;
use crate::source::credentials::Secrets;
use crate::source::probe::{Probe, probe};
use crate::store::{Store, directory};

/// How long the source may take to say whether it takes the login.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The name of the source, such as `ann-mail`; of a source for all reps with the rep: `mail/ann`
    source: String,
    /// Sign in on another device, by a word that is typed there, where the provider allows it
    #[arg(long)]
    device: bool,
    /// The port on this machine's loopback to which the browser comes back; a free one by default
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    #[arg(conflicts_with = "device")]
    port: u16,
    /// For how many minutes it is waited for the browser
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=60), conflicts_with = "device")]
    minutes: u16,
}

pub(super) fn login(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let terms = Terms::of(&config, &arguments.source)?;
    prepare(&config)?;
    let said = runtime()?.block_on(async {
        let desk = Desk::new(&config, &terms).await?;
        if arguments.device {
            desk.on_a_device().await
        } else {
            desk.by_browser(arguments.port, arguments.minutes).await
        }
    })?;
    output::to_stdout(|out| writeln!(out, "{}", output::clean(&said)))?;
    Ok(ExitCode::SUCCESS)
}

/// Sees to it that there is a database, which is its owner's to make.
fn prepare(config: &Config) -> Result<(), Failure> {
    let path = &config.store.path;
    if path.exists() {
        return Ok(());
    }
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|found| found.uid());
    let own = owner(Path::new("/proc/self"));
    if own.is_none() || own != owner(directory(path)) {
        let why = format!("there is no database yet: {}", path.display());
        let hint = "start the daemon first: it makes one, and waits for somebody to sign in";
        return Err(ask::refused(&why, hint));
    }
    Ok(Store::open(path).map(drop)?)
}

/// All that a sign-in for one source needs.
struct Desk<'a> {
    config: &'a Config,
    terms: &'a Terms<'a>,
    key: Arc<dyn Secrets>,
    applicant: Applicant,
}

impl<'a> Desk<'a> {
    /// Refuses before anybody is asked, if what they give could not be kept.
    async fn new(config: &'a Config, terms: &'a Terms<'a>) -> Result<Self, Failure> {
        let key = daemon::token_key(&config.store);
        let name = &terms.source.name;
        Applicant::could_keep(name, &key).await.map_err(|error| {
            let why = format!("what a sign-in gives could not be sealed: {error}");
            ask::refused(&why, &key_hint(config, name))
        })?;
        let policy = if terms.oauth.is_on_this_machine() {
            AddressPolicy::AllowPrivate
        } else {
            AddressPolicy::Public
        };
        let applicant = Applicant {
            client: Clients::new(None)?.of(policy).clone(),
            token_url: terms.oauth.token_url.clone(),
            client_id: terms.client_id.to_owned(),
            client_secret: terms.client_secret.clone(),
            scope: terms.sign_in.scope.clone(),
            more: more(terms),
        };
        Ok(Self { config, terms, key, applicant })
    }

    async fn by_browser(&self, port: u16, minutes: u16) -> Result<String, Failure> {
        let authorization_url = self.terms.authorization_url()?;
        let drawn = [clock::draw_key(), clock::draw_key()];
        let [Some(verifier), Some(state)] = drawn else {
            return Err(anyhow::anyhow!("the system gives no random bytes").into());
        };
        // Microsoft knows any port of this name only, and of the address none but by its manifest.
        let microsoft = self.terms.sign_in.provider == Some(Provider::Microsoft);
        let host = if microsoft { "localhost" } else { "127.0.0.1" };
        let mut landing = Landing::open(host, port, [verifier, state]).await.map_err(|error| {
            ask::refused(&format!("port {port} on 127.0.0.1: {error}"), "give another --port")
        })?;
        let address = self.applicant.address(authorization_url, &landing);
        self.tell_browser(address.as_str(), landing.at().port(), minutes);
        let life = Duration::from_secs(60 * u64::from(minutes));
        let Landed { brought, page } = landing.wait(life).await.map_err(|error| told(&error))?;
        let done = match brought {
            Ok(code) => match self.applicant.exchange(&landing, code).await {
                Ok(granted) => self.keep(&granted).await,
                Err(error) => Err(told(&error)),
            },
            Err(error) => Err(told(&error)),
        };
        let outcome = if done.is_ok() { Outcome::SignedIn } else { Outcome::NotSignedIn };
        landing.close(page, outcome).await;
        done
    }

    async fn on_a_device(&self) -> Result<String, Failure> {
        let device_url = self.terms.device_url()?;
        let granted = self.applicant.on_a_device(device_url, |shown| self.tell_device(shown));
        self.keep(&granted.await.map_err(|error| told(&error))?).await
    }

    /// Tries what was granted, seals it, and gives it to whoever has the database open.
    async fn keep(&self, granted: &Granted) -> Result<String, Failure> {
        self.check(granted).await?;
        let name = &self.terms.source.name;
        let sealed = self.applicant.seal(granted, name, &self.key).await;
        let sealed = sealed.map_err(|error| told(&error))?;
        let asked = Request::SignIn {
            source: name.clone(),
            origin: sealed.origin,
            sealed: STANDARD.encode(&sealed.bytes),
        };
        let config = self.config.clone();
        let answer = tokio::task::spawn_blocking(move || ask::answer(&config, &asked)).await??;
        match answer {
            Answer::Done { said, .. } => Ok(said),
            Answer::TakenOut { .. } => Ok(String::new()),
            Answer::Refused { why, hint } => Err(ask::refused(&why, &hint)),
        }
    }

    /// Whether the source takes it: a browser may be signed in as somebody else.
    async fn check(&self, granted: &Granted) -> Result<(), Failure> {
        let source = with_token(self.terms.source, granted.access_token.clone());
        let reader = daemon::reader_alone(self.config, &source)?;
        let mut seen = Probe::default();
        let tried = probe(&reader, &mut seen, Clock::System.now());
        let whom = self.terms.whom.unwrap_or("the owner of the source");
        match tokio::time::timeout(PATIENCE, tried).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error @ SourceError::Unauthorized(_))) => {
                let why = format!("{}: nothing was kept: {error}", source.name);
                let hint = format!(
                    "it has to be {whom} who signs in; a browser may have chosen another account"
                );
                Err(ask::refused(&why, &hint))
            }
            Ok(Err(error)) => {
                output::note(&format!("the login is kept; it was tried, and then: {error}"));
                Ok(())
            }
            Err(_) => {
                output::note("the login is kept; the source has not answered when it was tried");
                Ok(())
            }
        }
    }

    fn tell_browser(&self, address: &str, port: u16, minutes: u16) {
        let whom = self.whom();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() { "THIS-HOST" } else { host.trim() };
        say(&format!(
            "Open this in a browser within {minutes} minutes, and sign in{whom}:\n\n  {address}\n\n\
             It comes back to port {port} of the machine that the browser runs on. If that is another\n\
             one than this, run there first:\n\n  ssh -L {port}:127.0.0.1:{port} {host}\n"
        ));
    }

    fn tell_device(&self, shown: &Shown) {
        let (whom, minutes) = (self.whom(), shown.life.as_secs().div_ceil(60));
        let Shown { address, word, .. } = shown;
        say(&format!(
            "Open this in a browser on any device within {minutes} minutes, sign in{whom}, and type the\n\
             word:\n\n  {address}\n  {word}\n"
        ));
    }

    fn whom(&self) -> String {
        self.terms.whom.map_or_else(String::new, |whom| format!(" as {}", output::clean(whom)))
    }
}

/// What the browser is sent with beside what every provider understands: Google gives a refresh
/// token only to who asks for it, and again only to who asks the person again.
fn more(terms: &Terms<'_>) -> Vec<(&'static str, String)> {
    let mut more = Vec::new();
    if terms.sign_in.provider == Some(Provider::Google) {
        more.push(("access_type", "offline".to_owned()));
        more.push(("prompt", "consent".to_owned()));
    }
    // OpenID Connect Core, 3.1.2.1.
    more.extend(terms.whom.map(|whom| ("login_hint", whom.to_owned())));
    more
}

/// The source as it is with that access token.
fn with_token(source: &config::Source, token: SecretString) -> config::Source {
    let mut source = source.clone();
    let login = Login::Token(SecretSource::Inline(token));
    match &mut source.kind {
        SourceKind::Imap(imap) => imap.login = login,
        SourceKind::Caldav(dav) => dav.login = login,
        SourceKind::GoogleCalendar(api) | SourceKind::GraphCalendar(api) => api.login = login,
        SourceKind::Maildir { .. } | SourceKind::Ics { .. } | SourceKind::Feed(_) => {}
    }
    source
}

/// How to come by the key that seals.
fn key_hint(config: &Config, name: &str) -> String {
    let make = "openssl rand -base64 32";
    match &config.store.token_key {
        Some(SecretSource::File(path)) => {
            format!("if there is none yet: {make} >{}", path.display())
        }
        Some(key @ SecretSource::Credential { .. }) => {
            let lend = terms::lend(key, name);
            format!(
                "{lend}\nhint: if there is none yet: {make} >/etc/keepwarm/credentials/NAME, by the \
                 NAME of store.token_key_credential"
            )
        }
        Some(key) => format!("{} {make} prints a key", terms::lend(key, name)),
        None => {
            "it is made beside the database: run this as root or as the daemon's user".to_owned()
        }
    }
}

/// What an error of the provider's is to whoever typed the command.
fn told(error: &SourceError) -> Failure {
    Failure::Runtime(anyhow::anyhow!("{}", error.to_string().replace("; hint: ", "\nhint: ")))
}

/// Says what somebody is to do, on standard error.
fn say(text: &str) {
    _ = writeln!(io::stderr(), "{text}");
}
