//! Which rows of which table may go, each in one statement that counting and taking out share.

use rusqlite::params;

use crate::model::Timestamp;
use crate::store::{Db, StoreError};

/// What is older than this may go; `None` keeps everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Messages, meetings and what was made of them.
    pub interactions: Option<Timestamp>,
    /// Nudges of which there is no more to say, and what was answered to them.
    pub nudges: Option<Timestamp>,
    /// What endpoints were sent, and the tries.
    pub deliveries: Option<Timestamp>,
    /// Items put aside that are not asked for again.
    pub quarantine: Option<Timestamp>,
    /// What commands have asked of the daemon.
    pub requests: Option<Timestamp>,
}

/// A table of which rows may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What commands have asked, and nobody has come back for.
    Requests,
    /// Items put aside.
    Quarantine,
    /// Messages to endpoints that have arrived, were given up or cancelled.
    Deliveries,
    /// Nudges of which there is no more to say.
    Nudges,
    /// Silences that are over.
    Silences,
    /// Messages, by whole threads.
    Messages,
    /// Meetings, by all copies of one.
    Meetings,
    /// Invitations to meetings that are gone.
    Invitations,
    /// Reports that something was not delivered.
    Bounces,
}

impl Part {
    /// All, in the order in which they go.
    pub const ALL: [Self; 9] = [
        Self::Requests,
        Self::Quarantine,
        Self::Deliveries,
        Self::Nudges,
        Self::Silences,
        Self::Messages,
        Self::Meetings,
        Self::Invitations,
        Self::Bounces,
    ];

    /// The table's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "request",
            Self::Quarantine => "quarantine",
            Self::Deliveries => "outbox",
            Self::Nudges => "nudge",
            Self::Silences => "silence",
            Self::Messages => "message",
            Self::Meetings => "meeting",
            Self::Invitations => "invitation",
            Self::Bounces => "bounce",
        }
    }

    /// Before when its rows may go. What was sent does not outlive what it speaks of.
    #[must_use]
    pub fn limit(self, before: &Before) -> Option<Timestamp> {
        match self {
            Self::Requests => before.requests,
            Self::Quarantine => before.quarantine,
            Self::Deliveries => before.deliveries.max(before.nudges),
            Self::Nudges | Self::Silences => before.nudges,
            Self::Messages | Self::Meetings | Self::Invitations | Self::Bounces => {
                before.interactions
            }
        }
    }

    /// The column of its rows' age.
    const fn age(self) -> &'static str {
        match self {
            Self::Requests => "asked_at",
            Self::Quarantine | Self::Messages | Self::Bounces => "at",
            Self::Deliveries => "settled_at",
            Self::Nudges => "created_at",
            Self::Silences => "made_at",
            Self::Meetings => "ends_at",
            Self::Invitations => "stamped_at",
        }
    }

    /// The column of its row numbers.
    const fn row(self) -> &'static str {
        match self {
            Self::Bounces => "message",
            _ => "id",
        }
    }

    /// Which rows may go of what is older than `?1`; `t` is the table.
    const fn may_go(self) -> &'static str {
        match self {
            Self::Requests => "t.asked_at < ?1",
            // What its source could not give is asked for four times.
            Self::Quarantine => "t.at < ?1 AND t.at > 0 AND coalesce(t.tries, 5) > 4",
            Self::Deliveries => "t.settled_at < ?1 AND t.state <> 'pending'",
            Self::Nudges => {
                "t.created_at < ?1 AND t.release_at < ?1 AND t.resolved_at < ?1
                 AND t.state <> 'waiting'
                 AND NOT EXISTS (SELECT 1 FROM outbox_nudge WHERE nudge_id = t.id)
                 AND NOT EXISTS (SELECT 1 FROM relationship AS r
                                 WHERE r.id = t.relationship_id AND r.episode_id = t.episode_id)
                 AND NOT EXISTS (SELECT 1 FROM feedback JOIN silence ON feedback_id = feedback.id
                                 WHERE feedback.nudge_id = t.id AND undone_at IS NULL
                                   AND min(coalesce(until_at, 9e18), coalesce(ended_at, 9e18)) >= ?1)
                 AND NOT EXISTS (SELECT 1 FROM feedback WHERE nudge_id = t.id
                                 AND action = 'wrong_person' AND undone_at IS NULL)"
            }
            Self::Silences => {
                "t.feedback_id IS NULL
                 AND min(coalesce(t.until_at, 9e18), coalesce(t.ended_at, 9e18)) < ?1"
            }
            Self::Messages => MESSAGES,
            Self::Meetings => MEETINGS,
            Self::Invitations => {
                "t.stamped_at < ?1 AND t.expanded_until IS NULL
                 AND NOT EXISTS (SELECT 1 FROM meeting
                                 WHERE meeting.rep_id = t.rep_id AND meeting.uid = t.uid)
                 AND NOT EXISTS (SELECT 1 FROM invitation AS other WHERE other.rep_id = t.rep_id
                     AND other.uid = t.uid
                     AND (other.stamped_at >= ?1 OR other.expanded_until IS NOT NULL))"
            }
            Self::Bounces => "t.at < ?1",
        }
    }

    /// The rows that may go above `?2`, in their order.
    pub(super) fn rows_above(self) -> String {
        let (table, row, may_go) = (self.name(), self.row(), self.may_go());
        format!("SELECT t.{row} FROM {table} AS t WHERE t.{row} > ?2 AND {may_go} ORDER BY t.{row}")
    }
}

/// By whole threads: which messages answer which is decided of a thread as a whole.
const MESSAGES: &str = "t.at < ?1 AND (t.thread_id IS NULL OR NOT EXISTS (
    SELECT 1 FROM message AS other WHERE other.thread_id = t.thread_id AND other.at >= ?1))";

