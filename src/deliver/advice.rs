//! What to do about a delivery that failed, for the admin who tries an endpoint. Pure.

use super::{Failure, Outcome};
use crate::http::Refusal;

/// What to look at first; `None` where nothing is wrong.
#[must_use]
pub fn advice(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Answered { status, .. } => of_status(*status),
        Outcome::Failed(failure) => Some(of_failure(failure)),
    }
}

const fn of_status(status: u16) -> Option<&'static str> {
    Some(match status {
        200..=299 => return None,
        300..=399 => "redirects are not followed: give the url that it redirects to",
        401 | 403 => {
            "are the secrets the same on both sides, is the url still valid, is the receiver's clock \
             right?"
        }
        404 | 405 => "look at the path of the url: nothing takes a POST there",
        410 => "the receiver wants no more: make a new url there, and give that",
        413 => "the receiver takes only smaller bodies: raise its limit to 64 KiB",
        400 | 415 | 422 => {
            "the receiver does not understand the body: look at its answer and at `format`"
        }
        429 => "the receiver wants fewer requests: lower requests_per_second",
        500..=599 => "look into the receiver's log",
        _ => "this is no answer of a webhook receiver: look at the url",
    })
}

const fn of_failure(failure: &Failure) -> &'static str {
    match failure {
        Failure::Timeout => {
            "a receiver should answer first and work afterwards; timeout_seconds says how long is waited"
        }
        Failure::Unresolved => {
            "is the host's name right, and does this machine's resolver know it?"
        }
        Failure::Refused(Refusal::Loopback | Refusal::Private) => {
            "set allow_private = true if the endpoint is meant to be in a private network"
        }
        Failure::Refused(_) => {
            "no endpoint may have such an address: look at the url, and at the DNS"
        }
        Failure::Unconnected => {
            "does it listen there, and does a firewall let this machine through? No proxy is used"
        }
        Failure::Tls(_) => {
            "the certificate must be valid for the host's name, by a root that this system trusts: \
             update-ca-certificates adds one"
        }
        Failure::Broken => "does what listens there speak HTTP, or HTTPS, as the url says?",
        Failure::Unsendable => "look at the url: it must begin with https:// or http://",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_success_has_its_advice() {
        for status in 100..=999 {
            let outcome = Outcome::Answered { status, retry_after: None, answer: String::new() };
            assert_eq!(advice(&outcome).is_none(), (200..300).contains(&status), "{status}");
        }
        let of = |refusal| advice(&Outcome::Failed(Failure::Refused(refusal))).unwrap();
        assert!(of(Refusal::Private).contains("allow_private"));
        assert!(!of(Refusal::LinkLocal).contains("allow_private"), "it would not help");
    }
}
