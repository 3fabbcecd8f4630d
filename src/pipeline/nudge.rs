//! The nudge step: every relationship that is due is decided, and what is to be said is stored
//! together with what is owed to the endpoints, in one transaction.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Interaction, Nudge, Span, Timestamp};
use crate::nudge::payload::{
    ContactPart, LastPart, Payload, RepPart, StrengthPart, band, body, episode_id, nudge_id,
};
use crate::nudge::{
    Ahead, Decision, Evidence, Facts, decide, looks_next, reasons, stake, suggestion,
};
use crate::score::strength::score_of;
use crate::score::strength_at;
use crate::store::contact::Contact;
use crate::store::held::Held;
use crate::store::relationship::Stored;
use crate::store::rep::Rep;
use crate::store::source::Freshness;
use crate::store::{
    Db, StoreError, contact, held, interaction, nudge, outbox, relationship, rep, source,
};

use super::{Rules, fold};

/// Relationships decided in one step; the rest stays due.
const AT_ONCE: usize = 2000;
/// The time over which the budget of a rep is counted.
const WEEK: Span = Span::from_days(7);

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Public ids of the nudges made.
    pub made: Vec<String>,
    /// How many relationships were decided, by the decision's code.
    pub decided: BTreeMap<&'static str, u32>,
    /// When the next relationship is due.
    pub next_due: Option<Timestamp>,
}

/// Decides every relationship that is due at `now`; that with most at stake first, so that the
/// budget goes where it matters most. `endpoints` are the rows of those that are owed what is said.
///
/// # Errors
/// As every write.
pub fn step(
    db: &Db,
    rules: &Rules,
    endpoints: &[i64],
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome::default();
    let mut freshness = HashMap::new();
    let mut due = relationship::due(db, now, AT_ONCE)?;
    let stake = |row: &Stored| stake(&row.state, &rules.policy, now);
    due.sort_by(|a, b| stake(b).total_cmp(&stake(a)).then(a.id.cmp(&b.id)));
    for mut row in due {
        if row.state.pending_at.is_some_and(|at| at <= now) {
            fold::refold(db, rules, now, &mut row)?;
            fold::finish(db, rules, now, &mut row)?;
            if row.due_at.is_none_or(|at| at > now) {
                continue;
            }
        }
        let fresh = match freshness.get(&row.rep) {
            Some(fresh) => fresh,
            None => freshness.entry(row.rep).or_insert(source::freshness(db, row.rep)?),
        };
        let facts = facts(db, &row, fresh, now)?;
        let decision = decide(&row.state, &facts, &rules.policy, now);
        *outcome.decided.entry(decision.code()).or_default() += 1;
        match decision {
            Decision::Nudge { .. } => {
                let made = tell(db, rules, &row, fresh, now)?;
                begin_episode(&mut row, &made.episode_id, now);
                if let Some(id) = nudge::insert(db, &made)? {
                    for endpoint in endpoints {
                        outbox::insert(db, id, *endpoint, now)?;
                    }
                    outcome.made.push(made.id);
                }
            }
            Decision::FellLongAgo { .. } => {
                let episode = episode_of(db, &row, now)?;
                begin_episode(&mut row, &episode, now);
            }
            _ => {}
        }
        let in_episode = row.episode_id.is_some();
        let decided = Some((decision, now));
        row.due_at = looks_next(&row.state, row.falls_at, in_episode, &rules.policy, decided);
        relationship::save(db, &row)?;
    }
    outcome.next_due = relationship::next_due(db)?;
    Ok(outcome)
}

fn facts(db: &Db, row: &Stored, fresh: &Freshness, now: Timestamp) -> Result<Facts, StoreError> {
    Ok(Facts {
        falls_at: row.falls_at,
        in_episode: row.episode_id.is_some(),
        last_episode_at: row.episode_at,
        oldest_read: fresh.oldest,
        backfilling: fresh.backfilling,
        next_meeting: held::next(db, row.id, now)?.map(ahead),
        silenced_until: nudge::silenced_until(db, row.rep, row.contact)?,
        this_week: nudge::count_since(db, row.rep, now - WEEK)?,
    })
}

const fn ahead(next: Held) -> Ahead {
    Ahead { starts_at: next.starts_at, ends_at: next.ends_at }
}

fn begin_episode(row: &mut Stored, episode: &str, now: Timestamp) {
    row.episode_id = Some(episode.to_owned());
    row.episode_at = Some(now);
}

fn episode_of(db: &Db, row: &Stored, now: Timestamp) -> Result<String, StoreError> {
    let rep = rep::get(db, row.rep)?;
    let contact = contact::get(db, row.contact)?;
    Ok(episode_id(&rep.code, &contact.public_id, row.state.last_at().unwrap_or(now)))
}

/// Loads what the nudge says, and says it.
fn tell(
    db: &Db,
    rules: &Rules,
    row: &Stored,
    fresh: &Freshness,
    now: Timestamp,
) -> Result<Nudge, StoreError> {
    let mut log = interaction::log(db, row.id)?;
    log.retain(|i| i.at <= now);
    let rep = rep::get(db, row.rep)?;
    let contact = contact::get(db, row.contact)?;
    Ok(compose(rules, row, &log, &rep, &contact, fresh.oldest.unwrap_or(now), now))
}

/// The nudge in full; a function of what was loaded.
fn compose(
    rules: &Rules,
    row: &Stored,
    log: &[Interaction],
    rep: &Rep,
    contact: &Contact,
    fresh_at: Timestamp,
    now: Timestamp,
) -> Nudge {
    let strength = strength_at(&row.state, now);
    let baseline_score = score_of(row.state.baseline);
    let evidence = Evidence {
        contact: &contact.name,
        state: &row.state,
        log,
        strength,
        baseline_score,
        trigger: &rules.policy.trigger(),
        zone: rules.zone(row.rep),
    };
    let last_at = row.state.last_at().unwrap_or(now);
    let episode_id = episode_id(&rep.code, &contact.public_id, last_at);
    let last = log.last();
    let payload = Payload {
        nudge_id: nudge_id(&episode_id),
        episode_id,
        rep: RepPart { id: rep.code.clone(), name: rep.name.clone(), address: rep.address.clone() },
        contact: ContactPart {
            id: contact.public_id.clone(),
            name: contact.name.clone(),
            address: contact.addresses.first().cloned().unwrap_or_default(),
            organisation: contact.organisation.clone(),
        },
        strength: StrengthPart {
            now: one_decimal(strength.score),
            baseline: one_decimal(baseline_score),
            band: band(strength.score, baseline_score),
        },
        reasons: reasons(&evidence, now),
        last_interaction: LastPart {
            at: last_at,
            kind: last.map_or("message", |i| i.kind.code()),
            direction: last.map_or("outbound", |i| i.direction.code()),
        },
        suggestion: suggestion(&evidence, now),
        data_fresh_at: fresh_at,
    };
    Nudge {
        id: payload.nudge_id.clone(),
        episode_id: payload.episode_id.clone(),
        kind: "decay".into(),
        relationship: row.id,
        created_at: now,
        reasons: payload.reasons.clone(),
        body: body(&payload, now),
    }
}

fn one_decimal(score: f64) -> f64 {
    (score * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
