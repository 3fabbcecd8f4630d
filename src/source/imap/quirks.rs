//! What servers do otherwise than the protocol lets one expect: one table, each row with its source
//! and the tests that hold it.
//!
//! Pure. A provider is told by what it says of itself, since mail is hosted under any name; only
//! before the first connection, to pace connections, does its host name have to do. Habits of words
//! (throttling, refused logins) are in `said`.

use super::login::Capabilities;

/// Who runs a server, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Gmail and Google Workspace.
    Gmail,
    /// Exchange Online and Outlook.com.
    Exchange,
    /// iCloud Mail.
    ICloud,
    /// Yahoo and AOL.
    Yahoo,
    /// Proton Mail Bridge, on the reader's own machine.
    ProtonBridge,
    /// Anybody else: Dovecot, Cyrus and the rest, which need no row of their own.
    Other,
}

/// Where mail of a server is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// A message is in one mailbox; one that holds all mail, if there is one, stands for all.
    Folders,
    /// Mailboxes are labels of one store: one that holds all mail stands for all. Where the user
    /// hides it, INBOX and Sent are read, for other labels repeat what is there.
    Labels,
    /// The mailbox that holds all mail repeats what is in the others, spam and drafts included.
    AllMailRepeats,
}

/// What is done otherwise for a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// Whose they are.
    pub provider: Provider,
    /// Windows asked for before the first of them has been read, over a network.
    pub(super) in_flight: usize,
    /// Where mail is found.
    pub(super) layout: Layout,
    /// Connections that may be begun in a second to all of its hosts together.
    pub connects_per_second: u32,
    /// Sources read at a time, where the provider's hosts bear more than one organisation's server.
    pub reads_at_once: Option<usize>,
    /// The most that one login reads in 24 hours, in bytes.
    pub(super) daily_bytes: u64,
}

/// Windows asked for ahead where nothing speaks against it: what arrives of one while the request
/// for another travels keeps a line of 100 Mbit/s and 40 ms full.
const IN_FLIGHT: usize = 4;

/// Far more than any mailbox of headers.
const NO_LIMIT: u64 = u64::MAX;

/// Anybody who has no row.
const OTHER: Quirks = Quirks {
    provider: Provider::Other,
    in_flight: IN_FLIGHT,
    layout: Layout::Folders,
    connects_per_second: 50,
    reads_at_once: None,
    daily_bytes: NO_LIMIT,
};

const TABLE: [Quirks; 6] = [
    // 2,500 MB a day by IMAP, 15 connections for each account, sessions of OAuth logins end within
    // the hour: developers.google.com/gmail/imap/imap-smtp, support.google.com/a/answer/1071518.
    // Sharded by user, so that many accounts can be read at a time. X-GM-EXT-1 for labels and ids:
    // developers.google.com/gmail/imap/imap-extensions. All Mail can be hidden by the user.
    // Tests: tests/it/servers/gmail.rs; `list`: all_mail_stands_for_the_rest_unless_it_is_excluded.
    Quirks {
        provider: Provider::Gmail,
        layout: Layout::Labels,
        connects_per_second: 5,
        reads_at_once: Some(8),
        daily_bytes: 2_000_000_000,
        ..OTHER
    },
    // Loses count of commands that are sent ahead (isync users set PipelineDepth 1:
    // github.com/LukeSmithxyz/mutt-wizard/issues/377) and throttles by user
    // (learn.microsoft.com, "Exchange Online limits").
    // Tests: tests/it/servers/exchange.rs; `said`: words and pauses.
    Quirks {
        provider: Provider::Exchange,
        in_flight: 1,
        connects_per_second: 5,
        reads_at_once: Some(8),
        ..OTHER
    },
    // Few connections; the same message truly lies in several folders. RFC822 answers with nothing
    // and QRESYNC with wrong UIDs (github.com/Foundry376/Mailspring-Sync/issues/91): neither is asked.
    Quirks {
        provider: Provider::ICloud,
        in_flight: 2,
        connects_per_second: 2,
        reads_at_once: Some(4),
        ..OTHER
    },
    // Few connections, which end often, also in IDLE (github.com/mjs/imapclient/issues/234).
    Quirks {
        provider: Provider::Yahoo,
        in_flight: 2,
        connects_per_second: 2,
        reads_at_once: Some(4),
        ..OTHER
    },
    // All Mail holds a second copy of everything (Mailspring-Sync passes it over too).
    Quirks { provider: Provider::ProtonBridge, layout: Layout::AllMailRepeats, ..OTHER },
    OTHER,
];

/// The row of a provider.
#[must_use]
pub fn of(provider: Provider) -> Quirks {
    TABLE.into_iter().find(|row| row.provider == provider).unwrap_or(OTHER)
}

/// Who runs the server of that name, as far as the name tells.
#[must_use]
pub fn by_host(host: &str) -> Provider {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is = |domain: &str| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if is("gmail.com") || is("googlemail.com") {
        Provider::Gmail
    } else if is("office365.com") || is("outlook.com") {
        Provider::Exchange
    } else if is("mail.me.com") {
        Provider::ICloud
    } else if is("mail.yahoo.com") || is("imap.aol.com") {
        Provider::Yahoo
    } else {
        Provider::Other
    }
}

/// Who runs a server that says this of itself after login; `greeting` as it came.
pub(super) fn by_words(told: &Capabilities, greeting: &str, host: &str) -> Provider {
    if told.has("X-GM-EXT-1") {
        Provider::Gmail
    } else if told.has("CLIENTACCESSRULES") || told.has("BACKENDAUTHENTICATE") {
        Provider::Exchange
    } else if told.has("XAPPLELITERAL") {
        Provider::ICloud
    } else if told.has("XYMHIGHESTMODSEQ") {
        Provider::Yahoo
    } else if greeting.contains("Proton Mail Bridge") {
        Provider::ProtonBridge
    } else {
        by_host(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_told_by_their_words_else_by_their_host() {
        let exchange = "IMAP4 IMAP4REV1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT \
            CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE \
            NAMESPACE LITERAL+";
        for (told, greeting, host, provider) in [
            ("IMAP4REV1 X-GM-EXT-1", "Gimap ready", "mail.example", Provider::Gmail),
            (exchange, "The Microsoft Exchange IMAP4 service", "x.example", Provider::Exchange),
            ("IMAP4REV1", "ready", "outlook.office365.com", Provider::Exchange),
            ("IMAP4REV1 XAPPLELITERAL", "ready", "p12-imap.mail.me.com", Provider::ICloud),
            ("IMAP4REV1 XYMHIGHESTMODSEQ", "ready", "imap.example", Provider::Yahoo),
            ("IMAP4REV1", "[CAPABILITY X] Proton Mail Bridge 03", "", Provider::ProtonBridge),
            ("IMAP4REV1", "Dovecot ready.", "notgmail.com", Provider::Other),
            ("IMAP4REV1", "ready", "IMAP.Gmail.com.", Provider::Gmail),
        ] {
            assert_eq!(
                by_words(&Capabilities::of(told), greeting, host),
                provider,
                "{told} {host}"
            );
        }
    }

    #[test]
    fn every_provider_has_a_row() {
        use Provider::{Exchange, Gmail, ICloud, Other, ProtonBridge, Yahoo};
        for provider in [Gmail, Exchange, ICloud, Yahoo, ProtonBridge, Other] {
            assert_eq!(of(provider).provider, provider);
        }
        assert_eq!(of(Exchange).in_flight, 1);
    }
}
