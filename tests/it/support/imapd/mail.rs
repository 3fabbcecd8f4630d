//! The mail that the server has: accounts, their mailboxes, and messages that are stored or computed
//! from their UID when they are fetched.
//!
//! May be changed while connections read it; idlers are woken at once. Sequence numbers are those of
//! this moment: a session that has not been told of an EXPUNGE sees it in its numbers already.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;

use super::Profile;
use crate::support::generate::Mail;

/// A message as the server gives it.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// When it came, in seconds since the epoch.
    pub(crate) at: u64,
    /// The header, with the empty line that ends it.
    pub(crate) header: Arc<[u8]>,
    /// What comes after it.
    pub(crate) body: Arc<[u8]>,
    /// What Gmail knows besides.
    pub(crate) gmail: Option<Gmail>,
}

/// Gmail's attributes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gmail {
    /// `X-GM-MSGID`.
    pub(crate) message: u64,
    /// `X-GM-THRID`.
    pub(crate) thread: u64,
    /// `X-GM-LABELS`, as on the wire.
    pub(crate) labels: String,
}

/// Makes the message that has a UID.
pub(crate) type Maker = Arc<dyn Fn(u32) -> Letter + Send + Sync>;

/// One login's mail.
pub(crate) struct Account {
    profile: Profile,
    mailboxes: Mutex<Vec<Mailbox>>,
    changed: watch::Sender<()>,
}

/// What a session must be told about the mailbox that it has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// So many messages now.
    Exists(u32),
    /// The message with this number is gone.
    Expunge(u32),
}

/// A named container of messages. UIDs `1..=computed` are made when asked for.
pub(super) struct Mailbox {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) attributes: String,
    pub(super) validity: u32,
    pub(super) next: u32,
    pub(super) changes: Vec<Change>,
    computed: u32,
    maker: Option<Maker>,
    stored: Vec<(u32, Letter)>,
}

impl Account {
    pub(super) fn new(profile: &Profile) -> Self {
        let account = Self {
            profile: profile.clone(),
            mailboxes: Mutex::default(),
            changed: watch::Sender::new(()),
        };
        for (name, attributes) in profile.mailboxes {
            account.create(name, attributes);
        }
        account
    }

    /// A new mailbox with these attributes.
    pub(crate) fn create(&self, name: &str, attributes: &str) {
        let mut mailboxes = self.lock();
        let id = mailboxes.iter().map(|mailbox| mailbox.id).max().unwrap_or(0) + 1;
        mailboxes.push(Mailbox {
            id,
            name: name.to_owned(),
            attributes: attributes.to_owned(),
            validity: 1_700_000_000 + u32::try_from(id).unwrap(),
            next: 1,
            changes: Vec::new(),
            computed: 0,
            maker: None,
            stored: Vec::new(),
        });
    }

    /// Delivers a message to where this server keeps such mail; gives its UID.
    pub(crate) fn deliver(&self, mail: &Mail) -> u32 {
        let name = match mail.mailbox {
            "INBOX" => self.profile.received,
            _ => self.profile.sent,
        };
        self.append(name, Letter::of(mail))
    }

    /// Puts a message into a mailbox; gives its UID.
    pub(crate) fn append(&self, mailbox: &str, letter: Letter) -> u32 {
        self.change(mailbox, |mailbox| {
            let uid = mailbox.next;
            mailbox.stored.push((uid, letter));
            mailbox.next += 1;
            mailbox.changes.push(Change::Exists(mailbox.exists()));
            uid
        })
    }

    /// Fills an empty mailbox with messages made when they are fetched, with the UIDs from 1 on.
    pub(crate) fn compute(&self, mailbox: &str, count: u32, maker: Maker) {
        self.change(mailbox, |mailbox| {
            assert_eq!(mailbox.exists(), 0, "{} is not empty", mailbox.name);
            (mailbox.computed, mailbox.maker, mailbox.next) = (count, Some(maker), count + 1);
            mailbox.changes.push(Change::Exists(count));
        });
    }

    /// Removes a stored message.
    pub(crate) fn expunge(&self, mailbox: &str, uid: u32) {
        self.change(mailbox, |mailbox| {
            let place = mailbox.stored.iter().position(|(of, _)| *of == uid).unwrap();
            mailbox.stored.remove(place);
            let number = mailbox.computed + u32::try_from(place).unwrap() + 1;
            mailbox.changes.push(Change::Expunge(number));
        });
    }

    /// Gives no UID below this one from now on.
    pub(crate) fn skip_to(&self, mailbox: &str, next: u32) {
        self.change(mailbox, |mailbox| mailbox.next = mailbox.next.max(next));
    }

