//! What one read of a source brings, and where it left off.
//!
//! A source adapter is given what is known of its mailboxes and answers with deltas. A delta and
//! its cursor are committed together, so a cursor never runs ahead of the data it stands for.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// What a mailbox is for, by SPECIAL-USE (RFC 6154) or by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Where mail arrives. What claims to come from the rep here may be forged.
    Inbox,
    /// What the rep has sent.
    Sent,
    /// All mail of the account, or the only mailbox of its source.
    All,
    /// Any other mailbox that is read, such as an archive.
    Other,
    /// A calendar.
    Calendar,
}

/// A mailbox as a source names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxInfo {
    /// The name by which the source is asked for it, byte for byte (IMAP: as on the wire).
    pub name: String,
    /// What it is for.
    pub role: Role,
}

/// The position in a mailbox after which everything is new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cursor {
    /// IMAP: every UID in `low..=high` under this UIDVALIDITY has been read; `low` falls to 1 as
    /// the backfill goes back, `high` grows with new mail. Nothing read yet: `low = high + 1`.
    Imap {
        /// The mailbox's UIDVALIDITY.
        uid_validity: u32,
        /// The lowest UID read.
        low: u32,
        /// The highest UID read.
        high: u32,
    },
    /// A Maildir has no order: the keys of the files read are kept beside the cursor.
    Maildir,
    /// A file or feed read as a whole, named by a hash of its bytes and of the window of days
    /// over which its recurrences were expanded.
    Whole {
        /// Hash of the bytes.
        digest: i64,
        /// The day (since the epoch, UTC) on which it was expanded.
        day: i64,
        /// By what a server is asked whether it has changed (HTTP: entity tag and date), in the
        /// words of whoever reads it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        validators: Option<String>,
    },
    /// A calendar on a server, read object by object: the objects read are kept beside the cursor.
    Calendar {
        /// By what the server is asked for changes (CalDAV: sync-token, or the calendar's tag;
        /// elsewhere the service's own token); `None` until everything has been read.
        token: Option<String>,
        /// The day (since the epoch, UTC) on which all of it was last read and expanded.
        day: i64,
    },
}

/// An object of a calendar on a server: an event with all that replaces occurrences of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// A hash of its name in its calendar (CalDAV: of the path of its URL).
    pub item: i64,
    /// A hash of what the server says changes whenever the object does (CalDAV: its ETag).
    pub tag: i64,
}

/// What the store knows of a mailbox when a pass begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownMailbox {
    /// The name, as in [`MailboxInfo::name`].
    pub name: String,
    /// Where the last committed delta left off; `None` for one never read.
    pub cursor: Option<Cursor>,
    /// Sorted keys of the items read so far, for mailboxes without an order (Maildir).
    pub seen: Vec<i64>,
    /// The objects read so far, sorted, of a calendar that is read object by object.
    pub objects: Vec<Object>,
    /// Items that the source could not give before, a few at a time: to be asked for once more.
    pub retry: Vec<i64>,
}

/// What a server knows of a message beside its header (Gmail's X-GM-EXT-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The number of its thread, in all mailboxes of the login.
    pub thread: Option<u64>,
    /// Whether the owner of the login has sent it; `None` where the server does not tell.
    pub sent: Option<Sent>,
}

/// Whether the owner of a login has sent a message, by the server's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The server has taken it from the owner.
    ByOwner,
    /// It has come from elsewhere, whoever it says that it is from.
    ByOthers,
}

/// One item as the source holds it, not yet understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawItem {
    /// The header block of a message.
    Message {
        /// The item's number in its mailbox: IMAP UID, or for a Maildir a key of the file's name.
        item: i64,
        /// When the server received it (IMAP INTERNALDATE, Maildir file time), if known.
        received_at: Option<Timestamp>,
        /// Header fields as bytes, at most 64 KiB; never a body.
        header: Vec<u8>,
        /// What the server knows of it beside its header.
        marks: Marks,
        /// Its part of type text/calendar, where the header announces one, at most 256 KiB, with
        /// its transfer encoding undone.
        calendar: Option<Vec<u8>>,
    },
    /// An iCalendar object of a calendar on a server, or all of a file or feed; at most 64 MiB.
    Calendar {
        /// Which object it is; [`Object::WHOLE`] where the calendar is read as a whole.
        object: Object,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// An item that must not be read: a draft, or one under a label that is excluded.
    Excluded {
        /// The item's number in its mailbox.
        item: i64,
    },
    /// An item that could not be read: it goes to the quarantine and is passed over.
    Unreadable {
        /// The item's number in its mailbox.
        item: i64,
        /// Why, in words for the admin, without personal data.
        why: String,
    },
}

impl Object {
    /// A calendar that is read as a whole.
    pub const WHOLE: Self = Self { item: 0, tag: 0 };
}

impl RawItem {
    /// The item's number in its mailbox; 0 for a calendar read as a whole.
    #[must_use]
    pub const fn number(&self) -> i64 {
        match self {
            Self::Message { item, .. }
            | Self::Excluded { item }
            | Self::Unreadable { item, .. } => *item,
            Self::Calendar { object, .. } => object.item,
        }
    }
}

/// What one read of a mailbox brought. Committed whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The mailbox that was read.
    pub mailbox: MailboxInfo,
    /// What is new.
    pub items: Vec<RawItem>,
    /// Items known before that the mailbox no longer holds (keys of a Maildir's files, objects of a
    /// calendar).
    pub vanished: Vec<i64>,
    /// Whether everything that the mailbox held when the pass began has now been read.
    pub complete: bool,
    /// Where the next read continues.
    pub cursor: Cursor,
    /// How many items the mailbox holds, if the source told.
    pub total: Option<u64>,
}
