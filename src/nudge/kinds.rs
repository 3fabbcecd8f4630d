//! Nudges that need no model: an answer that is owed, answers that do not come any more, a meeting that
//! nobody has followed up.
//!
//! When to look is told by the state alone ([`looks`]), so that nothing is polled; what is found then
//! is told from the log of the last year. Each is about one message or meeting, and said once.

use std::collections::BTreeSet;

use crate::model::{
    Direction, Interaction, Kind, NudgeKind, Observed, Reason, Relationship, Span, Timestamp,
};
use crate::score::Zone;
use crate::score::engagement::{ASKS_AT_MOST, REPLY_WITHIN};

use super::reason::{date, whole_days};
use super::{Policy, Restraint, established};

/// What is older is no news, and not said for the first time.
pub const LATE: Span = Span::from_days(30);
/// A habit shows in at least so many messages that asked for an answer …
const ASKED: usize = 3;
/// … if at least this share of them was answered.
const ANSWERED: f64 = 0.5;
/// An answer is late after so many times the usual time.
const TIMES_USUAL: f64 = 3.0;
/// A meeting of more people is followed up by whoever called it.
const MET_AT_MOST: u32 = 5;
/// So many meetings in a quarter are a habit that needs no letter after each.
const HABIT: usize = 3;
/// That quarter.
const QUARTER: Span = Span::from_days(91);

/// Which kinds there are, and from when; defaults in config/default.toml, `[nudge]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Matters {
    /// What is said at all.
    pub enabled: BTreeSet<NudgeKind>,
    /// An answer is owed after so many working days, and not before three times what is usual.
    pub owed_reply_days: u32,
    /// So many days of messages without an answer are one too many.
    pub unanswered: u32,
    /// A meeting is to be followed up within so many working days.
    pub follow_up_days: u32,
    /// From one word about an account to the next.
    pub between_accounts: Span,
}

impl Default for Matters {
    fn default() -> Self {
        Self {
            enabled: NudgeKind::ALL.into(),
            owed_reply_days: 2,
            unanswered: 3,
            follow_up_days: 2,
            between_accounts: Span::from_days(90),
        }
    }
}

/// What a relationship is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The contact's name, as it may stand in a sentence.
    pub contact: &'a str,
    /// The state.
    pub state: &'a Relationship,
    /// Its counted interactions of the last year by time, none later than now; of a reply, the last
    /// of them.
    pub log: &'a [Observed],
    /// When people work.
    pub restraint: &'a Restraint,
    /// The rep's time zone.
    pub zone: Zone,
    /// The last meeting, if there was one.
    pub met: Option<Met>,
}

/// A meeting that was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    /// When it began.
    pub began_at: Timestamp,
    /// Whether it is one of several.
    pub is_series: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Something to say.
    Say(Matter),
    /// Not yet: look again then.
    Later(Timestamp),
    /// Nothing.
    Nothing,
}

/// Something to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Matter {
    /// What kind it is.
    pub kind: NudgeKind,
    /// The message or meeting that it is about.
    pub about: Timestamp,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What might be done.
    pub suggestion: String,
}

/// When there may be something to say of a relationship in `state`, at the earliest, by kind.
#[must_use]
pub fn looks(
    state: &Relationship,
    (matters, policy, restraint): (&Matters, &Policy, &Restraint),
    zone: Zone,
) -> Vec<(NudgeKind, Timestamp)> {
    let (wrote, heard, met) =
        (state.last_outbound_at, state.last_inbound_at, state.last_meeting_at);
    let after = |at, days| restraint.working_days_after(at, days, zone);
    let mut found = Vec::new();
    if let Some(at) = heard.filter(|_| heard > wrote.max(met) && established(state, policy)) {
        found.push((NudgeKind::OwedReply, after(at, matters.owed_reply_days)));
    }
    if let Some(at) = wrote.filter(|_| wrote > heard.max(met) && established(state, policy)) {
        found.push((NudgeKind::StoppedAnswering, at + policy.min_silence));
    }
    if let Some(at) = met.filter(|_| met > heard.max(wrote) && state.reciprocated_at.is_some()) {
        found.push((NudgeKind::NoFollowUp, after(at, matters.follow_up_days)));
    }
    found.retain(|(kind, _)| matters.enabled.contains(kind));
    found
}

