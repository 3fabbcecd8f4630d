//! Keeps deliveries to one host at a bearable rate, whatever the number of endpoints on it.
//!
//! Guarantees at most 10 requests at once and 5 a second after that, for each host and port. It
//! knows nothing of `Retry-After`: that is the verdict's, kept with the outbox row.

use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use reqwest::Url;

/// Requests a second to one host.
const RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// Requests that may go out at once after a pause.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// One rate limit for each host.
#[derive(Debug)]
pub struct Pace {
    hosts: DefaultKeyedRateLimiter<String>,
}

impl Pace {
    /// Limits of which nothing is used yet.
    #[must_use]
    pub fn new() -> Self {
        Self { hosts: RateLimiter::keyed(Quota::per_second(RATE).allow_burst(BURST)) }
    }

    /// Waits until a request may go to the host of `url`.
    pub async fn ready(&self, url: &Url) {
        self.hosts.until_key_ready(&host_key(url)).await;
    }

    /// Forgets the hosts that have been quiet; to be called now and then (hourly is enough).
    pub fn forget_idle(&self) {
        self.hosts.retain_recent();
        self.hosts.shrink_to_fit();
    }

    /// How many hosts are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.hosts.len()
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

/// What requests are counted by: host and port.
fn host_key(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    format!("{host}:{}", url.port_or_known_default().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[tokio::test]
    async fn the_eleventh_request_to_a_host_waits_and_other_hosts_do_not() {
        let pace = Pace::new();
        let crm: Url = "https://crm.example/a?x=1".parse().unwrap();
        let same: Url = "https://CRM.example:443/b".parse().unwrap();
        let other: Url = "https://other.example/".parse().unwrap();
        let begun = Instant::now();
        for _ in 0..5 {
            pace.ready(&crm).await;
            pace.ready(&same).await;
        }
        pace.ready(&other).await;
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
        pace.ready(&same).await;
        assert!(begun.elapsed() > Duration::from_millis(150), "{:?}", begun.elapsed());
        assert_eq!(pace.remembered(), 2);
    }

    #[tokio::test]
    async fn quiet_hosts_are_forgotten() {
        let pace = Pace::new();
        pace.ready(&"https://crm.example/".parse().unwrap()).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        pace.forget_idle();
        assert_eq!(pace.remembered(), 0);
    }
}
