//! From the configuration to what runs: rows for reps and sources, settings for adapters.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::places::{Place, Places};
use super::pulse::Pulses;
use super::readers::{SharedClients, SharedTls, reader};
use super::{Daemon, Scheduled, answers, format, login};
use crate::clock::Clock;
use crate::config::{self, Config, SourceKind};
use crate::deliver::{Endpoint, Pace, Secret};
use crate::http::{AddressPolicy, Clients};
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
use crate::serve::{Access, Token};
use crate::source::{Reader, ics};
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
    let store = Arc::new(Store::open(&config.store.path)?);
    let pulses = Pulses::new(config.sync.stuck_after);
    let ground = Ground { store, pulses, refreshes: TaskTracker::new(), clock };
    let prepared = prepare(config, &ground)?;
    Ok(assemble(ground, prepared, config, None).await?)
}

/// What a daemon stands on, whatever its configuration.
#[derive(Clone)]
pub(super) struct Ground {
    pub(super) store: Arc<Store>,
    pub(super) pulses: Pulses,
    pub(super) refreshes: TaskTracker,
    pub(super) clock: Clock,
}

/// Everything that the configuration names, as far as nothing has to be written for it.
pub(super) struct Prepared {
    people: Vec<BTreeSet<Address>>,
    fresh: LinkKey,
    clients: Clients,
    /// One for each source, in order.
    readers: Vec<(Reader, Option<Place>)>,
    /// One for each endpoint, in order, without its row.
    targets: Vec<Target>,
    token: Option<Token>,
}

/// Looks up every secret and file, and changes nothing. Blocks on files and on commands.
///
/// # Errors
/// What cannot be used of what is configured.
pub(super) fn prepare(config: &Config, ground: &Ground) -> Result<Prepared, BuildError> {
    let people =
        config::people(config).map_err(|problem| BuildError::Wrong(problem.to_string()))?;
    let fresh = answers::fresh_key()?;
    let clients = Clients::new(None).map_err(|e| unusable("tls", &e.to_string()))?;
    let shared = login::Shared {
        clients,
        refreshes: ground.refreshes.clone(),
        files: ics::Watch::default(),
        store: Some(Arc::clone(&ground.store)),
    };
    let (mut tls, mut roots) = (SharedTls::default(), SharedClients::default());
    let mut places = Places::default();
    let mut readers = Vec::new();
    for found in &config.sources {
        let reader = reader(config, found, (&mut tls, &mut roots), &shared)?;
        let at_once = config.sync.connections_per_host as usize;
        let place = reader.login().map(|login| places.of(&login, at_once));
        readers.push((reader, place));
    }
    let targets =
        config.endpoints.iter().map(|found| target(found, 0)).collect::<Result<_, _>>()?;
    let token = answers::token(config)?;
    Ok(Prepared { people, fresh, clients: shared.clients, readers, targets, token })
}

/// Enters the rows of what was prepared, in one transaction, and puts everything together; `before` is
/// in whose place it comes.
///
/// # Errors
/// What the store says; the rows are as they were then.
pub(super) async fn assemble(
    ground: Ground,
    prepared: Prepared,
    config: &Config,
    before: Option<&Daemon>,
) -> Result<Daemon, StoreError> {
    let Ground { store, pulses, refreshes, clock } = ground;
    let Prepared { people, fresh, clients, readers, targets, token } = prepared;
    let enter = {
        let (config, now) = (config.clone(), clock.now());
        move |db: &Db| enter(db, &config, &people, &fresh, now)
    };
    let rows = store.write(enter).await?;
    let named = config.sources.iter().zip(readers).zip(&rows.sources);
    let sources = named.map(|((found, (reader, place)), (id, rep))| {
        let source = sync::Source {
            id: *id,
            rep: *rep,
            name: found.name.clone(),
            reader,
            authserv_id: authserv_id(&found.kind),
            history: history(config),
            private: config.privacy.private_mailboxes.clone(),
        };
        let poll = Span::from_duration(found.poll);
        let same = before.and_then(|daemon| daemon.scheduled(&found.name));
        let signed_in = same.map(|source| Arc::clone(&source.signed_in)).unwrap_or_default();
        Arc::new(Scheduled { source, poll, place, noted_at: AtomicI64::new(0), signed_in })
    });
    let linking = answers::linking(config, &rows.link_key);
    let targets = usable(targets, &rows.endpoints, linking.as_ref());
    let pace = Pace::new(targets.iter().map(|one| (&one.endpoint.url, one.endpoint.rate)));
    let sources: Vec<Arc<Scheduled>> = sources.collect();
    let by_name = sources.iter().zip(0..).map(|(one, at)| (one.source.name.clone(), at)).collect();
    Ok(Daemon {
        sources,
        by_name,
        store,
        rules: Arc::new(rows.rules),
        targets,
        access: Access { key: rows.link_key, token },
        clients,
        pace,
        clock,
        began: Instant::now(),
        pulses,
        refreshes,
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
    let own = own.wholly(config.privacy.match_any);
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

/// The endpoints that are not gone, with their rows.
fn usable(
    targets: Vec<Target>,
    rows: &[(i64, bool)],
    linking: Option<&Linking>,
) -> Vec<Arc<Target>> {
    let mut left = Vec::new();
    for (target, &(id, usable)) in targets.into_iter().zip(rows) {
        if !usable {
            let endpoint = target.endpoint.name;
            tracing::warn!(endpoint, "disabled: its url has answered 410 gone");
            continue;
        }
        left.push(Arc::new(Target { id, linking: linking.cloned(), ..target }));
    }
    left
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