    /// Gives a mailbox another UIDVALIDITY and its stored messages the UIDs from 1 on; whoever has
    /// it open is thrown out.
    pub(crate) fn renumber(&self, mailbox: &str) {
        self.change(mailbox, |mailbox| {
            mailbox.validity += 1000;
            mailbox.id += 1_000_000;
            for (uid, place) in mailbox.stored.iter_mut().zip(mailbox.computed + 1..) {
                uid.0 = place;
            }
            mailbox.next = mailbox.exists() + 1;
            mailbox.changes.clear();
        });
    }

    /// Renames a mailbox.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        self.change(from, |mailbox| to.clone_into(&mut mailbox.name));
    }

    /// Deletes a mailbox with what is in it.
    pub(crate) fn delete(&self, mailbox: &str) {
        self.lock().retain(|found| found.name != mailbox);
        self.changed.send_replace(());
    }

    /// Tells when something has changed.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Mailbox>> {
        self.mailboxes.lock().unwrap()
    }

    #[track_caller]
    fn change<T>(&self, name: &str, change: impl FnOnce(&mut Mailbox) -> T) -> T {
        let mut mailboxes = self.lock();
        let found = mailboxes.iter_mut().find(|mailbox| mailbox.name == name);
        let result = change(found.unwrap_or_else(|| panic!("no mailbox {name}")));
        drop(mailboxes);
        self.changed.send_replace(());
        result
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}

impl Mailbox {
    /// How many messages there are.
    pub(super) fn exists(&self) -> u32 {
        self.computed + u32::try_from(self.stored.len()).unwrap()
    }

    /// Whether it can be opened.
    pub(super) fn opens(&self) -> bool {
        !self.attributes.to_ascii_lowercase().contains("\\noselect")
    }

    /// The UID of the message with this number.
    pub(super) fn uid(&self, number: u32) -> Option<u32> {
        match number.checked_sub(self.computed + 1) {
            None => (number > 0).then_some(number),
            Some(place) => self.stored.get(usize::try_from(place).unwrap()).map(|(uid, _)| *uid),
        }
    }

    /// The number of the first message whose UID is not lower.
    pub(super) fn number(&self, uid: u32) -> u32 {
        if uid <= self.computed {
            return uid.max(1);
        }
        let place = self.stored.partition_point(|(of, _)| *of < uid);
        self.computed + u32::try_from(place).unwrap() + 1
    }

    /// The message with this number.
    pub(super) fn letter(&self, number: u32) -> Option<Letter> {
        match (number.checked_sub(self.computed + 1), &self.maker) {
            (None, Some(maker)) => Some(maker(number)),
            (None, None) => None,
            (Some(place), _) => {
                self.stored.get(usize::try_from(place).unwrap()).map(|(_, letter)| letter.clone())
            }
        }
    }
}

impl Letter {
    /// A message.
    pub(crate) fn of(mail: &Mail) -> Self {
        Self::dated(mail.at, &mail.bytes)
    }

    /// A message that came at an instant, in seconds since the epoch.
    pub(crate) fn dated(at: u64, message: &[u8]) -> Self {
        let end = message.windows(4).position(|four| four == b"\r\n\r\n");
        let (header, body) = message.split_at(end.map_or(message.len(), |end| end + 4));
        Self { at, header: header.into(), body: body.into(), gmail: None }
    }

    /// All of it.
    pub(crate) fn message(&self) -> Vec<u8> {
        [&self.header[..], &self.body[..]].concat()
    }
}

/// Computed mail of a busy salesman: letters from so many contacts in turn, one every so many
/// seconds from `first` (seconds since the epoch) on, each answering the contact's last one.
pub(crate) fn letters_from(contacts: u32, first: u64, every: u64) -> Maker {
    Arc::new(move |uid| {
        let (contact, at) = (uid % contacts, first + u64::from(uid) * every);
        let date = chrono::DateTime::from_timestamp(i64::try_from(at).unwrap(), 0).unwrap();
        let date = date.format("%a, %d %b %Y %H:%M:%S +0000");
        let parent = uid.checked_sub(contacts).filter(|parent| *parent > 0);
        let answers = parent.map_or_else(String::new, |parent| {
            format!(
                "In-Reply-To: <{parent}@computed.example>\r\n\
                 References: <{parent}@computed.example>\r\n"
            )
        });
        let header = format!(
            "Return-Path: <c{contact}@acme.example>\r\n\
             Received: from mx.mail.example by relay.us.example with ESMTPS id {uid:016X}; {date}\r\n\
             From: Contact {contact} <c{contact}@acme.example>\r\n\
             To: Ann Lee <ann@us.example>\r\nSubject: Letter {uid}\r\n{answers}\
             Date: {date}\r\nMessage-ID: <{uid}@computed.example>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        );
        Letter::dated(at, header.as_bytes())
    })
}
