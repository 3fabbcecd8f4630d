//! A Radicale of its own: its own directory, a free port on loopback, one user.
//!
//! `tests/run` installs it below `target`. It ends when dropped, with the test process at the latest.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use tempfile::TempDir;

use super::certificates::{self, Certificates};
use super::dav::Dav;
use super::dovecot::free_port;
use super::process::end;
use super::python;

/// The one user.
pub(crate) const USER: &str = "ann";
/// The user's password.
pub(crate) const PASSWORD: &str = "canary horse";

/// A running server.
#[derive(Debug)]
pub(crate) struct Radicale {
    directory: TempDir,
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Radicale {
    /// A server without calendars, in the clear.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| String::new())
    }

    /// A server over TLS, for `localhost`, and the certificate of who signed its own.
    pub(crate) fn with_tls() -> (Self, String) {
        let Certificates { ca, leaf, key } = certificates::issue();
        let server = Self::start_with(|directory| {
            fs::write(directory.join("leaf.pem"), &leaf).unwrap();
            fs::write(directory.join("key.pem"), &key).unwrap();
            let path = directory.display();
            format!("ssl = True\ncertificate = {path}/leaf.pem\nkey = {path}/key.pem\n")
        });
        (server, ca)
    }

    fn start_with(server: impl Fn(&std::path::Path) -> String) -> Self {
        // A port that is free now may be taken a moment later: then others are tried.
        (0..5).find_map(|_| Self::attempt(&server)).expect("Radicale does not start")
    }

    fn attempt(server: &impl Fn(&std::path::Path) -> String) -> Option<Self> {
        let directory = tempfile::Builder::new().prefix("kw-").tempdir().unwrap();
        let path = directory.path();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        fs::write(path.join("users"), format!("{USER}:{PASSWORD}\n")).unwrap();
        let text = format!(
            "[server]\nhosts = {address}\n{}[auth]\ntype = htpasswd\nhtpasswd_encryption = plain\n\
             delay = 0\nhtpasswd_filename = {path}/users\n[storage]\nfilesystem_folder = {path}/data\n\
             [logging]\nlevel = info\n",
            server(path),
            path = path.display(),
        );
        fs::write(path.join("radicale.conf"), text).unwrap();
        let log = fs::File::create(path.join("log")).unwrap();
        let mut command = python::module("radicale");
        command.arg("--config").arg(path.join("radicale.conf")).stderr(log);
        let child = command.spawn().unwrap();
        let mut radicale = Self { directory, child, address };
        python::listens(&mut radicale.child, address).then_some(radicale)
    }

    /// A second client of the same user.
    pub(crate) fn client(&self) -> Dav {
        Dav::new(self.address, USER, PASSWORD)
    }

    /// Where a calendar's files are.
    pub(crate) fn files(&self, calendar: &str) -> PathBuf {
        self.directory.path().join("data/collection-root").join(calendar.trim_matches('/'))
    }

    /// How many requests of a kind it has answered.
    pub(crate) fn requests(&self, method: &str) -> usize {
        let log = self.log();
        log.matches(&format!("{method} request for")).count()
    }

    /// How long it took for all answers so far, in seconds, by its own account.
    pub(crate) fn busy_s(&self) -> f64 {
        let log = self.log();
        let answers = log.lines().filter(|line| line.contains("response status"));
        let taken = answers
            .filter_map(|line| line.rsplit_once(" in ")?.1.split(' ').next()?.parse::<f64>().ok());
        taken.sum()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        end(&mut self.child, Duration::from_secs(5));
    }
}
