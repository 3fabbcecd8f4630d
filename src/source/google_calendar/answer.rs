//! What an answer of Google's Calendar API means: pure.
//!
//! Source: developers.google.com/calendar, "Handle API errors". Nothing of an answer gets into an
//! error but its status and its reason, where that is one word.

use serde::Deserialize;

use super::event::Event;
use crate::source::SourceError;
use crate::source::web::bearer::{Reply, failed, word};

/// Whose interface it is, for people.
pub(super) const WHO: &str = "google calendar";

/// One page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    #[serde(default)]
    pub(super) items: Vec<Event>,
    pub(super) next_page_token: Option<String>,
    pub(super) next_sync_token: Option<String>,
}

/// What a request came to.
#[derive(Debug)]
pub(super) enum Meant<T> {
    /// What was asked for.
    Found(T),
    /// There is no such event, or it is no more.
    Missing,
    /// The token of the last answer is of no use any more: everything must be asked for.
    StartOver,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// For all events of a calendar, or those of a UID.
    List,
    /// For what has changed since a token.
    Changes,
    /// For one event.
    Event,
}

#[derive(Default, Deserialize)]
struct Failure {
    #[serde(default)]
    error: Details,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Default, Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

/// The meaning of an answer.
pub(super) fn meaning<T: for<'de> Deserialize<'de>>(
    reply: &Reply,
    asked: Asked,
) -> Result<Meant<T>, SourceError> {
    if reply.status == 200 {
        let found = serde_json::from_slice(&reply.body);
        return found.map(Meant::Found).map_err(|_| {
            SourceError::Protocol(format!("{WHO} answers with something else than it documents"))
        });
    }
    let failure: Failure = serde_json::from_slice(&reply.body).unwrap_or_default();
    let reason = failure.error.errors.first().map_or("", |first| first.reason.as_str());
    let says = || format!("{WHO} answers {}, {}", reply.status, word(reason));
    match (reply.status, reason, asked) {
        // 400 is not documented for it, and seen where a token is not one of this calendar.
        (400 | 410, _, Asked::Changes) => Ok(Meant::StartOver),
        (404 | 410, _, Asked::Event) => Ok(Meant::Missing),
        (
            403 | 429,
            "rateLimitExceeded"
            | "userRateLimitExceeded"
            | "quotaExceeded"
            | "dailyLimitExceeded"
            | "calendarUsageLimitsExceeded",
            _,
        ) => Err(SourceError::Throttled { after: reply.pause, said: says() }),
        (403, "accessNotConfigured", _) => Err(SourceError::Misconfigured(format!(
            "{}; hint: enable the Google Calendar API for the project of the app in Google Cloud",
            says()
        ))),
        (404, _, _) => Err(SourceError::Misconfigured(format!(
            "{}; hint: check calendars, and that they are shared with whom the token is for",
            says()
        ))),
        _ => Err(failed(WHO, reply, word(reason))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_answer_means() {
        for (status, reason, asked, expected) in [
            (410, "fullSyncRequired", Asked::Changes, "start over"),
            (410, "updatedMinTooLongAgo", Asked::Changes, "start over"),
            (400, "invalid", Asked::Changes, "start over"),
            (400, "invalid", Asked::List, "protocol"),
            (404, "notFound", Asked::Event, "missing"),
            (410, "deleted", Asked::Event, "missing"),
            (404, "notFound", Asked::List, "misconfigured"),
            (404, "notFound", Asked::Changes, "misconfigured"),
            (403, "rateLimitExceeded", Asked::List, "throttled"),
            (403, "userRateLimitExceeded", Asked::Changes, "throttled"),
            (403, "quotaExceeded", Asked::Event, "throttled"),
            (429, "rateLimitExceeded", Asked::List, "throttled"),
            (429, "", Asked::List, "throttled"),
            (403, "insufficientPermissions", Asked::List, "unauthorized"),
            (403, "forbidden", Asked::List, "unauthorized"),
            (403, "accessNotConfigured", Asked::List, "misconfigured"),
            (401, "authError", Asked::List, "unauthorized"),
            (500, "backendError", Asked::Changes, "unreachable"),
            (503, "", Asked::List, "unreachable"),
            (302, "", Asked::List, "protocol"),
        ] {
            let reason = format!("{{\"error\":{{\"errors\":[{{\"reason\":\"{reason}\"}}]}}}}");
            for body in [reason, "<html>canary</html>".to_owned()] {
                if body.contains("canary") && matches!((status, asked), (403, _)) {
                    continue;
                }
                let reply = Reply { status, pause: None, body: body.clone().into_bytes() };
                let found = match meaning::<Page>(&reply, asked) {
                    Ok(Meant::Found(_)) => "found",
                    Ok(Meant::Missing) => "missing",
                    Ok(Meant::StartOver) => "start over",
                    Err(error) => {
                        assert!(!error.to_string().contains("canary"), "{error}");
                        error.code()
                    }
                };
                assert_eq!(found, expected, "{status} {body} {asked:?}");
            }
        }
    }
}
