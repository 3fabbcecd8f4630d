//! What was read of a mailbox, beside what it holds, and what is put aside.

use super::{Store, directory, write};
use crate::model::{Cursor, MailboxInfo, Role, SourceState, Span, Timestamp};
use crate::store::mailbox::{self, Step};
use crate::store::quarantine::{self, Aside, Flaw};
use crate::store::{Db, StoreError, rep, source};

const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct One {
    store: Store,
    mailbox: i64,
    source: i64,
    _directory: tempfile::TempDir,
}

fn imap(uid_validity: u32, low: u32, high: u32) -> Cursor {
    Cursor::Imap { uid_validity, low, high }
}

fn aside(item: i64, flaw: Flaw) -> Aside {
    Aside { item, why: "a reason".to_owned(), flaw }
}

impl One {
    fn new() -> Self {
        let (directory, path) = directory();
        let store = Store::open(&path).unwrap();
        let enter = |db: &Db| {
            let rep = rep::ensure(db, "ann", "Ann", "ann@us.example")?;
            let source = source::ensure(db, "ann-mail", rep, "imap")?;
            let info = MailboxInfo { name: "INBOX".to_owned(), role: Role::Inbox };
            Ok((source, mailbox::ensure(db, source, &info)?))
        };
        let (source, mailbox) = write(&store, enter).unwrap();
        Self { store, mailbox, source, _directory: directory }
    }

    /// Takes a step; answers with what was read, what the mailbox holds and what is missing.
    fn step(
        &self,
        cursor: Cursor,
        read: impl IntoIterator<Item = i64>,
        asides: &[Aside],
        total: u64,
        now: Timestamp,
    ) -> (Option<i64>, Option<i64>, Option<i64>) {
        let (mailbox, source, asides) = (self.mailbox, self.source, asides.to_vec());
        let complete = !matches!(cursor, Cursor::Imap { low: 2.., .. });
        let read: Vec<i64> = read.into_iter().collect();
        let job = move |db: &Db| {
            let (aside, cursor, total) = (asides.as_slice(), &cursor, Some(total));
            let step =
                Step { read: &read, objects: &[], gone: &[], aside, cursor, complete, total };
            mailbox::advance(db, mailbox, &step, now)?;
            let found = mailbox::all(db, source)?.remove(0);
            Ok((found.seen, found.on_server, found.missing(SourceState::Ok)))
        };
        write(&self.store, job).unwrap()
    }

    fn retries(&self, now: Timestamp) -> Vec<i64> {
        let (mailbox, source) = (self.mailbox, self.source);
        let ask = move |db: &Db| {
            let due = quarantine::due(db, mailbox, now)?;
            assert_eq!(quarantine::is_any_due(db, source, now)?, !due.is_empty());
            assert!(!quarantine::is_any_due(db, source + 1, now)?, "another source's");
            Ok(due)
        };
        write(&self.store, ask).unwrap()
    }

    fn quarantined(&self) -> i64 {
        let count = |db: &Db| -> Result<i64, StoreError> {
            Ok(db.connection.query_row("SELECT count(*) FROM quarantine", [], |row| row.get(0))?)
        };
        write(&self.store, count).unwrap()
    }
}

const NOTHING: [i64; 0] = [];

