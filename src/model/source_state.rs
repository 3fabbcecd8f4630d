//! How reading a source goes: a state machine from how each attempt ended to when the next may be.
//!
//! Guarantees that no source is tried more often than every second or so, however it fails and also
//! if it accepts every connection and drops it; that what was refused for its credentials is left
//! alone until something changes; and that a wait survives a restart but not a clock that jumped.
//! Pure: the instant, the jitter and the credentials' fingerprint are arguments; keeping a
//! [`Condition`] is left to the store.

use super::{Span, Timestamp};

/// The pause after the first failure; it doubles with each one more.
pub const FIRST_PAUSE: Span = Span::from_seconds(2);
/// The pause grows no longer than this.
pub const LONGEST_PAUSE: Span = Span::from_seconds(15 * 60);
/// How long a source is left alone that asks for it without saying for how long.
const THROTTLED: Span = Span::from_seconds(5 * 60);
/// A source is not left alone for longer, whatever it asks for.
const LONGEST_THROTTLED: Span = Span::from_hours(1);
/// Providers refuse good credentials now and then: one refusal is followed by one more try.
const SECOND_LOGIN: Span = Span::from_seconds(60);
/// What only an admin can mend is tried no more often by itself: a locked account helps nobody.
const HOPELESS: Span = Span::from_hours(24);
/// A restart is a sign that somebody did something; a process that restarts in a loop is none.
const RESTARTED: Span = Span::from_seconds(15 * 60);
/// A connection that held for so long was a good one. It is below the life of any access token: where
/// the server ends a connection with its token, the next one must not count as a failure because it was
/// opened a little later.
const HELD: Span = Span::from_seconds(20);

/// The states of a source, and the words for them in the database, in `status` and in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceState {
    /// Never tried.
    New,
    /// Being read for the first time, or catching up with much.
    Syncing,
    /// Read through by the last pass.
    Ok,
    /// Failed in a way that may pass; tried again at [`Condition::retry_at`].
    Degraded,
    /// Asked to be left alone until [`Condition::retry_at`].
    Throttled,
    /// Refused the credentials twice, or nobody is signed in: left alone until something changes.
    AuthRequired,
    /// Cannot work as it is configured: left alone until something changes.
    Misconfigured,
    /// Not in the configuration any more.
    Disabled,
}

/// What is kept of how reading a source goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The state.
    pub state: SourceState,
    /// Failures in a row.
    pub failures: u32,
    /// Refusals of the credentials since they were last accepted.
    pub refusals: u32,
    /// When the next attempt may be, if not at once.
    pub retry_at: Option<Timestamp>,
    /// When the last attempt failed, if it did.
    pub failed_at: Option<Timestamp>,
    /// 16 bits of a hash of the credentials that were refused: too few to tell anything of them.
    pub fingerprint: Option<u16>,
}

/// How an attempt failed, by what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setback {
    /// It may pass.
    Transient,
    /// The source asks to be left alone.
    Throttled {
        /// For how long, if it said.
        after: Option<Span>,
    },
    /// The credentials were refused.
    Unauthorized,
    /// There are no credentials, or whoever gives them has taken them back for good.
    SignedOut,
    /// Only another configuration helps.
    Misconfigured,
}

/// What a pass leaves behind of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Nothing: this side ended it.
    Closed,
    /// A connection that stays open.
    Open {
        /// When it was opened.
        since: Timestamp,
    },
}

/// On what occasion the next attempt is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// A daemon that has not tried since it was started.
    Start,
    /// A daemon that has.
    Routine,
    /// An admin wants one pass now.
    Once,
}

/// When the next attempt may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Now.
    Now,
    /// Not before.
    At(Timestamp),
}

impl SourceState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::Syncing,
        Self::Ok,
        Self::Degraded,
        Self::Throttled,
        Self::AuthRequired,
        Self::Misconfigured,
        Self::Disabled,
    ];

    /// The word for it in the database, in JSON and in metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Syncing => "syncing",
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Throttled => "throttled",
            Self::AuthRequired => "auth_required",
            Self::Misconfigured => "misconfigured",
            Self::Disabled => "disabled",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The words for it in a table and in messages.
    #[must_use]
    pub fn words(self) -> String {
        self.code().replace('_', " ")
    }

    /// The longest wait that this state can have begun with.
    const fn longest_wait(self) -> Span {
        match self {
            Self::New | Self::Syncing | Self::Disabled => Span::ZERO,
            Self::Ok => FIRST_PAUSE,
            Self::Degraded => LONGEST_PAUSE,
            Self::Throttled => LONGEST_THROTTLED,
            Self::AuthRequired | Self::Misconfigured => HOPELESS,
        }
    }
}

impl Condition {
    /// Of a source that was never tried.
    pub const NEW: Self = Self {
        state: SourceState::New,
        failures: 0,
        refusals: 0,
        retry_at: None,
        failed_at: None,
        fingerprint: None,
    };

