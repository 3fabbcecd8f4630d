//! Deltas into the database: messages, meetings, interactions, strengths and the cursors, in one
//! transaction.
//!
//! Order-free: whatever order deltas and copies arrive in, the counted interactions, the threads and
//! the states folded from them end the same. Replaying a delta changes nothing. Only a calendar has
//! an order, that of its versions: the last one read counts; of several copies of a meeting one does,
//! whichever is read last. What was once learnt of a person (that
//! there is an address, a name from a calendar) stays when what it came from is taken back.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt};

use crate::model::{
    Address, Cursor, Envelope, Interaction, Key, MailboxInfo, Meeting, Object, Role, Sent,
    Timestamp, window,
};
use crate::normalise::name::name_key;
use crate::normalise::people::organisation;
use crate::store::line::{self, Line};
use crate::store::message::ThreadMessage;
use crate::store::quarantine::Aside;
use crate::store::{Db, StoreError, contact, mailbox, meeting, relationship, source, turn};

use super::{Rules, fold};

pub use held::speaks;
pub use invitation::{Letter, is_any_due};
pub(super) use private::private_to;
pub use regroup::regroup;

mod calendar;
mod evidence;
mod held;
mod invitation;
mod keys;
mod link;
mod message;
mod private;
mod regroup;
mod unstored;

/// A delta, normalised, with the rows it belongs to.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The source's row.
    pub source: i64,
    /// The row of the rep whose source it is.
    pub rep: i64,
    /// The mailbox read.
    pub mailbox: MailboxInfo,
    /// What was understood.
    pub messages: Vec<Envelope>,
    /// The invitations among it.
    pub invitations: Vec<Letter>,
    /// The calendar, or objects of it, as they are now, if they have changed.
    pub calendars: Vec<Calendar>,
    /// Objects of calendars that were given, readable or not.
    pub objects: Vec<Object>,
    /// Items that could not be read or understood, with the reason.
    pub quarantined: Vec<Aside>,
    /// Messages that were given, understood or not.
    pub seen: Vec<i64>,
    /// Messages that have gone from a mailbox without an order.
    pub gone: Vec<i64>,
    /// The names of messages that lie where only the rep looks, of which nothing may be written down.
    pub private: Vec<Vec<Key>>,
    /// Items that must not be written down.
    pub excluded: usize,
    /// Whether the mailbox has been read through.
    pub complete: bool,
    /// Where the next read continues.
    pub cursor: Cursor,
    /// How many items the mailbox holds, if the source told.
    pub total: Option<u64>,
}

/// All meetings of a calendar, or of one object of it, in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The object; 0 for a calendar that is read as a whole.
    pub item: i64,
    /// The window, by their beginning.
    pub window: (Timestamp, Timestamp),
    /// The meetings.
    pub meetings: Vec<Meeting>,
    /// Whether these are all: only then is what is missing taken back.
    pub whole: bool,
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Messages stored for the first time.
    pub messages: usize,
    /// Further copies of messages known before.
    pub copies: usize,
    /// Interactions stored.
    pub interactions: usize,
    /// Items that must not be written down.
    pub excluded: usize,
    /// Items put aside.
    pub quarantined: usize,
}

impl std::ops::AddAssign for Outcome {
    fn add_assign(&mut self, one: Self) {
        self.messages += one.messages;
        self.copies += one.copies;
        self.interactions += one.interactions;
        self.excluded += one.excluded;
        self.quarantined += one.quarantined;
    }
}

/// Stores a batch and everything that follows from it.
///
/// # Errors
/// As every write; nothing of it is stored then.
pub fn commit_delta(
    db: &Db,
    batch: &Batch,
    rules: &Rules,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    commit_deltas(db, std::slice::from_ref(batch), rules, now)
}

