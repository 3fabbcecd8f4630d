//! From the configuration to what runs: rows for reps and sources, settings for adapters.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex};

use rustls::ClientConfig;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::places::Places;
use super::{Daemon, Scheduled, answers, format, login, web};
use crate::clock::Clock;
use crate::config::{self, Config, SourceKind};
use crate::deliver::{Endpoint, Pace, Secret};
use crate::http::{self, AddressPolicy, Clients};
use crate::model::feedback::LinkKey;
use crate::model::{Address, Key, Span, Timestamp};
use crate::normalise::Own;
use crate::normalise::address::{Aliases, ascii_domain, canonical};
use crate::nudge::AGAIN;
use crate::pipeline::deliver::Target;
use crate::pipeline::identity::roster;
use crate::pipeline::retention::Ages;
use crate::pipeline::sync::Progress;
use crate::pipeline::{Made, Rules, ingest, sync};
use crate::score::MODEL;
use crate::serve::link::Linking;
use crate::source::{Reader, caldav, ics, imap, maildir};
use crate::store::{
    Db, Store, StoreError, basis, calibration, endpoint, feedback, relationship, rep, source,
};

/// Why nothing can be started.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// What is configured cannot be used: the admin mends it.
    #[error("{what}: {why}")]
    Unusable {
        /// The setting.
        what: String,
        /// Why not.
        why: String,
    },
    /// A file that the configuration names is wrong: the admin mends it.
    #[error("{0}")]
    Wrong(String),
    /// The database's doing.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the store and prepares everything that the configuration names.
///
/// # Errors
/// [`BuildError`]; nothing runs then.
pub async fn open(config: &Config, clock: Clock) -> Result<Daemon, BuildError> {
    let people =
        config::people(config).map_err(|problem| BuildError::Wrong(problem.to_string()))?;
    let fresh = answers::fresh_key()?;
    let store = Arc::new(Store::open(&config.store.path)?);
    let rows = store
        .write({
            let config = config.clone();
            let now = clock.now();
            move |db| enter(db, &config, &people, &fresh, now)
        })
        .await?;
    let clients = Clients::new(None).map_err(|e| unusable("tls", &e.to_string()))?;
    let shared = login::Shared {
        clients,
        refreshes: TaskTracker::new(),
        files: ics::Watch::default(),
        store: Some(Arc::clone(&store)),
    };
    let mut tls = SharedTls::default();
    let mut roots = SharedClients::default();
    let mut places = Places::default();
    let mut sources = Vec::new();
    for (found, (id, rep)) in config.sources.iter().zip(&rows.sources) {
        let reader = reader(config, found, (&mut tls, &mut roots), &shared)?;
        let at_once = config.sync.connections_per_host as usize;
        let place = reader.login().map(|login| places.of(&login, at_once));
        let poll = Span::from_duration(found.poll);
        let source = sync::Source {
            id: *id,
            rep: *rep,
            name: found.name.clone(),
            reader,
            authserv_id: authserv_id(&found.kind),
            history: history(config),
        };
        let (noted_at, signed_in) = (AtomicI64::new(0), Notify::new());
        sources.push(Scheduled { source, poll, place, noted_at, signed_in });
    }
    let linking = answers::linking(config, &rows.link_key);
    let targets = targets(config, &rows.endpoints, linking.as_ref())?;
    let pace = Pace::new(targets.iter().map(|one| (&one.endpoint.url, one.endpoint.rate)));
    Ok(Daemon {
        store,
        rules: Arc::new(rows.rules),
        sources,
        targets,
        access: answers::access(config, rows.link_key)?,
        clients: shared.clients,
        pace,
        clock,
        began: Instant::now(),
        refreshes: shared.refreshes,
        progress: Progress::default(),
        stored: Notify::new(),
        owed: Notify::new(),
        unread: AtomicBool::new(false),
        unstored: Mutex::new(None),
    })
}

/// How much history is read: nothing that would be taken out again.
fn history(config: &Config) -> Option<Span> {
    let kept = [config.sync.history, config.privacy.keep_interactions];
    kept.into_iter().flatten().min()
}

