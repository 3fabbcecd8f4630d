//! Sets the sample up in a directory with a configuration as an admin would write it, and plays
//! it: the daemon's own code reads, scores, nudges and delivers to the receiver.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::receiver::{self, Delivery};
use super::sample::{self, AUTHSERV_ID, Sample, TIME_ZONE};
use crate::clock::Clock;
use crate::config;
use crate::daemon::{self, Summary};
use crate::model::{Span, Timestamp};

/// Signs the demo's deliveries; no secret, since the receiver lives in this process.
const SECRET: &str = "whsec_a2VlcHdhcm0gZGVtbyBzZWNyZXQgb2YgMzIgYnl0ZXM=";
/// How far the demo's clock is moved after the receiver has failed: past every first retry.
const LATER: Span = Span::from_seconds(6);
/// What the receiver asks for with its failure, waited for in earnest.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What the demo did.
#[derive(Debug)]
pub struct Played {
    /// The configuration, for further commands.
    pub config: PathBuf,
    /// What was written.
    pub sample: Sample,
    /// What the daemon made of it.
    pub summary: Summary,
    /// What the receiver got.
    pub deliveries: Vec<Delivery>,
    /// How long writing the sample took.
    pub wrote: Duration,
    /// How long reading, scoring and nudging took.
    pub read: Duration,
}

/// Writes the sample and its configuration below a new directory `dir` and plays it as of `now`.
///
/// # Errors
/// What the file system, the configuration or the daemon says.
pub async fn play(dir: &Path, now: Timestamp) -> anyhow::Result<Played> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let began = Instant::now();
    let sample = write_sample(dir, now).await?;
    let wrote = began.elapsed();
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    let receiver = receiver::start(SECRET, Clock::Fixed(now), stop.clone()).await?;
    let path = dir.join("keepwarm.toml");
    std::fs::write(&path, configuration(&sample, dir, receiver.url()))?;
    let config = config::load(&path, std::iter::empty()).map_err(|e| anyhow::anyhow!("{e}"))?;
    let mut daemon = daemon::open(&config, Clock::Fixed(now)).await?;
    let began = Instant::now();
    let mut summary = daemon.run_once(&stop).await?;
    let read = began.elapsed();
    if summary.postponed > 0 {
        tokio::time::sleep(RETRY_AFTER).await;
        daemon.set_clock(Clock::Fixed(now + LATER));
        daemon.deliver_due(&mut summary, &stop).await?;
    }
    let deliveries = receiver.received();
    drop(guard);
    receiver.stopped().await?;
    Ok(Played { config: path, sample, summary, deliveries, wrote, read })
}

async fn write_sample(dir: &Path, now: Timestamp) -> anyhow::Result<Sample> {
    let below = dir.to_owned();
    let written: io::Result<Sample> =
        tokio::task::spawn_blocking(move || sample::write(&below, now)).await?;
    Ok(written?)
}

/// The configuration of the sample, as an admin would write it.
fn configuration(sample: &Sample, dir: &Path, url: &str) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let list = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        format!("[{}]", texts.join(", "))
    };
    let within = |path: &Path| quoted(&path.strip_prefix(dir).unwrap_or(path).to_string_lossy());
    let mut text = format!(
        "# Made by `keepwarm demo`.\n[organization]\ndomains = {}\ntime_zone = {}\n\
         working_days = \"mon-sun\"\n\n[store]\npath = \"keepwarm.db\"\n\n\
         # Nobody waits for tomorrow's digest in a demo.\n[nudge]\nobserve_days = 0\n\
         digest_at = \"off\"\nquiet_hours = \"off\"\nheld_back_percent = 0\n",
        list(&sample.domains),
        quoted(TIME_ZONE.name()),
    );
    for rep in &sample.reps {
        text.push_str(&format!(
            "\n[[rep]]\nid = {id}\nname = {name}\naddresses = {addresses}\n\n\
             [[source]]\nname = {mail}\nrep = {id}\nkind = \"maildir\"\npath = {maildir}\n\
             authserv_id = {server}\n\n\
             [[source]]\nname = {events}\nrep = {id}\nkind = \"ics\"\npath = {calendar}\n",
            id = quoted(&rep.id),
            name = quoted(&rep.name),
            addresses = list(&rep.addresses),
            mail = quoted(&format!("{}-mail", rep.id)),
            maildir = within(&rep.maildir),
            server = quoted(AUTHSERV_ID),
            events = quoted(&format!("{}-calendar", rep.id)),
            calendar = within(&rep.calendar),
        ));
    }
    text.push_str(&format!(
        "\n[[endpoint]]\nname = \"demo-receiver\"\nurl = {}\nsecret = {}\n",
        quoted(url),
        quoted(SECRET),
    ));
    text
}
