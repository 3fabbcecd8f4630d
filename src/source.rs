//! Sources: the places from which mail and meetings are read, one adapter for each kind.
//!
//! An adapter makes one complete *pass* over its source: it is told what is known of every mailbox
//! and sends a [`Delta`](crate::model::Delta) for each piece that is new through a bounded channel,
//! so that the receiver commits one while the next is on its way. A pass may fail or be dropped at
//! any point and is then simply begun again with the cursors committed so far. A connection may be
//! [`Kept`] between passes, to be waited on for news. Nothing is ever changed at the source. When
//! to read, how often, and what to do about an error is the caller's.

pub mod caldav;
pub mod credentials;
pub mod google_calendar;
pub mod graph_calendar;
pub mod ics;
pub mod imap;
pub mod maildir;
mod names;
pub mod probe;
mod reader;
pub mod role;
pub(crate) mod web;

use std::time::Duration;

use thiserror::Error;

use crate::model::Role;

pub use reader::{Kept, Login, Reader, glance, read, wait};

/// What a pass has seen. It returns only when everything that the source held at its beginning has
/// been sent, but for the mailboxes in `skipped`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// How many mailboxes were read to their end.
    pub mailboxes: usize,
    /// Those that were not, with the reason.
    pub skipped: Vec<Skipped>,
    /// How many messages were sent, readable or not.
    pub messages: u64,
    /// What was read.
    pub scope: Scope,
    /// Whether the pass ended before it had read everything, for another one to go on at once.
    pub rest: Rest,
}

/// Whether a source holds more than a pass has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// It does not.
    #[default]
    Nothing,
    /// It does.
    Something,
}

/// What a pass is to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All that is new in all mailboxes.
    #[default]
    Everything,
    /// What [`Woken::News`] has told of. Where that is not enough to know what is new, such a pass
    /// says that there is more.
    News,
}

/// What a glance at a source tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// There is nothing that the last complete pass has not read.
    Same,
    /// There may be.
    Changed,
}

/// What ended a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The source has told of something new.
    News,
    /// As much time has passed as was to.
    Time,
    /// The connection was lost, which says nothing about what is new.
    Lost {
        /// Why.
        error: SourceError,
        /// How long it had been open.
        lived: Duration,
    },
    /// The caller's token was cancelled.
    Stopped,
}

/// A mailbox that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its name, as in [`MailboxInfo::name`](crate::model::MailboxInfo::name).
    pub mailbox: String,
    /// What it is for, where it was to be read.
    pub role: Option<Role>,
    /// Why.
    pub reason: SkipReason,
}

/// Why a mailbox was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// It holds spam.
    Junk,
    /// It holds what was deleted.
    Trash,
    /// It holds what was never sent.
    Drafts,
    /// The configuration excludes it.
    Excluded,
    /// It is a name in the hierarchy that holds no messages, or one that no command can carry.
    NotSelectable,
    /// What it holds is in another mailbox, which is read: one that holds all mail, or for a label
    /// the mailboxes that it is a label of.
    HeldElsewhere,
    /// The source refused to open or to read it, in the source's words; the next pass tries again.
    Refused(String),
}

impl SkipReason {
    /// One stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Junk => "junk",
            Self::Trash => "trash",
            Self::Drafts => "drafts",
            Self::Excluded => "excluded",
            Self::NotSelectable => "not_selectable",
            Self::HeldElsewhere => "held_elsewhere",
            Self::Refused(_) => "refused",
        }
    }
}

/// Why a pass ended early, by what the caller does next.
///
/// The text is for an admin: it says what happened and, after `hint:`, what to do. It carries no
/// secret, no address and nothing of a message.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SourceError {
    /// The credentials are refused: ask the admin; trying again soon may lock the account.
    #[error("login refused: {0}")]
    Unauthorized(String),
    /// There is no login, or it was taken back for good: only a person who signs in helps.
    #[error("signed out: {0}")]
    SignedOut(String),
    /// The source asks for fewer or slower requests.
    #[error("asked to wait: {said}")]
    Throttled {
        /// For how long, if it said.
        after: Option<Duration>,
        /// Its words.
        said: String,
    },
    /// No connection, or it broke: try again later, with growing pauses.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The source answers what cannot be understood: try again later, and tell the admin.
    #[error("unexpected answer: {0}")]
    Protocol(String),
    /// Mailboxes that matter could not be read, all others were: try again later, and do not take
    /// what is missing for silence.
    #[error("partly read: {0}")]
    Incomplete(String),
    /// Only a changed configuration helps.
    #[error("misconfigured: {0}")]
    Misconfigured(String),
    /// The caller's token was cancelled, or nobody receives the deltas any more.
    #[error("stopped")]
    Stopped,
}

impl SourceError {
    /// One stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => "unauthorized",
            Self::SignedOut(_) => "signed_out",
            Self::Throttled { .. } => "throttled",
            Self::Unreachable(_) => "unreachable",
            Self::Protocol(_) => "protocol",
            Self::Incomplete(_) => "incomplete",
            Self::Misconfigured(_) => "misconfigured",
            Self::Stopped => "stopped",
        }
    }
}
