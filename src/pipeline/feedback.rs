//! Answers to nudges: what a rep has said of one is entered together with all that follows: there is
//! no more to say of its episode, what was not sent yet is not, and the contact is kept silent.
//!
//! Whatever the way by which an answer comes, it comes through here, and once: to answer the same
//! again changes nothing.

use crate::model::feedback::{About, Feedback, Given, Outcome, Quiet, Subject, Way};
use crate::model::{NudgeKind, Resolution, Timestamp};
use crate::store::silence::New;
use crate::store::{Db, StoreError, contact, feedback, nudge, outbox, relationship, rep, silence};

use super::Rules;
use super::request::Answer;

/// What a nudge is about, and the answer in force; `None` if there is no nudge of that public id.
///
/// # Errors
/// As every read.
pub fn about(
    db: &Db,
    rules: &Rules,
    nudge: &str,
    now: Timestamp,
) -> Result<Option<About>, StoreError> {
    let Some(open) = nudge::find(db, nudge)? else { return Ok(None) };
    let contact = contact::get(db, open.contact)?;
    Ok(Some(About {
        contact: contact.name,
        organisation: contact.organisation,
        rep: rep::get(db, open.rep)?.name,
        subject: subject(open.nudge.kind),
        zone: rules.zone(open.rep),
        made_at: open.nudge.created_at,
        done_until: now + rules.policy.between_episodes,
        given: feedback::in_force(db, open.id)?.map(|found| found.given),
    }))
}

/// Answers the nudge of that public id.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn answer(
    db: &Db,
    rules: &Rules,
    nudge: &str,
    (answer, way): (Feedback, Way),
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let Some(open) = nudge::find(db, nudge)? else { return Ok(Outcome::Unknown) };
    if let Some(before) = feedback::in_force(db, open.id)? {
        let same = before.given.feedback == answer;
        return Ok(if same { Outcome::Before } else { Outcome::Otherwise }(before.given));
    }
    let row = feedback::insert(db, open.id, answer, way, now)?;
    nudge::resolve(db, &open.nudge.episode_id, resolution(answer), now)?;
    outbox::cancel_resolved(db, &open.nudge.episode_id, now)?;
    let until = answer.silent_until(now, rules.policy.between_episodes);
    let new = New {
        rep: open.rep,
        contact: open.contact,
        kind: kind(open.nudge.kind),
        until,
        reason: answer.action(),
        feedback: Some(row),
    };
    silence::begin(db, &new, now)?;
    relationship::look_again(db, open.rep, open.contact, now)?;
    let quiet = until.map_or(Quiet::ForGood, Quiet::Until);
    Ok(Outcome::Taken(Given { feedback: answer, at: now, quiet }))
}

/// Takes the answer to the nudge of that public id back, if one is in force: what was kept silent for
/// it is not any more, what was resolved by it holds again, and what was not delivered for it is owed
/// again, if that is no old news. Gives whether there is such a nudge.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn take_back(db: &Db, nudge: &str, now: Timestamp) -> Result<bool, StoreError> {
    let Some(open) = nudge::find(db, nudge)? else { return Ok(false) };
    if let Some(found) = feedback::in_force(db, open.id)? {
        feedback::take_back(db, found.id, now)?;
        silence::end_of(db, found.id, now)?;
        let decays = relationship::episode(db, open.nudge.relationship)?;
        let is_over =
            open.nudge.kind == NudgeKind::Decay && decays != Some(open.nudge.episode_id.clone());
        if !is_over {
            let answered = (resolution(found.given.feedback), found.given.at);
            nudge::unresolve(db, &open.nudge.episode_id, answered)?;
        }
        outbox::revive(db, (open.rep, open.contact), found.given.at, now)?;
        relationship::look_again(db, open.rep, open.contact, now)?;
    }
    Ok(true)
}

/// Answers a nudge because a command asks it, and says what is so now.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn asked(
    db: &Db,
    rules: &Rules,
    nudge: &str,
    word: &str,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let Some(wanted) = Feedback::of_code(word) else {
        return Ok(Answer::refused(format!("{word} is no answer to a nudge"), ""));
    };
    let given = match answer(db, rules, nudge, (wanted, Way::Cli), now)? {
        Outcome::Unknown => return unknown(db, nudge),
        Outcome::Taken(given) | Outcome::Before(given) => given,
        Outcome::Otherwise(given) => {
            let why =
                format!("{nudge} was answered with {} at {}", given.feedback.code(), given.at);
            let hint = format!("`keepwarm nudges take-back {nudge}` takes that back");
            return Ok(Answer::refused(why, &hint));
        }
    };
    let Some(about) = about(db, rules, nudge, now)? else { return unknown(db, nudge) };
    let before = if given.at < now { format!(" (since {})", given.at) } else { String::new() };
    let lasts = match given.quiet {
        Quiet::Until(until) => format!("until {until}"),
        Quiet::ForGood => format!("until `keepwarm nudges take-back {nudge}`"),
        Quiet::Ended => "no more: that silence was ended".to_owned(),
    };
    let quiet = match about.subject {
        Subject::Contact => format!("nothing is said about {} {lasts}", about.contact),
        Subject::Account => {
            format!("nothing is said about {} as an account {lasts}", about.organisation)
        }
    };
    let said = format!("{nudge} is answered: {}{before}; {quiet}", given.feedback.code());
    Ok(Answer::Done { said, change: None })
}

/// Takes the answer to a nudge back because a command asks it, and says what is so now.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn asked_back(db: &Db, nudge: &str, now: Timestamp) -> Result<Answer, StoreError> {
    if !take_back(db, nudge, now)? {
        return unknown(db, nudge);
    }
    let said = format!("no answer to {nudge} is in force");
    Ok(Answer::Done { said, change: None })
}

fn unknown(db: &Db, nudge: &str) -> Result<Answer, StoreError> {
    let hint = match nudge::beginning_with(db, nudge)? {
        Some(meant) if !nudge.is_empty() => format!("did you mean {meant}?"),
        _ => "`keepwarm nudges list` shows them, with their ids".to_owned(),
    };
    Ok(Answer::refused(format!("there is no nudge {nudge}"), &hint))
}

const fn resolution(answer: Feedback) -> Resolution {
    match answer {
        Feedback::Done => Resolution::Done,
        Feedback::Snooze7 | Feedback::Snooze30 | Feedback::Snooze90 => Resolution::Snoozed,
        Feedback::NotRelevant => Resolution::NotRelevant,
        Feedback::WrongPerson => Resolution::WrongPerson,
    }
}

const fn subject(kind: NudgeKind) -> Subject {
    match kind {
        NudgeKind::SingleThreaded => Subject::Account,
        _ => Subject::Contact,
    }
}

/// Which kind of nudges a silence is about. A contact who stands for an account is not the one whom
/// the rep does not want to hear of.
const fn kind(kind: NudgeKind) -> Option<NudgeKind> {
    match subject(kind) {
        Subject::Account => Some(kind),
        Subject::Contact => None,
    }
}

#[cfg(test)]
mod tests;
