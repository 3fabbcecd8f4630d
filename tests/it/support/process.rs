//! The program as its users run it: a configuration in a directory of its own, and processes.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::dovecot::{Dovecot, PASSWORD};
use super::dump::Dump;
use super::generate::REP;

/// The program under test.
const KEEPWARM: &str = env!("CARGO_BIN_EXE_keepwarm");

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Variables by which every nudge is sent as soon as it is made, each with the key that it sets: a test
/// that is about the key has it in its file.
const AT_ONCE: [(&str, &str, &str); 7] = [
    ("KEEPWARM__NUDGE__OBSERVE_DAYS", "observe_days", "0"),
    ("KEEPWARM__NUDGE__DIGEST_AT", "digest_at", "off"),
    ("KEEPWARM__NUDGE__QUIET_HOURS", "quiet_hours", "off"),
    ("KEEPWARM__NUDGE__HELD_BACK_PERCENT", "held_back_percent", "0"),
    ("KEEPWARM__NUDGE__PER_REP_PER_DAY", "per_rep_per_day", "1000"),
    ("KEEPWARM__NUDGE__MASS_DECAY_LEAST", "mass_decay_least", "1000"),
    ("KEEPWARM__ORGANIZATION__WORKING_DAYS", "working_days", "mon-sun"),
];

/// A configuration and its database.
#[derive(Debug)]
pub(crate) struct Place {
    directory: TempDir,
    text: String,
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A process that goes on until it is told otherwise; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stderr: PathBuf,
}

impl Place {
    /// The organisation us.example with the rep ann, and nothing to read yet.
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("kw-").tempdir().unwrap();
        let text = format!(
            "[organization]\ndomains = [\"us.example\"]\n[store]\npath = \"kw.db\"\n\
             [serve]\nlisten = \"off\"\n\
             [[rep]]\nid = \"ann\"\nname = \"Ann Lee\"\naddresses = [\"{REP}\"]\n"
        );
        let place = Self { directory, text };
        place.save();
        place
    }

    /// With some more lines of configuration.
    pub(crate) fn with(mut self, lines: &str) -> Self {
        let _ = writeln!(self.text, "{lines}");
        self.save();
        self
    }

    /// With these lines in `[serve]`, of which one says where is listened.
    pub(crate) fn serving(mut self, lines: &str) -> Self {
        self.text = self.text.replace("listen = \"off\"", lines);
        self.save();
        self
    }

    /// With the mailbox `user` of a server, over TLS, read for ann.
    pub(crate) fn imap(self, name: &str, server: &Dovecot, user: &str) -> Self {
        let address = server.imaps;
        self.imap_at(name, server, address, user, PASSWORD)
    }

    /// The same through another address, and with that password.
    pub(crate) fn imap_at(
        self,
        name: &str,
        server: &Dovecot,
        address: SocketAddr,
        user: &str,
        password: &str,
    ) -> Self {
        let secret = format!("{name}.password");
        std::fs::write(self.path(&secret), password).unwrap();
        self.imap_by(name, server, address, user, &format!("password_file = \"{secret}\""))
    }

    /// The same with these lines about what to log in with.
    pub(crate) fn imap_by(
        self,
        name: &str,
        server: &Dovecot,
        address: SocketAddr,
        user: &str,
        login: &str,
    ) -> Self {
        std::fs::write(self.path("ca.pem"), server.ca_pem()).unwrap();
        self.with(&format!(
            "[[source]]\nname = \"{name}\"\nrep = \"ann\"\nkind = \"imap\"\nhost = \"localhost\"\n\
             port = {}\nca_file = \"ca.pem\"\nusername = \"{user}\"\n{login}",
            address.port()
        ))
    }

    /// With a Maildir below the configuration's directory.
    pub(crate) fn maildir(self, name: &str) -> Self {
        super::dovecot::make_maildir(&self.path(name));
        self.with(&format!(
            "[[source]]\nname = \"{name}\"\nrep = \"ann\"\nkind = \"maildir\"\npath = \"{name}\""
        ))
    }

    /// With an endpoint.
    pub(crate) fn endpoint(self, name: &str, address: SocketAddr, secret: &str) -> Self {
        let url = super::hook::url(address);
        self.with(&format!(
            "[[endpoint]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = \"{secret}\""
        ))
    }

    /// A file beside the configuration.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path("kw.db")
    }

    /// What the database says.
    pub(crate) fn dump(&self) -> Dump {
        Dump::read(&self.database())
    }

    /// Begins anew, with an empty database.
    pub(crate) fn forget(&self) {
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let _ = std::fs::remove_file(self.path(&format!("kw.db{suffix}")));
        }
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn keepwarm(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).finish(PATIENCE)
    }

    /// `run --once`, which must succeed.
    #[track_caller]
    pub(crate) fn once(&self, arguments: &[&str]) -> Ran {
        let ran = self.keepwarm(&[&["run", "--once"], arguments].concat());
        assert!(ran.status.success(), "run --once {arguments:?}: {}", ran.stderr);
        ran
    }

    /// The JSON that a command prints.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let ran = self.keepwarm(&[arguments, &["--format", "json"]].concat());
        assert!(ran.status.success(), "{arguments:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// Starts a command.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(arguments, &[])
    }

    /// Starts a command with more variables in its environment.
    pub(crate) fn start_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Running {
        let stderr = tempfile::Builder::new().prefix("stderr-").tempfile_in(&self.directory);
        let (file, stderr) = stderr.unwrap().keep().unwrap();
        let child = Command::new(KEEPWARM)
            .arg("--config")
            .arg(self.path("keepwarm.toml"))
            .args(arguments)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("KEEPWARM_LOG")
            .envs(
                AT_ONCE
                    .iter()
                    .filter(|(_, key, _)| {
                        // Where nothing is sent, the days on which people work are as usual.
                        let sends = self.text.contains("[[endpoint]]");
                        !self.text.contains(key) && (sends || *key != "working_days")
                    })
                    .map(|(n, _, v)| (n, v)),
            )
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        Running { child, stderr }
    }

    /// Everything below the directory as bytes, by path.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut open = vec![self.directory.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => open.push(path),
                    false => files.push((path.clone(), std::fs::read(path).unwrap())),
                }
            }
        }
        files
    }

    fn save(&self) {
        std::fs::write(self.path("keepwarm.toml"), &self.text).unwrap();
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        read(&self.stderr)
    }

    /// Waits until it has logged these words.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, words: &str, limit: Duration) {
        let deadline = Instant::now() + limit;
        while !self.log().contains(words) {
            let ended = self.child.try_wait().unwrap();
            let (in_time, log) = (Instant::now() < deadline, self.log());
            assert!(in_time && ended.is_none(), "no `{words}` ({ended:?}) in:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.id().to_string()]).status().unwrap();
        assert!(status.success(), "kill {signal}");
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; it must end within the limit.
    #[track_caller]
    pub(crate) fn terminate(self, limit: Duration) -> Ran {
        self.signal("-TERM");
        self.finish(limit)
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub(crate) fn finish(mut self, limit: Duration) -> Ran {
        // Read on the side: a full pipe would hold it up.
        let mut pipe = self.child.stdout.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).map(|_| text)
        });
        let deadline = Instant::now() + limit;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
                None => panic!("still running after {limit:?}:\n{}", self.log()),
            }
        };
        let stdout = reading.join().unwrap().unwrap();
        Ran { status, stdout, stderr: read(&self.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks a child to end, if it still runs, and kills it if it has not after `patience`.
pub(crate) fn end(child: &mut Child, patience: Duration) {
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}
