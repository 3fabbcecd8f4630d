//! What no single relationship shows, looked at once a day: accounts that hang on one person or too
//! few, and contacts who have moved.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{NudgeKind, NudgeState, Reason, Resolution, Span, Timestamp};
use crate::normalise::Account;
use crate::nudge::Event;
use crate::nudge::payload::{AccountPart, MovedPart};
use crate::nudge::reason::date;
use crate::pipeline::people::duplicates::{self, MOVED, Proposal};
use crate::pipeline::{Rules, fold};
use crate::score::account::{Coverage, Thread, Tie, coverage};
use crate::score::{Band, strength_at};
use crate::store::nudge::Open;
use crate::store::nudging::{self, Nudging};
use crate::store::relationship::Stored;
use crate::store::{Db, StoreError, bounce, contact, nudge, relationship, silence};

use super::Work;
use super::compose::Told;

/// From one review to the next.
const EVERY: Span = Span::from_hours(24);
/// Mail that came back longer ago is no news.
const LATE: Span = Span::from_days(60);

/// When the next review is due, if there is anything to look at.
///
/// # Errors
/// As every read.
pub(super) fn next(db: &Db, rules: &Rules) -> Result<Option<Timestamp>, StoreError> {
    if !looks_at_accounts(rules) && !looks_at_moves(db, rules)? {
        return Ok(None);
    }
    Ok(nudging::get(db)?.and_then(|known| known.reviewed_at).map(|at| at + EVERY))
}

/// Looks, if it is time.
pub(super) fn review(
    work: &mut Work<'_>,
    known: &Nudging,
    made: &mut Vec<String>,
) -> Result<(), StoreError> {
    let (db, rules, now) = (work.db, work.rules, work.now);
    if known.reviewed_at.is_some_and(|at| at <= now && now - at < EVERY) {
        return Ok(());
    }
    let moves = looks_at_moves(db, rules)?;
    if !looks_at_accounts(rules) && !moves {
        return Ok(());
    }
    nudging::reviewed(db, now)?;
    if looks_at_accounts(rules) {
        accounts(work, made)?;
    }
    if moves {
        for proposal in duplicates::proposals(db, now)?.proposals {
            let ours = proposal.kind == MOVED && proposal.returned_to_us;
            if let Some(at) = proposal.bounced_at.filter(|_| ours) {
                moved(work, &proposal, at, made)?;
            }
        }
    }
    Ok(())
}

fn looks_at_accounts(rules: &Rules) -> bool {
    rules.matters.enabled.contains(&NudgeKind::SingleThreaded)
        && !rules.accounts.configured().is_empty()
}

fn looks_at_moves(db: &Db, rules: &Rules) -> Result<bool, StoreError> {
    Ok(rules.matters.enabled.contains(&NudgeKind::ContactMoved) && bounce::exist(db)?)
}

/// Every configured account: one that hangs by a thread is told to the rep who holds it.
fn accounts(work: &mut Work<'_>, made: &mut Vec<String>) -> Result<(), StoreError> {
    let (db, rules, now) = (work.db, work.rules, work.now);
    let mut of: HashMap<&str, Vec<Stored>> = HashMap::new();
    for (organisation, contact) in contact::at_organisations(db)? {
        let Some(account) = rules.accounts.configured_of(&organisation) else { continue };
        let key = account.domains.first().map_or("", String::as_str);
        let rows = relationship::of_contact(db, contact)?;
        of.entry(key).or_default().extend(rows.into_iter().filter(|row| row.contact == contact));
    }
    let mut open: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for one in nudge::unresolved_of(db, NudgeKind::SingleThreaded)? {
        open.entry(account_of(&one).unwrap_or_default()).or_default().push(one.id);
    }
    let lately: BTreeSet<String> =
        nudge::of_kind_since(db, NudgeKind::SingleThreaded, now - rules.matters.between_accounts)?
            .iter()
            .filter(|one| one.nudge.state != NudgeState::Observed)
            .filter_map(account_of)
            .collect();
    for account in rules.accounts.configured() {
        let key = account.domains.first().map_or("", String::as_str);
        let mut rows = of.remove(key).unwrap_or_default();
        rows.sort_by_key(|row| row.id);
        rows.dedup_by_key(|row| row.id);
        let (mut ties, mut fresh) = (Vec::with_capacity(rows.len()), true);
        for row in &rows {
            let strength = strength_at(&fold::as_of(db, rules, row, now)?, now);
            let s = if strength.reciprocated { strength.s } else { 0.0 };
            ties.push(Tie { rep: row.rep, contact: row.contact, s });
            let read = work.fresh(row.rep)?;
            let least = now - rules.policy.fresh;
            fresh &= !read.backfilling && read.oldest.is_some_and(|at| at >= least);
        }
        // Whoever has not been read may know everybody there.
        if !fresh {
            open.remove(&account.name);
            continue;
        }
        let covered = coverage(&ties, usize::try_from(account.target).unwrap_or(usize::MAX));
        if covered.single_threaded.is_some() {
            open.remove(&account.name);
            if !lately.contains(&account.name) {
                thread(work, account, &covered, &rows, made)?;
            }
        }
    }
    for id in open.into_values().flatten() {
        nudge::resolve_one(db, id, Resolution::Recovered, now)?;
    }
    Ok(())
}

