//! Where messages and calendars are read (this file is replaced).

pub mod ics;

/// Why a pass over a source ended early.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The source does not let us in.
    #[error("not authorised: {0}")]
    Unauthorized(String),
    /// The source cannot be reached now.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The source asks for patience.
    #[error("throttled")]
    Throttled {
        /// For how long, if it said.
        after: Option<crate::model::Span>,
    },
    /// The source does not keep to its protocol.
    #[error("protocol: {0}")]
    Protocol(String),
    /// What is configured cannot be right.
    #[error("misconfigured: {0}")]
    Misconfigured(String),
    /// The receiver of the deltas has gone.
    #[error("stopped")]
    Stopped,
}

/// What a pass over a source did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Mailboxes read.
    pub mailboxes: usize,
    /// Mailboxes passed over, and why.
    pub skipped: Vec<(String, String)>,
    /// Items sent.
    pub items: u64,
}
