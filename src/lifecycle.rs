//! How the process begins and ends: signals, the service manager, the deadline for stopping.
//!
//! SIGTERM and SIGINT ask to stop, and a second one stops at once; SIGHUP asks to reload. What is
//! told to the service manager is lost in silence where there is none. What stopping and
//! reloading mean is left to the daemon, which is given a token and a counter.

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long tasks may take to end after the first signal: less than `TimeoutStopSec=` of the unit,
/// so that the process ends by itself, with a word about what was left.
pub const STOP_LIMIT: Duration = Duration::from_secs(20);

/// The exit status after a second signal: a runtime failure.
const ABORTED: i32 = 1;

/// What signals ask for.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Cancelled by the first SIGTERM or SIGINT.
    pub stop: CancellationToken,
    /// Changes with every SIGHUP: how many there were.
    pub reload: watch::Receiver<u64>,
}

/// Whether the loops are getting on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// They are: the watchdog is fed.
    Well,
    /// One is not: the watchdog is left to bite.
    Stuck,
}

/// How stopping ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every task has ended.
    All,
    /// So many had not ended at the deadline.
    Left(usize),
}

/// Begins to listen for signals. Must be called in a tokio runtime, before anything is announced
/// as ready.
///
/// # Errors
/// If the system refuses a handler.
pub fn listen() -> io::Result<Signals> {
    let (terminate, interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let hangup = signal(SignalKind::hangup())?;
    let stop = CancellationToken::new();
    let (reload, reloads) = watch::channel(0);
    tokio::spawn(heed(terminate, interrupt, stop.clone()));
    tokio::spawn(count(hangup, reload));
    Ok(Signals { stop, reload: reloads })
}

/// Tells the service manager that the daemon is up, and what it does.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Tells the service manager what the daemon does, for `systemctl status`; without personal data.
pub fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// Tells the service manager that the daemon changes its configuration; [`ready`] tells it when that
/// is over.
pub fn reloading(status: &str) {
    // Of Type=notify-reload (systemd 253); others do not mind.
    let now = NotifyState::monotonic_usec_now();
    let mut states = vec![NotifyState::Reloading, NotifyState::Status(status)];
    states.extend(now);
    tell(&states);
}

/// Tells the service manager that the daemon is about to end.
pub fn stopping(status: &str) {
    tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// Feeds the watchdog, where there is one, for as long as the loops are well and nobody stops.
///
/// Feeds at a third of its time, so that one late feeding does not end the service.
pub async fn feed_watchdog(stop: CancellationToken, health: impl Fn() -> Health) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let pause = (limit / 3).max(Duration::from_millis(1));
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        if health() == Health::Well {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

/// Waits for all tasks to end; takes no new ones.
pub async fn drain(tasks: &TaskTracker, limit: Duration) -> Drained {
    tasks.close();
    match tokio::time::timeout(limit, tasks.wait()).await {
        Ok(()) => Drained::All,
        Err(_) => Drained::Left(tasks.len()),
    }
}

/// Turns the first signal into a request and the second one into the end.
async fn heed(mut terminate: Signal, mut interrupt: Signal, stop: CancellationToken) {
    either(&mut terminate, &mut interrupt).await;
    tracing::info!("stopping");
    stop.cancel();
    either(&mut terminate, &mut interrupt).await;
    tracing::warn!("stopped by a second signal");
    std::process::exit(ABORTED);
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

async fn count(mut hangup: Signal, reload: watch::Sender<u64>) {
    while hangup.recv().await.is_some() {
        reload.send_modify(|count| *count += 1);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::net::UnixDatagram;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// How long anything in these tests may take.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Set for the tests that are only children.
    const CHILD: &str = "KEEPWARM_TEST_CHILD";

    /// Runs one of the tests below that are only children, in a process of its own.
    fn child(name: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--nocapture", "--exact", &format!("lifecycle::tests::{name}")]);
        command.env(CHILD, "1").stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Whether this process is such a child, and not a run of all ignored tests.
    fn is_child() -> bool {
        std::env::var_os(CHILD).is_some()
    }

    fn send(signal: &str, to: &Child) {
        let status = Command::new("kill").args([signal, &to.id().to_string()]).status().unwrap();
        assert!(status.success(), "kill {signal}");
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    #[test]
    #[ignore = "a child of the_service_manager_hears_of_every_state"]
    fn child_that_notifies() {
        if !is_child() {
            return;
        }
        runtime().block_on(async {
            ready("reading 3 sources");
            let stop = CancellationToken::new();
            let fed = std::cell::Cell::new(0);
            feed_watchdog(stop.clone(), || {
                fed.set(fed.get() + 1);
                match fed.get() {
                    1 => return Health::Well,
                    2 => return Health::Stuck,
                    _ => stop.cancel(),
                }
                Health::Stuck
            })
            .await;
            stopping("ending");
        });
    }

    #[test]
    fn the_service_manager_hears_of_every_state() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = child("child_that_notifies");
        command
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "30000")
            .env_remove("WATCHDOG_PID");
        assert!(command.status().unwrap().success());
        for expected in
            ["READY=1\nSTATUS=reading 3 sources\n", "WATCHDOG=1\n", "STOPPING=1\nSTATUS=ending\n"]
        {
            let mut bytes = [0; 256];
            let length = socket.recv(&mut bytes).unwrap();
            assert_eq!(String::from_utf8_lossy(&bytes[..length]), expected);
        }
    }

    #[test]
    #[ignore = "a child of signals_ask_and_then_insist"]
    fn child_that_listens() {
        if !is_child() {
            return;
        }
        runtime().block_on(async {
            let mut signals = listen().unwrap();
            println!("listening");
            signals.reload.changed().await.unwrap();
            println!("reload {}", *signals.reload.borrow());
            signals.stop.cancelled().await;
            println!("stop");
            tokio::time::sleep(PATIENCE).await;
            println!("nobody insisted");
        });
    }

    #[test]
    fn signals_ask_and_then_insist() {
        let mut process = child("child_that_listens").spawn().unwrap();
        let mut lines =
            BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut until = |wanted: &str| lines.any(|line| line.ends_with(wanted));
        assert!(until("listening"));
        send("-HUP", &process);
        assert!(until("reload 1"));
        send("-TERM", &process);
        assert!(until("stop"));
        send("-INT", &process);
        assert!(!until("nobody insisted"));
        assert_eq!(process.wait().unwrap().code(), Some(ABORTED));
    }

    #[test]
    fn the_unit_waits_longer_than_the_deadline() {
        let unit = include_str!("../systemd/keepwarm.service");
        let seconds = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec="));
        let waits = Duration::from_secs(seconds.unwrap().parse().unwrap());
        assert!(waits > STOP_LIMIT, "{waits:?}");
    }

    #[test]
    fn draining_ends_with_the_tasks_or_at_the_deadline() {
        runtime().block_on(async {
            let tasks = TaskTracker::new();
            tasks.spawn(std::future::ready(()));
            assert_eq!(drain(&tasks, PATIENCE).await, Drained::All);
            let stuck = tasks.spawn(std::future::pending::<()>());
            assert_eq!(drain(&tasks, Duration::from_millis(10)).await, Drained::Left(1));
            stuck.abort();
        });
    }
}
