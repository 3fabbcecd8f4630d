//! Nudges by the thousand that are owed to endpoints, made by the store's own functions, and time that
//! is moved from outside.

use std::ops::Range;
use std::path::Path;

use keepwarm::clock::Clock;
use keepwarm::model::{Key, Nudge, NudgeKind, NudgeState, Reason, Timestamp};
use keepwarm::normalise::address::canonical;
use keepwarm::nudge::payload::{
    ContactPart, LastPart, Payload, RepPart, StrengthPart, body, episode_id, nudge_id,
};
use keepwarm::store::{Db, Store, StoreError, contact, endpoint, nudge, outbox, relationship, rep};
use rusqlite::Connection;

use super::process::Place;

/// A name that no encoding leaves alone.
pub(crate) const NAME: &str = "Bö \"Quote\" Li 🦀";

/// Owes nudges of these numbers to endpoints, each in a message of its own; gives their ids. A number
/// makes the same nudge at every time. Nothing may have the database open.
pub(crate) fn owe(place: &Place, endpoints: &[&str], numbers: Range<usize>) -> Vec<String> {
    let store = Store::open(&place.database()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let endpoints: Vec<String> = endpoints.iter().map(|name| (*name).to_owned()).collect();
    let job = move |db: &Db| enter(db, &endpoints, numbers, Clock::System.now());
    runtime.block_on(store.write(job)).unwrap()
}

fn enter(
    db: &Db,
    endpoints: &[String],
    numbers: Range<usize>,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let rep = rep::ensure(db, "ann", "Ann Lee", "ann@us.example")?;
    let address = canonical("bo@acme.example").unwrap();
    let address = contact::ensure(db, &address, |_| "acme.example".to_owned())?;
    let relationship = relationship::ensure(db, rep, contact::of_address(db, address)?)?;
    let mut rows = Vec::new();
    for name in endpoints {
        // One that the program has not met yet gets its row now, and its URL when it does.
        let found = endpoint::find(db, name)?;
        rows.push(
            found.map_or_else(|| Ok(endpoint::ensure(db, name, Key(0))?.0), Ok::<_, StoreError>)?,
        );
    }
    let mut ids = Vec::new();
    for number in numbers {
        let made = numbered(number, relationship, now);
        let id = made.id.clone();
        let row = nudge::insert(db, &made)?.unwrap();
        for endpoint in &rows {
            outbox::insert(db, *endpoint, (&id, rep), &[row], now)?;
        }
        ids.push(id);
    }
    Ok(ids)
}

fn numbered(number: usize, relationship: i64, now: Timestamp) -> Nudge {
    let last_at = Timestamp::from_seconds(i64::try_from(number).unwrap());
    let episode_id = episode_id("ann", "con_bo", last_at);
    let id = nudge_id(&episode_id, NudgeKind::Decay, 0);
    let reasons = vec![Reason {
        code: "silence".to_owned(),
        days: Some(41),
        usual_gap_days: Some(12),
        text: format!("Number {number}: no two-way contact for 41 days; usually every 12."),
    }];
    let payload = Payload {
        nudge_id: id.clone(),
        episode_id: episode_id.clone(),
        rep: RepPart {
            id: "ann".to_owned(),
            name: "Ann Lee".to_owned(),
            address: "ann@us.example".to_owned(),
        },
        contact: ContactPart {
            id: "con_bo".to_owned(),
            name: NAME.to_owned(),
            address: "bo@acme.example".to_owned(),
            organisation: "acme.example".to_owned(),
        },
        strength: StrengthPart { now: 31.2, baseline: 72.0, band: "cooling".to_owned() },
        reasons: reasons.clone(),
        last_interaction: LastPart {
            at: last_at,
            kind: "message".to_owned(),
            direction: "inbound".to_owned(),
        },
        suggestion: "Answer the last thread.".to_owned(),
        data_fresh_at: now,
        reminder: None,
        account: None,
        moved_to: None,
    };
    Nudge {
        id,
        episode_id,
        kind: NudgeKind::Decay,
        reminder: 0,
        relationship,
        created_at: now,
        reasons,
        body: body(NudgeKind::Decay, payload, now),
        stake: 1.0,
        state: NudgeState::Released,
        release_at: now,
    }
}

/// What is owed to an endpoint, by state: pending, delivered, dead, cancelled.
pub(crate) fn owed(path: &Path, endpoint: &str) -> [i64; 4] {
    let of = |state: &str| {
        super::dump::rows(
            path,
            &format!(
                "outbox JOIN endpoint ON endpoint.id = endpoint_id
                 WHERE name = '{endpoint}' AND state = '{state}'"
            ),
        )
    };
    ["pending", "delivered", "dead", "cancelled"].map(of)
}

/// Ends the time for which endpoints are left alone. Nothing may have the database open.
#[expect(clippy::disallowed_methods, reason = "time is moved from outside")]
pub(crate) fn release(path: &Path) -> usize {
    let db = Connection::open(path).unwrap();
    let held = "UPDATE endpoint SET held_until = 0 WHERE held_until IS NOT NULL";
    db.execute(held, []).unwrap()
}
