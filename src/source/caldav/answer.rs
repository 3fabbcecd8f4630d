//! What the status of an answer means: pure.
//!
//! Guarantees that an error holds nothing of an answer but numbers and the words known here. What
//! follows from a plain refusal depends on what was asked, and is left to whoever asked.

use crate::source::SourceError;
use crate::source::web::pause;

/// The head of an answer as far as it matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// The HTTP status.
    pub(super) status: u16,
    /// `Retry-After`.
    pub(super) retry_after: Option<&'a str>,
    /// `Date`: what time it is there, for a `Retry-After` that is an instant.
    pub(super) date: Option<&'a str>,
}

/// What an answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its body is what was asked for.
    Multistatus,
    /// What was asked for is elsewhere.
    Moved,
    /// The server will not answer this.
    No,
    /// The server cannot answer this now.
    Failing,
}

/// What the head means.
///
/// # Errors
/// `Unauthorized` and `Throttled`: whatever was asked, nothing more is to be.
pub(super) fn verdict(head: &Head<'_>) -> Result<Verdict, SourceError> {
    match head.status {
        207 => Ok(Verdict::Multistatus),
        301 | 302 | 307 | 308 => Ok(Verdict::Moved),
        401 => Err(SourceError::Unauthorized(
            "by the calendar server (401); hint: some want a password that is made for one \
             application"
                .to_owned(),
        )),
        429 => Err(throttled(head)),
        403 | 503 if head.retry_after.is_some() => Err(throttled(head)),
        // Not implemented, and too much to answer (RFC 6578, 3.6): asked otherwise it may.
        501 | 505 | 507 => Ok(Verdict::No),
        408 | 500..=599 => Ok(Verdict::Failing),
        _ => Ok(Verdict::No),
    }
}

/// The error for a server that cannot answer now.
pub(super) fn failing(status: u16) -> SourceError {
    SourceError::Unreachable(format!("the calendar server has an error ({status})"))
}

/// The error for an answer of which there is more than is read.
pub(super) fn too_large() -> SourceError {
    SourceError::Protocol("the calendar server answers with more than 32 MiB".to_owned())
}

fn throttled(head: &Head<'_>) -> SourceError {
    let after = head.retry_after.and_then(|text| pause::asked(text, head.date));
    SourceError::Throttled { after, said: format!("by the calendar server ({})", head.status) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_means_what_the_caller_does_next() {
        for (status, retry_after, expected) in [
            (207, None, "Multistatus"),
            (200, None, "No"),
            (302, None, "Moved"),
            (304, None, "No"),
            (400, None, "No"),
            (401, None, "unauthorized"),
            (403, None, "No"),
            (403, Some("5"), "throttled"),
            (404, Some("5"), "No"),
            (408, None, "Failing"),
            (410, None, "No"),
            (412, None, "No"),
            (429, None, "throttled"),
            (500, Some("5"), "Failing"),
            (501, None, "No"),
            (502, None, "Failing"),
            (503, None, "Failing"),
            (503, Some("5"), "throttled"),
            (507, None, "No"),
        ] {
            let found = match verdict(&Head { status, retry_after, date: None }) {
                Ok(verdict) => format!("{verdict:?}"),
                Err(error) => error.code().to_owned(),
            };
            assert_eq!(found, expected, "{status} {retry_after:?}");
        }
    }
}