/// Stores batches of one rep's sources, in the order in which they were read, and everything that
/// follows from them. A batch after which more of its mailbox is to come leaves its relationships
/// to be folded by [`fold::settle`], when the pass has ended.
///
/// # Errors
/// As every write; nothing of them is stored then.
pub fn commit_deltas(
    db: &Db,
    batches: &[Batch],
    rules: &Rules,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let rules = &*Rules::as_erased(rules, db)?;
    let mut work = Work::new(db, rules);
    work.puts_off = batches.iter().any(|batch| !batch.complete);
    store_messages(&mut work, batches)?;
    for batch in batches {
        let mailbox = mailbox::ensure(db, batch.source, &batch.mailbox)?;
        for calendar in &batch.calendars {
            calendar::store(&mut work, mailbox, batch.rep, calendar)?;
        }
        if matches!(batch.cursor, Cursor::Calendar { .. }) {
            // Earlier meetings are not taken back with their objects: old entries are cleared away,
            // and calendars move to other servers.
            calendar::forget(&mut work, mailbox, batch, now - window::BACK)?;
        }
        let step = mailbox::Step {
            read: &batch.seen,
            objects: &batch.objects,
            gone: &batch.gone,
            aside: &batch.quarantined,
            cursor: &batch.cursor,
            complete: batch.complete,
            total: batch.total,
        };
        mailbox::advance(db, mailbox, &step, now)?;
        if !batch.complete {
            source::catching_up(db, batch.source)?;
        }
        work.outcome.excluded += batch.excluded;
        work.outcome.quarantined += batch.quarantined.len();
    }
    invitation::store(&mut work, batches, now)?;
    work.keys.flush(db)?;
    link::link_threads(&mut work)?;
    held::count(&mut work)?;
    let named = work.name_addresses()?;
    if work.puts_off {
        fold::put_off(db, &work.touched)?;
    } else {
        fold::fold(db, rules, now, &work.touched)?;
    }
    evidence::settle(&work, named, now)?;
    private::forget(&work)?;
    Ok(work.outcome)
}

/// Takes back what is ahead at `now` in calendars that are not read any more, for their source was
/// taken out of the configuration or is of another kind: it would count as held one day, and nobody
/// be there to call it off.
///
/// # Errors
/// As every write; nothing is taken back then.
pub fn leave_out(db: &Db, rules: &Rules, now: Timestamp) -> Result<(), StoreError> {
    let mut work = Work::new(db, rules);
    for (meeting, rep, uid) in meeting::ahead_of_unread(db, now)? {
        calendar::forget_one(&mut work, rep, meeting, uid)?;
    }
    mailbox::forget_unread(db)?;
    held::count(&mut work)?;
    fold::fold(db, rules, now, &work.touched)
}

/// Threads looked at in one transaction after an upgrade.
const PLACED_AT_ONCE: usize = 1000;

/// Has threads that were stored by an earlier version say what this one asks of them, those of at
/// most 1,000 interactions above `after`; gives the last row looked at, `None` when there are no
/// more.
///
/// # Errors
/// As every write.
pub fn place(
    db: &Db,
    rules: &Rules,
    now: Timestamp,
    after: i64,
) -> Result<Option<i64>, StoreError> {
    let found = turn::unplaced(db, after, PLACED_AT_ONCE)?;
    let mut work = Work::new(db, rules);
    work.threads.extend(found.iter().map(|(_, thread)| *thread));
    link::link_threads(&mut work)?;
    held::count(&mut work)?;
    fold::fold(db, rules, now, &work.touched)?;
    evidence::settle(&work, Vec::new(), now)?;
    Ok(found.last().map(|(id, _)| *id))
}

/// Whether what says it is the rep's is: by the server's word, else by where it was met.
fn is_proven(envelope: &Envelope, met: bool) -> bool {
    envelope.sent.map_or(met, |sent| sent == Sent::ByOwner)
}

/// Stores all messages by time, so that most answers meet their originals.
fn store_messages(work: &mut Work<'_>, batches: &[Batch]) -> Result<(), StoreError> {
    let mut messages: Vec<(&Envelope, bool)> = batches
        .iter()
        .flat_map(|batch| {
            let proven = batch.mailbox.role != Role::Inbox;
            batch.messages.iter().map(move |envelope| (envelope, is_proven(envelope, proven)))
        })
        .collect();
    messages.sort_by_key(|(envelope, proven)| (envelope.at, envelope.key, *proven));
    let own = &work.rules.own;
    let mut met: Vec<message::Met<'_>> =
        messages.into_iter().map(|(of, proven)| message::Met::new(of, proven, own)).collect();
    if let Some(private) = private::note(work, batches)? {
        met.iter_mut().try_for_each(|met| private.keep_out(met))?;
    }
    let keys = met.iter().flat_map(message::Met::asks_for).collect();
    work.keys.look_ahead(work.db, keys)?;
    for met in met {
        message::store(work, met)?;
    }
    Ok(())
}

