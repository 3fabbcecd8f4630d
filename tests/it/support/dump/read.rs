//! The tables of a database as a [`Dump`]: the only SQL of the tests.

use std::collections::{BTreeMap, BTreeSet};

use keepwarm::model::relationship::Masses;
use keepwarm::model::{Cadence, Counts, Relationship, Timestamp};
use rusqlite::{Connection, Row};

use super::{Dump, Keys, Mailbox, Message, Owed, Pair, Touch, collect};

pub(super) fn dump(db: &Connection) -> Dump {
    let addresses = addresses(db);
    let pairs = pairs(db, &addresses);
    let keys = keys(db);
    let meetings = meetings(db);
    Dump {
        messages: messages(db, &keys),
        interactions: interactions(db, &pairs, &keys, &meetings),
        relationships: relationships(db, &pairs),
        contacts: contacts(db, &addresses),
        meetings: meetings.into_values().collect(),
        mailboxes: mailboxes(db),
        quarantine: quarantine(db),
    }
}

pub(super) fn nudges(db: &Connection) -> BTreeMap<String, Owed> {
    let mut nudges: BTreeMap<String, Owed> =
        collect(db, "SELECT public_id, body FROM nudge", |row| {
            Ok((row.get(0)?, Owed { body: row.get(1)?, outbox: Vec::new() }))
        })
        .into_iter()
        .collect();
    let sql =
        "SELECT nudge.public_id, endpoint.name, outbox.state, outbox.attempts FROM outbox_nudge
        JOIN outbox ON outbox.id = outbox_id JOIN nudge ON nudge.id = nudge_id
        JOIN endpoint ON endpoint.id = endpoint_id ORDER BY 2";
    for (id, owed) in collect(db, sql, |row| {
        Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
    }) {
        nudges.get_mut(&id).unwrap().outbox.push(owed);
    }
    nudges
}

fn key_list(bytes: &[u8]) -> Keys {
    assert_eq!(bytes.len() % 8, 0, "keys are 8 bytes each");
    let mut keys: Keys =
        bytes.chunks(8).map(|key| i64::from_be_bytes(key.try_into().unwrap())).collect();
    keys.sort_unstable();
    keys
}

fn addresses(db: &Connection) -> BTreeMap<i64, Vec<String>> {
    let mut of: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let sql = "SELECT contact_id, address FROM address ORDER BY address";
    for (contact, address) in collect(db, sql, |row| Ok((row.get(0)?, row.get(1)?))) {
        of.entry(contact).or_default().push(address);
    }
    of
}

