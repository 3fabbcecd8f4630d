//! Relationships as people and programs are shown them, as of any instant.

use serde::Serialize;

use crate::model::{Interaction, Relationship, Timestamp};
use crate::normalise::organisation::{self, OrganisationKind};
use crate::score::strength::{score_of, strength_at};
use crate::score::{Band, Engagement, Strength};
use crate::store::contact::Contact;
use crate::store::held::Held;
use crate::store::relationship::Stored;
use crate::store::{Db, StoreError, contact, held, interaction, relationship, rep};

use super::{Rules, engagement, fold};

/// A relationship, shown. The names of its fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// The rep's id.
    pub rep: String,
    /// The contact's name.
    pub contact: String,
    /// The contact's public id.
    pub contact_id: String,
    /// The contact's addresses.
    pub addresses: Vec<String>,
    /// The organisation's domain.
    pub organisation: String,
    /// The domain of the account that it belongs to, if it does.
    pub account: Option<String>,
    /// What that is: `company` or `free_mail`.
    pub organisation_kind: OrganisationKind,
    /// Whether the first address is that of a function, such as `sales@`, rather than a person's.
    pub role_address: bool,
    /// 0 to 100.
    pub strength: f64,
    /// The strength in a word.
    pub band: &'static str,
    /// S, which ranks: without the gate and without an upper end.
    pub s: f64,
    /// The best strength, remembered.
    pub baseline: f64,
    /// Messages from the rep.
    pub outbound: u32,
    /// Messages from the contact.
    pub inbound: u32,
    /// Meetings held.
    pub meetings: u32,
    /// The first interaction.
    pub first_at: Option<Timestamp>,
    /// The last message from the rep.
    pub last_outbound_at: Option<Timestamp>,
    /// The last message from the contact.
    pub last_inbound_at: Option<Timestamp>,
    /// The last meeting held.
    pub last_meeting_at: Option<Timestamp>,
    /// When it falls below the nudge's threshold if nothing happens; it may have already.
    pub falls_at: Option<Timestamp>,
    /// Whether it is in decay and its rep has been told, or could have been.
    pub decaying: bool,
    /// What it has been like lately, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engagement: Option<Engagement>,
}

/// How much is told of each relationship.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// What its state says.
    #[default]
    State,
    /// Its engagement too, which takes reading its last year.
    Engagement,
}

/// Which relationships are asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this rep's, by id.
    pub rep: Option<String>,
    /// Only with people of one of these organisations.
    pub organisations: Option<Vec<String>>,
    /// Only those at least so strong.
    pub min_strength: f64,
    /// At most so many.
    pub limit: Option<usize>,
    /// How much is told of each.
    pub detail: Detail,
}

/// The relationships asked for, the strongest first.
///
/// # Errors
/// As every read.
pub fn relationships(
    db: &Db,
    rules: &Rules,
    filter: &Filter,
    now: Timestamp,
) -> Result<Vec<Shown>, StoreError> {
    let only_rep = match &filter.rep {
        Some(code) => Some(rep::find(db, code)?.unwrap_or(-1)),
        None => None,
    };
    let mut ranked = Vec::new();
    for row in relationship::all(db)? {
        if only_rep.is_some_and(|rep| rep != row.rep) {
            continue;
        }
        let state = fold::as_of(db, rules, &row, now)?;
        let strength = strength_at(&state, now);
        if state.first_at.is_some() && strength.score >= filter.min_strength {
            ranked.push((row, state, strength));
        }
    }
    ranked.sort_by(|a, b| {
        b.2.score.total_cmp(&a.2.score).then(b.2.s.total_cmp(&a.2.s)).then(a.0.id.cmp(&b.0.id))
    });
    let mut shown = Vec::new();
    for (row, state, strength) in ranked {
        if filter.limit.is_some_and(|limit| shown.len() >= limit) {
            break;
        }
        let contact = contact::get(db, row.contact)?;
        let wanted = |of: &Vec<String>| of.contains(&contact.organisation);
        if !filter.organisations.as_ref().is_none_or(wanted) {
            continue;
        }
        let mut one = show(db, rules, &row, &state, &strength, contact, now)?;
        if filter.detail == Detail::Engagement {
            one.engagement = Some(engagement::as_of(db, rules, &row, &state, now)?);
        }
        shown.push(one);
    }
    Ok(shown)
}

/// A relationship in full: what it comes to and the interactions that carry it.
#[derive(Clone, Debug)]
pub struct Explained {
    /// As in a list.
    pub shown: Shown,
    /// The state as of then.
    pub state: Relationship,
    /// The strength, term by term.
    pub strength: Strength,
    /// Every counted interaction up to then, by time.
    pub log: Vec<Interaction>,
    /// Meetings held, by time.
    pub met: Vec<Held>,
    /// The next meeting that both have accepted.
    pub next_meeting: Option<Held>,
}

/// Explains the relationship of a rep (by id) with a contact (by address or public id); `None` if
/// there is none as of `now`.
///
/// # Errors
/// As every read.
pub fn explain(
    db: &Db,
    rules: &Rules,
    rep: &str,
    contact: &str,
    now: Timestamp,
) -> Result<Option<Explained>, StoreError> {
    let (Some(rep), Some(contact)) = (rep::find(db, rep)?, contact::find(db, contact)?) else {
        return Ok(None);
    };
    let Some(row) = relationship::find(db, rep, contact)? else { return Ok(None) };
    let state = fold::as_of(db, rules, &row, now)?;
    if state.first_at.is_none() {
        return Ok(None);
    }
    let strength = strength_at(&state, now);
    let mut log = interaction::log(db, row.id)?;
    log.retain(|i| i.at <= now);
    let mut shown = show(db, rules, &row, &state, &strength, contact::get(db, contact)?, now)?;
    shown.engagement = Some(engagement::as_of(db, rules, &row, &state, now)?);
    let met = held::all(db, row.id, now)?;
    let next_meeting = held::next(db, row.id, now)?;
    Ok(Some(Explained { shown, state, strength, log, met, next_meeting }))
}

fn show(
    db: &Db,
    rules: &Rules,
    row: &Stored,
    state: &Relationship,
    strength: &Strength,
    contact: Contact,
    now: Timestamp,
) -> Result<Shown, StoreError> {
    let reciprocated = strength.reciprocated;
    Ok(Shown {
        rep: rep::get(db, row.rep)?.code,
        contact: contact.name,
        contact_id: contact.public_id,
        organisation_kind: organisation::kind(&contact.organisation),
        role_address: organisation::is_role_text(contact.addresses.first()),
        addresses: contact.addresses,
        account: rules.accounts.of(&contact.organisation).map(str::to_owned),
        organisation: contact.organisation,
        strength: strength.score,
        band: Band::of(strength.score).code(),
        s: strength.s,
        baseline: if reciprocated { score_of(state.baseline) } else { 0.0 },
        outbound: state.counts.outbound,
        inbound: state.counts.inbound,
        meetings: state.counts.meetings,
        first_at: state.first_at,
        last_outbound_at: state.last_outbound_at,
        last_inbound_at: state.last_inbound_at,
        last_meeting_at: state.last_meeting_at,
        falls_at: fold::falls_at(db, rules, row, state, state.folded_at)?,
        decaying: row.episode_id.is_some() && row.episode_at.is_some_and(|at| at <= now),
        engagement: None,
    })
}
