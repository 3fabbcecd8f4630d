//! Why a message was stored, or was not: told from what is stored, and of a message whose header somebody
//! shows, from the rules that are in force. Nothing of its contents is told.
//!
//! What must not be written down leaves no trace, so of a message that is not there only the possible
//! reasons can be told, and up to where mailboxes were read.

use serde::Serialize;

use crate::model::{Cursor, Key, Person, Standing, Timestamp};
use crate::normalise::people::Because;
use crate::normalise::{Directed, LeftOut, Own, Unusable, Who, directed, envelope};
use crate::store::thread::{self, Known};
use crate::store::{
    Db, StoreError, contact, interaction, line, mailbox, message, quarantine, rep, source,
};

use super::Rules;
use super::ingest::private_to;

/// Items put aside that are named.
const ASIDE: usize = 50;

/// What is stored of a Message-ID. The names of the fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capture {
    /// `stored`, `left_out`, `private`, `referred_to` or `unknown`.
    pub is: &'static str,
    /// What that means.
    pub because: String,
    /// When it was written.
    pub at: Option<Timestamp>,
    /// The number of its thread, and how many of its messages are stored.
    pub thread: Option<Thread>,
    /// The reps who have put it into a private mailbox, by id: to them it is nothing.
    pub private_to: Vec<String>,
    /// What it is to relationships.
    pub interactions: Vec<Touch>,
    /// How far mailboxes were read: what is not stored may not have been read yet.
    pub mailboxes: Vec<Read>,
    /// What was put aside: by its number in its mailbox, since of most no Message-ID could be read.
    pub put_aside: Vec<Aside>,
}

/// A thread. The names of the fields are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Thread {
    /// Its number in the database.
    pub number: i64,
    /// How many messages of it are stored.
    pub messages: usize,
}

/// One touch. The names of the fields are a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Touch {
    /// The rep's id.
    pub rep: String,
    /// The contact's id.
    pub contact: String,
    /// `outbound`, `inbound` or `mutual`.
    pub direction: &'static str,
    /// To how many people it was addressed.
    pub audience: u32,
    /// Whether it answers the other side.
    pub linked: bool,
    /// Whether it counts.
    pub counted: bool,
    /// Why not.
    pub not_counted_because: Option<&'static str>,
}

/// A mailbox and how far it was read. The names of the fields are a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Read {
    /// The source's name.
    pub source: String,
    /// The rep's id.
    pub rep: String,
    /// How the source goes.
    pub state: &'static str,
    /// The mailbox's name.
    pub mailbox: String,
    /// Whether everything was read that was there when it was first met.
    pub complete: bool,
    /// The last pass that read everything of its source.
    pub read_until: Option<Timestamp>,
    /// Of an IMAP mailbox: the lowest and the highest UID read.
    pub uids: Option<[u32; 2]>,
}

/// An item put aside. The names of the fields are a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aside {
    /// The source's name.
    pub source: String,
    /// The mailbox's name.
    pub mailbox: String,
    /// Its number there.
    pub item: i64,
    /// Why.
    pub reason: String,
}

/// What is stored of the message that a key names.
///
/// # Errors
/// As every read.
pub fn capture(db: &Db, key: Key) -> Result<Capture, StoreError> {
    let known = thread::look_up(db, &[key])?.pop().flatten();
    let mut told = Capture {
        is: "unknown",
        because: UNKNOWN.to_owned(),
        at: None,
        thread: None,
        private_to: private_to(db, key)?,
        interactions: Vec::new(),
        mailboxes: Vec::new(),
        put_aside: Vec::new(),
    };
    match known {
        Some(Known { message: Some(row), .. }) => of_message(db, row, &mut told)?,
        _ if !told.private_to.is_empty() => {
            told.is = "private";
            told.because = PRIVATE.to_owned();
        }
        Some(Known { thread: Some(of), .. }) => {
            told.is = "referred_to";
            told.because = REFERRED_TO.to_owned();
            told.thread = Some(thread_of(db, of)?);
        }
        _ => {}
    }
    if told.is == "referred_to" || told.is == "unknown" {
        told.mailboxes = mailboxes(db)?;
        let asides = quarantine::list(db, &quarantine::Chosen::default(), ASIDE)?;
        told.put_aside = asides.into_iter().map(aside).collect();
    }
    Ok(told)
}

const REFERRED_TO: &str = "other messages refer to it, and it is not stored itself: it was not read, \
    must not be written down (see exclusions, erasures), was erased, or was older than is kept";
const PRIVATE: &str = "it lies, or has lain, in a private mailbox (privacy.private_mailboxes): nothing is \
    kept of it";
const UNKNOWN: &str = "nothing is stored under this Message-ID: it was not read (see exclude_mailboxes), was \
    put aside, must not be written down (see exclusions, erasures), was older than is kept, or was stored by what it looks \
    like under the Message-ID of another copy";

