//! Invitations in mail, against what is stored of the same meetings.
//!
//! What a message may say is kept, once however many copies of it there are; then the meetings of
//! its UID are made anew from all that was kept, and handed on as if a calendar held them. They are
//! copies that come after those of a calendar. What nobody proves is not kept: what claims to be
//! from the rep counts only where it was met outside an inbox, and what fails authentication never.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Envelope, Key, Meeting, Role, Timestamp, window};
use crate::normalise::held::{met, missed};
use crate::normalise::invitation::{
    Heard, Invitation, Method, Outlook, Said, Writers, meetings, outlook,
};
use crate::normalise::{Own, Who};
use crate::store::invitation::{self as rows, Stored};
use crate::store::{Db, StoreError};

use super::{Batch, Calendar, Work, calendar, is_proven};

/// Series that are laid out again in one commit; the next ones have their turn with the next.
const AT_ONCE: u32 = 50;

/// Every instant there is: what is no series is laid out whenever it is.
const ALWAYS: (Timestamp, Timestamp) =
    (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));

/// An invitation with the message that it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// The message.
    pub envelope: Envelope,
    /// Who has sent it.
    pub writers: Writers,
    /// What it says.
    pub says: Invitation,
}

/// Stores the invitations of batches and the meetings that follow from them; at the end of a
/// mailbox also those of series that have come near the end of what was laid out of them.
pub(super) fn store(
    work: &mut Work<'_>,
    batches: &[Batch],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut changed: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for batch in batches {
        let uids = changed.entry(batch.rep).or_default();
        let place = place(batch.mailbox.role);
        for letter in &batch.invitations {
            let Some(says) = kept(letter, batch.rep, place, &work.rules.own) else { continue };
            if insert(work.db, batch.rep, &letter.envelope, &says)? == Stored::Fresh {
                uids.insert(says.uid);
            }
        }
        if batch.complete {
            uids.extend(rows::due(work.db, batch.rep, now + window::ASSURED, AT_ONCE)?);
        }
    }
    for (rep, uids) in changed.into_iter().filter(|(_, uids)| !uids.is_empty()) {
        let Some(mailbox) = rows::mailbox(work.db, rep)? else { continue };
        uids.iter().try_for_each(|uid| lay_out(work, (mailbox, rep), uid, now))?;
    }
    Ok(())
}

/// Whether series of a rep wait for a pass, to be laid out further.
///
/// # Errors
/// As every read.
pub fn is_any_due(db: &Db, rep: i64, now: Timestamp) -> Result<bool, StoreError> {
    Ok(!rows::due(db, rep, now + window::ASSURED, 1)?.is_empty())
}

/// What is kept of an invitation to a rep that was met at a place.
fn kept(letter: &Letter, rep: i64, place: Place, own: &Own) -> Option<Invitation> {
    let Letter { envelope, writers, says } = letter;
    let from = writers.from.as_ref()?;
    let is_reps = own.who(from) == Who::Rep(rep);
    let unproven = is_reps && !is_proven(envelope, place == Place::OfTheRep);
    if unproven || envelope.authenticated == Some(false) {
        return None;
    }
    // Where somebody vouches for From, nobody does for Sender.
    let sender = writers.sender.clone().filter(|_| envelope.authenticated.is_none());
    let writers = Writers { from: Some(from.clone()), sender };
    match says.clone().heard(&writers, own) {
        // It names itself within its text too.
        Heard::Kept(says) => Some(Invitation {
            uid: own.unname(&says.uid).into_owned(),
            text: own.unname(&says.text).into_owned(),
            ..says
        }),
        Heard::NotTheOrganizer | Heard::NotTheAttendee | Heard::Talk | Heard::Excluded => None,
    }
}

/// Where a message was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Where anybody's mail arrives.
    OfAnybody,
    /// Where only the rep puts mail.
    OfTheRep,
}

const fn place(role: Role) -> Place {
    match role {
        Role::Inbox => Place::OfAnybody,
        Role::Sent | Role::All | Role::Other | Role::Calendar => Place::OfTheRep,
    }
}

fn insert(db: &Db, rep: i64, envelope: &Envelope, says: &Invitation) -> Result<Stored, StoreError> {
    // A Date is the same in every copy; a time of receipt is not.
    let dated = Some(envelope.at).filter(|_| envelope.dated);
    let row = rows::Invitation {
        uid: says.uid.clone(),
        method: says.method.code().to_owned(),
        sequence: says.sequence,
        stamped_at: says.stamped_at.or(dated).unwrap_or_default(),
        text: says.text.clone(),
    };
    let stamp = row.stamped_at.millis().to_be_bytes();
    let digest = Key::of("invitation", &[row.method.as_bytes(), &stamp, row.text.as_bytes()]);
    rows::insert(db, rep, envelope.key, digest, &row)
}

/// Makes the meetings of a UID anew.
fn lay_out(
    work: &mut Work<'_>,
    (mailbox, rep): (i64, i64),
    uid: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kept = rows::of_uid(work.db, rep, uid)?;
    let said: Vec<Said<'_>> = kept.iter().filter_map(said).collect();
    let own = &work.rules.own;
    let outlook = outlook(&said, rep, own);
    let (window, until) = match outlook {
        Outlook::Nothing | Outlook::Once => (ALWAYS, None),
        Outlook::Series => (window::around(now), Some(now + window::AHEAD)),
    };
    let mut meetings = match outlook {
        Outlook::Nothing => Vec::new(),
        Outlook::Once | Outlook::Series => meetings(&said, rep, own, window, work.rules.zone(rep)),
    };
    // Anybody may invite to a meeting every day: what takes no act of the rep takes no row.
    let tells = |meeting: &Meeting| {
        !met(meeting, rep, own).is_empty() || !missed(meeting, rep, own).is_empty()
    };
    meetings.retain(tells);
    let item = Key::of("invitation", &[uid.as_bytes()]).0;
    calendar::store(work, mailbox, rep, &Calendar { item, window, meetings, whole: true })?;
    rows::expanded(work.db, rep, uid, until)
}

fn said(row: &rows::Invitation) -> Option<Said<'_>> {
    let method = Method::of(&row.method)?;
    Some(Said { method, stamped_at: row.stamped_at, text: &row.text })
}