/// What the reading commands go by: the rules, with the rows that the database has. Writes nothing.
///
/// # Errors
/// What the store says.
pub fn rules_for_reading(db: &Db, config: &Config) -> Result<Rules, StoreError> {
    let mut reps = Vec::new();
    for configured in &config.reps {
        if let Some(row) = rep::find(db, &configured.id)? {
            reps.push((configured, row));
        }
    }
    rules(db, config, &reps)
}

/// The rows of what the configuration names.
struct Rows {
    sources: Vec<(i64, i64)>,
    endpoints: Vec<(i64, bool)>,
    rules: Rules,
    link_key: LinkKey,
}

fn enter(
    db: &Db,
    config: &Config,
    people: &[BTreeSet<Address>],
    fresh: &LinkKey,
    now: Timestamp,
) -> Result<Rows, StoreError> {
    let mut reps = Vec::new();
    for configured in &config.reps {
        let address = configured.addresses.first().map_or("", String::as_str);
        let row = rep::ensure(db, &configured.id, &configured.name, address)?;
        // A process that was killed may have read what its decisions waited for.
        relationship::hasten(db, row, now, AGAIN)?;
        reps.push((configured, row));
    }
    let row_of: HashMap<&str, i64> =
        reps.iter().map(|(rep, row)| (rep.id.as_str(), *row)).collect();
    let mut sources = Vec::new();
    for configured in &config.sources {
        let rep = row_of.get(configured.rep.as_str()).copied().unwrap_or_default();
        let id = source::ensure(db, &configured.name, rep, kind(&configured.kind))?;
        sources.push((id, rep));
    }
    source::disable_others(db, &sources.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
    let mut endpoints = Vec::new();
    for configured in &config.endpoints {
        let url = Key::of("url", &[configured.url.as_str().as_bytes()]);
        endpoints.push(endpoint::ensure(db, &configured.name, url)?);
    }
    let rules = rules(db, config, &reps)?;
    if basis::adopt(db, basis_of(&rules))? {
        tracing::info!("settings have changed: every strength is computed again");
    }
    ingest::leave_out(db, &rules, now)?;
    roster::keep_names(db)?;
    roster::fold_spellings(db, &rules, now)?;
    roster::apply(db, &rules, people, now)?;
    let link_key = feedback::link_key(db, fresh, now)?;
    Ok(Rows { sources, endpoints, rules, link_key })
}

fn rules(db: &Db, config: &Config, reps: &[(&config::Rep, i64)]) -> Result<Rules, StoreError> {
    let address_of = |text: &String| -> Option<Address> { canonical(text) };
    let aliases = reps.iter().flat_map(|(rep, row)| {
        rep.addresses.iter().filter_map(address_of).map(|address| (address, *row))
    });
    let domains = |names: &[String]| -> Vec<String> {
        names.iter().filter_map(|d| ascii_domain(d)).collect()
    };
    let own = Own::new(aliases, domains(&config.organization.domains)).excluding(
        config.privacy.exclude_addresses.iter().filter_map(address_of),
        domains(&config.privacy.exclude_domains),
    );
    let identity = &config.identity;
    let aliases = Aliases::new(domains(&identity.google_domains), identity.alias_domains.clone());
    let own = own.aliasing(aliases);
    let mut policy = config.nudge;
    if let Some(calibration) = calibration::in_force(db)? {
        policy.hazard = policy.hazard.through(calibration.slope, calibration.intercept);
    }
    Ok(Rules {
        own,
        accounts: config.accounts.clone(),
        zones: reps.iter().map(|(rep, row)| (*row, rep.time_zone)).collect(),
        hours: config.organization.working_hours,
        parameters: config.strength,
        policy,
        restraint: config.restraint.clone(),
        matters: config.matters.clone(),
        ages: Ages {
            interactions: config.privacy.keep_interactions,
            nudges: config.privacy.keep_nudges,
            deliveries: config.privacy.keep_deliveries,
            quarantine: config.privacy.keep_quarantine,
        },
        made: Made::default(),
    })
}

/// Hash of what the states of relationships are computed by.
fn basis_of(rules: &Rules) -> Key {
    let mut zones: Vec<_> = rules.zones.iter().map(|(rep, zone)| (*rep, zone.name())).collect();
    zones.sort_unstable();
    let all = format!("{MODEL} {:?} {:?} {zones:?}", rules.parameters, rules.policy);
    Key::of("basis", &[all.as_bytes()])
}

const fn kind(kind: &SourceKind) -> &'static str {
    match kind {
        SourceKind::Imap(_) => "imap",
        SourceKind::Caldav(_) => "caldav",
        SourceKind::Maildir { .. } => "maildir",
        SourceKind::Ics { .. } | SourceKind::Feed(_) => "ics",
        SourceKind::GoogleCalendar(_) => "google_calendar",
        SourceKind::GraphCalendar(_) => "graph_calendar",
    }
}