    /// After a pass that read everything. Over a connection that stays open, earlier failures are
    /// forgotten only once it has held for a minute: else a server that drops each one would be
    /// asked again and again.
    #[must_use]
    pub fn succeeded(&self, link: Link, now: Timestamp) -> Self {
        let failures = match link {
            Link::Open { since } if now - since < HELD => self.failures,
            Link::Open { .. } | Link::Closed => 0,
        };
        Self { state: SourceState::Ok, failures, ..Self::NEW }
    }

    /// After a pass that failed at `now` with the credentials of that fingerprint; `jitter` is
    /// from 0 to 1.
    #[must_use]
    pub fn failed(
        &self,
        setback: Setback,
        fingerprint: Option<u16>,
        now: Timestamp,
        jitter: f64,
    ) -> Self {
        let failures = self.failures.saturating_add(1);
        let pause = pause(failures);
        let other = changed(self.fingerprint, fingerprint);
        let mut refusals = if other { 0 } else { self.refusals };
        let (state, wait) = match setback {
            Setback::Transient => (SourceState::Degraded, jittered(pause, jitter)),
            Setback::Throttled { after } => {
                let asked = after.unwrap_or(THROTTLED).min(LONGEST_THROTTLED);
                (SourceState::Throttled, asked.max(pause))
            }
            Setback::Unauthorized => {
                refusals = refusals.saturating_add(1);
                match refusals {
                    1 => (SourceState::Degraded, SECOND_LOGIN),
                    _ => (SourceState::AuthRequired, HOPELESS),
                }
            }
            Setback::SignedOut => (SourceState::AuthRequired, HOPELESS),
            Setback::Misconfigured => (SourceState::Misconfigured, HOPELESS),
        };
        let (retry_at, failed_at) = (Some(now + wait), Some(now));
        Self { state, failures, refusals, retry_at, failed_at, fingerprint }
    }

    /// After a connection opened at `since` was lost at `now`, whatever was read over it: if it had
    /// not held for a while that is a failure, else it may be opened again after a first pause.
    #[must_use]
    pub fn lost(&self, since: Timestamp, now: Timestamp, jitter: f64) -> Self {
        if now - since < HELD {
            return self.failed(Setback::Transient, self.fingerprint, now, jitter);
        }
        let soon = Some(now + jittered(FIRST_PAUSE, jitter));
        match self.state {
            SourceState::New | SourceState::Syncing | SourceState::Ok => {
                Self { failures: 0, retry_at: soon, ..*self }
            }
            // A pass over it had failed before: that is not mended by losing it.
            _ => Self { retry_at: self.retry_at.max(soon), ..*self },
        }
    }

    /// After somebody has signed in: what was refused or missing is so no more. What else keeps the
    /// source waiting stays.
    #[must_use]
    pub fn signed_in(&self) -> Self {
        match self.state {
            SourceState::AuthRequired | SourceState::Misconfigured => {
                Self { retry_at: None, refusals: 0, fingerprint: None, ..*self }
            }
            _ => Self { refusals: 0, ..*self },
        }
    }

    /// When the next attempt may be, with the credentials of that fingerprint.
    #[must_use]
    pub fn next(&self, occasion: Occasion, fingerprint: Option<u16>, now: Timestamp) -> Next {
        use SourceState as State;
        let Some(retry_at) = self.retry_at else { return Next::Now };
        let at = match (self.state, occasion) {
            (State::AuthRequired, _) if changed(self.fingerprint, fingerprint) => now,
            (State::AuthRequired, Occasion::Start | Occasion::Once) => {
                self.failed_at.map_or(now, |failed| retry_at.min(failed + RESTARTED))
            }
            (State::Misconfigured, Occasion::Start | Occasion::Once)
            | (State::Degraded, Occasion::Once) => now,
            _ => retry_at,
        };
        // What lies further ahead than any wait was written by a clock that ran ahead.
        let believed = retry_at - now <= self.state.longest_wait();
        if at > now && believed { Next::At(at) } else { Next::Now }
    }
}

/// A routine pause, a tenth more or less: sources are not read in step.
#[must_use]
pub fn out_of_step(poll: Span, jitter: f64) -> Span {
    part(poll, 0.9 + 0.2 * jitter.clamp(0.0, 1.0))
}

/// Whether these are known to be other credentials than those that were refused.
const fn changed(refused: Option<u16>, present: Option<u16>) -> bool {
    matches!((refused, present), (Some(refused), Some(present)) if refused != present)
}

/// The pause after so many failures in a row.
fn pause(failures: u32) -> Span {
    let doublings = failures.saturating_sub(1).min(12);
    Span::from_millis(FIRST_PAUSE.millis() << doublings).min(LONGEST_PAUSE)
}

/// Between half and all of a pause.
fn jittered(pause: Span, jitter: f64) -> Span {
    part(pause, 0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}

/// A share of a span.
fn part(span: Span, share: f64) -> Span {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "pauses are far below 2^52 milliseconds"
    )]
    let millis = (span.millis() as f64 * share) as i64;
    Span::from_millis(millis)
}

#[cfg(test)]
mod tests;
