//! Engagement: what a relationship has been like lately, beside its strength and never part of it.
//!
//! Pure, and a function of the log alone: a window slides with time, so it is evaluated when it is
//! asked for, from what is kept of each interaction
//! ([`crate::model::Turn`]). What each number means is in
//! README.md, "Engagement".

mod answers;
mod cadence;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{Direction, Fate, Interaction, Kind, Observed, Relationship, Span, Timestamp};

use super::mass::{Parameters, before};
use super::strength::s_of;
use super::{WorkingHours, Zone};

pub use answers::{ASKS_AT_MOST, Answers, Hours, REPLY_WITHIN};
pub use cadence::Cadence;

/// The days of the windows, the longest last: nothing older needs to be read.
pub const WINDOWS_DAYS: [i64; 3] = [30, 90, 365];

/// How far back the trend looks.
const TREND: Span = Span::from_days(30);

/// What a relationship's engagement is told from.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The state as of the instant asked for.
    pub state: &'a Relationship,
    /// The counted interactions of the longest window, by time.
    pub log: &'a [Observed],
    /// Meetings that did not come about, and when they would have ended.
    pub missed: &'a [(Timestamp, Fate)],
    /// The rep's time zone.
    pub zone: Zone,
    /// When the rep works.
    pub hours: &'a WorkingHours,
    /// The model.
    pub parameters: &'a Parameters,
}

/// The engagement of a relationship at one instant. The names of the fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Engagement {
    /// The last 30 days.
    pub days_30: Window,
    /// The last 90 days.
    pub days_90: Window,
    /// The last 365 days.
    pub days_365: Window,
    /// How far apart the active days of the last 365 days are; `None` with less than two of them.
    pub cadence: Option<Cadence>,
    /// S now against 30 days ago.
    pub trend: Trend,
}

/// What happened in the days before an instant, that instant included.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Window {
    /// Messages from the rep.
    pub outbound: u32,
    /// Messages from the contact.
    pub inbound: u32,
    /// Meetings.
    pub meetings: Meetings,
    /// Days, on the rep's calendar, with at least one interaction.
    pub active_days: u32,
    /// Threads that began, by whoever wrote first to the other.
    pub threads_opened: u32,
    /// Those that the contact began.
    pub threads_opened_by_contact: u32,
    /// The contact's share of them; `None` if none began.
    pub initiative_of_contact: Option<f64>,
    /// How the rep answers the contact.
    pub answers_of_rep: Answers,
    /// How the contact answers the rep.
    pub answers_of_contact: Answers,
}

/// Meetings of a window, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Meetings {
    /// Those that count.
    pub held: u32,
    /// Called off, though both would have come.
    pub cancelled: u32,
    /// Declined by either.
    pub declined: u32,
    /// Those of them that the contact declined.
    pub declined_by_contact: u32,
}

/// Where S is going.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// S at the instant.
    pub s: f64,
    /// S thirty days before.
    pub s_30_days_ago: f64,
    /// The one by the other; `None` if there was nothing then.
    pub ratio: Option<f64>,
}

/// Evaluates what happened up to `now`; what is dated later does not count.
#[must_use]
pub fn engagement(of: &Evidence<'_>, now: Timestamp) -> Engagement {
    let answers = answers::Index::new(of.log);
    let [days_30, days_90, days_365] = WINDOWS_DAYS.map(|days| window(of, &answers, days, now));
    let longest = now - Span::from_days(WINDOWS_DAYS.into_iter().max().unwrap_or_default());
    let year =
        of.log.iter().filter(|one| longest < one.interaction.at && one.interaction.at <= now);
    let cadence = cadence::cadence(year.copied(), of.zone);
    Engagement { days_30, days_90, days_365, cadence, trend: trend(of, now) }
}

fn window(of: &Evidence<'_>, answers: &answers::Index, days: i64, now: Timestamp) -> Window {
    let from = now - Span::from_days(days);
    let inside = |at: Timestamp| from < at && at <= now;
    let log: Vec<Observed> =
        of.log.iter().filter(|one| inside(one.interaction.at)).copied().collect();
    let count =
        |wanted: &dyn Fn(&Observed) -> bool| number(log.iter().filter(|one| wanted(one)).count());
    let sent = |direction| {
        count(&move |one| {
            one.interaction.kind == Kind::Message && one.interaction.direction == direction
        })
    };
    let opened = |one: &Observed| one.turn.opens == Some(true);
    let threads_opened = count(&opened);
    let threads_opened_by_contact =
        count(&|one| opened(one) && one.interaction.direction == Direction::Inbound);
    let share = f64::from(threads_opened_by_contact) / f64::from(threads_opened);
    let fates = || of.missed.iter().filter(|(at, _)| inside(*at)).map(|(_, fate)| *fate);
    let fate = |wanted: Fate| number(fates().filter(|fate| *fate == wanted).count());
    let declined_by_contact = fate(Fate::DeclinedByContact);
    let active: BTreeSet<i64> =
        log.iter().map(|one| one.interaction.at.local_day(of.zone)).collect();
    let answering = |direction| answers.window(&log, direction, of.zone, of.hours, now);
    Window {
        outbound: sent(Direction::Outbound),
        inbound: sent(Direction::Inbound),
        meetings: Meetings {
            held: count(&|one| one.interaction.kind == Kind::Meeting),
            cancelled: fate(Fate::Cancelled),
            declined: fate(Fate::DeclinedByRep) + declined_by_contact,
            declined_by_contact,
        },
        active_days: number(active.len()),
        threads_opened,
        threads_opened_by_contact,
        initiative_of_contact: (threads_opened > 0).then_some(share),
        answers_of_rep: answering(Direction::Outbound),
        answers_of_contact: answering(Direction::Inbound),
    }
}

/// S thirty days ago, by taking back what has been added to the state's sums since then.
fn trend(of: &Evidence<'_>, now: Timestamp) -> Trend {
    let then = now - TREND;
    let past = of.log.iter().map(|one| one.interaction).filter(|one| one.at <= now);
    let interactions: Vec<Interaction> = past.collect();
    let masses = before(&of.state.masses, &interactions, of.zone, of.parameters, then);
    let (s, s_30_days_ago) = (s_of(&of.state.masses, now), s_of(&masses, then));
    Trend { s, s_30_days_ago, ratio: (s_30_days_ago > 0.0).then(|| s / s_30_days_ago) }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
