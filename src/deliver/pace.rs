//! Keeps deliveries to one host at a bearable rate, whatever the number of endpoints on it.
//!
//! Guarantees, for each host and port, no more requests a second than the slowest of its endpoints
//! is to get, and twice as many at once after a pause. Hosts do not wait for each other. It knows
//! nothing of `Retry-After`: that is the breaker's, kept with the endpoint.

use std::collections::HashMap;
use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::Url;

/// Requests a second to a host where nothing else is said.
pub const RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// One rate limit for each host.
#[derive(Debug, Default)]
pub struct Pace {
    hosts: HashMap<String, DefaultDirectRateLimiter>,
}

impl Pace {
    /// Limits for the hosts of these URLs, of which nothing is used yet. The lowest rate given for a
    /// host, in requests a second, is its rate.
    pub fn new<'a>(endpoints: impl IntoIterator<Item = (&'a Url, NonZeroU32)>) -> Self {
        let mut rates: HashMap<String, NonZeroU32> = HashMap::new();
        for (url, rate) in endpoints {
            rates
                .entry(host_key(url))
                .and_modify(|least| *least = rate.min(*least))
                .or_insert(rate);
        }
        let limit = |rate: NonZeroU32| {
            let at_once = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
            RateLimiter::direct(Quota::per_second(rate).allow_burst(at_once))
        };
        Self { hosts: rates.into_iter().map(|(host, rate)| (host, limit(rate))).collect() }
    }

    /// Waits until a request may go to the host of `url`: not at all if it is none of those named.
    pub async fn ready(&self, url: &Url) {
        if let Some(host) = self.hosts.get(&host_key(url)) {
            host.until_ready().await;
        }
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

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn the_eleventh_request_to_a_host_waits_and_other_hosts_do_not() {
        let (crm, same) = (url("https://crm.example/a?x=1"), url("https://CRM.example:443/b"));
        let other = url("https://other.example/");
        let pace = Pace::new([(&crm, RATE), (&same, RATE), (&other, RATE)]);
        let begun = Instant::now();
        for _ in 0..5 {
            pace.ready(&crm).await;
            pace.ready(&same).await;
        }
        pace.ready(&other).await;
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
        pace.ready(&same).await;
        assert!(begun.elapsed() > Duration::from_millis(150), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn the_slowest_endpoint_of_a_host_says_how_fast() {
        let (a, b) = (url("https://crm.example/a"), url("https://crm.example/b"));
        let pace = Pace::new([(&a, NonZeroU32::new(1000).unwrap()), (&b, NonZeroU32::MIN)]);
        let begun = Instant::now();
        for _ in 0..3 {
            pace.ready(&a).await;
        }
        assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
    }
}
