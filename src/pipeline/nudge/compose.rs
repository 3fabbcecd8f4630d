//! What a nudge says: what must be known for it is loaded, and the event is written.

use crate::model::{Interaction, Nudge, NudgeKind, NudgeState, Timestamp};
use crate::nudge::payload::{
    ContactPart, LastPart, Payload, RepPart, StrengthPart, band, body, episode_id, nudge_id,
};
use crate::nudge::{Evidence, reasons, stake, suggestion};
use crate::pipeline::Rules;
use crate::score::strength::score_of;
use crate::score::strength_at;
use crate::store::contact::Contact;
use crate::store::relationship::Stored;
use crate::store::rep::Rep;
use crate::store::source::Freshness;
use crate::store::{Db, StoreError, contact, interaction, rep};

/// The id of the episode that begins with the silence after the last interaction.
pub(super) fn episode_of(db: &Db, row: &Stored, now: Timestamp) -> Result<String, StoreError> {
    let rep = rep::get(db, row.rep)?;
    let contact = contact::get(db, row.contact)?;
    Ok(episode_id(&rep.code, &contact.public_id, row.state.last_at().unwrap_or(now)))
}

/// Loads what the nudge says, and says it.
pub(super) fn tell(
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
        nudge_id: nudge_id(&episode_id, NudgeKind::Decay, 0),
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
            kind: last.map_or("message", |i| i.kind.code()).to_owned(),
            direction: last.map_or("outbound", |i| i.direction.code()).to_owned(),
        },
        suggestion: suggestion(&evidence, now),
        data_fresh_at: fresh_at,
        reminder: None,
        account: None,
        moved_to: None,
    };
    Nudge {
        id: payload.nudge_id.clone(),
        episode_id: payload.episode_id.clone(),
        kind: NudgeKind::Decay,
        reminder: 0,
        relationship: row.id,
        created_at: now,
        reasons: payload.reasons.clone(),
        body: body(NudgeKind::Decay, payload, now),
        stake: stake(&row.state, &rules.policy, now),
        state: NudgeState::Waiting,
        release_at: rules.restraint.moment(NudgeKind::Decay, now, rules.zone(row.rep)),
    }
}

fn one_decimal(score: f64) -> f64 {
    (score * 10.0).round() / 10.0
}
