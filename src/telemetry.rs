//! Logging: where events go and which of them may.
//!
//! To the journal with their fields where stderr is the journal, else to stderr: in colour on a
//! terminal, plain otherwise, JSON lines on request. Guarantees that libraries which log what they
//! send, passwords included, are never heard below `info`, whatever the filter says. That our own
//! events carry no secret, address or subject is left to those who write them.

use std::io::{self, IsTerminal as _};
use std::os::unix::fs::MetadataExt as _;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// What is logged unless the filter says otherwise.
const DEFAULT_FILTER: &str = "info";

/// The most that is heard of a library, by the beginning of its targets. `async_imap` and
/// `imap_proto` log commands and responses at trace, LOGIN and AUTHENTICATE among them; the HTTP
/// libraries log headers, which may hold tokens.
const MOST: [(&str, LevelFilter); 8] = [
    ("async_imap", LevelFilter::INFO),
    ("imap_proto", LevelFilter::INFO),
    ("rustls", LevelFilter::WARN),
    ("tokio_rustls", LevelFilter::WARN),
    ("hyper", LevelFilter::WARN),
    ("hyper_util", LevelFilter::WARN),
    ("h2", LevelFilter::WARN),
    ("reqwest", LevelFilter::WARN),
];

/// How events are written to stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; to the journal where stderr is the journal.
    #[default]
    Human,
    /// One JSON object on a line.
    Json,
}

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is wrong: the admin mends it.
    #[error("the log filter {filter:?}")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// A subscriber is there already: the program calls [`init`] twice.
    #[error("logging")]
    Twice(#[from] TryInitError),
}

/// Begins to log. `filter` is in the syntax of `EnvFilter` (`info,keepwarm=debug`).
///
/// # Errors
/// If the filter is wrong, or this was called before.
pub fn init(format: LogFormat, filter: Option<&str>) -> Result<(), TelemetryError> {
    let filter = parse(filter)?;
    if let Some(journal) = journal(format) {
        let subscriber = tracing_subscriber::registry().with(filter).with(ceiling()).with(journal);
        return Ok(subscriber.try_init()?);
    }
    Ok(subscriber(format, Colour::of_stderr(), filter, io::stderr).try_init()?)
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Plain,
    Coloured,
}

impl Colour {
    fn of_stderr() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|word| !word.is_empty());
        if io::stderr().is_terminal() && !refused { Self::Coloured } else { Self::Plain }
    }
}

/// The subscriber that writes text or JSON to a writer.
fn subscriber<W>(
    format: LogFormat,
    colour: Colour,
    filter: EnvFilter,
    writer: W,
) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    tracing_subscriber::registry().with(filter).with(ceiling()).with(lines(format, colour, writer))
}

fn lines<S, W>(format: LogFormat, colour: Colour, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Human => layer.with_ansi(colour == Colour::Coloured).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

/// The journal, where stderr is connected to it: `$JOURNAL_STREAM` is the device and inode of the
/// stream that systemd made (systemd.exec(5)), and is inherited by those who redirect stderr too.
fn journal(format: LogFormat) -> Option<tracing_journald::Layer> {
    let stream = std::env::var("JOURNAL_STREAM").ok()?;
    let stderr = std::fs::metadata("/proc/self/fd/2").ok()?;
    let connected = stream == format!("{}:{}", stderr.dev(), stderr.ino());
    if connected && format == LogFormat::Human { tracing_journald::layer().ok() } else { None }
}

fn parse(filter: Option<&str>) -> Result<EnvFilter, TelemetryError> {
    let filter = filter.unwrap_or(DEFAULT_FILTER);
    EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })
}

/// The most that is heard of anyone: a second filter, so that no directive can lift it.
fn ceiling() -> Targets {
    Targets::new().with_default(LevelFilter::TRACE).with_targets(MOST)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A writer into memory.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written while `act` runs under a filter.
    fn written(format: LogFormat, filter: &str, act: impl FnOnce()) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let filter = parse(Some(filter)).unwrap();
        let guard = subscriber(format, Colour::Plain, filter, move || writer.clone()).set_default();
        act();
        drop(guard);
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_filter_lets_a_library_tell_passwords() {
        for filter in ["trace", "async_imap=trace", "trace,async_imap::client=trace,hyper=trace"] {
            let text = written(LogFormat::Human, filter, || {
                tracing::trace!(target: "async_imap::client", "C: LOGIN ann canary-tracing");
                tracing::debug!(target: "async_imap::imap_stream", "canary-tracing");
                log::trace!(target: "async_imap::client", "C: LOGIN ann canary-log");
                log::debug!(target: "hyper_util::client", "authorization: canary-log");
                log::info!(target: "async_imap::client", "heard");
                tracing::trace!(target: "keepwarm::sync", "our own");
            });
            assert!(!text.contains("canary"), "{filter}: {text}");
            assert!(text.contains("heard"), "{filter}: {text}");
            assert_eq!(text.contains("our own"), filter.starts_with("trace"), "{filter}: {text}");
        }
    }

    #[test]
    fn text_is_plain_and_json_is_one_object_a_line() {
        let act = || tracing::info!(count = 3, "synced");
        let human = written(LogFormat::Human, "info", act);
        assert!(human.contains("synced count=3") && !human.contains('\x1b'), "{human:?}");
        let json = written(LogFormat::Json, "info", act);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value.get("count"), Some(&3.into()), "{json}");
        assert_eq!(value.get("message"), Some(&"synced".into()), "{json}");
    }

    #[test]
    fn a_wrong_filter_is_an_error() {
        let error = parse(Some("keepwarm=loud")).unwrap_err();
        assert_eq!(error.to_string(), "the log filter \"keepwarm=loud\"");
    }
}
