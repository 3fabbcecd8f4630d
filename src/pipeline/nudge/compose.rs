//! What a nudge says: what must be known for it is loaded, and the event is written.
//!
//! A decay is written when its moment has come, of what is so then: of most that fall at once none is
//! ever said, for others have more at stake.

use crate::model::{Interaction, Nudge, NudgeKind, NudgeState, Reason};
use crate::nudge::kinds::Matter;
use crate::nudge::payload::{
    AccountPart, ContactPart, LastPart, MovedPart, Payload, RepPart, StrengthPart, band, body,
    episode_id, episode_of_kind, nudge_id,
};
use crate::nudge::{Colleague, Evidence, reasons, stake, suggestion};
use crate::score::strength::score_of;
use crate::score::{Band, strength_at};
use crate::store::contact::Contact;
use crate::store::relationship::{self, Stored};
use crate::store::rep::Rep;
use crate::store::{StoreError, contact, feedback, interaction, rep};

use super::Work;

/// So many messages without an answer are counted, and no more.
const ENDING: usize = 50;

/// A decay as it is told of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decayed<'a> {
    /// For the first time.
    Anew,
    /// Once more.
    Still {
        /// Of that episode.
        episode: &'a str,
        /// For the so-many-th time.
        reminder: u32,
    },
}

/// What is told beside the facts of the relationship.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) kind: NudgeKind,
    /// What it is about: when a message or a meeting was, an address, or a day.
    pub(super) about: String,
    pub(super) reasons: Vec<Reason>,
    pub(super) suggestion: String,
    pub(super) account: Option<AccountPart>,
    pub(super) moved_to: Option<MovedPart>,
}

impl Told {
    /// What was found of a relationship.
    pub(super) fn of(matter: Matter) -> Self {
        let Matter { kind, about, reasons, suggestion } = matter;
        let about = about.to_string();
        Self { kind, about, reasons, suggestion, account: None, moved_to: None }
    }
}

/// Who a nudge is to and about, and what was last between them.
struct Parties {
    rep: Rep,
    contact: Contact,
    last: Option<Interaction>,
}

