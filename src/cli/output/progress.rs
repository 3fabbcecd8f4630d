//! How far a long command has come, on standard error: a bar where somebody watches, else a plain
//! line every few seconds.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::clock::Clock;
use crate::model::{Span, Timestamp};

/// Time between two plain lines: often enough to see that it is alive, seldom enough for a log.
const PACE: Span = Span::from_seconds(5);

/// Time between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// Shows how far something is. Dropping it takes a bar off the screen.
#[derive(Debug)]
pub struct Progress(Shown);

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines(Mutex<Lines>),
}

impl Progress {
    /// Begins with nothing done out of `total`, or out of an unknown number.
    #[must_use]
    pub fn start(label: &str, total: Option<u64>) -> Self {
        if !console::Term::stderr().is_term() {
            let lines = Lines::new(label, total, Clock::System.now());
            return Self(Shown::Lines(Mutex::new(lines)));
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => "{spinner} {msg} {wide_bar} {human_pos}/{human_len} {eta}",
            None => "{spinner} {msg} {human_pos} {elapsed}",
        };
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(label.to_owned());
        bar.enable_steady_tick(TICK);
        Self(Shown::Bar(bar))
    }

    /// So many are done.
    pub fn reached(&self, done: u64) {
        match &self.0 {
            Shown::Bar(bar) => bar.set_position(done),
            Shown::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(line) = lines.next(done, Clock::System.now()) {
                    say(&line);
                }
            }
        }
    }

    /// Ends, with a sentence of what was done.
    pub fn finish(self, summary: &str) {
        if let Shown::Bar(bar) = self.0 {
            bar.finish_and_clear();
        }
        say(summary);
    }
}

/// Somebody who has closed standard error does not want to know: not an error.
fn say(line: &str) {
    _ = writeln!(io::stderr(), "{}", super::clean(line));
}

/// Decides when there is a plain line to print.
#[derive(Debug)]
struct Lines {
    label: String,
    total: Option<u64>,
    last: Timestamp,
}

impl Lines {
    fn new(label: &str, total: Option<u64>, now: Timestamp) -> Self {
        Self { label: label.to_owned(), total, last: now }
    }

    /// The line, if it is time for one. A clock that was put back does not stop them.
    fn next(&mut self, done: u64, now: Timestamp) -> Option<String> {
        let since = now - self.last;
        if since >= Span::ZERO && since < PACE {
            return None;
        }
        self.last = now;
        Some(match self.total {
            Some(total) => format!("{}: {done} of {total}", self.label),
            None => format!("{}: {done}", self.label),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_comes_every_five_seconds_whatever_the_clock_does() {
        let at = |seconds: i64| Timestamp::from_seconds(1_000 + seconds);
        let mut lines = Lines::new("reading mail", Some(90), at(0));
        for (seconds, done, expected) in [
            (0, 1, None),
            (4, 20, None),
            (5, 30, Some("reading mail: 30 of 90")),
            (9, 40, None),
            (11, 50, Some("reading mail: 50 of 90")),
            (-3600, 60, Some("reading mail: 60 of 90")),
            (-3596, 70, None),
        ] {
            assert_eq!(lines.next(done, at(seconds)).as_deref(), expected, "at {seconds} s");
        }
    }
}
