//! Who may connect and read, and when: what many sources on one host share.
//!
//! A source holds a place while a connection is made or read from; one that only waits for news
//! holds none. Places are given in the order in which they were asked for, and a long first read
//! gives its place back between turns: so sources of one host come along together.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::source::imap::quirks::{self, Provider};
use crate::source::{Kept, Login};

/// The places of all hosts, as they are named.
#[derive(Debug, Default)]
pub(super) struct Places {
    hosts: HashMap<String, Arc<Semaphore>>,
    logins: HashMap<(String, String), Arc<Semaphore>>,
    connects: HashMap<(Provider, String), Arc<DefaultDirectRateLimiter>>,
}

/// Where a source has to ask.
#[derive(Clone, Debug)]
pub(super) struct Place {
    host: Arc<Semaphore>,
    login: Arc<Semaphore>,
    connects: Arc<DefaultDirectRateLimiter>,
}

/// A place that is held until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    _host: OwnedSemaphorePermit,
    _login: OwnedSemaphorePermit,
}

impl Places {
    /// Where a login has to ask; `at_once` sources of an ordinary host are read at a time.
    pub(super) fn of(&mut self, login: &Login<'_>, at_once: usize) -> Place {
        let quirks = quirks::of(quirks::by_host(login.host));
        let host = login.host.to_ascii_lowercase();
        // A provider counts connections to all of its hosts, anybody else to their own.
        let whose = if quirks.provider == Provider::Other { host.clone() } else { String::new() };
        let rate = NonZeroU32::new(quirks.connects_per_second).unwrap_or(NonZeroU32::MIN);
        let places = |most| Arc::new(Semaphore::new(most));
        let of_host = self.hosts.entry(host.clone());
        let of_login = self.logins.entry((host, login.username.to_owned()));
        let connects = self.connects.entry((quirks.provider, whose));
        Place {
            host: of_host
                .or_insert_with(|| places(quirks.reads_at_once.unwrap_or(at_once)))
                .clone(),
            login: of_login.or_insert_with(|| places(1)).clone(),
            connects: connects
                .or_insert_with(|| Arc::new(RateLimiter::direct(Quota::per_second(rate))))
                .clone(),
        }
    }
}

impl Place {
    /// Waits for a place, and for leave to connect if there is no connection; `None` when `stop` is
    /// cancelled meanwhile.
    pub(super) async fn take(&self, kept: &Kept, stop: &CancellationToken) -> Option<Held> {
        let place = async {
            // First the login: whoever waits for its own does not keep the host from others.
            let login = self.login.clone().acquire_owned().await.ok()?;
            let host = self.host.clone().acquire_owned().await.ok()?;
            if !kept.is_connected() {
                self.connects.until_ready().await;
            }
            Some(Held { _host: host, _login: login })
        };
        stop.run_until_cancelled(place).await.flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login<'a>(host: &'a str, username: &'a str) -> Login<'a> {
        Login { host, username }
    }

    /// How many of these logins hold a place at a time.
    async fn at_once(logins: &[(&str, &str)]) -> usize {
        let (mut places, stop) = (Places::default(), CancellationToken::new());
        let mut held = Vec::new();
        for (host, username) in logins {
            let place = places.of(&login(host, username), 3);
            let kept = Kept::default();
            let take = std::pin::pin!(place.take(&kept, &stop));
            if let std::task::Poll::Ready(one) = futures_util::poll!(take) {
                held.extend(one);
            }
        }
        held.len()
    }

    #[tokio::test]
    async fn places_are_counted_by_host_and_by_login() {
        for (logins, expected) in [
            (vec![("h", "a"), ("h", "b"), ("H", "c"), ("h", "d")], 3),
            (vec![("h", "a"), ("h", "a")], 1),
            (vec![("h", "a"), ("i", "a")], 2),
        ] {
            assert_eq!(at_once(&logins).await, expected, "{logins:?}");
        }
    }

    #[tokio::test]
    async fn connections_to_a_provider_are_paced_over_all_its_hosts() {
        let logins = ["a", "b", "c", "d", "e", "f", "g"];
        let hosts = ["imap.gmail.com", "imap.googlemail.com"];
        let all: Vec<_> =
            logins.iter().flat_map(|name| hosts.iter().map(|host| (*host, *name))).collect();
        let burst = quirks::of(Provider::Gmail).connects_per_second as usize;
        assert_eq!(at_once(&all).await, burst);
    }
}