fn of_message(db: &Db, row: i64, told: &mut Capture) -> Result<(), StoreError> {
    let stored = message::get(db, row)?;
    told.at = Some(stored.at);
    told.thread = stored.thread.map(|of| thread_of(db, of)).transpose()?;
    for touch in interaction::of_message(db, row)? {
        told.interactions.push(shown(db, &touch)?);
    }
    if let Some(reason) = &stored.left_out {
        told.is = "left_out";
        told.because = format!("makes no interaction ({reason}): {}", LeftOut::describe(reason));
        return Ok(());
    }
    told.is = "stored";
    let counted = told.interactions.iter().filter(|touch| touch.counted).count();
    told.because = match (told.interactions.len(), counted) {
        (0, _) => "stored, and touches no relationship any more".to_owned(),
        (all, 0) => format!("stored, with {all} interactions, none of which counts"),
        (all, counted) => format!("stored, with {all} interactions, of which {counted} count"),
    };
    Ok(())
}

fn thread_of(db: &Db, of: i64) -> Result<Thread, StoreError> {
    let number = thread::root(db, of)?;
    Ok(Thread { number, messages: message::of_thread(db, number)?.len() })
}

fn shown(db: &Db, touch: &interaction::MessageTouch) -> Result<Touch, StoreError> {
    let of = line::address(db, touch.line)?;
    let contact = contact::get(db, contact::of_address(db, of)?)?.public_id;
    let not_counted_because = match (touch.counted, touch.standing) {
        (true, _) => None,
        (false, Standing::Unverified) => {
            Some("its sender is not authenticated, and it answers none of the rep's messages")
        }
        (false, Standing::Unproven) => Some(
            "it claims to be from the rep, and was met in no mailbox where only the rep puts mail",
        ),
        (false, Standing::Sound) => Some("the same message touches another address of the contact"),
    };
    Ok(Touch {
        rep: rep::of_line(db, touch.line)?,
        contact,
        direction: touch.interaction.direction.code(),
        audience: touch.interaction.audience,
        linked: touch.interaction.linked,
        counted: touch.counted,
        not_counted_because,
    })
}

fn mailboxes(db: &Db) -> Result<Vec<Read>, StoreError> {
    let mut found = Vec::new();
    for of in source::all(db)? {
        let cursors = mailbox::cursors(db, of.id)?;
        for one in mailbox::all(db, of.id)? {
            let cursor = cursors.iter().find(|(name, _)| *name == one.name);
            let uids = match cursor {
                Some((_, Some(Cursor::Imap { low, high, .. }))) => Some([*low, *high]),
                _ => None,
            };
            found.push(Read {
                source: of.name.clone(),
                rep: of.rep.clone(),
                state: of.condition.state.code(),
                mailbox: one.name,
                complete: one.complete,
                read_until: of.fresh_at,
                uids,
            });
        }
    }
    Ok(found)
}

fn aside(of: quarantine::Listed) -> Aside {
    Aside { source: of.source, mailbox: of.mailbox, item: of.item, reason: of.reason }
}

/// What the rules that are in force make of a message. The names of the fields are a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// `captured`, `left_out`, `excluded` or `unusable`.
    pub is: &'static str,
    /// Why.
    pub because: String,
}

/// The key by which a header names its message, and what the rules make of it, without what only a source
/// knows: where it was met, and what the server says of it. `None` for a header without an envelope.
#[must_use]
pub fn judge(header: &[u8], rules: &Rules, now: Timestamp) -> (Option<Key>, Judged) {
    let judged = |is, because: &str| Judged { is, because: because.to_owned() };
    let found = match envelope(header, Some(now), None) {
        Ok(found) => found,
        Err(Unusable::Private) => {
            return (None, judged("excluded", "its sender asks for privacy (Sensitivity)"));
        }
        Err(why) => return (None, judged("unusable", why.describe())),
    };
    let key = Some(found.key);
    let kept = rules.ages.interactions.is_none_or(|age| found.at >= now - age);
    if !kept {
        return (key, judged("excluded", "it is older than privacy.keep_interactions_days"));
    }
    let judged = match directed(&found, &rules.own) {
        Directed::Touches(touches) => {
            let people = touches.len();
            let but = "unless the mailbox that it lies in is left out or private";
            judged("captured", &format!("it makes {people} interactions, {but}"))
        }
        Directed::LeftOut(why) => {
            let code = why.code();
            judged("left_out", &format!("{code}: {}", LeftOut::describe(code)))
        }
        Directed::Excluded => {
            let people = found.from.iter().chain(&found.to).chain(&found.cc);
            let excluded = people.filter(|one| rules.own.who(&one.address) == Who::Excluded);
            let mut rules_of: Vec<&str> = excluded
                .filter_map(|one| rules.own.because(&one.address))
                .map(Because::describe)
                .collect();
            rules_of.sort_unstable();
            rules_of.dedup();
            let who = if is_by(&found.from, &rules.own) { "its writer" } else { "who it is to" };
            judged("excluded", &format!("{who} must not be written down: {}", rules_of.join(", ")))
        }
    };
    (key, judged)
}

fn is_by(from: &Option<Person>, own: &Own) -> bool {
    from.as_ref().is_some_and(|from| own.who(&from.address) == Who::Excluded)
}