/// By all copies: which of them counts is decided of all.
const MEETINGS: &str = "t.ends_at < ?1 AND NOT EXISTS (SELECT 1 FROM meeting AS other
    WHERE other.rep_id = t.rep_id AND other.uid = t.uid AND other.recurrence_at = t.recurrence_at
      AND other.ends_at >= ?1)";

/// Contacts of whom nothing is left.
pub(super) const EMPTY_CONTACTS: &str = "SELECT contact.id FROM contact WHERE contact.id > ?2
     AND EXISTS (SELECT 1 FROM address WHERE contact_id = contact.id)
     AND NOT EXISTS (SELECT 1 FROM address JOIN line ON line.address_id = address.id
         JOIN interaction ON line_id = line.id WHERE address.contact_id = contact.id)
     AND NOT EXISTS (SELECT 1 FROM address JOIN line ON line.address_id = address.id
         JOIN fate ON fate.line_id = line.id WHERE address.contact_id = contact.id)
     AND NOT EXISTS (SELECT 1 FROM address JOIN silence ON silence.contact_id = address.id
         WHERE address.contact_id = contact.id
           AND min(coalesce(until_at, 9e18), coalesce(ended_at, 9e18)) > ?3)
     AND NOT EXISTS (SELECT 1 FROM address JOIN relationship AS r ON r.contact_id = address.id
         JOIN nudge ON nudge.relationship_id = r.id WHERE address.contact_id = contact.id
           AND (nudge.state = 'waiting' OR nudge.created_at >= ?1
                OR EXISTS (SELECT 1 FROM outbox_nudge WHERE nudge_id = nudge.id)))
     ORDER BY contact.id LIMIT 100";

/// How many rows of a table may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The table.
    pub table: &'static str,
    /// What is older may go; `None` keeps everything.
    pub before: Option<Timestamp>,
    /// How many rows may go now.
    pub rows: i64,
    /// The age of the oldest of them.
    pub oldest_at: Option<Timestamp>,
}

/// How many rows of each table may go. Reads all of the larger tables.
///
/// # Errors
/// As every read.
pub fn due(db: &Db, before: &Before, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    let mut found = Vec::new();
    for part in Part::ALL {
        let (table, age, limit) = (part.name(), part.age(), part.limit(before));
        let sql =
            format!("SELECT count(*), min(t.{age}) FROM {table} AS t WHERE {}", part.may_go());
        found.push(counted(db, table, limit, &sql)?);
    }
    let interactions = format!(
        "SELECT count(*), min(i.at) FROM interaction AS i
         WHERE EXISTS (SELECT 1 FROM message AS t WHERE t.id = i.message_id AND {MESSAGES})
            OR EXISTS (SELECT 1 FROM meeting AS t WHERE t.id = i.meeting_id AND {MEETINGS})"
    );
    found.push(counted(db, "interaction", before.interactions, &interactions)?);
    found.push(contacts(db, before.interactions, now)?);
    Ok(found)
}

fn counted(
    db: &Db,
    table: &'static str,
    before: Option<Timestamp>,
    sql: &str,
) -> Result<Due, StoreError> {
    let Some(limit) = before else { return Ok(Due { table, before, rows: 0, oldest_at: None }) };
    Ok(db.connection.prepare_cached(sql)?.query_row([limit], |row| {
        Ok(Due { table, before, rows: row.get(0)?, oldest_at: row.get(1)? })
    })?)
}

/// Contacts who would have nothing left.
fn contacts(db: &Db, before: Option<Timestamp>, now: Timestamp) -> Result<Due, StoreError> {
    let table = "contact";
    let Some(limit) = before else { return Ok(Due { table, before, rows: 0, oldest_at: None }) };
    let sql = format!(
        "SELECT count(*), min((SELECT max(i.at) FROM address
             JOIN line ON line.address_id = address.id JOIN interaction AS i ON i.line_id = line.id
             WHERE address.contact_id = contact.id))
         FROM contact WHERE EXISTS (SELECT 1 FROM address WHERE contact_id = contact.id)
         AND NOT EXISTS (SELECT 1 FROM address JOIN line ON line.address_id = address.id
             JOIN interaction AS i ON i.line_id = line.id
             WHERE address.contact_id = contact.id
               AND NOT EXISTS (SELECT 1 FROM message AS t WHERE t.id = i.message_id AND {MESSAGES})
               AND NOT EXISTS (SELECT 1 FROM meeting AS t WHERE t.id = i.meeting_id AND {MEETINGS}))
         AND NOT EXISTS (SELECT 1 FROM address JOIN line ON line.address_id = address.id
             JOIN fate ON fate.line_id = line.id WHERE address.contact_id = contact.id
               AND NOT EXISTS (SELECT 1 FROM meeting AS t
                               WHERE t.id = fate.meeting_id AND {MEETINGS}))
         AND NOT EXISTS (SELECT 1 FROM address JOIN silence ON silence.contact_id = address.id
             WHERE address.contact_id = contact.id
               AND min(coalesce(until_at, 9e18), coalesce(ended_at, 9e18)) > ?2)
         AND NOT EXISTS (SELECT 1 FROM address JOIN relationship AS r ON r.contact_id = address.id
             JOIN nudge ON nudge.relationship_id = r.id WHERE address.contact_id = contact.id
               AND (nudge.state = 'waiting' OR nudge.created_at >= ?1
                    OR EXISTS (SELECT 1 FROM outbox_nudge WHERE nudge_id = nudge.id)))"
    );
    Ok(db.connection.prepare_cached(&sql)?.query_row(params![limit, now], |row| {
        Ok(Due { table, before, rows: row.get(0)?, oldest_at: row.get(1)? })
    })?)
}
