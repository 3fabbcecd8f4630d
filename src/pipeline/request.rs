//! What commands ask to have changed, done by whoever has the database open: the daemon on request,
//! the command itself where no daemon runs. Both come through here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::store::quarantine::Chosen;
use crate::store::{Db, StoreError, request};

use super::nudge::steer;
use super::retention::Place;
use super::{Rules, care, feedback, identity, login, outbox, retention, silence};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// To make two contacts one, each named by an address or a public id.
    Merge {
        /// One.
        a: String,
        /// The other.
        b: String,
    },
    /// To make an address a contact of its own.
    Split {
        /// The contact, by any of its addresses or its public id.
        contact: String,
        /// The address that leaves it.
        address: String,
    },
    /// To take a change of contacts back.
    Undo {
        /// Its number in the log.
        change: i64,
    },
    /// To send nudges from now on.
    EnableNudges {},
    /// To go on with nudges that were held up by what looked like wrong data.
    ResumeNudges {
        /// Those to that rep (by id) only; else all, and the clock is believed.
        rep: Option<String>,
    },
    /// To answer a nudge.
    Feedback {
        /// Its public id.
        nudge: String,
        /// The word for the answer, as in links.
        answer: String,
    },
    /// To take the answer to a nudge back.
    TakeBack {
        /// Its public id.
        nudge: String,
    },
    /// To say nothing about a contact to a rep.
    Silence {
        /// The rep's id.
        rep: String,
        /// The contact, by an address or a public id.
        contact: String,
        /// For how many days; for good without it.
        days: Option<u32>,
    },
    /// To end a silence.
    EndSilence {
        /// Its number.
        silence: i64,
    },
    /// To send deliveries once more.
    Replay {
        /// Of this webhook id, if one is named.
        message: Option<String>,
        /// Only what was given up.
        dead: bool,
        /// To this endpoint, if one is named.
        endpoint: Option<String>,
    },
    /// Never to send deliveries that have not arrived.
    Drop {
        /// Of this webhook id, if one is named.
        message: Option<String>,
        /// To this endpoint, if one is named.
        endpoint: Option<String>,
    },
    /// To read items again that were put aside.
    Retry {
        /// Of the source of this name, if one is named.
        source: Option<String>,
        /// Of mailboxes of this name, if one is named.
        mailbox: Option<String>,
        /// The item of this number, if one is named.
        item: Option<i64>,
    },
    /// To compute every relationship anew from the log.
    Rebuild {},
    /// To take away all there is of a person.
    Erase {
        /// The contact, by an address or a public id.
        contact: String,
    },
    /// To take out some of what is old enough, from a place on.
    TakeOut {
        /// Where the last answer said to go on; from the beginning without it.
        place: Option<Place>,
    },
    /// To go on with the login that somebody has signed in for.
    SignIn {
        /// The source's name.
        source: String,
        /// Hash of what was given.
        origin: String,
        /// The refresh token, sealed; base64.
        sealed: String,
    },
    /// To try an endpoint that is left alone.
    ReleaseEndpoint {
        /// Its name.
        endpoint: String,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It was done.
    Done {
        /// What is so now, in a sentence.
        said: String,
        /// The number under which it stands in the log and can be taken back, if it does.
        change: Option<i64>,
    },
    /// Rows were taken out.
    TakenOut {
        /// How many, by table.
        taken: BTreeMap<String, usize>,
        /// Where to go on; `None` if all is done.
        next: Option<Place>,
    },
    /// It was not done, for what was asked cannot be.
    Refused {
        /// Why not.
        why: String,
        /// What to do instead; may be empty.
        hint: String,
    },
}

impl Answer {
    pub(super) fn refused(why: String, hint: &str) -> Self {
        Self::Refused { why, hint: hint.to_owned() }
    }
}

/// Does what is asked.
///
/// # Errors
/// As every write; nothing is done then.
pub fn perform(
    db: &Db,
    rules: &Rules,
    asked: &Request,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    match asked {
        Request::Merge { a, b } => identity::merge(db, rules, (a, b), now),
        Request::Split { contact, address } => identity::split(db, rules, contact, address, now),
        Request::Undo { change } => identity::undo(db, rules, *change, now),
        Request::EnableNudges {} => steer::enable(db, now),
        Request::ResumeNudges { rep } => steer::resume(db, rep.as_deref(), now),
        Request::Feedback { nudge, answer } => feedback::asked(db, rules, nudge, answer, now),
        Request::TakeBack { nudge } => feedback::asked_back(db, nudge, now),
        Request::Silence { rep, contact, days } => silence::begin(db, rep, contact, *days, now),
        Request::EndSilence { silence } => silence::end(db, *silence, now),
        Request::Replay { message, dead, endpoint } => {
            outbox::replay(db, (message.as_deref(), *dead), endpoint.as_deref(), now)
        }
        Request::Drop { message, endpoint } => {
            outbox::drop(db, message.as_deref(), endpoint.as_deref(), now)
        }
        Request::Retry { source, mailbox, item } => {
            let (source, mailbox) = (source.clone(), mailbox.clone());
            care::retry(db, &Chosen { source, mailbox, item: *item })
        }
        Request::Rebuild {} => care::rebuild(db, rules, now),
        Request::Erase { contact } => care::erase(db, rules, contact, now),
        Request::TakeOut { place } => retention::asked(db, rules, *place, now),
        Request::SignIn { source, origin, sealed } => {
            login::signed_in(db, source, origin, sealed, now)
        }
        Request::ReleaseEndpoint { endpoint } => outbox::release(db, endpoint, now),
    }
}

/// The name of the source that a request is a sign-in for.
#[must_use]
pub fn signs_in(of: &request::Request) -> Option<String> {
    match serde_json::from_str(&of.what) {
        Ok(Request::SignIn { source, .. }) => Some(source),
        _ => None,
    }
}

/// Does what another process asks, and answers it, together.
///
/// # Errors
/// As every write: nothing is done then, and [`fail`] answers it.
pub fn answer(
    db: &Db,
    rules: &Rules,
    of: &request::Request,
    now: Timestamp,
) -> Result<(), StoreError> {
    let answer = match serde_json::from_str(&of.what) {
        _ if now - of.asked_at > request::STALE => {
            Answer::refused("it was asked too long ago".to_owned(), "ask again")
        }
        Ok(asked) => perform(db, rules, &asked, now)?,
        Err(_) => Answer::refused(
            "the process that has the database open does not know this command".to_owned(),
            "it is of another version: restart it",
        ),
    };
    request::answer(db, of.id, &serde_json::to_string(&answer).unwrap_or_default(), now)
}

/// Answers a request that could not be done for the store's sake.
///
/// # Errors
/// As every write.
pub fn fail(db: &Db, id: i64, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let answer = Answer::refused(why.to_owned(), "");
    request::answer(db, id, &serde_json::to_string(&answer).unwrap_or_default(), now)
}