#[test]
fn what_was_read_is_counted_once_and_what_is_missing_shows() {
    let one = One::new();
    let (unreadable, unusable) = (aside(61, Flaw::Unreadable), aside(62, Flaw::Unusable));
    let first = one.step(imap(7, 51, 100), 62..=100, &[unreadable, unusable], 90, AT);
    assert_eq!(first, (Some(40), Some(90), None), "not read through: nothing is missing yet");
    assert_eq!(one.step(imap(7, 1, 100), 1..=50, &[], 90, AT), (Some(90), Some(90), Some(0)));
    // Told of ten more, given seven.
    let told = one.step(imap(7, 1, 110), 101..=107, &[], 100, AT);
    assert_eq!(told, (Some(97), Some(100), Some(3)));
    // Deletions do not hide what was not read, and what was never there is not counted.
    assert_eq!(one.step(imap(7, 1, 110), NOTHING, &[], 97, AT), (Some(97), Some(97), Some(0)));
    assert_eq!(one.step(imap(7, 1, 110), NOTHING, &[], 80, AT), (Some(80), Some(80), Some(0)));
    assert_eq!(one.step(imap(7, 1, 115), NOTHING, &[], 85, AT), (Some(80), Some(85), Some(5)));
    // An item put aside that is given now was counted before.
    assert_eq!(one.step(imap(7, 1, 115), 61..=61, &[], 85, AT), (Some(80), Some(85), Some(5)));
    assert_eq!(one.quarantined(), 1, "only what could not be understood is left");
    // Renumbered: counted anew, and what was put aside under the old numbers forgotten.
    assert_eq!(one.step(imap(8, 41, 85), 41..=85, &[], 85, AT), (Some(45), Some(85), None));
    assert_eq!(one.quarantined(), 0);
    assert_eq!(one.step(imap(8, 1, 85), 1..=40, &[], 85, AT), (Some(85), Some(85), Some(0)));
    // Rewound under the same number, as by a restored backup.
    assert_eq!(one.step(imap(8, 1, 60), 1..=60, &[], 60, AT), (Some(60), Some(60), Some(0)));
}

#[test]
fn a_maildir_counts_what_it_has_seen() {
    let one = One::new();
    let step = |read| one.step(Cursor::Maildir, read, &[], 5, AT);
    assert_eq!(step(1..=4), (Some(4), Some(5), Some(1)));
    assert_eq!(step(3..=5), (Some(5), Some(5), Some(0)), "3 and 4 were known");
}

/// Else an admin would be told for ever of what has been mended or deleted.
#[test]
fn what_has_been_mended_or_deleted_is_put_aside_no_more() {
    let one = One::new();
    let whole = |digest, day| Cursor::Whole { digest, day, validators: None };
    let odd = [aside(5, Flaw::Unusable), aside(6, Flaw::Unusable)];
    for (cursor, asides, left) in [
        (whole(1, 1), &odd[..], 2),
        (whole(1, 1), &[], 2),
        (whole(2, 1), &odd[1..], 1),
        (whole(2, 2), &odd[1..], 1),
        (whole(3, 2), &[], 0),
    ] {
        one.step(cursor.clone(), NOTHING, asides, 1, AT);
        assert_eq!(one.quarantined(), left, "{cursor:?}");
    }
    let (mailbox, cursor) = (one.mailbox, Cursor::Calendar { token: None, day: 1 });
    one.step(cursor.clone(), NOTHING, &odd, 2, AT);
    let gone = move |db: &Db| {
        let (aside, gone) = (&[][..], &[5][..]);
        let (read, objects) = (&[][..], &[][..]);
        let step =
            Step { read, objects, gone, aside, cursor: &cursor, complete: true, total: None };
        mailbox::advance(db, mailbox, &step, AT)
    };
    write(&one.store, gone).unwrap();
    assert_eq!(one.quarantined(), 1, "the object is gone");
}

#[test]
fn an_item_that_was_not_given_is_asked_for_again_but_not_for_ever() {
    let one = One::new();
    let refused = [aside(5, Flaw::Unreadable), aside(6, Flaw::Unusable)];
    let mut now = AT;
    for (tries, pause_s) in [(1, 600), (2, 3600), (3, 21_600), (4, 86_400)] {
        one.step(imap(7, 1, 9), NOTHING, &refused, 2, now);
        let pause = Span::from_seconds(pause_s);
        let early = now + pause - Span::from_millis(1);
        assert_eq!(one.retries(early), [0; 0], "try {tries}, early");
        now = now + pause;
        assert_eq!(one.retries(now), [5], "try {tries}, {pause_s} s later");
    }
    one.step(imap(7, 1, 9), NOTHING, &refused, 2, now);
    assert_eq!(one.retries(now + Span::from_days(365)), [0; 0], "given up");
}
