//! What goes wrong: acts that take the place of an answer, and when they do.
//!
//! A fault waits for a command (or a moment that is none: see [`Moment::line`]) and heals after so
//! many hits, so that a later pass can succeed. The mail is honest all the time: a fault changes
//! what is said, unless its closure changes the mail as well.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The server is about to answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    /// The command with its arguments and without its tag, its name in upper case; or `CONNECT`
    /// (before TLS), `GREETING`, `CREDENTIALS` (what AUTHENTICATE asked for), `PUSH` (an idler is
    /// told something), `DONE`.
    pub(crate) line: &'a str,
    /// Which connection, counted from 1.
    pub(crate) connection: u32,
    /// What has been opened on it.
    pub(crate) mailbox: Option<&'a str>,
}

/// One thing that the server does. `TAG` in bytes stands for the command's tag.
#[derive(Clone)]
pub(crate) enum Act {
    /// Gives the honest answer.
    Answer,
    /// Gives the honest answer, changed.
    Edit(Arc<dyn Fn(String) -> String + Send + Sync>),
    /// Gives the honest answer in pieces of so many bytes, so far apart.
    Drip(usize, Duration),
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes over and over until the client goes.
    Flood(Vec<u8>),
    /// Waits.
    Wait(Duration),
    /// Says nothing more, and keeps the connection: half open.
    Hang,
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Takes IDLE for ended.
    EndIdle,
}

type Acts = dyn Fn(&Moment<'_>) -> Vec<Act> + Send + Sync;

/// Acts in the place of some answers.
#[derive(Clone)]
pub(crate) struct Fault {
    on: &'static str,
    skip: u32,
    times: u32,
    met: Arc<AtomicU32>,
    acts: Arc<Acts>,
}

impl Act {
    /// Sends a text.
    pub(crate) fn send(text: impl Into<Vec<u8>>) -> Self {
        Self::Send(text.into())
    }

    /// Changes the honest answer.
    pub(crate) fn edit(change: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        Self::Edit(Arc::new(change))
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer => "Answer",
            Self::Edit(_) => "Edit",
            Self::Drip(..) => "Drip",
            Self::Send(_) => "Send",
            Self::Flood(_) => "Flood",
            Self::Wait(_) => "Wait",
            Self::Hang => "Hang",
            Self::Close => "Close",
            Self::Reset => "Reset",
            Self::EndIdle => "EndIdle",
        })
    }
}

impl Fault {
    /// These acts, once, where a [line](Moment::line) begins with `on`.
    pub(crate) fn on(on: &'static str, acts: impl Into<Vec<Act>>) -> Self {
        let acts = acts.into();
        Self::when(on, move |_| acts.clone())
    }

    /// What a closure says, once, where a [line](Moment::line) begins with `on`.
    pub(crate) fn when(
        on: &'static str,
        acts: impl Fn(&Moment<'_>) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        Self { on, skip: 0, times: 1, met: Arc::default(), acts: Arc::new(acts) }
    }

    /// The same so many times, then never more.
    pub(crate) fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// The same every time.
    pub(crate) fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// The same after so many honest answers.
    pub(crate) fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// How often it has had its way.
    pub(crate) fn hits(&self) -> u32 {
        self.met.load(Ordering::SeqCst).saturating_sub(self.skip).min(self.times)
    }

    /// What it does at a moment, if it does anything.
    pub(super) fn acts(&self, moment: &Moment<'_>) -> Option<Vec<Act>> {
        if !moment.line.starts_with(self.on) {
            return None;
        }
        let met = self.met.fetch_add(1, Ordering::SeqCst);
        let hit = met.checked_sub(self.skip).is_some_and(|hit| hit < self.times);
        hit.then(|| (self.acts)(moment))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} of {} after {})", self.on, self.hits(), self.times, self.skip)
    }
}
