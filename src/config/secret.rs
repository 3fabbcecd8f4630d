//! The way to a secret, and the walk along it.
//!
//! A secret is resolved when it is used, so that a changed file is seen without a restart. The
//! secret is never part of an error or of `Debug`; nor are a command's arguments.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

/// How long a command may take to print a secret.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// The most bytes of a file or of a command's output that are read: a secret is one short line.
const MAX_BYTES: u64 = 64 * 1024;

/// What `LoadCredential=keepwarm:DIRECTORY` puts before the name of each file in the directory.
const CREDENTIAL_PREFIX: &str = "keepwarm_";

/// Where a secret comes from.
#[derive(Clone)]
pub enum SecretSource {
    /// It stands in the configuration.
    Inline(SecretString),
    /// The first line of a file.
    File(PathBuf),
    /// A systemd credential.
    Credential {
        /// `$CREDENTIALS_DIRECTORY`, if the service manager gave one.
        directory: Option<PathBuf>,
        /// The file there, with or without the prefix `keepwarm_` of the whole directory.
        name: String,
    },
    /// The first line that a program prints; the program, then its arguments.
    Command(Vec<String>),
}

/// The same way; to the same secret, where it stands in the configuration.
impl PartialEq for SecretSource {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inline(one), Self::Inline(other)) => {
                one.expose_secret() == other.expose_secret()
            }
            (Self::File(one), Self::File(other)) => one == other,
            (
                Self::Credential { directory, name },
                Self::Credential { directory: elsewhere, name: other },
            ) => (directory, name) == (elsewhere, other),
            (Self::Command(one), Self::Command(other)) => one == other,
            (Self::Inline(_) | Self::File(_) | Self::Credential { .. } | Self::Command(_), _) => {
                false
            }
        }
    }
}

impl Eq for SecretSource {}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file is not there or not readable: the admin mends its path or its owner.
    #[error("reading {path}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nothing, or no text, on the first line.
    #[error("{0} has no text on its first line")]
    Empty(String),
    /// The process was started without credentials.
    #[error("there is no $CREDENTIALS_DIRECTORY: the unit needs LoadCredential=")]
    NoCredentials,
    /// The program could not be started.
    #[error("starting {program}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The program ended without success.
    #[error("{program} ended with {status}")]
    Unsuccessful {
        /// The program.
        program: String,
        /// Its exit status.
        status: String,
    },
    /// The program did not end in time, and was killed: it may succeed later.
    #[error("{program} did not end within {} s", limit.as_secs())]
    TimedOut {
        /// The program.
        program: String,
        /// The limit.
        limit: Duration,
    },
}

impl SecretSource {
    /// The ways that a section's four keys give, in the order in which the table has them; of
    /// `credentials` systemd tells.
    pub(super) fn ways(
        inline: Option<String>,
        file: Option<String>,
        credential: Option<String>,
        command: Option<Vec<String>>,
        credentials: Option<&PathBuf>,
    ) -> [Option<Self>; 4] {
        [
            inline.map(|secret| Self::Inline(SecretString::from(secret))),
            file.map(|path| Self::File(PathBuf::from(path))),
            credential.map(|name| Self::Credential { directory: credentials.cloned(), name }),
            command.map(Self::Command),
        ]
    }

    /// The secret. Blocks: up to 30 seconds for a command.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn resolve(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File(path) => from_file(path),
            Self::Credential { .. } => from_file(&self.file().ok_or(SecretError::NoCredentials)?),
            Self::Command(words) => from_command(words, COMMAND_LIMIT),
        }
    }

    /// The file that holds it, if one does.
    pub(super) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Credential { directory, name } => {
                let directory = directory.as_ref()?;
                let plain = directory.join(name);
                let prefixed = directory.join(format!("{CREDENTIAL_PREFIX}{name}"));
                Some(if !plain.exists() && prefixed.exists() { prefixed } else { plain })
            }
            Self::Inline(_) | Self::Command(_) => None,
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("Inline(hidden)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Credential { name, .. } => f.debug_tuple("Credential").field(name).finish(),
            Self::Command(words) => f.debug_tuple("Command").field(&words.first()).finish(),
        }
    }
}

fn from_file(path: &Path) -> Result<SecretString, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let bytes = read_capped(file).map_err(unreadable)?;
    first_line(bytes).ok_or_else(|| SecretError::Empty(path.display().to_string()))
}

/// Runs the program; its output is read on a thread, so that a silent one can be given up.
fn from_command(words: &[String], limit: Duration) -> Result<SecretString, SecretError> {
    let (program, arguments) =
        words.split_first().ok_or_else(|| SecretError::Empty("the command".to_owned()))?;
    let not_started = |source| SecretError::NotStarted { program: program.clone(), source };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(not_started)?;
    let (send, receive) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        // The thread ends with the output, at the latest when whoever inherited it ends.
        std::thread::spawn(move || send.send(read_capped(stdout)));
    }
    let output = receive.recv_timeout(limit);
    let status = if output.is_ok() { wait(&mut child, limit) } else { None };
    let Some((bytes, status)) = output.ok().zip(status) else {
        let _ = child.kill().and_then(|()| child.wait());
        return Err(SecretError::TimedOut { program: program.clone(), limit });
    };
    if !status.success() {
        let status = status.to_string();
        return Err(SecretError::Unsuccessful { program: program.clone(), status });
    }
    let empty = || SecretError::Empty(format!("the output of {program}"));
    first_line(bytes.map_err(not_started)?).ok_or_else(empty)
}

/// How a process ended that has closed its output, if it does so in time.
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status);
        }
        if waited >= limit {
            return None;
        }
        std::thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

fn read_capped(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn first_line(bytes: Vec<u8>) -> Option<SecretString> {
    let text = String::from_utf8(bytes).ok()?;
    let line = text.lines().next()?;
    (!line.trim().is_empty()).then(|| SecretString::from(line))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn run(script: &str, limit: Duration) -> String {
        let words = ["/bin/sh", "-c", script].map(str::to_owned);
        match from_command(&words, limit) {
            Ok(secret) => secret.expose_secret().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_command_gives_its_first_line_or_the_reason_why_not() {
        for (script, answer) in [
            ("printf 'one\\r\\ntwo\\n'", "one"),
            ("printf ' 0123 '", " 0123 "),
            ("true", "the output of /bin/sh has no text on its first line"),
            ("echo canary; exit 3", "/bin/sh ended with exit status: 3"),
        ] {
            assert_eq!(run(script, Duration::from_secs(20)), answer, "{script}");
        }
    }

    #[test]
    fn a_silent_command_is_given_up() {
        for script in ["exec sleep 20", "exec sleep 20 >&-"] {
            let answer = run(script, Duration::from_millis(50));
            assert_eq!(answer, "/bin/sh did not end within 0 s", "{script}");
        }
    }

    #[test]
    fn a_secret_of_a_file_is_its_first_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        for (bytes, secret) in [
            (&b"pw"[..], Some("pw")),
            (b"pw\n", Some("pw")),
            (b"pw\r\nmore", Some("pw")),
            (b"", None),
            (b"\npw", None),
            (b"\xff\xfe", None),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let found = SecretSource::File(path.clone()).resolve().ok();
            let found = found.map(|secret| secret.expose_secret().to_owned());
            assert_eq!(found.as_deref(), secret, "{bytes:?}");
        }
    }
}
