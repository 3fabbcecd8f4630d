//! What the pages and the API ask of the daemon: what a nudge is about, and to take an answer.
//!
//! Read by a connection of its own: whoever follows a link waits for no commit of a backfill.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;

use super::Daemon;
use super::build::{BuildError, chain, unusable};
use crate::clock;
use crate::config::{Config, is_api_token};
use crate::model::feedback::{About, Feedback, LinkKey, Outcome, Way};
use crate::pipeline::feedback;
use crate::serve::Token;
use crate::serve::link::Linking;
use crate::store::open_reader;

/// How many look at a time; others wait.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// A key for links, should the database have none yet.
pub(super) fn fresh_key() -> Result<LinkKey, BuildError> {
    let drawn = clock::draw_key().map(LinkKey);
    drawn.ok_or_else(|| unusable("the key of links", "the system gives no random bytes"))
}

/// What links in messages are made with, if they lead anywhere.
pub(super) fn linking(config: &Config, key: &LinkKey) -> Option<Linking> {
    let base_url = config.serve.public_url.as_ref()?.as_str().to_owned();
    Some(Linking { base_url, key: key.clone(), lifetime: config.serve.link_lifetime })
}

/// What programs show that answer nudges, if they may.
pub(super) fn token(config: &Config) -> Result<Option<Token>, BuildError> {
    let Some(source) = &config.serve.token else { return Ok(None) };
    let what = "serve.token";
    let token = source.resolve().map_err(|error| unusable(what, &chain(&error)))?;
    if !is_api_token(token.expose_secret()) {
        return Err(unusable(what, "it has fewer than 16 characters, or blanks"));
    }
    Ok(Some(Token::new(token)))
}

impl Daemon {
    /// What a nudge is about, if there is one of that public id.
    pub(super) async fn about(&self, nudge: &str) -> Result<Option<About>, String> {
        let (path, rules) = (self.store.path().to_owned(), Arc::clone(&self.rules));
        let (nudge, now) = (nudge.to_owned(), self.clock.now());
        let _turn = AT_ONCE.acquire().await.map_err(|error| error.to_string())?;
        let looked = tokio::task::spawn_blocking(move || {
            let db = open_reader(&path)?;
            feedback::about(&db, &rules, &nudge, now)
        });
        match looked.await {
            Ok(Ok(about)) => Ok(about),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the database was not read: this is a fault in keepwarm".to_owned()),
        }
    }

    /// Answers a nudge.
    pub(super) async fn answer(
        &self,
        nudge: &str,
        answer: Feedback,
        way: Way,
    ) -> Result<Outcome, String> {
        let (rules, id, now) = (Arc::clone(&self.rules), nudge.to_owned(), self.clock.now());
        let job = move |db: &_| feedback::answer(db, &rules, &id, (answer, way), now);
        let outcome = self.store.write(job).await.map_err(|error| error.to_string())?;
        if let Outcome::Taken(_) = outcome {
            tracing::info!(id = nudge, answer = answer.code(), way = way.code(), "nudge answered");
            self.stored.notify_one();
        }
        Ok(outcome)
    }

    /// Takes the answer to a nudge back; whether there is such a nudge.
    pub(super) async fn take_back(&self, nudge: &str) -> Result<bool, String> {
        let (id, now) = (nudge.to_owned(), self.clock.now());
        let job = move |db: &_| feedback::take_back(db, &id, now);
        let known = self.store.write(job).await.map_err(|error| error.to_string())?;
        if known {
            tracing::info!(id = nudge, "answer to a nudge taken back");
            self.stored.notify_one();
            // What was not delivered for it is owed again.
            self.owed.notify_waiters();
        }
        Ok(known)
    }
}
