//! `keepwarm nudges test` and `key`: whether an endpoint takes what it is sent, and what it verifies by.
//!
//! Needs the configuration only: a test is signed and written as every nudge is, and leaves no trace in
//! the database. An endpoint that was left alone for its failures is tried again once it took the test.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::output::{self, Align, Cell, Column, Format, Look, Table};
use crate::cli::{Failure, ask, load, runtime};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::daemon;
use crate::deliver::format::render;
use crate::deliver::{Delivery, Outcome, Verdict, advice, post, test_message, verdict};
use crate::http::Clients;
use crate::model::Timestamp;
use crate::nudge::payload::RepPart;
use crate::pipeline::deliver::Target;
use crate::pipeline::request::Request;
use crate::store::{endpoint, open_reader};

#[derive(Debug, Args)]
pub(super) struct Testing {
    /// Which; all if none is named
    #[arg(value_name = "ENDPOINT")]
    endpoint: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What came of a test. The names of its fields are a contract.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Tested {
    endpoint: String,
    pub(in crate::cli) delivered: bool,
    pub(in crate::cli) result: String,
    pub(in crate::cli) status: Option<u16>,
    pub(in crate::cli) took_ms: i64,
    answer: String,
    pub(in crate::cli) hint: Option<&'static str>,
    pub(in crate::cli) webhook_id: String,
}

/// What a receiver verifies by. The names of its fields are a contract.
#[derive(Debug, Serialize)]
struct Keys {
    endpoint: String,
    public_key: Option<String>,
    previous_public_key: Option<String>,
}

pub(super) fn test(path: &Path, testing: &Testing) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let targets = chosen(&config, testing.endpoint.as_deref())?
        .into_iter()
        .map(|found| daemon::target(found, 0))
        .collect::<Result<Vec<Target>, _>>()?;
    let (clients, rep) = (Clients::new(None)?, rep(&config));
    let tries = targets.iter().map(|target| try_one(&clients, target, rep.clone()));
    let tested: Vec<Tested> = runtime()?.block_on(futures_util::future::join_all(tries));
    let look = Look::of_stdout();
    output::to_stdout(|out| output::print(out, testing.format, look, &table(&tested), &tested))?;
    for one in &tested {
        if let Some(hint) = one.hint {
            output::note(&format!("hint: {}: {hint}", one.endpoint));
        }
    }
    for one in tested.iter().filter(|one| one.delivered) {
        release(&config, &one.endpoint)?;
    }
    let all = tested.iter().all(|one| one.delivered);
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Posts a test to one endpoint; an error is why it cannot even be tried.
pub(in crate::cli) async fn try_endpoint(
    config: &Config,
    found: &config::Endpoint,
) -> Result<Tested, String> {
    let target = daemon::target(found, 0).map_err(|error| error.to_string())?;
    let clients = Clients::new(None).map_err(|error| error.to_string())?;
    Ok(try_one(&clients, &target, rep(config)).await)
}

pub(super) fn key(path: &Path, testing: &Testing) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let mut keys = Vec::new();
    for found in chosen(&config, testing.endpoint.as_deref())? {
        let secrets = daemon::secrets(found)?;
        let of = |at: usize| secrets.get(at).and_then(crate::deliver::Secret::public_key);
        let endpoint = found.name.clone();
        keys.push(Keys { endpoint, public_key: of(0), previous_public_key: of(1) });
    }
    let look = Look::of_stdout();
    output::to_stdout(|out| output::print(out, testing.format, look, &key_table(&keys), &keys))?;
    if keys.iter().all(|one| one.public_key.is_none() && one.previous_public_key.is_none()) {
        output::note(
            "hint: a `whsec_` secret has no public half: the receiver has the secret itself; \
             `whsk_` and the output of `openssl rand -base64 32` is one that has",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The endpoint of that name, or all.
fn chosen<'a>(
    config: &'a Config,
    name: Option<&str>,
) -> Result<Vec<&'a config::Endpoint>, Failure> {
    let all: Vec<&config::Endpoint> = config.endpoints.iter().collect();
    let names: Vec<&str> = all.iter().map(|found| found.name.as_str()).collect();
    let chosen: Vec<_> =
        all.into_iter().filter(|found| name.is_none_or(|name| name == found.name)).collect();
    match name {
        _ if !chosen.is_empty() => Ok(chosen),
        _ if names.is_empty() => {
            Err(Failure::Usage("error: there is no [[endpoint]] in the configuration".to_owned()))
        }
        name => Err(Failure::Usage(format!(
            "error: there is no endpoint {}\nhint: there is {}",
            name.unwrap_or_default(),
            names.join(", ")
        ))),
    }
}

/// To whom a test speaks: the first rep.
fn rep(config: &Config) -> RepPart {
    match config.reps.first() {
        Some(rep) => RepPart {
            id: rep.id.clone(),
            name: rep.name.clone(),
            address: rep.addresses.first().cloned().unwrap_or_default(),
        },
        None => RepPart {
            id: "test".to_owned(),
            name: "Test Rep".to_owned(),
            address: "test@rep.example".to_owned(),
        },
    }
}

async fn try_one(clients: &Clients, target: &Target, rep: RepPart) -> Tested {
    let (name, began) = (&target.endpoint.name, Clock::System.now());
    let message = test_message(name, rep, began);
    let outcome = match render(&target.format, &message) {
        Ok(rendered) => {
            let delivery = Delivery { id: message.id.clone(), body: rendered.body, attempt: 1 };
            Ok(post(clients, &target.endpoint, &delivery, began).await)
        }
        Err(error) => Err(error.to_string()),
    };
    let took_ms = (Clock::System.now() - began).millis();
    let (result, delivered) = match &outcome {
        Ok(outcome) => result(outcome, began),
        Err(error) => (error.clone(), false),
    };
    let (status, answer) = match &outcome {
        Ok(Outcome::Answered { status, answer, .. }) => (Some(*status), answer.clone()),
        _ => (None, String::new()),
    };
    let hint = outcome.as_ref().map_or(None, advice);
    let (endpoint, webhook_id) = (name.clone(), message.id);
    Tested { endpoint, delivered, result, status, took_ms, answer, hint, webhook_id }
}

/// What an outcome is, in words, and whether it is success.
fn result(outcome: &Outcome, now: Timestamp) -> (String, bool) {
    match verdict(outcome, 1, now, 0.0) {
        Verdict::Delivered => ("delivered".to_owned(), true),
        Verdict::Retry { why, .. } | Verdict::Dead { why } | Verdict::Disable { why } => {
            (why, false)
        }
    }
}

/// Has an endpoint tried again at once that is left alone for its failures.
fn release(config: &Config, name: &str) -> Result<(), Failure> {
    let Ok(db) = open_reader(&config.store.path) else { return Ok(()) };
    let now = Clock::System.now();
    let held = endpoint::all(&db, now)?.into_iter().any(|found| {
        found.name == name && found.condition.held_until.is_some_and(|until| until > now)
    });
    drop(db);
    if held {
        ask::answer(config, &Request::ReleaseEndpoint { endpoint: name.to_owned() })?;
        output::note(&format!("{name} was left alone for its failures: it is tried again now"));
    }
    Ok(())
}

fn table(tested: &[Tested]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("endpoint", "endpoint", Align::Left),
        column("result", "result", Align::Left),
        column("took_ms", "ms", Align::Right),
        column("answer", "answer", Align::Left),
        column("webhook_id", "id", Align::Right),
    ]);
    for one in tested {
        table.push(vec![
            Cell::text(&one.endpoint),
            Cell::text(&one.result),
            Cell::number(one.took_ms.to_string()),
            Cell::text(&one.answer),
            Cell::text(&one.webhook_id),
        ]);
    }
    table
}

fn key_table(keys: &[Keys]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("endpoint", "endpoint", Align::Left),
        column("public_key", "public key", Align::Left),
        column("previous_public_key", "of the previous secret", Align::Left),
    ]);
    for one in keys {
        table.push(vec![
            Cell::text(&one.endpoint),
            Cell::text(one.public_key.as_deref().unwrap_or_default()),
            Cell::text(one.previous_public_key.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