/// Whether what was said of a relationship has passed, now that it is in another state: whenever the
/// answer was written, and whenever it was read.
#[must_use]
pub fn passed(kind: NudgeKind, state: &Relationship) -> bool {
    let (wrote, heard, met) =
        (state.last_outbound_at, state.last_inbound_at, state.last_meeting_at);
    match kind {
        NudgeKind::OwedReply => heard <= wrote.max(met),
        NudgeKind::StoppedAnswering => wrote <= heard.max(met),
        NudgeKind::NoFollowUp => met <= heard.max(wrote),
        NudgeKind::Decay | NudgeKind::SingleThreaded | NudgeKind::ContactMoved => false,
    }
}

/// Looks at one kind.
#[must_use]
pub fn look(kind: NudgeKind, case: &Case<'_>, matters: &Matters, now: Timestamp) -> Found {
    match kind {
        NudgeKind::OwedReply => owed_reply(case, matters, now),
        NudgeKind::StoppedAnswering => stopped_answering(case, matters, now),
        NudgeKind::NoFollowUp => no_follow_up(case, now),
        NudgeKind::Decay | NudgeKind::SingleThreaded | NudgeKind::ContactMoved => Found::Nothing,
    }
}

/// The oldest message to few people that the rep has not answered, nor written anything since, if it is
/// of those that the rep answers: what a contact opens mostly is, their answers often are not.
fn owed_reply(case: &Case<'_>, matters: &Matters, now: Timestamp) -> Found {
    let asks = |one: &&Interaction| {
        one.audience <= ASKS_AT_MOST && is_habit(case.log, Direction::Inbound, one.linked, now)
    };
    let Some(owed) = trailing(case.log, Direction::Inbound).into_iter().rev().find(asks) else {
        return Found::Nothing;
    };
    let Some(usual) = usual_hours(case.log, Direction::Outbound) else {
        return Found::Nothing;
    };
    let days = case.restraint.working_days_after(owed.at, matters.owed_reply_days, case.zone);
    let due = days.max(owed.at + hours(TIMES_USUAL * usual));
    if due > now {
        return Found::Later(due);
    }
    if now - owed.at > LATE {
        return Found::Nothing;
    }
    let (name, day) = (case.contact, date(owed.at, case.zone));
    let waited = case.restraint.working_days_between(owed.at, now, case.zone);
    let reason = Reason {
        code: "owed_reply".into(),
        days: Some(whole_days(now, owed.at)),
        usual_gap_days: None,
        text: format!(
            "{name} wrote on {day} and has had no answer for {}; you usually answer within {}.",
            working_days(waited),
            time_of(usual)
        ),
    };
    let suggestion = format!("Answer {name}'s message of {day}.");
    let (kind, about) = (NudgeKind::OwedReply, owed.at);
    Found::Say(Matter { kind, about, reasons: vec![reason], suggestion })
}

/// Messages of several days that are no answers, none of them answered by somebody who used to.
fn stopped_answering(case: &Case<'_>, matters: &Matters, now: Timestamp) -> Found {
    if !is_habit(case.log, Direction::Outbound, false, now) {
        return Found::Nothing;
    }
    let Some(usual) = usual_hours(case.log, Direction::Inbound) else {
        return Found::Nothing;
    };
    let asks = |one: &&Interaction| !one.linked && one.audience <= ASKS_AT_MOST;
    let void = trailing(case.log, Direction::Outbound).into_iter().filter(asks);
    let void: Vec<&Interaction> = void.collect();
    let days: BTreeSet<i64> = void.iter().map(|one| one.at.local_day(case.zone)).collect();
    let enough = u32::try_from(days.len()).unwrap_or(u32::MAX) >= matters.unanswered;
    let Some((first, last)) = void.last().zip(void.first()).filter(|_| enough) else {
        return Found::Nothing;
    };
    let due = last.at + hours(TIMES_USUAL * usual);
    if due > now {
        return Found::Later(due);
    }
    if now - last.at > LATE {
        return Found::Nothing;
    }
    let name = case.contact;
    let reason = Reason {
        code: "unanswered".into(),
        days: Some(whole_days(now, first.at)),
        usual_gap_days: None,
        text: format!(
            "Your {} messages since {} have had no answer; {name} used to answer within {}.",
            void.len(),
            date(first.at, case.zone),
            time_of(usual)
        ),
    };
    let suggestion = format!("Do not write to {name} once more: call, or ask somebody else there.");
    let (kind, about) = (NudgeKind::StoppedAnswering, first.at);
    Found::Say(Matter { kind, about, reasons: vec![reason], suggestion })
}

