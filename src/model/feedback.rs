//! What a rep answers to a nudge, and what a silence is kept for.

use std::fmt;

use super::{Span, Timestamp};

/// An answer to a nudge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feedback {
    /// The rep has done something about it.
    Done,
    /// Not now: again in a week, if it still holds then.
    Snooze7,
    /// The same, in a month.
    Snooze30,
    /// The same, in a quarter.
    Snooze90,
    /// The rep does not want to hear of this contact.
    NotRelevant,
    /// It is not about whom it says.
    WrongPerson,
}

impl Feedback {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::Done,
        Self::Snooze7,
        Self::Snooze30,
        Self::Snooze90,
        Self::NotRelevant,
        Self::WrongPerson,
    ];

    /// The word for it in links: the action, and the days of a snooze.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Snooze7 => "snooze_7",
            Self::Snooze30 => "snooze_30",
            Self::Snooze90 => "snooze_90",
            Self::NotRelevant => "not_relevant",
            Self::WrongPerson => "wrong_person",
        }
    }

    /// The one of that word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }

    /// The word for what is done, in the API, the database and lists.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Snooze7 | Self::Snooze30 | Self::Snooze90 => "snooze",
            Self::NotRelevant => "not_relevant",
            Self::WrongPerson => "wrong_person",
        }
    }

    /// For how many days a snooze is.
    #[must_use]
    pub const fn days(self) -> Option<u32> {
        match self {
            Self::Snooze7 => Some(7),
            Self::Snooze30 => Some(30),
            Self::Snooze90 => Some(90),
            Self::Done | Self::NotRelevant | Self::WrongPerson => None,
        }
    }

    /// The one of that action, and of so many days if it is a snooze.
    #[must_use]
    pub fn of_action(action: &str, days: Option<u32>) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.action() == action && one.days() == days)
    }

    /// Until when nothing is said of the contact after it was given at `now`; `None` is for good.
    /// What is done keeps the distance `between_episodes`.
    #[must_use]
    pub fn silent_until(self, now: Timestamp, between_episodes: Span) -> Option<Timestamp> {
        match self {
            Self::Done => Some(now + between_episodes),
            Self::Snooze7 | Self::Snooze30 | Self::Snooze90 => {
                self.days().map(|days| now + Span::from_days(i64::from(days)))
            }
            Self::NotRelevant | Self::WrongPerson => None,
        }
    }
}

/// By which way an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A command.
    Cli,
    /// The API.
    Api,
    /// A link in a message.
    Link,
}

impl Way {
    /// The word for it in the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Api => "api",
            Self::Link => "link",
        }
    }
}

/// What is kept silent for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// Until then.
    Until(Timestamp),
    /// For good, until somebody takes it back.
    ForGood,
    /// Nothing any more: somebody has ended it.
    Ended,
}

/// An answer that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// What was answered.
    pub feedback: Feedback,
    /// When.
    pub at: Timestamp,
    /// What is kept silent for it.
    pub quiet: Quiet,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is no such nudge.
    Unknown,
    /// It is in force now.
    Taken(Given),
    /// It had been given before; nothing has changed.
    Before(Given),
    /// Something else had been answered, and stays in force; nothing has changed.
    Otherwise(Given),
}

/// About what a nudge is, and so about what a silence for it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A contact.
    Contact,
    /// The contact's whole account: the contact may be nudged about all the same.
    Account,
}

/// A nudge, for those who are asked about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The contact's name. Strangers choose it.
    pub contact: String,
    /// The domain of the contact's organisation.
    pub organisation: String,
    /// The rep's name.
    pub rep: String,
    /// About what it is.
    pub subject: Subject,
    /// By whose days dates are told: the rep's.
    pub zone: chrono_tz::Tz,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when nothing would be said if it was called done now.
    pub done_until: Timestamp,
    /// The answer in force, if there is one.
    pub given: Option<Given>,
}

/// One URL for each answer to a nudge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// It is done.
    pub done: String,
    /// Again in a week.
    pub snooze_7: String,
    /// Again in a month.
    pub snooze_30: String,
    /// Again in a quarter.
    pub snooze_90: String,
    /// Nothing about this contact any more.
    pub not_relevant: String,
    /// It is not about whom it says.
    pub wrong_person: String,
}

/// What links are signed with: 32 random bytes that an installation makes for itself and keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey(pub [u8; 32]);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_words_and_its_silence() {
        let (now, distance) = (Timestamp::from_seconds(0), Span::from_days(21));
        for (one, code, action, days, silent_days) in [
            (Feedback::Done, "done", "done", None, Some(21)),
            (Feedback::Snooze7, "snooze_7", "snooze", Some(7), Some(7)),
            (Feedback::Snooze30, "snooze_30", "snooze", Some(30), Some(30)),
            (Feedback::Snooze90, "snooze_90", "snooze", Some(90), Some(90)),
            (Feedback::NotRelevant, "not_relevant", "not_relevant", None, None),
            (Feedback::WrongPerson, "wrong_person", "wrong_person", None, None),
        ] {
            assert_eq!((one.code(), one.action(), one.days()), (code, action, days));
            assert_eq!(Feedback::of_code(code), Some(one));
            assert_eq!(Feedback::of_action(action, days), Some(one));
            let until = silent_days.map(|days| now + Span::from_days(days));
            assert_eq!(one.silent_until(now, distance), until, "{code}");
        }
        for (action, days) in [("snooze", None), ("snooze", Some(8)), ("done", Some(7)), ("", None)]
        {
            assert_eq!(Feedback::of_action(action, days), None, "{action} {days:?}");
        }
        assert_eq!(Feedback::of_code("snooze"), None);
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", LinkKey([7; 32])), "LinkKey(…)");
    }
}
