//! IMAP servers that are one program of a registry each: pymap, and Hoodiecrow posing as Gmail.
//!
//! They keep mail in memory, speak in the clear on a free port of loopback, and end when dropped,
//! with the test process at the latest. `tests/run` installs them below `target`.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::client::Client;
use super::dovecot::free_port;
use super::process::Place;

/// The one user.
pub(crate) const USER: &str = "ann@us.example";
/// The user's password.
pub(crate) const PASSWORD: &str = "canary horse";
/// The user's access token, where tokens are taken.
pub(crate) const TOKEN: &str = "canary.token";

/// How long a server may take until it greets.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether Gmail's user shows All Mail to IMAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AllMail {
    Shown,
    Hidden,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Served {
    /// A minimal server: IMAP4rev1 with IDLE, and with neither SPECIAL-USE nor LIST-EXTENDED.
    pub(crate) fn pymap() -> Self {
        Self::start(&installed("venv/bin/pymap"), |command, port| {
            command.args(["--host", "127.0.0.1", "--port", port, "--no-tls", "dict"]);
            command.args(["--demo-user", USER, "--demo-password", PASSWORD]);
        })
    }

    /// Gmail's mailboxes, labels and threads, with XOAUTH2.
    pub(crate) fn gmail(all_mail: AllMail) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/gmail.js");
        let view = match all_mail {
            AllMail::Shown => "all",
            AllMail::Hidden => "hidden",
        };
        Self::start(&installed("node"), |command, port| {
            command.env("NODE_PATH", installed("npm/node_modules")).arg("--no-deprecation");
            command.arg(&script).args([port, view, USER, PASSWORD, TOKEN]);
        })
    }

    /// A second client of the same user.
    pub(crate) fn client(&self) -> Client {
        Client::login(self.address, USER, PASSWORD)
    }

    fn start(program: &Path, arguments: impl Fn(&mut Command, &str)) -> Self {
        // A port that is free now may be taken a moment later: then others are tried.
        (0..5)
            .find_map(|_| Self::attempt(program, &arguments))
            .unwrap_or_else(|| panic!("{} does not start", program.display()))
    }

    fn attempt(program: &Path, arguments: &impl Fn(&mut Command, &str)) -> Option<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        arguments(&mut command, &address.port().to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut served = Self { child: command.spawn().unwrap(), address };
        served.greets().then_some(served)
    }

    fn greets(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && self.child.try_wait().unwrap().is_none() {
            if let Ok(mut stream) = TcpStream::connect(self.address) {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut greeting = [0; 4];
                return stream.read_exact(&mut greeting).is_ok() && &greeting == b"* OK";
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A place that reads a user's mail for ann in the clear, logging in with these lines.
pub(crate) fn place(address: SocketAddr, user: &str, login: &str) -> Place {
    Place::new().with(&format!(
        "[[source]]\nname = \"ann-mail\"\nrep = \"ann\"\nkind = \"imap\"\nhost = \"{}\"\n\
         port = {}\ntls = \"none\"\nusername = \"{user}\"\n{login}",
        address.ip(),
        address.port()
    ))
}

/// What `tests/run` has installed.
pub(crate) fn installed(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-servers").join(path);
    assert!(
        path.exists(),
        "{} is not installed: run the tests by `tests/run`, which installs what they need",
        path.display()
    );
    path
}
