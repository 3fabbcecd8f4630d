//! `keepwarm run`: the daemon; with `--once`, one complete pass of everything.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::output::Progress;
use super::{Failure, clock, load, runtime};
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::{self, BuildError, Daemon, Summary};
use crate::lifecycle::{self, Drained, Health};
use crate::model::{Span, Timestamp};
use crate::serve;

/// How often progress is shown.
const TICK: Duration = Duration::from_millis(200);
/// A nudge loop that has not turned for so long is stuck: it turns every hour at the latest.
const STUCK: Span = Span::from_hours(2);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One complete pass of everything, then exit
    #[arg(long)]
    pub(super) once: bool,
    /// As of this instant (RFC 3339), with --once: nothing dated later counts
    #[arg(long, value_name = "INSTANT", requires = "once")]
    now: Option<Timestamp>,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        if arguments.once {
            once(&config, clock(arguments.now)).await
        } else {
            forever(&config).await
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

/// Opens what is configured; what cannot be used is the admin's to mend.
pub(super) async fn open(config: &Config, clock: Clock) -> Result<Daemon, Failure> {
    daemon::open(config, clock).await.map_err(|error| match error {
        BuildError::Unusable { .. } => Failure::Usage(format!("error: {error}")),
        BuildError::Wrong(problem) => Failure::Usage(problem),
        BuildError::Store(error) => Failure::Runtime(error.into()),
    })
}

async fn once(config: &Config, clock: Clock) -> Result<ExitCode, Failure> {
    let daemon = open(config, clock).await?;
    let signals = lifecycle::listen()?;
    let summary = watched(&daemon, &signals.stop).await?;
    let mut err = std::io::stderr();
    for (source, why) in &summary.failures {
        writeln!(err, "error: syncing source {source}: {why}")?;
    }
    let stopped = signals.stop.is_cancelled();
    if stopped {
        writeln!(err, "stopped; what was read is kept, the next run continues from there")?;
    }
    Ok(if summary.failures.is_empty() && !stopped { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One pass with its progress on standard error.
pub(super) async fn watched(daemon: &Daemon, stop: &CancellationToken) -> Result<Summary, Failure> {
    let progress = Progress::start("reading", None);
    let mut ticks = tokio::time::interval(TICK);
    let mut pass = std::pin::pin!(daemon.run_once(stop));
    let summary = loop {
        tokio::select! {
            summary = &mut pass => break summary?,
            _ = ticks.tick() => progress.reached(daemon.progress.items.load(Ordering::Relaxed)),
        }
    };
    progress.finish(&told(daemon, &summary));
    Ok(summary)
}

fn told(daemon: &Daemon, summary: &Summary) -> String {
    let items = daemon.progress.items.load(Ordering::Relaxed);
    let mut text = format!(
        "read {} sources: {items} items, {} new messages, {} new interactions, {} nudges",
        daemon.source_count(),
        summary.messages,
        summary.interactions,
        summary.nudges
    );
    if summary.delivered + summary.postponed > 0 {
        let (delivered, postponed) = (summary.delivered, summary.postponed);
        text.push_str(&format!(", {delivered} delivered, {postponed} postponed"));
    }
    text
}

async fn forever(config: &Config) -> Result<ExitCode, Failure> {
    let signals = lifecycle::listen()?;
    let daemon = Arc::new(open(config, Clock::System).await?);
    let tasks = TaskTracker::new();
    let heartbeat = daemon.start(&tasks, &signals.stop);
    let watch = Arc::clone(&heartbeat);
    tasks.spawn(lifecycle::feed_watchdog(signals.stop.clone(), move || {
        let alive = Clock::System.now() - watch.last() < STUCK;
        if alive { Health::Well } else { Health::Stuck }
    }));
    if let Some(listen) = config.serve.listen {
        match serve::bind(listen).await {
            Ok(listener) => {
                let (daemon, stop) = (Arc::clone(&daemon), signals.stop.clone());
                tasks.spawn(async move {
                    let access = daemon.access();
                    if let Err(error) = serve::serve(listener, daemon, access, stop).await {
                        tracing::error!(%error, "health is not served any more");
                    }
                });
            }
            // Reading mail matters more than being asked how it goes.
            Err(error) => tracing::error!(%listen, %error, "health is not served: see [serve]"),
        }
    }
    tasks.close();
    let sources = daemon.source_count();
    tracing::info!(sources, "keepwarm runs");
    lifecycle::ready(&format!("reading {sources} sources"));
    signals.stop.cancelled().await;
    lifecycle::stopping("finishing what is under way");
    if let Drained::Left(left) = lifecycle::drain(&tasks, lifecycle::STOP_LIMIT).await {
        tracing::warn!(left, "tasks did not stop in time; their work is done again next time");
    }
    tracing::info!("keepwarm has stopped");
    Ok(ExitCode::SUCCESS)
}
