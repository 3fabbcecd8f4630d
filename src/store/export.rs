//! All that is known of one person, as rows under the names of what they tell.
//!
//! What the tables say is given as it stands, with instants as RFC 3339 and without the numbers of rows:
//! whoever asks is to see what is kept, not what could be computed from it.

use rusqlite::types::ValueRef;
use rusqlite::{Row, ToSql};
use serde_json::{Map, Value, json};

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Key, Timestamp};

const DIRECTION: &str = "CASE direction WHEN 0 THEN 'outbound' WHEN 1 THEN 'inbound'
    ELSE 'mutual' END AS direction";

/// Of a contact: ?1 are the rows of its addresses (JSON), ?2 is its row.
const OF_CONTACT: [(&str, &str); 11] = [
    (
        "addresses",
        "SELECT address, name, nullif(named_at, -9223372036854775808) AS named_at,
                organisation.domain AS organisation,
                (SELECT count(*) FROM address_name WHERE address_id = address.id) AS hashes_of_names
         FROM address JOIN organisation ON organisation.id = organisation_id
         WHERE address.id IN (SELECT value FROM json_each(?1)) AND ?2 IS NOT NULL ORDER BY address",
    ),
    (
        "relationships",
        "SELECT rep.code AS rep, outbound, inbound, meetings, reciprocations, active_days, baseline,
                first_at, last_outbound_at, last_inbound_at, last_meeting_at, falls_at, episode_id,
                exchanges, mean_ln_gap, variance_ln_gap
         FROM relationship JOIN rep ON rep.id = rep_id
         WHERE contact_id = ?2 AND ?1 IS NOT NULL ORDER BY rep.code",
    ),
    (
        "meetings_called_off",
        "SELECT rep.code AS rep, uid, starts_at, fate.at,
                CASE what WHEN 0 THEN 'called_off' WHEN 1 THEN 'declined_by_rep'
                ELSE 'declined_by_contact' END AS what
         FROM line JOIN fate ON fate.line_id = line.id JOIN meeting ON meeting.id = meeting_id
         JOIN rep ON rep.id = line.rep_id
         WHERE address_id IN (SELECT value FROM json_each(?1)) AND ?2 IS NOT NULL ORDER BY fate.at",
    ),
    (
        "answered_from",
        "SELECT a.address AS written_to, b.address AS answered_from
         FROM answered_from JOIN address AS a ON a.id = written_id
         JOIN address AS b ON b.id = answered_id
         WHERE (written_id IN (SELECT value FROM json_each(?1))
             OR answered_id IN (SELECT value FROM json_each(?1))) AND ?2 IS NOT NULL",
    ),
    (
        "said_of_identity",
        "SELECT at, said_by, what, evidence, a.address AS one, b.address AS other, undone_at
         FROM identity_pair JOIN identity_change ON identity_change.id = change_id
         JOIN address AS a ON a.id = a_id JOIN address AS b ON b.id = b_id
         WHERE (a_id IN (SELECT value FROM json_each(?1))
             OR b_id IN (SELECT value FROM json_each(?1))) AND ?2 IS NOT NULL ORDER BY at",
    ),
    (
        "silences",
        "SELECT rep.code AS rep, kind, made_at, until_at, reason, ended_at
         FROM silence JOIN rep ON rep.id = rep_id
         WHERE contact_id = ?2 AND ?1 IS NOT NULL ORDER BY made_at",
    ),
    (
        "nudges",
        "SELECT nudge.public_id AS nudge, rep.code AS rep, kind, created_at, state, release_at,
                resolved_at, resolved_by, body
         FROM nudge JOIN relationship AS r ON r.id = relationship_id JOIN rep ON rep.id = r.rep_id
         WHERE r.contact_id = ?2 AND ?1 IS NOT NULL ORDER BY created_at",
    ),
    (
        "answers_of_reps",
        "SELECT nudge.public_id AS nudge, feedback.at, action, days, way, undone_at
         FROM feedback JOIN nudge ON nudge.id = nudge_id
         JOIN relationship AS r ON r.id = relationship_id
         WHERE r.contact_id = ?2 AND ?1 IS NOT NULL ORDER BY feedback.at",
    ),
    (
        "told_to_endpoints",
        "SELECT endpoint.name AS endpoint, webhook_id, made_at, outbox.state, attempts, settled_at,
                outbox.body
         FROM outbox JOIN endpoint ON endpoint.id = endpoint_id
         WHERE outbox.id IN (SELECT outbox_id FROM outbox_nudge JOIN nudge ON nudge.id = nudge_id
             JOIN relationship AS r ON r.id = relationship_id WHERE r.contact_id = ?2)
           AND ?1 IS NOT NULL ORDER BY made_at",
    ),
    (
        "named_in_nudges_about_others",
        "SELECT nudge.public_id AS nudge, kind, created_at, state FROM nudge
         JOIN relationship AS r ON r.id = relationship_id
         WHERE r.contact_id <> ?2 AND EXISTS (SELECT 1 FROM address
             WHERE address.id IN (SELECT value FROM json_each(?1))
               AND instr(nudge.body, address) > 0) ORDER BY created_at",
    ),
    (
        "invitations",
        "SELECT rep.code AS rep, method, stamped_at, text FROM invitation
         JOIN rep ON rep.id = rep_id
         WHERE EXISTS (SELECT 1 FROM address
             WHERE address.id IN (SELECT value FROM json_each(?1))
               AND instr(lower(text), address) > 0) AND ?2 IS NOT NULL ORDER BY stamped_at",
    ),
];

