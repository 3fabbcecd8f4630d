//! The daemon as a process that was built with optimisation, and what it takes while it runs.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::programs;
use crate::support::dovecot::PASSWORD;
use crate::support::process::{Place, end};

/// Ticks of a processor's time in a second, as Linux tells it to programs.
const TICKS_PER_S: f64 = 100.0;

/// A running daemon; it is asked to end when this is dropped.
#[derive(Debug)]
pub(super) struct Daemon {
    child: Child,
}

/// What a command took of the processors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    pub(super) wall_ms: f64,
    /// User and system.
    pub(super) cpu_ms: f64,
}

impl Daemon {
    pub(super) fn start(place: &Place) -> Self {
        let log = File::create(place.path("daemon.log")).unwrap();
        let child = keepwarm(place).arg("run").stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self { child }
    }

    /// Memory that is no file's, in kB.
    pub(super) fn anonymous_kb(&self) -> f64 {
        let text = fs::read_to_string(self.file("smaps_rollup")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Seconds of processors that it has had so far.
    pub(super) fn cpu_s(&self) -> f64 {
        let text = fs::read_to_string(self.file("stat")).unwrap();
        let fields = text.rsplit_once(") ").unwrap().1.split(' ');
        let ticks = fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
        ticks.sum::<f64>() / TICKS_PER_S
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        end(&mut self.child, Duration::from_secs(30));
    }
}

/// The program with the configuration of a place.
fn keepwarm(place: &Place) -> Command {
    let mut command = Command::new(programs().join("keepwarm"));
    command.arg("--config").arg(place.path("keepwarm.toml"));
    command.env_remove("NOTIFY_SOCKET").env_remove("KEEPWARM_LOG");
    command
}

/// One pass of everything; the shell tells what the process had, as the kernel told it at the end.
pub(super) fn once(place: &Place) -> Took {
    let program = keepwarm(place);
    let mut command = Command::new("bash");
    command.args(["-c", "TIMEFORMAT='%3R %3U %3S'; time \"$@\" 2>errors", "--"]);
    command.arg(program.get_program()).args(program.get_args());
    command.args(["--log", "error", "run", "--once"]).env("LC_ALL", "C");
    let output = command.current_dir(place.path("")).output().unwrap();
    let errors = fs::read_to_string(place.path("errors")).unwrap();
    assert!(output.status.success(), "run --once: {errors}");
    let told = String::from_utf8(output.stderr).unwrap();
    let ms: Vec<f64> =
        told.split_whitespace().map(|s| 1000.0 * s.parse::<f64>().unwrap()).collect();
    Took { wall_ms: ms[0], cpu_ms: ms[1] + ms[2] }
}

/// The mailboxes of these users of a server, over TLS, read for ann.
pub(super) fn reading(users: &[String], server: SocketAddr, ca_pem: &[u8]) -> Place {
    let mut sources = String::new();
    for user in users {
        let _ = write!(
            sources,
            "[[source]]\nname = \"{user}\"\nrep = \"ann\"\nkind = \"imap\"\nhost = \"localhost\"\n\
             port = {}\nca_file = \"ca.pem\"\nusername = \"{user}\"\npassword_file = \"password\"\n",
            server.port()
        );
    }
    let place = Place::new();
    fs::write(place.path("ca.pem"), ca_pem).unwrap();
    fs::write(place.path("password"), PASSWORD).unwrap();
    place.with(&sources)
}

/// Waits until something is so.
#[track_caller]
pub(super) fn until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