/// The state of one commit: caches, and what it has touched so far.
struct Work<'a> {
    db: &'a Db,
    rules: &'a Rules,
    keys: keys::Keys,
    /// The names of each address that was met, by row.
    names: HashMap<i64, Names>,
    /// Addresses that were written to, and those from which the answer came instead.
    answered_from: BTreeSet<(i64, i64)>,
    /// The addresses of lines that were met.
    addresses: HashMap<i64, i64>,
    loose: HashMap<i64, bool>,
    touched: BTreeMap<i64, fold::Touched>,
    /// Whether what it touches is folded later, from the log: what is new in it need not be noted.
    puts_off: bool,
    /// Threads to be linked anew.
    threads: BTreeSet<i64>,
    /// Reps and UIDs of meetings that are to be counted anew.
    meetings: BTreeSet<(i64, String)>,
    /// Contacts, by row, of whom something private was taken out.
    private: BTreeSet<i64>,
    /// All messages of threads to which this commit has added some, by thread; `None` once it has
    /// changed others of them.
    recalled: HashMap<i64, Option<Vec<ThreadMessage>>>,
    /// Interactions that are stored when their threads have been decided.
    unstored: unstored::Unstored,
    outcome: Outcome,
}

impl<'a> Work<'a> {
    fn new(db: &'a Db, rules: &'a Rules) -> Self {
        Self {
            db,
            rules,
            keys: keys::Keys::default(),
            names: HashMap::new(),
            answered_from: BTreeSet::new(),
            addresses: HashMap::new(),
            loose: HashMap::new(),
            touched: BTreeMap::new(),
            puts_off: false,
            threads: BTreeSet::new(),
            meetings: BTreeSet::new(),
            private: BTreeSet::new(),
            recalled: HashMap::new(),
            unstored: unstored::Unstored::default(),
            outcome: Outcome::default(),
        }
    }

    /// The line between a rep and an outsider's address.
    fn line(&mut self, rep: i64, address: &Address) -> Result<Line, StoreError> {
        let line = line::ensure(self.db, rep, address, organisation)?;
        self.addresses.insert(line.id, line.address);
        Ok(line)
    }

    /// The row of a line's address, which never changes.
    fn address(&mut self, line: i64) -> Result<i64, StoreError> {
        if let Some(address) = self.addresses.get(&line) {
            return Ok(*address);
        }
        let address = line::address(self.db, line)?;
        self.addresses.insert(line, address);
        Ok(address)
    }

    /// Notes a name that was given to an address at `at`.
    fn named(&mut self, address: i64, name: &str, at: Timestamp) {
        if name.is_empty() {
            return;
        }
        let names = self.names.entry(address).or_default();
        if (names.at, names.newest.as_str()) >= (at, name) {
            if names.newest != name && !names.others.iter().any(|other| other == name) {
                names.others.push(name.to_owned());
            }
            return;
        }
        names.at = at;
        if names.newest != name {
            let older = std::mem::replace(&mut names.newest, name.to_owned());
            names.others.retain(|other| other != name);
            names.others.extend(Some(older).filter(|older| !older.is_empty()));
        }
    }

    /// Whether a relationship holds answers that only their subject can link.
    fn is_loose(&mut self, relationship: i64) -> Result<bool, StoreError> {
        if let Some(loose) = self.loose.get(&relationship) {
            return Ok(*loose);
        }
        let loose = relationship::loose_replies(self.db, relationship)?;
        self.loose.insert(relationship, loose);
        Ok(loose)
    }

    /// Notes that a relationship holds such an answer.
    fn note_loose(&mut self, relationship: i64) {
        self.loose.insert(relationship, true);
        self.touched.entry(relationship).or_default().loose_reply = true;
    }

    /// Notes an interaction stored in this commit.
    fn added(&mut self, relationship: i64, id: i64, interaction: Interaction, counted: bool) {
        self.outcome.interactions += 1;
        let touched = self.touched.entry(relationship).or_default();
        if !self.puts_off {
            touched.added.insert(id, (interaction, counted));
        }
    }

    /// Notes that a relationship must be folded from its whole log.
    fn refold(&mut self, relationship: i64) {
        self.touched.entry(relationship).or_default().refold = true;
    }

    /// Gives addresses the names of their newest messages, once a commit; gives those that have a
    /// full name that they never had.
    fn name_addresses(&self) -> Result<Vec<i64>, StoreError> {
        let mut named = Vec::new();
        for (address, Names { at, newest, others }) in &self.names {
            contact::rename(self.db, *address, newest, *at)?;
            let keys = others.iter().chain([newest]).filter_map(|name| name_key(name));
            for key in keys {
                if contact::add_name(self.db, *address, key)? {
                    named.push(*address);
                }
            }
        }
        Ok(named)
    }
}

/// What an address was called in one commit.
struct Names {
    /// When the newest name was given.
    at: Timestamp,
    newest: String,
    others: Vec<String>,
}

impl Default for Names {
    fn default() -> Self {
        let (newest, others) = (String::new(), Vec::new());
        Self { at: Timestamp::from_millis(i64::MIN), newest, others }
    }
}

#[cfg(test)]
pub(super) mod tests;
