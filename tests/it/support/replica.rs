//! A stand-in for the store: takes deltas and keeps what they brought.

use std::collections::BTreeMap;
use std::sync::Arc;

use keepwarm::model::{Cursor, Delta, KnownMailbox, RawItem};
use keepwarm::source::imap::{Kept, Settings, read};
use keepwarm::source::{Pass, Scope, SourceError};
use tokio::sync::mpsc;

/// What was received, in order, and where each mailbox stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replica {
    pub(crate) cursors: BTreeMap<String, Cursor>,
    /// Mailbox, item number, Message-ID.
    pub(crate) items: Vec<(String, i64, String)>,
}

impl Replica {
    /// What the source is told of the mailboxes.
    pub(crate) fn known(&self) -> Vec<KnownMailbox> {
        let mailboxes = self.cursors.iter();
        mailboxes
            .map(|(name, cursor)| KnownMailbox {
                name: name.clone(),
                cursor: Some(cursor.clone()),
                seen: self.numbers(name),
                objects: Vec::new(),
                retry: Vec::new(),
            })
            .collect()
    }

    /// The item numbers of a mailbox, ascending.
    pub(crate) fn numbers(&self, mailbox: &str) -> Vec<i64> {
        let mut numbers: Vec<i64> =
            self.items.iter().filter(|item| item.0 == mailbox).map(|item| item.1).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The Message-IDs of a mailbox, sorted.
    pub(crate) fn ids(&self, mailbox: &str) -> Vec<String> {
        let mut ids: Vec<String> =
            self.items.iter().filter(|item| item.0 == mailbox).map(|item| item.2.clone()).collect();
        ids.sort();
        ids
    }

    pub(crate) fn apply(&mut self, delta: &Delta) {
        let name = &delta.mailbox.name;
        self.items.retain(|(of, number, _)| of != name || !delta.vanished.contains(number));
        for item in &delta.items {
            let RawItem::Message { item, header, .. } = item else { panic!("{item:?}") };
            self.items.push((name.clone(), *item, message_id(header)));
        }
        self.cursors.insert(name.clone(), delta.cursor.clone());
    }

    /// One pass over IMAP, every delta applied; answers with the deltas too.
    pub(crate) async fn pass(
        &mut self,
        settings: &Settings,
        tls: &Arc<rustls::ClientConfig>,
    ) -> (Result<Pass, SourceError>, Vec<Delta>) {
        let (sink, mut received) = mpsc::channel(1);
        let (known, mut kept) = (self.known(), Kept::default());
        let collect = async {
            let mut deltas = Vec::new();
            while let Some(delta) = received.recv().await {
                self.apply(&delta);
                deltas.push(delta);
            }
            deltas
        };
        let pass = read(settings, tls, &mut kept, Scope::Everything, &known, sink);
        tokio::join!(pass, collect)
    }
}

/// The Message-ID in a header block, without brackets; empty if there is none.
pub(crate) fn message_id(header: &[u8]) -> String {
    String::from_utf8_lossy(header)
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("message-id"))
        .map(|(_, id)| id.trim().trim_matches(['<', '>']).to_owned())
        .unwrap_or_default()
}

/// All header blocks, one after the other.
pub(crate) fn header_bytes(deltas: &[Delta]) -> String {
    let mut bytes = Vec::new();
    for item in deltas.iter().flat_map(|delta| &delta.items) {
        if let RawItem::Message { header, .. } = item {
            bytes.extend_from_slice(header);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
