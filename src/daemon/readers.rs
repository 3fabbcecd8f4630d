//! From the configuration to how sources are read, with what they share.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use tokio_util::task::TaskTracker;

use super::build::{BuildError, unusable};
use super::{login, web};
use crate::config::{self, Config, SourceKind};
use crate::http::{self, Clients};
use crate::source::{Reader, caldav, ics, imap, maildir};

/// One TLS configuration for each set of extra roots.
#[derive(Default)]
pub(super) struct SharedTls(HashMap<Option<PathBuf>, Arc<ClientConfig>>);

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
pub(super) struct SharedClients(HashMap<PathBuf, Clients>);

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

/// How a source is read, as it is configured.
pub(super) fn reader(
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
            settings.private_labels.clone_from(&config.privacy.private_mailboxes);
            Reader::Imap(Arc::new(settings), tls.get(imap.ca_file.as_ref())?)
        }
        SourceKind::Caldav(caldav) => {
            let settings = caldav::Settings {
                url: caldav.url.clone(),
                username: caldav.username.clone(),
                credentials: login::credentials(config, found, &caldav.login, shared)?,
                response_timeout: config.sync.command_timeout,
                // Nothing can be told there of what was moved.
                exclude_mailboxes: [exclude_mailboxes, config.privacy.private_mailboxes.clone()]
                    .concat(),
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
