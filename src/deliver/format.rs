//! What an endpoint is sent: the events of a message in the endpoint's format, and which nudges go to
//! it at all.
//!
//! Pure. A message is one nudge, or several to one rep in a digest. It is rendered once, and the same
//! bytes are sent at every try.

pub mod fixture;
mod inert;
mod said;
mod slack;
mod teams;
mod template;

use serde::Serialize;

pub use template::{JSON, Template, TemplateError};

pub use crate::model::feedback::Links;
use crate::model::{NudgeKind, Timestamp};
use crate::nudge::Event;
use crate::nudge::payload::RepPart;

/// How an endpoint wants to be told.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// The events as they are, a contract: README.md "Webhook".
    #[default]
    Standard,
    /// For an incoming webhook of Slack.
    Slack,
    /// For a workflow of Microsoft Teams.
    Teams,
    /// What the admin's own template makes of it.
    Template(Template),
}

impl Format {
    /// The content type of a body.
    #[must_use]
    pub fn content_type(&self) -> &str {
        match self {
            Self::Standard | Self::Slack => JSON,
            // Without it Teams takes a body for UTF-16, and then for twice as long as it is.
            Self::Teams => "application/json; charset=utf-8",
            Self::Template(template) => template.content_type(),
        }
    }
}

/// Which nudges go to an endpoint; an empty list is all of them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Route {
    /// Of these kinds.
    pub kinds: Vec<NudgeKind>,
    /// To these reps, by id.
    pub reps: Vec<String>,
    /// About people at these organisations, by domain.
    pub organisations: Vec<String>,
}

impl Route {
    /// Whether a nudge of that kind, to that rep, about somebody at that organisation goes there.
    #[must_use]
    pub fn takes(&self, kind: NudgeKind, rep: &str, organisation: &str) -> bool {
        let takes = |list: &[String], word: &str| list.is_empty() || list.iter().any(|w| w == word);
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && takes(&self.reps, rep)
            && takes(&self.organisations, organisation)
    }
}

/// What is to be said to an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The webhook's id.
    pub id: String,
    /// When it is written.
    pub at: Timestamp,
    /// At least one nudge, the one with most at stake first; all to one rep.
    pub items: Vec<Item>,
}

/// A nudge in a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The event.
    pub event: Event,
    /// The event as it is stored, byte for byte.
    pub stored: String,
    /// Where the rep says what has become of it, if that is possible.
    pub links: Option<Links>,
}

/// A message as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The body.
    pub body: String,
}

/// Why a message cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// There is nothing to say.
    #[error("a message without a nudge")]
    Empty,
    /// The template cannot write it.
    #[error("the template: {0}")]
    Template(#[from] TemplateError),
}

impl FormatError {
    /// The line of the template that failed, from 1, if one did.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Template(error) => error.line,
            Self::Empty => None,
        }
    }
}

/// Writes a message.
///
/// # Errors
/// What is wrong with it.
pub fn render(format: &Format, message: &Message) -> Result<Rendered, FormatError> {
    match format {
        _ if message.items.is_empty() => Err(FormatError::Empty),
        Format::Standard => standard(message),
        Format::Slack => Ok(Rendered { body: slack::body(&said::Whole::of(message)).to_string() }),
        Format::Teams => Ok(Rendered { body: teams::body(&said::Whole::of(message)).to_string() }),
        Format::Template(template) => Ok(template.render(message)?),
    }
}

/// A nudge is its event; a digest says whose it is once.
fn standard(message: &Message) -> Result<Rendered, FormatError> {
    #[derive(Serialize)]
    struct Digest<'a> {
        r#type: &'static str,
        timestamp: Timestamp,
        data: Data<'a>,
    }
    #[derive(Serialize)]
    struct Data<'a> {
        digest_id: &'a str,
        rep: &'a RepPart,
        nudges: Vec<&'a Event>,
    }
    let first = message.items.first().ok_or(FormatError::Empty)?;
    if message.id == first.event.data.nudge_id {
        return Ok(Rendered { body: first.stored.clone() });
    }
    let digest = Digest {
        r#type: "nudge.digest.v1",
        timestamp: message.at,
        data: Data {
            digest_id: &message.id,
            rep: &first.event.data.rep,
            nudges: message.items.iter().map(|item| &item.event).collect(),
        },
    };
    Ok(Rendered { body: serde_json::to_string(&digest).unwrap_or_default() })
}
