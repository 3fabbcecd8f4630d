//! A private Dovecot: its own directory, its own free ports on loopback, its own authority.
//!
//! Any number can run at once. One ends when it is dropped, also by a panic, and with the test
//! process at the latest. As root it runs as `mail`, for Dovecot serves no mail as root; else as
//! whoever runs the tests.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keepwarm::source::imap::Settings;
use tempfile::TempDir;

use super::process::end;
use super::{certificates, tokens};

/// The password of every user.
pub(crate) const PASSWORD: &str = "correct horse \"battery\" staple";

/// How messages are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    Maildir,
    Sdbox,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Dovecot {
    directory: TempDir,
    storage: Storage,
    child: Child,
    ca_pem: String,
    /// Plain and STARTTLS.
    pub(crate) imap: SocketAddr,
    /// TLS from the first byte.
    pub(crate) imaps: SocketAddr,
}

impl Dovecot {
    /// A server with Maildirs for `users`.
    pub(crate) fn start(users: &[&str]) -> Self {
        Self::start_with(Storage::Maildir, users, "")
    }

    /// A server with some more lines of configuration.
    pub(crate) fn start_with(storage: Storage, users: &[&str], config: &str) -> Self {
        assert!(
            Path::new("/usr/sbin/dovecot").exists(),
            "Dovecot is not installed: run the tests by `tests/run`, which installs what they need"
        );
        // A port that is free now may be taken a moment later: then others are tried.
        (0..5)
            .find_map(|_| Self::attempt(storage, users, config))
            .unwrap_or_else(|| panic!("Dovecot does not start; its log is above"))
    }

    /// A server that takes tokens too, by these mechanisms, with some more lines of configuration.
    pub(crate) fn with_tokens(users: &[&str], mechanisms: &str, config: &str) -> Self {
        let config = format!(
            "auth_mechanisms = plain login {mechanisms}\npassdb {{\n  driver = oauth2\n  \
             mechanisms = {mechanisms}\n  args = @DIR@/oauth2.conf\n}}\n{config}"
        );
        Self::start_with(Storage::Maildir, users, &config)
    }

    fn attempt(storage: Storage, users: &[&str], config: &str) -> Option<Self> {
        let directory = tempfile::Builder::new().prefix("kw-").tempdir().unwrap();
        let path = directory.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(path.join("mail")).unwrap();
        let certificates = certificates::issue();
        fs::write(path.join("cert.pem"), certificates.leaf).unwrap();
        fs::write(path.join("key.pem"), certificates.key).unwrap();
        let passwords: String =
            users.iter().map(|user| format!("{user}:{{PLAIN}}{PASSWORD}\n")).collect();
        fs::write(path.join("users"), passwords).unwrap();
        write_oauth(path);
        let ports = [free_port(), free_port()];
        let text = configuration(path, storage, ports, config);
        fs::write(path.join("dovecot.conf"), text).unwrap();
        own(path);
        let child = spawn(path);
        let [imap, imaps] = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let mut server = Self { directory, storage, child, ca_pem: certificates.ca, imap, imaps };
        if server.answers() {
            return Some(server);
        }
        eprintln!("dovecot: {}", server.log());
        None
    }

    /// The certificate of the authority that signed the server's.
    pub(crate) fn ca_pem(&self) -> &[u8] {
        self.ca_pem.as_bytes()
    }

    /// Settings to read a user's mail over TLS.
    pub(crate) fn settings(&self, user: &str) -> Settings {
        let mut settings = Settings::new("localhost", user, PASSWORD.into());
        settings.port = self.imaps.port();
        settings.response_timeout = Duration::from_secs(20);
        settings
    }

    /// The directory of a user's mailbox; `INBOX` is the root of the Maildir++ tree.
    pub(crate) fn maildir(&self, user: &str, mailbox: &str) -> PathBuf {
        assert_eq!(self.storage, Storage::Maildir);
        let root = self.directory.path().join("mail").join(user).join("Maildir");
        match mailbox {
            "INBOX" => root,
            _ => root.join(format!(".{}", mailbox.replace('/', "."))),
        }
    }

    /// Puts a message into a mailbox, dated `at` (seconds since the epoch).
    pub(crate) fn deliver(&self, user: &str, mailbox: &str, at: u64, message: &[u8]) {
        if self.storage == Storage::Sdbox {
            self.doveadm_with(&["save", "-u", user, "-m", mailbox], message);
            return;
        }
        let directory = self.maildir(user, mailbox);
        // By the server's user from the first, for the server may open the mailbox at any moment.
        for root in [&self.maildir(user, "INBOX"), &directory] {
            if !root.join("tmp").exists() {
                let parts = ["cur", "new", "tmp"].map(|part| root.join(part));
                let status = demoted("mkdir").arg("-p").args(parts).status().unwrap();
                assert!(status.success(), "{root:?}");
            }
        }
        put_as(&directory, at, message, Some(ids(self.directory.path())));
    }

    /// Runs `doveadm` on this server; answers with its output.
    pub(crate) fn doveadm(&self, arguments: &[&str]) -> String {
        self.doveadm_with(arguments, b"")
    }

    /// Moves the messages that a search finds (`uid 3`, `all`) to another mailbox.
    pub(crate) fn move_messages(&self, user: &str, from: &str, to: &str, search: &[&str]) {
        self.doveadm(&[&["move", "-u", user, to, "mailbox", from], search].concat());
    }

    /// Deletes the messages that a search finds.
    pub(crate) fn expunge(&self, user: &str, mailbox: &str, search: &[&str]) {
        self.doveadm(&[&["expunge", "-u", user, "mailbox", mailbox], search].concat());
    }