/// Of a rep: ?1 is the row.
const OF_REP: [(&str, &str); 7] = [
    ("rep", "SELECT code, name, address FROM rep WHERE id = ?1"),
    (
        "sources",
        "SELECT source.name AS source, kind, state, fresh_at, attempted_at FROM source
         WHERE rep_id = ?1 ORDER BY source.name",
    ),
    (
        "mailboxes",
        "SELECT source.name AS source, mailbox.name AS mailbox, role, seen_count AS items
         FROM source JOIN mailbox ON source_id = source.id
         WHERE rep_id = ?1 ORDER BY source.name, mailbox.name",
    ),
    (
        "interactions",
        "SELECT count(*) AS count, min(at) AS first_at, max(at) AS last_at,
                count(DISTINCT line.address_id) AS addresses
         FROM line JOIN interaction ON line_id = line.id WHERE rep_id = ?1",
    ),
    (
        "messages_to_and_from_reps",
        "SELECT a.code AS from_rep, b.code AS to_rep, count(*) AS count, min(at) AS first_at,
                max(at) AS last_at
         FROM colleague JOIN rep AS a ON a.id = from_rep_id JOIN rep AS b ON b.id = to_rep_id
         WHERE from_rep_id = ?1 OR to_rep_id = ?1 GROUP BY a.code, b.code",
    ),
    (
        "nudges",
        "SELECT nudge.public_id AS nudge, kind, created_at, state, release_at, resolved_at,
                resolved_by
         FROM nudge JOIN relationship AS r ON r.id = relationship_id
         WHERE r.rep_id = ?1 ORDER BY created_at",
    ),
    (
        "answers",
        "SELECT nudge.public_id AS nudge, feedback.at, action, days, way, undone_at
         FROM feedback JOIN nudge ON nudge.id = nudge_id
         JOIN relationship AS r ON r.id = relationship_id
         WHERE r.rep_id = ?1 ORDER BY feedback.at",
    ),
];

/// All that is known of a contact, given with its row, those of its addresses, and the keys under
/// which reports of failed delivery name these.
///
/// # Errors
/// As every read.
pub fn of_contact(
    db: &Db,
    contact: i64,
    addresses: &[i64],
    keys: &[Key],
) -> Result<Map<String, Value>, StoreError> {
    let rows = serde_json::to_string(addresses).unwrap_or_default();
    let mut told = Map::new();
    for (name, sql) in OF_CONTACT {
        told.insert(name.to_owned(), all(db, sql, &[&rows, &contact])?);
    }
    let interactions = format!(
        "SELECT rep.code AS rep, address.address, interaction.at, {DIRECTION},
                CASE interaction.kind WHEN 0 THEN 'message' ELSE 'meeting' END AS kind, audience,
                linked, counted, standing, parent_at, followed_at,
                left_out, hex(message.keys) AS hashes_of_message_ids,
                meeting.uid AS meeting, meeting.starts_at, meeting.status
         FROM line JOIN interaction ON line_id = line.id JOIN rep ON rep.id = line.rep_id
         JOIN address ON address.id = address_id
         LEFT JOIN message ON message.id = message_id LEFT JOIN meeting ON meeting.id = meeting_id
         WHERE address_id IN (SELECT value FROM json_each(?1)) ORDER BY interaction.at"
    );
    told.insert("interactions".to_owned(), all(db, &interactions, &[&rows])?);
    let mut reports = 0;
    for key in keys {
        let sql = "SELECT count(*) FROM bounce WHERE instr(failed, ?1) > 0";
        reports +=
            db.connection.query_row(sql, [key.0.to_be_bytes()], |row| row.get::<_, i64>(0))?;
    }
    told.insert("reports_of_failed_delivery".to_owned(), json!(reports));
    Ok(told)
}

/// All that is known of a rep, but for who the contacts are: these are other people.
///
/// # Errors
/// As every read.
pub fn of_rep(db: &Db, rep: i64) -> Result<Map<String, Value>, StoreError> {
    let mut told = Map::new();
    for (name, sql) in OF_REP {
        told.insert(name.to_owned(), all(db, sql, &[&rep])?);
    }
    Ok(told)
}

fn all(db: &Db, sql: &str, parameters: &[&dyn ToSql]) -> Result<Value, StoreError> {
    let mut statement = db.connection.prepare(sql)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map(parameters, |row| object(row, &names))?;
    Ok(Value::Array(rows.collect::<Result<_, _>>()?))
}

fn object(row: &Row<'_>, names: &[String]) -> rusqlite::Result<Value> {
    let mut object = Map::new();
    for (column, name) in names.iter().enumerate() {
        let value = match row.get_ref(column)? {
            ValueRef::Integer(at) if name == "at" || name.ends_with("_at") => {
                json!(Timestamp::from_millis(at))
            }
            ValueRef::Integer(number) => json!(number),
            ValueRef::Real(number) => json!(number),
            // What was told is a document itself.
            ValueRef::Text(text) if name == "body" => serde_json::from_slice(text)
                .unwrap_or_else(|_| json!(String::from_utf8_lossy(text))),
            ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
            ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        };
        object.insert(name.clone(), value);
    }
    Ok(Value::Object(object))
}