fn contacts(
    db: &Connection,
    addresses: &BTreeMap<i64, Vec<String>>,
) -> BTreeMap<Vec<String>, (String, i64, String, String)> {
    let sql = "SELECT contact.id, name, max(named_at), domain, public_id
        FROM address JOIN contact ON contact.id = contact_id
        JOIN organisation ON organisation.id = organisation_id GROUP BY contact.id";
    let of = |row: &Row<'_>| {
        let contact: i64 = row.get(0)?;
        Ok((addresses[&contact].clone(), (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
    };
    unique(collect(db, sql, of))
}

/// A map; two of one key are a fault in itself.
fn unique<K: Ord + std::fmt::Debug, V>(rows: Vec<(K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in rows {
        let shown = format!("{key:?}");
        assert!(map.insert(key, value).is_none(), "twice: {shown}");
    }
    map
}

fn pairs(db: &Connection, addresses: &BTreeMap<i64, Vec<String>>) -> BTreeMap<i64, Pair> {
    // Without those of contacts that were merged into others.
    let sql = "SELECT relationship.id, code, contact_id FROM relationship
        JOIN rep ON rep.id = rep_id WHERE contact_id IN (SELECT contact_id FROM address)";
    let of = |row: &Row<'_>| {
        let contact: i64 = row.get(2)?;
        Ok((row.get(0)?, (row.get(1)?, addresses[&contact].clone())))
    };
    collect(db, sql, of).into_iter().collect()
}

/// The keys of every message, by row: what makes no interaction is named by its references only.
fn keys(db: &Connection) -> BTreeMap<i64, Keys> {
    let of = |row: &Row<'_>| Ok((row.get(0)?, key_list(&row.get::<_, Vec<u8>>(1)?)));
    let mut keys: BTreeMap<i64, Keys> =
        collect(db, "SELECT id, keys FROM message", of).into_iter().collect();
    let settled = "SELECT hash, message_id FROM thread_ref";
    let of = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let mut named: BTreeMap<i64, Option<i64>> = collect(db, settled, of).into_iter().collect();
    let noted = collect(db, "SELECT keys FROM recent_ref ORDER BY id", |row| row.get(0));
    for keys in noted {
        let keys: Vec<u8> = keys;
        assert_eq!(keys.len() % 24, 0, "a key, its thread and its message");
        for note in keys.as_chunks::<8>().0.as_chunks::<3>().0 {
            let [hash, _, message] = note.map(i64::from_be_bytes);
            named.insert(hash, (message != 0).then_some(message));
        }
    }
    for (hash, message) in named {
        if let Some(message) = message {
            keys.entry(message).or_default().push(hash);
        }
    }
    for of in keys.values_mut() {
        of.sort_unstable();
        of.dedup();
    }
    keys
}

/// The thread that is left of every thread.
fn roots(db: &Connection) -> BTreeMap<i64, i64> {
    let merged: BTreeMap<i64, Option<i64>> =
        collect(db, "SELECT id, merged_into FROM thread", |row| Ok((row.get(0)?, row.get(1)?)))
            .into_iter()
            .collect();
    let root = |mut id: i64| {
        let mut steps = 0;
        while let Some(into) = merged[&id] {
            id = into;
            steps += 1;
            assert!(steps <= merged.len(), "threads merged in a circle");
        }
        id
    };
    merged.keys().map(|id| (*id, root(*id))).collect()
}

fn messages(db: &Connection, keys: &BTreeMap<i64, Keys>) -> BTreeMap<Keys, Message> {
    let roots = roots(db);
    let mut threads: BTreeMap<i64, BTreeSet<Keys>> = BTreeMap::new();
    let of = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?));
    let in_threads = collect(db, "SELECT id, thread_id FROM message", of);
    for (message, thread) in &in_threads {
        if let Some(thread) = thread {
            threads.entry(roots[thread]).or_default().insert(keys[message].clone());
        }
    }
    let thread_of: BTreeMap<i64, Option<i64>> = in_threads.into_iter().collect();
    let sql = "SELECT id, at, dated, left_out, subject, reply_subject, refs FROM message";
    let of = |row: &Row<'_>| {
        let id: i64 = row.get(0)?;
        let thread = thread_of[&id].map(|thread| threads[&roots[&thread]].clone());
        let message = Message {
            at: row.get(1)?,
            dated: row.get(2)?,
            left_out: row.get(3)?,
            subject: row.get(4)?,
            reply_subject: row.get(5)?,
            references: key_list(&row.get::<_, Vec<u8>>(6)?),
            thread: thread.unwrap_or_default(),
        };
        Ok((keys[&id].clone(), message))
    };
    unique(collect(db, sql, of))
}

/// UID and recurrence, then beginning, end and status.
type Meeting = ((String, i64), (i64, i64, String));

/// By row.
fn meetings(db: &Connection) -> BTreeMap<i64, Meeting> {
    let sql = "SELECT id, uid, recurrence_at, starts_at, ends_at, status FROM meeting";
    let of = |row: &Row<'_>| {
        let key = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, (key, (row.get(3)?, row.get(4)?, row.get(5)?))))
    };
    collect(db, sql, of).into_iter().collect()
}