    /// Gives a mailbox another UIDVALIDITY and all its messages other UIDs, as after a restore.
    pub(crate) fn forget_uids(&self, user: &str, mailbox: &str) {
        let directory = self.maildir(user, mailbox);
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("dovecot-uidlist") || name.starts_with("dovecot.index") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// The server's log.
    pub(crate) fn log(&self) -> String {
        ["stderr", "log"]
            .map(|name| fs::read_to_string(self.directory.path().join(name)).unwrap_or_default())
            .concat()
    }

    /// Ends every connection, as a provider does when it wants to see a token again.
    pub(crate) fn end_connections(&self) {
        let parent = self.child.id().to_string();
        // Fails where there are none.
        let _ = Command::new("pkill").args(["-TERM", "-P", &parent, "-x", "imap"]).status();
    }

    fn doveadm_with(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = demoted("doveadm")
            .args(["-c", &self.directory.path().join("dovecot.conf").to_string_lossy()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "doveadm {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if let Ok(mut stream) = TcpStream::connect(self.imap) {
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let mut greeting = [0u8; 4];
                if stream.read_exact(&mut greeting).is_ok() && &greeting == b"* OK" {
                    return true;
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        end(&mut self.child, Duration::from_secs(5));
    }
}

/// A Maildir's directories, which must not exist yet or be Maildirs already.
pub(crate) fn make_maildir(directory: &Path) {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(directory.join(part)).unwrap();
    }
}

/// Writes a message into a Maildir's `new`, dated `at`; answers with its path.
pub(crate) fn put(maildir: &Path, at: u64, message: &[u8]) -> PathBuf {
    put_as(maildir, at, message, None)
}

fn put_as(maildir: &Path, at: u64, message: &[u8], owner: Option<(u32, u32)>) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{at}.M{count}P{}.host", std::process::id());
    let waiting = maildir.join("tmp").join(&name);
    fs::write(&waiting, message).unwrap();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
    fs::File::options().write(true).open(&waiting).unwrap().set_modified(modified).unwrap();
    if let Some((uid, gid)) = owner {
        chown(&waiting, Some(uid), Some(gid)).unwrap();
    }
    let path = maildir.join("new").join(name);
    fs::rename(waiting, &path).unwrap();
    path
}

fn spawn(directory: &Path) -> Child {
    let errors = fs::File::create(directory.join("stderr")).unwrap();
    demoted("dovecot")
        .arg("-F")
        .arg("-c")
        .arg(directory.join("dovecot.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .unwrap()
}

/// A command that ends with this thread and runs as the server's user.
fn demoted(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]);
    if is_root() {
        command.args(["--reuid", "mail", "--regid", "mail", "--clear-groups"]);
    }
    command.arg("--").arg(program).env("HOME", "/nonexistent");
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// User and group of the server: those who own its directory.
fn ids(directory: &Path) -> (u32, u32) {
    let metadata = fs::metadata(directory.join("users")).unwrap();
    (metadata.uid(), metadata.gid())
}

/// Makes everything below a path the server user's.
fn own(path: &Path) {
    if !is_root() {
        return;
    }
    let mail = |what: &str| -> u32 {
        let output = Command::new("id").args([what, "mail"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    own_as(path, mail("-u"), mail("-g"));
}

fn own_as(path: &Path, uid: u32, gid: u32) {
    chown(path, Some(uid), Some(gid)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            own_as(&entry.unwrap().path(), uid, gid);
        }
    }
}

/// A port of loopback that nobody listens on at this moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Whose tokens open every mailbox, with [`APP_TOO`].
pub(crate) const APP: &str = "app";

/// What makes it believe tokens of an app as well, whichever mailbox it asks for: as those of an app of
/// Microsoft 365 are believed.
pub(crate) const APP_TOO: &str = "passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = @DIR@/app.conf
}";

/// What makes it believe access tokens that are signed with the key of the tests.
fn write_oauth(directory: &Path) {
    let keys = directory.join("keys/default/HS256");
    fs::create_dir_all(&keys).unwrap();
    fs::write(keys.join("default"), STANDARD.encode(tokens::KEY)).unwrap();
    let keys = directory.join("keys");
    let text = format!(
        "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={}/\n\
         issuers = {}\nusername_attribute = email\n",
        keys.display(),
        tokens::ISSUER
    );
    fs::write(directory.join("oauth2.conf"), &text).unwrap();
    // Whatever the mailbox is called, as long as the token is the app's.
    let text =
        format!("{text}username_format = any\nactive_attribute = email\nactive_value = {APP}\n");
    fs::write(directory.join("app.conf"), text).unwrap();
}

/// The name of a user or group, as `id` prints it.
fn name_of(what: &str) -> String {
    if is_root() {
        return "mail".to_owned();
    }
    let output = Command::new("id").arg(what).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn configuration(directory: &Path, storage: Storage, ports: [u16; 2], extra: &str) -> String {
    let location = match storage {
        Storage::Maildir => "maildir:~/Maildir",
        Storage::Sdbox => "sdbox:~/sdbox",
    };
    let [imap, imaps] = ports.map(|port| port.to_string());
    include_str!("dovecot.conf")
        .replace("@EXTRA@", extra)
        .replace("@DIR@", &directory.to_string_lossy())
        .replace("@USER@", &name_of("-un"))
        .replace("@GROUP@", &name_of("-gn"))
        .replace("@LOCATION@", location)
        .replace("@IMAP@", &imap)
        .replace("@IMAPS@", &imaps)
}