/// A meeting of few people, not of a series, after whose beginning nobody has written.
fn no_follow_up(case: &Case<'_>, now: Timestamp) -> Found {
    let met = |one: &&Observed| one.interaction.kind == Kind::Meeting;
    let Some(meeting) = case.log.last().filter(met).map(|one| one.interaction) else {
        return Found::Nothing;
    };
    let Some(Met { began_at, .. }) = case.met.filter(|met| !met.is_series) else {
        return Found::Nothing;
    };
    let wrote = |one: &Observed| one.interaction.kind == Kind::Message;
    if case.log.iter().any(|one| wrote(one) && one.interaction.at >= began_at) {
        return Found::Nothing;
    }
    let lately = case.log.iter().filter(met).filter(|one| now - one.interaction.at <= QUARTER);
    let old = now - meeting.at > LATE;
    if old || meeting.audience > MET_AT_MOST || lately.count() >= HABIT {
        return Found::Nothing;
    }
    let (name, day) = (case.contact, date(meeting.at, case.zone));
    let since = case.restraint.working_days_between(meeting.at, now, case.zone);
    let reason = Reason {
        code: "no_follow_up".into(),
        days: Some(whole_days(now, meeting.at)),
        usual_gap_days: None,
        text: format!(
            "You met {name} on {day}, {} ago, and nobody has written since.",
            working_days(since)
        ),
    };
    let suggestion = format!("Send {name} what you agreed on {day}.");
    let (kind, about) = (NudgeKind::NoFollowUp, meeting.at);
    Found::Say(Matter { kind, about, reasons: vec![reason], suggestion })
}

/// The messages of one direction after which nothing else happened, the last one first.
fn trailing(log: &[Observed], direction: Direction) -> Vec<&Interaction> {
    let interactions = log.iter().rev().map(|one| &one.interaction);
    interactions.take_while(|one| one.direction == direction).collect()
}

/// Whether messages of one direction that are answers themselves, or are not, are usually answered: of
/// those that have had a week.
fn is_habit(log: &[Observed], direction: Direction, linked: bool, now: Timestamp) -> bool {
    let answers: BTreeSet<Timestamp> = log
        .iter()
        .filter(|one| one.interaction.direction == direction.opposite())
        .filter_map(|one| one.turn.parent_at)
        .collect();
    let asks = |one: &&Interaction| {
        one.kind == Kind::Message
            && one.direction == direction
            && one.linked == linked
            && one.audience <= ASKS_AT_MOST
            && (now - one.at >= REPLY_WITHIN || answers.contains(&one.at))
    };
    let asked: Vec<&Interaction> = log.iter().map(|one| &one.interaction).filter(asks).collect();
    let answered = asked.iter().filter(|one| answers.contains(&one.at)).count();
    #[expect(clippy::cast_precision_loss, reason = "a year of messages")]
    let share = answered as f64 / asked.len() as f64;
    asked.len() >= ASKED && share >= ANSWERED
}

/// The median time to the answers of one direction, in hours.
fn usual_hours(log: &[Observed], direction: Direction) -> Option<f64> {
    let answers = log.iter().filter(|one| one.interaction.direction == direction);
    let times = answers.filter_map(|one| Some(one.interaction.at - one.turn.parent_at?));
    let mut times: Vec<Span> = times.filter(|time| *time >= Span::ZERO).collect();
    times.sort_unstable();
    times.get(times.len() / 2).map(|time| time.days() * 24.0)
}

fn hours(count: f64) -> Span {
    #[expect(clippy::cast_possible_truncation, reason = "a response time is below a year")]
    let millis = (count * 3_600_000.0) as i64;
    Span::from_millis(millis)
}

/// A time to answer in words.
fn time_of(hours: f64) -> String {
    let (count, unit) = if hours < 36.0 { (hours, "hour") } else { (hours / 24.0, "day") };
    let count = count.round().max(1.0);
    if count > 1.0 { format!("{count:.0} {unit}s") } else { format!("1 {unit}") }
}

fn working_days(count: u32) -> String {
    if count == 1 { "1 working day".to_owned() } else { format!("{count} working days") }
}
