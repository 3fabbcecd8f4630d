//! The service manager, as far as a service speaks to it: a socket that keeps what it is told.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::process::{Place, Running};

/// A service manager.
#[derive(Debug)]
pub(crate) struct Manager {
    told: Receiver<String>,
    path: PathBuf,
}

impl Manager {
    /// One for the daemon of a place. It listens at all times: who speaks to one that does not, waits.
    pub(crate) fn of(place: &Place) -> Self {
        let path = place.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let (keep, told) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length) = socket.recv(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                if keep.send(text).is_err() {
                    return;
                }
            }
        });
        Self { told, path }
    }

    /// Starts `run`, with a watchdog that bites after so long.
    pub(crate) fn start(&self, place: &Place, watchdog: Duration) -> Running {
        let watchdog = watchdog.as_micros().to_string();
        let socket = self.path.to_str().unwrap();
        place.start_with(&["run"], &[("NOTIFY_SOCKET", socket), ("WATCHDOG_USEC", &watchdog)])
    }

    /// What is told next, if anything is within the limit.
    pub(crate) fn hear(&self, limit: Duration) -> Option<String> {
        self.told.recv_timeout(limit).ok()
    }

    /// Waits until it is told something with this line; answers with all of it.
    #[track_caller]
    pub(crate) fn wait_for(&self, line: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let told = self.hear(left);
            assert!(Instant::now() < deadline, "no `{line}`");
            if let Some(told) = told.filter(|told| told.lines().any(|found| found == line)) {
                return told;
            }
        }
    }

    /// Forgets what it was told so far.
    pub(crate) fn forget(&self) {
        while self.hear(Duration::from_millis(1)).is_some() {}
    }
}
