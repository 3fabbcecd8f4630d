//! `keepwarm run`: the daemon; with `--once`, one complete pass of everything.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::output::Progress;
use super::{Failure, check, clock, load, runtime};
use crate::clock::Clock;
use crate::config::{Config, Problems, Severity};
use crate::daemon::{self, BuildError, Daemon, Service, Summary};
use crate::lifecycle::{self, Drained};
use crate::model::Timestamp;
use crate::serve;

/// How often progress is shown.
const TICK: Duration = Duration::from_millis(200);

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
            forever(path, config).await
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

async fn forever(path: &Path, config: Config) -> Result<ExitCode, Failure> {
    let mut signals = lifecycle::listen()?;
    let daemon = open(&config, Clock::System).await?;
    let (tasks, stop) = (TaskTracker::new(), signals.stop.clone());
    let listen = config.serve.listen;
    let service = Arc::new(Service::new(daemon, config, &tasks, &stop));
    let watched = Arc::clone(&service);
    tasks.spawn(lifecycle::feed_watchdog(stop.clone(), move || watched.health()));
    if let Some(listen) = listen {
        answer(listen, &service, &tasks, &stop).await;
    }
    if stop.run_until_cancelled(service.begin()).await.is_some() {
        let standing = service.standing().await;
        tracing::info!(standing, "keepwarm runs");
        lifecycle::ready(&standing);
        let (tells, ends) = (Arc::clone(&service), stop.clone());
        tasks.spawn(async move {
            ends.run_until_cancelled(tells.tell_standing(standing)).await;
        });
    }
    while let Some(Ok(())) = stop.run_until_cancelled(signals.reload.changed()).await {
        lifecycle::reloading("reading the configuration again");
        reload(path, &service).await;
        lifecycle::ready(&service.standing().await);
    }
    lifecycle::stopping("finishing what is under way");
    if let Drained::Left(left) = lifecycle::drain(&tasks, lifecycle::STOP_LIMIT).await {
        tracing::warn!(left, "tasks did not stop in time; their work is done again next time");
    }
    tracing::info!("keepwarm has stopped");
    Ok(ExitCode::SUCCESS)
}

/// Serves what is asked over HTTP, if that address can be had.
async fn answer(
    listen: SocketAddr,
    service: &Arc<Service>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    match serve::bind(listen).await {
        Ok(listener) => {
            let (service, stop) = (Arc::clone(service), stop.clone());
            tasks.spawn(async move {
                let access = service.access();
                if let Err(error) = serve::serve(listener, service, access, stop).await {
                    tracing::error!(%error, "health is not served any more");
                }
            });
        }
        // Reading mail matters more than being asked how it goes.
        Err(error) => tracing::error!(%listen, %error, "health is not served: see [serve]"),
    }
}

/// Reads the configuration again, and goes by it if there is nothing wrong with it; else everything
/// stays as it is. Either is logged.
async fn reload(path: &Path, service: &Arc<Service>) {
    let path = path.to_owned();
    let read = move || {
        let config = load(&path)?;
        let problems = check::problems(&config);
        Ok((config, problems))
    };
    let refused = match tokio::task::spawn_blocking(read).await {
        Ok(Ok((_, problems))) if problems.iter().any(|one| one.severity == Severity::Error) => {
            Some(Problems(problems).to_string())
        }
        Ok(Ok((config, problems))) => {
            for problem in problems {
                tracing::warn!("{}", problem.to_string().trim_end());
            }
            service.reload(config).await.err().map(|error| error.to_string())
        }
        Ok(Err(Failure::Usage(problems))) => Some(problems),
        Ok(Err(Failure::Runtime(error))) => Some(format!("{error:#}")),
        Err(_) => Some("reading it has failed: this is a fault in keepwarm".to_owned()),
    };
    if let Some(why) = refused {
        tracing::error!(
            "the configuration is refused, the old one stays in force:\n{}",
            why.trim_end()
        );
    }
}
