//! What a pass over several calendars of one login comes to: pure.
//!
//! Guarantees that one calendar that cannot be read does not keep the others from being read, neither
//! in this pass nor by a pause that is meant for a source of which nothing can be read.

use crate::source::{Pass, SourceError};

/// The calendars of a pass, one after the other.
#[derive(Debug, Default)]
pub(in crate::source) struct Calendars {
    read: usize,
    /// What was wrong with the first that could not be read.
    failing: Option<SourceError>,
}

impl Calendars {
    /// Takes in what has come of one.
    ///
    /// # Errors
    /// What ends the pass, for the others cannot be read either: a server that asks for a pause, a
    /// reader that stops, and credentials that are refused for one calendar after another.
    pub(in crate::source) fn add(
        &mut self,
        outcome: Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        use SourceError::{Stopped, Throttled, Unauthorized};
        match (outcome, &self.failing) {
            (Ok(()), _) => self.read += 1,
            (Err(error @ (Throttled { .. } | Stopped)), _) => return Err(error),
            (Err(error @ Unauthorized(_)), Some(Unauthorized(_))) if self.read == 0 => {
                return Err(error);
            }
            (Err(error), _) => self.failing = self.failing.take().or(Some(error)),
        }
        Ok(())
    }

    /// What the pass has come to.
    ///
    /// # Errors
    /// `Incomplete` if some could be read and others not, else what was wrong with the first.
    pub(in crate::source) fn end(self) -> Result<Pass, SourceError> {
        match self.failing {
            None => Ok(Pass { mailboxes: self.read, ..Pass::default() }),
            Some(error) if self.read == 0 => Err(error),
            Some(error) => Err(SourceError::Incomplete(format!("one calendar was not: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A calendar that somebody has deleted made the others be read once a day.
    #[test]
    fn one_calendar_that_cannot_be_read_does_not_hold_up_the_others() {
        let outcome = |word: &str| match word {
            "ok" => Ok(()),
            "unauthorized" => Err(SourceError::Unauthorized(String::new())),
            "misconfigured" => Err(SourceError::Misconfigured(String::new())),
            "unreachable" => Err(SourceError::Unreachable(String::new())),
            "protocol" => Err(SourceError::Protocol(String::new())),
            "throttled" => Err(SourceError::Throttled { after: None, said: String::new() }),
            _ => Err(SourceError::Stopped),
        };
        for (outcomes, expected, tried) in [
            ("ok ok", "2 read", 2),
            ("misconfigured ok", "incomplete", 2),
            ("ok misconfigured ok", "incomplete", 3),
            ("unauthorized ok ok", "incomplete", 3),
            ("unauthorized unauthorized ok", "unauthorized", 2),
            ("ok unauthorized unauthorized ok", "incomplete", 4),
            ("unreachable protocol", "unreachable", 2),
            ("misconfigured", "misconfigured", 1),
            ("misconfigured throttled ok", "throttled", 2),
            ("ok stopped ok", "stopped", 2),
        ] {
            let (mut calendars, mut count) = (Calendars::default(), 0);
            let added = outcomes.split(' ').try_for_each(|word| {
                count += 1;
                calendars.add(outcome(word))
            });
            let found = match added.and_then(|()| calendars.end()) {
                Ok(pass) => format!("{} read", pass.mailboxes),
                Err(error) => error.code().to_owned(),
            };
            assert_eq!((found.as_str(), count), (expected, tried), "{outcomes}");
        }
    }
}
