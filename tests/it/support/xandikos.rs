//! A Xandikos of its own: its own directory, a free port on loopback, and nobody has to log in.
//!
//! `tests/run` installs it below `target`. It ends when dropped, with the test process at the latest.

use std::net::SocketAddr;
use std::process::Child;
use std::time::Duration;

use tempfile::TempDir;

use super::dav::Dav;
use super::dovecot::free_port;
use super::process::end;
use super::python;

/// Where calendars are.
pub(crate) const HOME: &str = "/ann/calendars/";

/// A running server.
#[derive(Debug)]
pub(crate) struct Xandikos {
    _directory: TempDir,
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Xandikos {
    /// A server with one empty calendar, `calendar`.
    pub(crate) fn start() -> Self {
        // A port that is free now may be taken a moment later: then others are tried.
        (0..5).find_map(|_| Self::attempt()).expect("Xandikos does not start")
    }

    fn attempt() -> Option<Self> {
        let directory = tempfile::Builder::new().prefix("kw-").tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = python::module("xandikos");
        command.args(["serve", "--defaults", "--current-user-principal", "/ann/"]);
        command.args(["--listen-address", "127.0.0.1", "--port", &address.port().to_string()]);
        command.arg("--directory").arg(directory.path().join("data"));
        command.arg("--state-dir").arg(directory.path().join("state"));
        command.env("HOME", directory.path());
        command.stderr(std::fs::File::create(directory.path().join("log")).unwrap());
        let child = command.spawn().unwrap();
        let mut xandikos = Self { _directory: directory, child, address };
        python::listens(&mut xandikos.child, address).then_some(xandikos)
    }

    /// A second client.
    pub(crate) fn client(&self) -> Dav {
        Dav::new(self.address, "ann", "")
    }
}

impl Drop for Xandikos {
    fn drop(&mut self) {
        end(&mut self.child, Duration::from_secs(5));
    }
}
