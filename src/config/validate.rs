//! From the configuration as written to the one that is used: what takes more than one key.
//!
//! Reports everything it finds and answers with a configuration only if there was nothing. A
//! setting that was given wrongly has been reported before and is not called missing here.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;

use super::layers::Layers;
use super::problem::{Place, Problem};
use super::raw::{Raw, RawIdentity, RawOrganization, RawRep, RawStore, RawSync};
use super::route::Known;
use super::secret::SecretSource;
use super::settings::{Config, Identity, Organization, Rep, Store, Sync};
use super::{account, endpoint, everybody, nudge, privacy, schema, serve, shape, words};
use crate::model::Span;
use crate::normalise::Accounts;
use crate::normalise::address::canonical;
use crate::score::{Parameters, WorkingHours};

/// One item of a list, or one section, while its settings are judged.
pub(super) struct Item<'a> {
    layers: &'a mut Layers,
    section: &'static str,
    path: String,
}

/// Judges the whole of it; the problems are added to the layers'.
pub(super) fn config(
    raw: Raw,
    layers: &mut Layers,
    credentials: Option<&PathBuf>,
) -> Option<Config> {
    let zone = time_zone(&raw.organization.time_zone);
    let known_reps: Vec<String> = raw.rep.iter().filter_map(|rep| rep.id.clone()).collect();
    unique(layers, "rep", "id", raw.rep.iter().map(|rep| as_list(rep.id.as_deref())));
    unique(layers, "rep", "addresses", raw.rep.iter().map(addresses));
    unique(layers, "source", "name", raw.source.iter().map(|s| as_list(s.name.as_deref())));
    unique(layers, "endpoint", "name", raw.endpoint.iter().map(|e| as_list(e.name.as_deref())));
    let people = everybody::reps(&raw.rep);
    let reps = items(layers, "rep", raw.rep, |item, rep| rep_of(item, rep, zone));
    let poll = Duration::from_secs(raw.sync.poll_seconds);
    let names: Vec<String> =
        raw.source.iter().flat_map(|source| as_list(source.name.as_deref())).collect();
    let sources = items(layers, "source", raw.source, |item, written| {
        let known = everybody::Known { reps: &people, ids: &known_reps, names: &names, poll };
        everybody::sources(item, written, &known, credentials)
    });
    let sources = sources.into_iter().flatten().collect();
    account::distinct(layers, &raw.account);
    let (own, target) = (&raw.organization.domains, raw.accounts.target);
    let accounts = items(layers, "account", raw.account, |item, written| {
        account::account(item, written, own, target)
    });
    let known = Known { reps: &known_reps, accounts: &accounts };
    let endpoints = items(layers, "endpoint", raw.endpoint, |item, written| {
        endpoint::endpoint(item, written, &known, credentials)
    });
    let organization = organization(raw.organization, zone);
    let mut item = Item { layers, section: "nudge", path: "nudge".into() };
    let policy = nudge::policy(&mut item, &raw.nudge);
    let restraint = nudge::restraint(&mut item, &raw.nudge, organization.working_hours.days);
    let identity = identity(layers, raw.identity);
    let mut item = Item { layers, section: "store", path: "store".into() };
    let store = store(&mut item, raw.store, credentials);
    let mut item = Item { layers, section: "serve", path: "serve".into() };
    let serve = serve::serve(&mut item, raw.serve, credentials);
    let mut item = Item { layers, section: "privacy", path: "privacy".into() };
    let privacy = privacy::privacy(&mut item, raw.privacy);
    layers.problems.is_empty().then(|| Config {
        files: layers.added.clone(),
        written: layers.written(),
        organization,
        store,
        reps,
        sources,
        endpoints,
        accounts: Accounts::new(accounts, target),
        sync: sync(&raw.sync),
        strength: Parameters {
            meeting_mass: raw.strength.meeting_mass,
            audience_exponent: raw.strength.audience_exponent,
            baseline_half_life_days: raw.strength.baseline_half_life_days,
        },
        nudge: policy,
        restraint,
        matters: nudge::matters(&raw.nudge),
        privacy,
        identity,
        serve,
    })
}

