//! What an answer of Microsoft Graph means: pure.
//!
//! Source: learn.microsoft.com/graph, "Microsoft Graph error responses", "Throttling guidance".
//! Nothing of an answer gets into an error but its status and its code, where that is one word.

use serde::Deserialize;

use super::event::Event;
use crate::source::SourceError;
use crate::source::web::bearer::{Reply, failed, word};

/// Whose interface it is, for people.
pub(super) const WHO: &str = "microsoft graph";

/// One page of a calendar view.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    /// Also there when it is empty: an answer without it says nothing of the month.
    pub(super) value: Vec<Event>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next_link: Option<String>,
}

/// What a request came to.
#[derive(Debug)]
pub(super) enum Meant {
    /// A page.
    Found(Page),
    /// The link to it is of use no more: the month must be begun again.
    StartOver,
}

#[derive(Default, Deserialize)]
struct Failure {
    #[serde(default)]
    error: Code,
}

#[derive(Default, Deserialize)]
struct Code {
    #[serde(default)]
    code: String,
}

/// The meaning of an answer.
pub(super) fn meaning(reply: &Reply) -> Result<Meant, SourceError> {
    if reply.status == 200 {
        let found = serde_json::from_slice(&reply.body);
        return found.map(Meant::Found).map_err(|_| {
            SourceError::Protocol(format!("{WHO} answers with something else than it documents"))
        });
    }
    let failure: Failure = serde_json::from_slice(&reply.body).unwrap_or_default();
    let code = failure.error.code.as_str();
    let says = || format!("{WHO} answers {}, {}", reply.status, word(code));
    match (reply.status, code) {
        (410, _) => Ok(Meant::StartOver),
        (403, "ErrorAccessDenied" | "Authorization_RequestDenied") => {
            Err(SourceError::Unauthorized(format!(
                "{}; hint: the app needs the permission Calendars.Read with the consent of an admin, \
                 and no access policy of Exchange may keep it from this mailbox",
                says()
            )))
        }
        (404, _) => Err(SourceError::Misconfigured(format!(
            "{}; hint: check username, which must have a mailbox at Microsoft, and calendars",
            says()
        ))),
        (_, "ApplicationThrottled" | "TooManyRequests" | "ErrorServerBusy") => {
            Err(SourceError::Throttled { after: reply.pause, said: says() })
        }
        _ => Err(failed(WHO, reply, word(code))),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_each_answer_means() {
        let minute = Some(Duration::from_secs(60));
        for (status, code, pause, expected) in [
            (410, "SyncStateNotFound", None, "start over"),
            (410, "resyncRequired", None, "start over"),
            (401, "InvalidAuthenticationToken", None, "unauthorized"),
            (403, "ErrorAccessDenied", None, "unauthorized"),
            (404, "ErrorItemNotFound", None, "misconfigured"),
            (404, "MailboxNotEnabledForRESTAPI", None, "misconfigured"),
            (429, "ApplicationThrottled", minute, "throttled"),
            (503, "serviceNotAvailable", minute, "throttled"),
            (503, "ErrorServerBusy", None, "throttled"),
            (503, "serviceNotAvailable", None, "unreachable"),
            (504, "UnknownError", None, "unreachable"),
            (400, "ErrorInvalidRequest", None, "protocol"),
            (400, "canary words", None, "protocol"),
            (200, "", None, "found"),
        ] {
            let body = match status {
                200 => b"{\"value\":[]}".to_vec(),
                _ => format!("{{\"error\":{{\"code\":\"{code}\"}}}}").into_bytes(),
            };
            let found = match meaning(&Reply { status, pause, body }) {
                Ok(Meant::Found(_)) => "found",
                Ok(Meant::StartOver) => "start over",
                Err(error) => {
                    assert!(!error.to_string().contains("canary"), "{error}");
                    error.code()
                }
            };
            assert_eq!(found, expected, "{status} {code}");
        }
        for body in ["<html>", "{}", "{\"error\":{\"code\":\"busy\"}}"] {
            let reply = Reply { status: 200, pause: None, body: body.as_bytes().to_vec() };
            let found = meaning(&reply).map_err(|error| error.code());
            assert!(matches!(found, Err("protocol")), "{body} is no empty month");
        }
    }
}
