//! What a store makes of the deltas of a CalDAV source, as far as the next pass depends on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keepwarm::http::Clients;
use keepwarm::model::{Cursor, Delta, KnownMailbox, Object, RawItem, Timestamp};
use keepwarm::source::caldav::{Kept, Settings, read};
use keepwarm::source::credentials::Credentials;
use keepwarm::source::{Pass, SourceError};

use crate::support::davd::Davd;
use crate::support::series::NOW;

/// A login, what is kept of it, and what was read.
pub(super) struct Replica {
    pub(super) settings: Settings,
    clients: Clients,
    pub(super) kept: Kept,
    pub(super) now: Timestamp,
    pub(super) known: BTreeMap<String, KnownMailbox>,
}

/// What a pass has done.
pub(super) struct Done {
    pub(super) outcome: Result<Pass, SourceError>,
    pub(super) deltas: Vec<Delta>,
}

impl Replica {
    /// One that has read nothing of a server.
    pub(super) fn of(server: &Davd) -> Self {
        Self {
            settings: Settings {
                url: format!("http://{}/", server.address).parse().unwrap(),
                username: "canary-user".to_owned(),
                credentials: Credentials::from("canary-password"),
                response_timeout: Duration::from_secs(10),
                exclude_mailboxes: Vec::new(),
            },
            clients: Clients::new(None).unwrap(),
            kept: Kept::default(),
            now: NOW.parse().unwrap(),
            known: BTreeMap::new(),
        }
    }

    /// Makes a pass and takes in what it brings.
    pub(super) async fn pass(&mut self) -> Done {
        let known: Vec<KnownMailbox> = self.known.values().cloned().collect();
        let (sink, mut deltas) = tokio::sync::mpsc::channel(1);
        let collect = async {
            let mut all = Vec::new();
            while let Some(delta) = deltas.recv().await {
                all.push(delta);
            }
            all
        };
        let reading = read(&self.settings, &self.clients, &mut self.kept, &known, self.now, sink);
        let (outcome, deltas) = tokio::join!(reading, collect);
        for delta in &deltas {
            self.take(delta);
        }
        if let Err(error) = &outcome {
            let told = error.to_string();
            assert!(!told.contains("canary") && !told.contains("/home/"), "{told}");
        }
        Done { outcome, deltas }
    }

    /// A pass that must succeed: what it has brought.
    #[track_caller]
    pub(super) fn good(done: Done) -> (Pass, Vec<Delta>) {
        (done.outcome.unwrap(), done.deltas)
    }

    /// How many objects are known altogether.
    pub(super) fn objects(&self) -> usize {
        self.known.values().map(|known| known.objects.len()).sum()
    }

    fn take(&mut self, delta: &Delta) {
        let name = &delta.mailbox.name;
        let known = self.known.entry(name.clone()).or_insert_with(|| KnownMailbox {
            name: name.clone(),
            cursor: None,
            seen: Vec::new(),
            objects: Vec::new(),
            retry: Vec::new(),
        });
        let mut objects: BTreeMap<i64, i64> =
            known.objects.iter().map(|object| (object.item, object.tag)).collect();
        for item in &delta.items {
            known.retry.retain(|waiting| *waiting != item.number());
            match item {
                RawItem::Calendar { object, .. } => drop(objects.insert(object.item, object.tag)),
                RawItem::Unreadable { item, .. } => known.retry.push(*item),
                _ => {}
            }
        }
        for gone in &delta.vanished {
            objects.remove(gone);
        }
        known.objects = objects.into_iter().map(|(item, tag)| Object { item, tag }).collect();
        known.cursor = Some(delta.cursor.clone());
    }
}

/// The token with which a mailbox stands.
pub(super) fn token(known: &KnownMailbox) -> Option<&str> {
    match &known.cursor {
        Some(Cursor::Calendar { token, .. }) => token.as_deref(),
        _ => None,
    }
}

/// Secrets that are given one after the other; the last one again and again.
#[derive(Debug)]
pub(super) struct InTurn(pub(super) std::sync::Mutex<Vec<&'static str>>);

impl keepwarm::source::credentials::Secrets for InTurn {
    fn secret(
        &self,
    ) -> futures_util::future::BoxFuture<'_, Result<secrecy::SecretString, SourceError>> {
        Box::pin(async { Ok((*self.0.lock().unwrap().first().unwrap()).into()) })
    }

    fn refused(&self, _: &secrecy::SecretString) {
        let mut left = self.0.lock().unwrap();
        if left.len() > 1 {
            left.remove(0);
        }
    }
}

/// Access tokens, one after the other.
pub(super) fn tokens(all: &[&'static str]) -> Credentials {
    Credentials::Token(Arc::new(InTurn(std::sync::Mutex::new(all.to_vec()))))
}