impl Work<'_> {
    /// The id of the episode that begins with the silence after the last interaction.
    pub(super) fn episode_of(&mut self, row: &Stored) -> Result<String, StoreError> {
        let contact = contact::public_id_of(self.db, row.contact)?;
        let last_at = row.state.last_at().unwrap_or(self.now);
        Ok(episode_id(&self.rep(row.rep)?.code, &contact, last_at))
    }

    /// Of which episode a word about a decay is, and for the so-many-th time.
    fn word(&mut self, row: &Stored, how: Decayed<'_>) -> Result<(String, u32), StoreError> {
        Ok(match how {
            Decayed::Anew => (self.episode_of(row)?, 0),
            Decayed::Still { episode, reminder } => (episode.to_owned(), reminder),
        })
    }

    /// The nudge of a decay that has just been decided: not written yet if it waits for its moment.
    pub(super) fn fallen(&mut self, row: &Stored, how: Decayed<'_>) -> Result<Nudge, StoreError> {
        if self.made != NudgeState::Waiting {
            return self.decayed(row, how);
        }
        let word = self.word(row, how)?;
        Ok(self.nudge(row, NudgeKind::Decay, word, (Vec::new(), String::new())))
    }

    /// The nudge of a decay.
    pub(super) fn decayed(&mut self, row: &Stored, how: Decayed<'_>) -> Result<Nudge, StoreError> {
        let (db, rules, now) = (self.db, self.rules, self.now);
        let log = interaction::ending(db, row.id, now, ENDING)?;
        let parties = Parties {
            rep: self.rep(row.rep)?,
            contact: contact::get(db, row.contact)?,
            last: log.last().copied(),
        };
        let colleague = self.colleague(row)?;
        let evidence = Evidence {
            contact: &parties.contact.name,
            state: &row.state,
            log: &log,
            strength: strength_at(&row.state, now),
            baseline_score: score_of(row.state.baseline),
            trigger: &rules.policy.trigger(),
            zone: rules.zone(row.rep),
            colleague: colleague.as_ref(),
        };
        let told = Told {
            kind: NudgeKind::Decay,
            about: String::new(),
            reasons: reasons(&evidence, now),
            suggestion: suggestion(&evidence, now),
            account: None,
            moved_to: None,
        };
        let word = self.word(row, how)?;
        self.compose(row, &parties, told, word)
    }

    /// The nudge of anything else.
    pub(super) fn tell(&mut self, row: &Stored, told: Told) -> Result<Nudge, StoreError> {
        let (db, now) = (self.db, self.now);
        let parties = Parties {
            rep: self.rep(row.rep)?,
            contact: contact::get(db, row.contact)?,
            last: interaction::ending(db, row.id, now, 1)?.pop(),
        };
        let (rep, contact) = (&parties.rep.code, &parties.contact.public_id);
        let episode = episode_of_kind(told.kind, rep, contact, &told.about);
        // Said once, but to who has snoozed it.
        let snoozed =
            feedback::snoozed(db, &episode, told.kind)?.filter(|(_, until)| *until <= now);
        let reminder = snoozed.map_or(0, |(last, _)| last + 1);
        self.compose(row, &parties, told, (episode, reminder))
    }

    fn compose(
        &mut self,
        row: &Stored,
        Parties { rep, contact, last }: &Parties,
        told: Told,
        (episode_id, reminder): (String, u32),
    ) -> Result<Nudge, StoreError> {
        let now = self.now;
        let score = strength_at(&row.state, now).score;
        let baseline = score_of(row.state.baseline);
        let payload = Payload {
            nudge_id: nudge_id(&episode_id, told.kind, reminder),
            episode_id: episode_id.clone(),
            rep: RepPart {
                id: rep.code.clone(),
                name: rep.name.clone(),
                address: rep.address.clone(),
            },
            contact: ContactPart {
                id: contact.public_id.clone(),
                name: contact.name.clone(),
                address: contact.addresses.first().cloned().unwrap_or_default(),
                organisation: contact.organisation.clone(),
            },
            strength: StrengthPart {
                now: one_decimal(score),
                baseline: one_decimal(baseline),
                band: band(score, baseline),
            },
            reasons: told.reasons,
            last_interaction: LastPart {
                at: row.state.last_at().unwrap_or(now),
                kind: last.map_or("message", |i| i.kind.code()).to_owned(),
                direction: last.map_or("outbound", |i| i.direction.code()).to_owned(),
            },
            suggestion: told.suggestion,
            data_fresh_at: self.fresh(row.rep)?.oldest.unwrap_or(now),
            reminder: (reminder > 0).then_some(reminder),
            account: told.account,
            moved_to: told.moved_to,
        };
        let reasons = payload.reasons.clone();
        let said = (reasons, body(told.kind, payload, now));
        Ok(self.nudge(row, told.kind, (episode_id, reminder), said))
    }

    /// A nudge as it is made now.
    fn nudge(
        &self,
        row: &Stored,
        kind: NudgeKind,
        (episode_id, reminder): (String, u32),
        (reasons, body): (Vec<Reason>, String),
    ) -> Nudge {
        let (rules, now) = (self.rules, self.now);
        Nudge {
            id: nudge_id(&episode_id, kind, reminder),
            episode_id,
            kind,
            reminder,
            relationship: row.id,
            created_at: now,
            reasons,
            body,
            stake: stake(&row.state, &rules.policy, now),
            state: self.made,
            release_at: rules.restraint.moment(kind, now, rules.zone(row.rep)),
        }
    }

    /// A rep, loaded once a step.
    pub(super) fn rep(&mut self, row: i64) -> Result<Rep, StoreError> {
        if let Some(rep) = self.reps.get(&row) {
            return Ok(rep.clone());
        }
        let rep = rep::get(self.db, row)?;
        self.reps.insert(row, rep.clone());
        Ok(rep)
    }

    /// The colleague who is closest to the contact, if one is close.
    fn colleague(&mut self, row: &Stored) -> Result<Option<Colleague>, StoreError> {
        let (db, now) = (self.db, self.now);
        let mut closest: Option<(f64, i64)> = None;
        for other in relationship::of_others(db, row.contact, row.rep)? {
            let score = strength_at(&other.state, now.max(other.state.masses.at)).score;
            let close = Band::of(score) >= Band::Good && !other.state.baseline_stale;
            if close && closest.is_none_or(|(best, _)| score > best) {
                closest = Some((score, other.rep));
            }
        }
        let Some((_, rep)) = closest else { return Ok(None) };
        Ok(Some(Colleague { name: self.rep(rep)?.name }))
    }
}

fn one_decimal(score: f64) -> f64 {
    (score * 10.0).round() / 10.0
}