fn authserv_id(kind: &SourceKind) -> Option<String> {
    match kind {
        SourceKind::Imap(imap) => imap.authserv_id.clone(),
        SourceKind::Maildir { authserv_id, .. } => authserv_id.clone(),
        SourceKind::Caldav(_)
        | SourceKind::Ics { .. }
        | SourceKind::Feed(_)
        | SourceKind::GoogleCalendar(_)
        | SourceKind::GraphCalendar(_) => None,
    }
}

/// One TLS configuration for each set of extra roots.
#[derive(Default)]
struct SharedTls(HashMap<Option<PathBuf>, Arc<ClientConfig>>);

impl SharedTls {
    fn get(&mut self, ca_file: Option<&PathBuf>) -> Result<Arc<ClientConfig>, BuildError> {
        if let Some(found) = self.0.get(&ca_file.cloned()) {
            return Ok(Arc::clone(found));
        }
        let pem = ca_file.map(|path| read_roots(path)).transpose()?;
        let made = http::tls_config(pem.as_deref()).map_err(|e| unusable("tls", &e.to_string()))?;
        self.0.insert(ca_file.cloned(), Arc::clone(&made));
        Ok(made)
    }
}

/// HTTP clients for each set of extra roots.
#[derive(Default)]
struct SharedClients(HashMap<PathBuf, Clients>);

impl SharedClients {
    fn get(
        &mut self,
        ca_file: Option<&PathBuf>,
        shared: &login::Shared,
    ) -> Result<Clients, BuildError> {
        let Some(path) = ca_file else { return Ok(shared.clients.clone()) };
        if let Some(found) = self.0.get(path) {
            return Ok(found.clone());
        }
        let made =
            Clients::new(Some(&read_roots(path)?)).map_err(|e| unusable("tls", &e.to_string()))?;
        self.0.insert(path.clone(), made.clone());
        Ok(made)
    }
}

fn read_roots(path: &Path) -> Result<Vec<u8>, BuildError> {
    std::fs::read(path).map_err(|error| {
        unusable(&format!("reading ca_file {}", path.display()), &error.to_string())
    })
}

fn reader(
    config: &Config,
    found: &config::Source,
    (tls, roots): (&mut SharedTls, &mut SharedClients),
    shared: &login::Shared,
) -> Result<Reader, BuildError> {
    let exclude_mailboxes = found.exclude_mailboxes.clone();
    Ok(match &found.kind {
        SourceKind::Imap(imap) => {
            let credentials = login::credentials(config, found, &imap.login, shared)?;
            let mut settings = imap::Settings::new(&imap.host, &imap.username, credentials);
            settings.port = imap.port;
            settings.tls = match imap.tls {
                config::Tls::Implicit => imap::TlsMode::Implicit,
                config::Tls::StartTls => imap::TlsMode::StartTls,
                config::Tls::None => imap::TlsMode::None,
            };
            settings.connect_timeout = config.sync.connect_timeout;
            settings.response_timeout = config.sync.command_timeout;
            settings.command_timeout = settings.command_timeout.max(config.sync.command_timeout);
            settings.exclude_mailboxes = exclude_mailboxes;
            Reader::Imap(Arc::new(settings), tls.get(imap.ca_file.as_ref())?)
        }
        SourceKind::Caldav(caldav) => {
            let settings = caldav::Settings {
                url: caldav.url.clone(),
                username: caldav.username.clone(),
                credentials: login::credentials(config, found, &caldav.login, shared)?,
                response_timeout: config.sync.command_timeout,
                exclude_mailboxes,
            };
            Reader::Caldav(Arc::new(settings), roots.get(caldav.ca_file.as_ref(), shared)?)
        }
        SourceKind::Maildir { path, .. } => {
            Reader::Maildir(maildir::Settings { path: path.clone(), exclude_mailboxes })
        }
        SourceKind::Ics { path } => {
            Reader::Ics(ics::Settings { path: path.clone() }, shared.files.clone())
        }
        SourceKind::GoogleCalendar(api) => {
            let credentials = login::credentials(config, found, &api.login, shared)?;
            let settings = web::google_calendar(found, api, credentials, &shared.clients);
            Reader::GoogleCalendar(Arc::new(settings))
        }
        SourceKind::GraphCalendar(api) => {
            let credentials = login::credentials(config, found, &api.login, shared)?;
            let own = config.reps.iter().find(|rep| rep.id == found.rep);
            let own = own.map_or(&[][..], |rep| &rep.addresses);
            let settings = web::graph_calendar(found, api, own, credentials, &shared.clients);
            Reader::GraphCalendar(Arc::new(settings))
        }
        SourceKind::Feed(feed) => Reader::Feed(Arc::new(web::feed(feed, &shared.clients)?)),
    })
}

