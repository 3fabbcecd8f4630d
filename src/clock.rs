//! The only place that knows what time it is and that draws lots.
//!
//! Everything else is given `now` and jitter as arguments, so that any moment can be replayed.

use crate::model::Timestamp;

/// Where a command takes its time from.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// The instant given by `--now`, standing still.
    Fixed(Timestamp),
}

impl Clock {
    /// Whether the instant was given rather than read off the machine.
    #[must_use]
    pub const fn is_given(self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// The present instant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(self) -> Timestamp {
        match self {
            Self::Fixed(at) => at,
            Self::System => {
                let since = std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
        }
    }
}

/// 32 random bytes, for a key; `None` if the system has no randomness, and there is no key then.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws randomness")]
pub fn draw_key() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).is_ok().then_some(bytes)
}

/// A number drawn evenly from `0.0..1.0`, for jitter; 0.5 if the system has no randomness.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws randomness")]
pub fn draw() -> f64 {
    let mut bytes = [0u8; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
    }
}