impl Item<'_> {
    /// Reports a problem with a key, where the key stands or else where the item begins.
    pub(super) fn report(&mut self, name: &str, problem: Problem) {
        let place = self.layers.place(&format!("{}/{name}", self.path));
        let place = place.or_else(|| self.layers.place(&self.path));
        self.layers.problems.push(problem.at(place));
    }

    /// Whether the key was given, rightly or wrongly.
    pub(super) fn given(&self, name: &str) -> bool {
        self.layers.given(&format!("{}/{name}", self.path))
    }

    /// The value of a key that must be there.
    pub(super) fn required<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.given(name) {
            let must_be = schema::find(self.section, name).map(|key| shape::must_be(key.shape));
            let must_be = must_be.unwrap_or_default();
            let key = format!("{}.{name}", self.section);
            self.report(name, Problem::error(format!("`{key}` is missing: it must be {must_be}")));
        }
        value
    }

    /// The one way to something that must be given by exactly one of these keys.
    pub(super) fn exactly_one<T>(
        &mut self,
        keys: &[&'static str],
        ways: impl IntoIterator<Item = Option<T>>,
    ) -> Option<T> {
        if !keys.iter().any(|key| self.given(key)) {
            let (section, keys) = (self.section, keys.join(", "));
            let message = format!("`{section}` needs exactly one of {keys}");
            self.report("", Problem::error(message));
        }
        self.at_most_one(keys, ways)
    }

    /// The way to something that can be given by one of these keys, if it is.
    pub(super) fn at_most_one<T>(
        &mut self,
        keys: &[&'static str],
        ways: impl IntoIterator<Item = Option<T>>,
    ) -> Option<T> {
        let given: Vec<&str> = keys.iter().copied().filter(|key| self.given(key)).collect();
        if let [first, .., last] = given.as_slice() {
            let key = format!("{}.{first}", self.section);
            let message = format!("`{key}` and `{}.{last}` are both given", self.section);
            self.report(last, Problem::error(message).hint("keep exactly one of them"));
        }
        ways.into_iter().flatten().next()
    }

    /// The table `section` inside this item, under the key `name`.
    pub(super) fn inside(&mut self, section: &'static str, name: &str) -> Item<'_> {
        Item { layers: self.layers, section, path: format!("{}/{name}", self.path) }
    }
}

/// Judges every item of a list.
fn items<R, T>(
    layers: &mut Layers,
    section: &'static str,
    written: Vec<R>,
    judge: impl Fn(&mut Item<'_>, R) -> Option<T>,
) -> Vec<T> {
    let numbered = written.into_iter().enumerate();
    let judged = numbered.filter_map(|(number, raw)| {
        judge(&mut Item { layers, section, path: format!("{section}/{number}") }, raw)
    });
    judged.collect()
}

/// Reports every value that an earlier item of the list has too, whatever its case.
pub(super) fn unique(
    layers: &mut Layers,
    section: &'static str,
    name: &str,
    values: impl Iterator<Item = Vec<String>>,
) {
    let mut first: HashMap<String, usize> = HashMap::new();
    for (number, values) in values.enumerate() {
        for value in values {
            let earlier = *first.entry(value.clone()).or_insert(number);
            if earlier == number {
                continue;
            }
            let place = layers.place(&format!("{section}/{earlier}/{name}"));
            let message = format!("`{section}.{name}` has {value:?} a second time");
            let problem = Problem::error(message).hint(format!("the first is {}", whence(place)));
            Item { layers, section, path: format!("{section}/{number}") }.report(name, problem);
        }
    }
}

fn whence(place: Option<Place>) -> String {
    match place {
        Some(Place::Line { path, line, .. }) => format!("at {}:{line}", path.display()),
        _ => "above".to_owned(),
    }
}

fn as_list(value: Option<&str>) -> Vec<String> {
    value.map(str::to_lowercase).into_iter().collect()
}

/// The addresses of a rep in canonical form, each once: a rep may write one in several ways.
fn addresses(rep: &RawRep) -> Vec<String> {
    let canonical =
        |a: &String| canonical(a).map_or_else(|| a.to_lowercase(), |address| address.to_string());
    let mut all: Vec<String> = rep.addresses.iter().flatten().map(canonical).collect();
    all.sort();
    all.dedup();
    all
}

fn rep_of(item: &mut Item<'_>, raw: RawRep, zone: Tz) -> Option<Rep> {
    let id = item.required("id", raw.id);
    let name = item.required("name", raw.name);
    let addresses = item.required("addresses", raw.addresses);
    let time_zone = raw.time_zone.map_or(zone, |name| time_zone(&name));
    Some(Rep { id: id?, name: name?, addresses: addresses?, time_zone })
}

fn store(item: &mut Item<'_>, raw: RawStore, credentials: Option<&PathBuf>) -> Store {
    let long = |key: &String| key.trim().chars().count() >= schema::TOKEN_KEY_CHARACTERS;
    if raw.token_key.as_ref().is_some_and(|key| !long(key)) {
        let message = "`store.token_key` must be a string of 32 characters or more";
        item.report("token_key", Problem::error(message).hint("openssl rand -base64 32 makes one"));
    }
    let ways = SecretSource::ways(
        raw.token_key,
        raw.token_key_file,
        raw.token_key_credential,
        raw.token_key_command,
        credentials,
    );
    let token_key = item.at_most_one(&schema::TOKEN_KEY, ways);
    Store { path: PathBuf::from(raw.path), token_key }
}

fn organization(raw: RawOrganization, time_zone: Tz) -> Organization {
    // The table of keys has accepted both.
    let usual = WorkingHours::default();
    let working_hours = WorkingHours {
        days: raw.working_days.parse().unwrap_or(usual.days),
        hours: raw.working_hours.parse().unwrap_or(usual.hours),
    };
    Organization { domains: raw.domains, time_zone, working_hours }
}

/// A zone whose name the table of keys has accepted.
fn time_zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// Of a domain that stands for another one nothing may stand for in turn.
fn identity(layers: &mut Layers, raw: RawIdentity) -> Identity {
    let alias_domains: Vec<(String, String)> =
        raw.alias_domains.iter().filter_map(|pair| words::alias(pair)).collect();
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let mut wrong = Vec::new();
    for (other, one) in &alias_domains {
        if seen.insert(other, one).is_some_and(|before| before != one) {
            wrong.push(format!("{other} is given as another name of two domains"));
        }
        if alias_domains.iter().any(|(again, _)| again == one) {
            wrong.push(format!("{one} stands for {other}, and is given as another name itself"));
        }
    }
    let mut item = Item { layers, section: "identity", path: "identity".into() };
    for what in wrong {
        let problem = Problem::error(format!("`identity.alias_domains`: {what}"));
        let hint = "write one domain on the right for all its names";
        item.report("alias_domains", problem.hint(hint));
    }
    Identity {
        file: raw.file.map(PathBuf::from),
        google_domains: raw.google_domains,
        alias_domains,
    }
}

fn sync(raw: &RawSync) -> Sync {
    Sync {
        poll: Duration::from_secs(raw.poll_seconds),
        connections_per_host: raw.connections_per_host,
        connect_timeout: Duration::from_secs(raw.connect_seconds),
        command_timeout: Duration::from_secs(raw.command_seconds),
        stuck_after: Duration::from_secs(raw.stuck_seconds),
        history: (raw.days_back > 0).then(|| days(raw.days_back)),
    }
}

pub(super) fn days(count: u32) -> Span {
    Span::from_days(i64::from(count))
}