fn interactions(
    db: &Connection,
    pairs: &BTreeMap<i64, Pair>,
    keys: &BTreeMap<i64, Keys>,
    meetings: &BTreeMap<i64, Meeting>,
) -> Vec<Touch> {
    let sql = "SELECT relationship_id, at, direction, kind, audience, linked, standing, counted,
        message_id, meeting_id, parent_at, opens, followed_at
        FROM interaction JOIN line ON line.id = line_id";
    let of = |row: &Row<'_>| {
        let (message, meeting): (Option<i64>, Option<i64>) = (row.get(8)?, row.get(9)?);
        Ok(Touch {
            pair: pairs[&row.get::<_, i64>(0)?].clone(),
            at: row.get(1)?,
            direction: row.get(2)?,
            kind: row.get(3)?,
            audience: row.get(4)?,
            linked: row.get(5)?,
            standing: row.get(6)?,
            counted: row.get(7)?,
            message: message.map(|id| keys[&id].clone()),
            meeting: meeting.map(|id| meetings[&id].0.clone()),
            turn: (row.get(10)?, row.get(11)?, row.get(12)?),
        })
    };
    let mut touches = collect(db, sql, of);
    touches.sort();
    touches
}

fn relationships(db: &Connection, pairs: &BTreeMap<i64, Pair>) -> BTreeMap<Pair, Relationship> {
    let sql = "SELECT id, out_7, out_30, out_120, out_480, in_7, in_30, in_120, in_480, sums_at,
        outbound, inbound, meetings, reciprocations, active_days, baseline, baseline_stale,
        reciprocated_at, first_at, last_outbound_at, last_inbound_at, last_meeting_at, pending_at,
        contact_at, exchanges, exchange_day, mean_ln_gap, variance_ln_gap
        FROM relationship WHERE contact_id IN (SELECT contact_id FROM address)";
    let at = |row: &Row<'_>, column: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    let of = |row: &Row<'_>| {
        let state = Relationship {
            masses: Masses {
                outbound: [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
                inbound: [row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
                at: Timestamp::from_millis(row.get(9)?),
            },
            counts: Counts {
                outbound: row.get(10)?,
                inbound: row.get(11)?,
                meetings: row.get(12)?,
                reciprocations: row.get(13)?,
                active_days: row.get(14)?,
            },
            cadence: Cadence {
                contact_at: at(row, 23)?,
                exchanges: row.get(24)?,
                exchange_day: row.get(25)?,
                mean_ln_gap: row.get(26)?,
                variance_ln_gap: row.get(27)?,
            },
            baseline: row.get(15)?,
            baseline_stale: row.get(16)?,
            reciprocated_at: at(row, 17)?,
            first_at: at(row, 18)?,
            last_outbound_at: at(row, 19)?,
            last_inbound_at: at(row, 20)?,
            last_meeting_at: at(row, 21)?,
            folded_at: Timestamp::default(),
            pending_at: at(row, 22)?,
        };
        Ok((pairs[&row.get::<_, i64>(0)?].clone(), state))
    };
    unique(collect(db, sql, of))
}

fn mailboxes(db: &Connection) -> BTreeMap<(String, String), Mailbox> {
    let mut seen: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    let of = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    for (mailbox, item) in collect(db, "SELECT mailbox_id, item FROM seen", of) {
        seen.entry(mailbox).or_default().insert(item);
    }
    let sql = "SELECT source.name, mailbox.name, role, cursor, complete, total, mailbox.id
        FROM mailbox JOIN source ON source.id = source_id";
    let of = |row: &Row<'_>| {
        let mailbox = Mailbox {
            role: row.get(2)?,
            cursor: row.get(3)?,
            complete: row.get(4)?,
            total: row.get(5)?,
            seen: seen.get(&row.get(6)?).cloned().unwrap_or_default(),
        };
        Ok(((row.get(0)?, row.get(1)?), mailbox))
    };
    unique(collect(db, sql, of))
}

fn quarantine(db: &Connection) -> BTreeMap<(String, String, i64), String> {
    let sql = "SELECT source.name, mailbox.name, item, reason FROM quarantine
        JOIN mailbox ON mailbox.id = mailbox_id JOIN source ON source.id = source_id";
    let of = |row: &Row<'_>| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?));
    unique(collect(db, sql, of))
}