/// The account that a nudge is about, by name.
fn account_of(open: &Open) -> Option<String> {
    let event: Event = serde_json::from_str(&open.nudge.body).ok()?;
    Some(event.data.account?.name)
}

/// Tells that an account hangs by a thread, if it does: to the rep who is closest to its closest
/// person.
fn thread(
    work: &mut Work<'_>,
    account: &Account,
    covered: &Coverage,
    rows: &[Stored],
    made: &mut Vec<String>,
) -> Result<(), StoreError> {
    let Some((why, closest)) = covered.single_threaded.zip(covered.people.first()) else {
        return Ok(());
    };
    let row = rows.iter().find(|row| row.rep == closest.rep && row.contact == closest.contact);
    // An account that nobody is close to hangs on nobody.
    let Some(row) = row.filter(|_| Band::of(closest.strength()) >= Band::Good) else {
        return Ok(());
    };
    let name = contact::get(work.db, row.contact)?.name;
    let strong = u32::try_from(covered.strong).unwrap_or(u32::MAX);
    let (code, text) = match why {
        Thread::OnePerson => (
            "one_person",
            format!(
                "{name} holds {:.0} % of all there is with {}.",
                covered.largest_share * 100.0,
                account.name
            ),
        ),
        Thread::FewStrong => ("few_strong", few(strong, account)),
    };
    let others: Vec<String> = covered
        .closest()
        .take(2)
        .map(|person| Ok(contact::get(work.db, person.contact)?.name))
        .collect::<Result<_, StoreError>>()?;
    let suggestion = match others.as_slice() {
        [] => format!("Ask {name} who else at {} should know of this.", account.name),
        others => format!("Bring {} in next.", others.join(" and ")),
    };
    let told = Told {
        kind: NudgeKind::SingleThreaded,
        about: format!("{} {}", account.name, work.now.local_day(chrono_tz::UTC)),
        reasons: vec![Reason { code: code.into(), days: None, usual_gap_days: None, text }],
        suggestion,
        account: Some(AccountPart {
            name: account.name.clone(),
            strong,
            target: account.target,
            top_share: (covered.largest_share * 1000.0).round() / 1000.0,
        }),
        moved_to: None,
    };
    said(work, row, told, made)
}

/// How few are close, and how many should be.
fn few(strong: u32, account: &Account) -> String {
    let (name, target) = (&account.name, account.target);
    match strong {
        0 => format!("Nobody at {name} is close; {target} should be."),
        1 => format!("Only 1 person at {name} is close; {target} should be."),
        _ => format!("Only {strong} people at {name} are close; {target} should be."),
    }
}

/// Tells everybody to whom a contact mattered where that seems to be now.
fn moved(
    work: &mut Work<'_>,
    proposal: &Proposal,
    bounced_at: Timestamp,
    made: &mut Vec<String>,
) -> Result<(), StoreError> {
    let (db, rules, now) = (work.db, work.rules, work.now);
    if now - bounced_at > LATE {
        return Ok(());
    }
    let Some(gone) = contact::find(db, &proposal.a.contact_id)? else { return Ok(()) };
    let new = contact::find(db, &proposal.b.contact_id)?;
    for row in relationship::of_contact(db, gone)? {
        // Who has written to the new address knows it.
        let knows = match new {
            Some(new) => relationship::find(db, row.rep, new)?,
            None => None,
        };
        if knows.is_some_and(|there| there.state.last_outbound_at.is_some()) {
            continue;
        }
        if !crate::nudge::established(&row.state, &rules.policy) || row.contact != gone {
            continue;
        }
        let day = date(bounced_at, rules.zone(row.rep));
        let (name, to) = (&proposal.a.contact, &proposal.b);
        let text = format!(
            "Mail to {name} at {} came back on {day}; the same name writes from {} now.",
            proposal.a.organisation, to.organisation
        );
        let told = Told {
            kind: NudgeKind::ContactMoved,
            about: to.contact_id.clone(),
            reasons: vec![Reason {
                code: "contact_moved".into(),
                days: None,
                usual_gap_days: None,
                text,
            }],
            suggestion: format!(
                "If it is the same person, congratulate on the new place: {}.",
                to.address
            ),
            account: None,
            moved_to: Some(MovedPart {
                address: to.address.clone(),
                organisation: to.organisation.clone(),
            }),
        };
        said(work, &row, told, made)?;
    }
    Ok(())
}

/// Makes the nudge, unless the rep has asked for silence.
fn said(
    work: &mut Work<'_>,
    row: &Stored,
    told: Told,
    made: &mut Vec<String>,
) -> Result<(), StoreError> {
    let nudge = work.tell(row, told)?;
    let silent = silence::until(work.db, (row.rep, row.contact), nudge.kind, work.now)?;
    if silent.is_none_or(|until| until <= work.now) {
        work.keep(&nudge, made)?;
    }
    Ok(())
}