/// A source as it is read, by itself: for whoever tries one. Not one whose refresh tokens are
/// exchanged: only whoever has the database may do that.
///
/// # Errors
/// What cannot be used of what is configured.
pub fn reader_alone(config: &Config, found: &config::Source) -> Result<Reader, BuildError> {
    let clients = Clients::new(None).map_err(|e| unusable("tls", &e.to_string()))?;
    let shared = login::Shared {
        clients,
        refreshes: TaskTracker::new(),
        files: ics::Watch::default(),
        store: None,
    };
    reader(config, found, (&mut SharedTls::default(), &mut SharedClients::default()), &shared)
}

fn targets(
    config: &Config,
    rows: &[(i64, bool)],
    linking: Option<&Linking>,
) -> Result<Vec<Arc<Target>>, BuildError> {
    let mut targets = Vec::new();
    for (found, (id, usable)) in config.endpoints.iter().zip(rows) {
        if !usable {
            tracing::warn!(endpoint = found.name, "disabled: its url has answered 410 gone");
            continue;
        }
        let linking = linking.cloned();
        targets.push(Arc::new(Target { linking, ..target(found, *id)? }));
    }
    Ok(targets)
}

/// An endpoint as deliveries need it; `id` is its row.
///
/// # Errors
/// What cannot be used of what is configured.
pub fn target(found: &config::Endpoint, id: i64) -> Result<Target, BuildError> {
    let what = format!("format of endpoint {}", found.name);
    let format = format::format(found).map_err(|e| unusable(&what, &chain(&e)))?;
    let policy = if found.allow_private || found.is_on_this_machine() {
        AddressPolicy::AllowPrivate
    } else {
        AddressPolicy::Public
    };
    let endpoint = Endpoint {
        name: found.name.clone(),
        url: found.url.clone(),
        secrets: secrets(found)?,
        timeout: found.timeout,
        policy,
        rate: found.requests_per_second,
        content_type: format.content_type().to_owned(),
    };
    let (route, digest) = (format::route(found), found.digest);
    Ok(Target { id, endpoint, format, route, digest, linking: None })
}

/// What signs for an endpoint, the newest first.
///
/// # Errors
/// What cannot be read, or is no secret.
pub fn secrets(endpoint: &config::Endpoint) -> Result<Vec<Secret>, BuildError> {
    let named = [
        ("secret", endpoint.secret.as_ref()),
        ("previous secret", endpoint.previous_secret.as_ref()),
    ];
    let mut secrets = Vec::new();
    for (name, source) in named.into_iter().filter_map(|(name, source)| Some((name, source?))) {
        let what = format!("{name} of endpoint {}", endpoint.name);
        let secret = source.resolve().map_err(|e| unusable(&what, &chain(&e)))?;
        let secret = Secret::parse(secrecy::ExposeSecret::expose_secret(&secret))
            .map_err(|e| unusable(&what, &e.to_string()))?;
        secrets.push(secret);
    }
    Ok(secrets)
}

pub(super) fn unusable(what: &str, why: &str) -> BuildError {
    BuildError::Unusable { what: what.to_owned(), why: why.to_owned() }
}

/// An error with its causes, separated by colons.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
