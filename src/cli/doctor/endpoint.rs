//! One endpoint: its name, its port, its certificate, and whether it takes a test message.

use super::{Checked, Verdict, network};
use crate::cli::nudges;
use crate::clock::Clock;
use crate::config::{self, Config};

/// Whether a test message is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Post {
    /// It is: somebody looks whether it has come.
    Yes,
    /// It is not.
    No,
}

/// Tries it.
pub(super) async fn check(config: &Config, found: &config::Endpoint, post: Post) -> Vec<Checked> {
    let subject = format!("endpoint {}", found.name);
    let host = found.url.host_str().unwrap_or_default();
    let port = found.url.port_or_known_default().unwrap_or(443);
    let (mut checks, stream) = network::reach(&subject, host, port).await;
    let Some(stream) = stream else {
        checks.push(Checked::new(&subject, "post", Verdict::Skipped, "not reached"));
        return checks;
    };
    if found.url.scheme() == "https" {
        let now = Clock::System.now();
        checks.push(network::secure(&subject, stream, host, None, now).await);
    }
    checks.push(match post {
        Post::No => Checked::new(&subject, "post", Verdict::Skipped, "not asked for"),
        Post::Yes => posted(&subject, config, found).await,
    });
    checks
}

async fn posted(subject: &str, config: &Config, found: &config::Endpoint) -> Checked {
    let tried = match nudges::try_endpoint(config, found).await {
        Ok(tried) => tried,
        Err(error) => {
            let hint = "see what `keepwarm check` says about it";
            return Checked::failed(subject, "post", &error, hint);
        }
    };
    let status = tried.status.map(|status| format!(" ({status})")).unwrap_or_default();
    if tried.delivered {
        let (took, id) = (tried.took_ms, tried.webhook_id);
        let found = format!("taken{status} in {took} ms: a test, {id}; did you see it?");
        return Checked::new(subject, "post", Verdict::Ok, found);
    }
    let hint = tried.hint.unwrap_or("see what `keepwarm nudges test` is answered");
    Checked::failed(subject, "post", &format!("{}{status}", tried.result), hint)
}
