//! `keepwarm nudges done`, `snooze`, `not-relevant`, `wrong-person` and `take-back`: answers to a
//! nudge by command.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::{Failure, ask};
use crate::model::feedback::Feedback;
use crate::pipeline::request::Request;

#[derive(Debug, Subcommand)]
pub(super) enum Answer {
    /// It is done: no reminders, and silence for the usual distance of nudges
    Done(Nudge),
    /// Later: silence for 7, 30 or 90 days, then again if it still holds
    Snooze {
        #[command(flatten)]
        of: Nudge,
        /// For how many days
        #[arg(long, value_enum)]
        days: Days,
    },
    /// Nothing about this contact any more
    NotRelevant(Nudge),
    /// The same, and a hint that people are mixed up
    WrongPerson(Nudge),
    /// Take an answer back
    TakeBack(Nudge),
}

#[derive(Debug, Args)]
pub(super) struct Nudge {
    /// The nudge's id (ndg_…)
    nudge_id: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Days {
    #[value(name = "7")]
    Seven,
    #[value(name = "30")]
    Thirty,
    #[value(name = "90")]
    Ninety,
}

pub(super) fn answer(path: &Path, answer: &Answer) -> Result<ExitCode, Failure> {
    let (nudge, feedback) = match answer {
        Answer::Done(of) => (of, Feedback::Done),
        Answer::Snooze { of, days: Days::Seven } => (of, Feedback::Snooze7),
        Answer::Snooze { of, days: Days::Thirty } => (of, Feedback::Snooze30),
        Answer::Snooze { of, days: Days::Ninety } => (of, Feedback::Snooze90),
        Answer::NotRelevant(of) => (of, Feedback::NotRelevant),
        Answer::WrongPerson(of) => (of, Feedback::WrongPerson),
        Answer::TakeBack(of) => {
            return ask::ask(path, &Request::TakeBack { nudge: of.nudge_id.clone() });
        }
    };
    let (nudge, answer) = (nudge.nudge_id.clone(), feedback.code().to_owned());
    ask::ask(path, &Request::Feedback { nudge, answer })
}
