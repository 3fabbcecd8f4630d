//! Signs of life of the loops, by which the watchdog is fed.
//!
//! Before it waits or works, a loop says so, and with it by when it will be heard of again. One that
//! breaks its word, or ends by a panic, is stuck. Counted by the time for which the machine has run:
//! neither a clock that jumps nor a machine that sleeps makes a loop stuck.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A loop that wakes so late is stuck, or its machine is.
const LATE: Duration = Duration::from_secs(5 * 60);

/// That a loop waits for others, of which each gives its word.
const NEVER: u64 = u64::MAX;
/// That a loop has ended by a panic.
const LOST: u64 = 0;

/// The loops of one daemon; copies are the same ones.
#[derive(Clone, Debug)]
pub(super) struct Pulses(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Instant,
    /// How long a loop may work before it is heard of again, in milliseconds.
    patience: AtomicU64,
    loops: Mutex<Vec<Arc<Pulse>>>,
}

/// What one loop has said.
#[derive(Debug)]
struct Pulse {
    of: Loop,
    /// By when it will be heard of again: milliseconds after the beginning.
    due: AtomicU64,
}

/// Which loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loop {
    /// What it does: `source`, `endpoint`, `nudges`, `requests`, `retention` or
    /// `reload`.
    pub(super) does: &'static str,
    /// The source or endpoint; empty where there is one for all.
    pub(super) name: String,
}

/// A loop's own end of it. Dropped when the loop ends.
#[derive(Debug)]
pub(super) struct Beat {
    all: Pulses,
    pulse: Arc<Pulse>,
}

impl Pulses {
    /// No loops yet; each may work for `patience` before it is heard of again.
    pub(super) fn new(patience: Duration) -> Self {
        let (began, patience) = (Instant::now(), AtomicU64::new(millis(patience)));
        Self(Arc::new(Shared { began, patience, loops: Mutex::default() }))
    }

    /// Waits for so long from now on, whatever was said before.
    pub(super) fn allow(&self, patience: Duration) {
        self.0.patience.store(millis(patience), Ordering::Relaxed);
    }

    /// One loop more, which is to begin at once.
    pub(super) fn add(&self, does: &'static str, name: &str) -> Beat {
        let of = Loop { does, name: name.to_owned() };
        let pulse = Arc::new(Pulse { of, due: AtomicU64::new(NEVER) });
        self.loops(|loops| loops.push(Arc::clone(&pulse)));
        let beat = Beat { all: self.clone(), pulse };
        beat.resting(Duration::ZERO);
        beat
    }

    /// Every loop, and whether it has kept its word as of `now`.
    pub(super) fn all(&self, now: Instant) -> Vec<(Loop, bool)> {
        let now = millis(now - self.0.began);
        let told = |pulse: &Arc<Pulse>| (pulse.of.clone(), pulse.due.load(Ordering::Relaxed) > now);
        self.loops(|loops| loops.iter().map(told).collect())
    }

    /// The loops that have not.
    pub(super) fn stuck(&self, now: Instant) -> Vec<Loop> {
        let all = self.all(now).into_iter();
        all.filter(|(_, well)| !well).map(|(which, _)| which).collect()
    }

    fn loops<T>(&self, with: impl FnOnce(&mut Vec<Arc<Pulse>>) -> T) -> T {
        with(&mut self.0.loops.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.0.patience.load(Ordering::Relaxed))
    }
}

impl Beat {
    /// It waits, for so long at most.
    pub(super) fn resting(&self, most: Duration) {
        self.within(most + LATE.min(self.all.patience()));
    }

    /// It does something that has an end.
    pub(super) fn working(&self) {
        self.within(self.all.patience());
    }

    /// It waits for others, of which each has given its word.
    pub(super) fn queued(&self) {
        self.pulse.due.store(NEVER, Ordering::Relaxed);
    }

    fn within(&self, span: Duration) {
        let due = millis(self.all.0.began.elapsed() + span);
        self.pulse.due.store(due.clamp(LOST + 1, NEVER - 1), Ordering::Relaxed);
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.pulse.due.store(LOST, Ordering::Relaxed);
        } else {
            self.all.loops(|loops| loops.retain(|other| !Arc::ptr_eq(other, &self.pulse)));
        }
    }
}

impl fmt::Display for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => f.write_str(self.does),
            name => write!(f, "{} {name}", self.does),
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(NEVER - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_loop_that_breaks_its_word_is_stuck_until_it_is_heard_of() {
        let pulses = Pulses::new(2 * HOUR);
        let (one, other) = (pulses.add("source", "ann-mail"), pulses.add("nudges", ""));
        other.queued();
        let stuck_in = |span: Duration| -> Vec<String> {
            let stuck = pulses.stuck(Instant::now() + span);
            stuck.iter().map(ToString::to_string).collect()
        };
        let none: [&str; 0] = [];
        assert_eq!(stuck_in(LATE / 2), none);
        assert_eq!(stuck_in(LATE), ["source ann-mail"], "it has not begun");
        one.resting(HOUR);
        assert_eq!(stuck_in(HOUR + LATE / 2), none);
        assert_eq!(stuck_in(HOUR + LATE), ["source ann-mail"], "it did not wake");
        one.working();
        assert_eq!(stuck_in(HOUR), none);
        assert_eq!(stuck_in(2 * HOUR), ["source ann-mail"], "it takes too long");
        other.working();
        assert_eq!(stuck_in(2 * HOUR), ["source ann-mail", "nudges"]);
        other.queued();
        pulses.allow(HOUR / 2);
        one.working();
        assert_eq!(stuck_in(HOUR / 2), ["source ann-mail"], "what is allowed has changed");
        one.queued();
        assert_eq!(stuck_in(HOUR * 1000), none);
        one.working();
        drop(one);
        assert_eq!(stuck_in(HOUR * 1000), none, "what has ended is not stuck");
        assert_eq!(pulses.all(Instant::now()).len(), 1, "and is none any more");
    }

    #[tokio::test]
    async fn a_loop_that_panics_is_stuck_at_once() {
        let pulses = Pulses::new(HOUR);
        let beat = pulses.add("nudges", "");
        let ended = tokio::spawn(async move {
            beat.resting(HOUR);
            tokio::task::yield_now().await;
            panic!("on purpose");
        });
        assert!(ended.await.is_err());
        assert_eq!(pulses.stuck(Instant::now()).len(), 1);
    }
}
