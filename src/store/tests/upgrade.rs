//! A database of an earlier schema, with rows, becomes one of this schema, and a copy is left.

use rusqlite::Connection;

use super::{directory, write};
use crate::model::{Condition, Key, NudgeKind, SourceState, Timestamp};
use crate::store::line::{self, Line};
use crate::store::thread::{self, Known};
use crate::store::{
    Store, StoreError, contact, interaction, mailbox, meeting, open_reader, quarantine, silence,
    source, turn,
};

/// Rows as the first release left them.
const ROWS: &str = r#"
INSERT INTO rep (id, code, name, address) VALUES (1, 'ann', 'Ann', 'ann@us.example');
INSERT INTO source (id, name, rep_id, kind, state, fresh_at, attempted_at, error) VALUES
    (1, 'ann-archive', 1, 'maildir', 'ok', 1000, 900, NULL),
    (2, 'ann-mail', 1, 'imap', 'auth_required', NULL, 900, 'login refused: no'),
    (3, 'ann-ics', 1, 'ics', 'ok', 1000, 900, NULL);
INSERT INTO mailbox (id, source_id, name, role, cursor, complete, total) VALUES
    (3, 3, 'calendar', 'calendar', '{"kind":"whole","digest":1,"day":2}', 1, 1),
    (1, 1, 'INBOX', 'all', '{"kind":"maildir"}', 1, 3),
    (2, 2, 'INBOX', 'inbox', '{"kind":"imap","uid_validity":7,"low":1,"high":99}', 1, 50);
INSERT INTO seen (mailbox_id, item) VALUES (1, 11), (1, 12), (1, 13);
INSERT INTO quarantine (id, mailbox_id, item, reason, at) VALUES
    (1, 2, 40, 'neither a date nor a time of receipt', 500),
    (2, 2, 41, 'the server refuses it: no', 500);
INSERT INTO organisation (id, domain) VALUES (1, 'acme.example');
INSERT INTO contact (id, public_id, name, named_at, organisation_id) VALUES
    (1, 'con_1', 'Bo Li', 0, 1);
INSERT INTO address (id, address, contact_id) VALUES (1, 'bo@acme.example', 1);
INSERT INTO relationship (id, rep_id, contact_id) VALUES (5, 1, 1);
INSERT INTO silence (id, rep_id, contact_id, until_at, reason) VALUES (3, 1, 1, 9000, 'snooze');
INSERT INTO thread (id) VALUES (9);
INSERT INTO message (id, thread_id, at, dated, reply_subject, keys, refs) VALUES
    (4, 9, 50, 1, 0, x'', x'');
INSERT INTO meeting (id, mailbox_id, uid, recurrence_at, starts_at, ends_at, status, digest)
VALUES
    (7, 3, 'm1', 0, 100, 200, 'confirmed', 9), (8, 3, 'm1', 60, 300, 400, 'cancelled', 9);
INSERT INTO interaction (id, relationship_id, at, direction, kind, audience, linked, standing,
                         counted, message_id, meeting_id) VALUES
    (11, 5, 50, 1, 0, 1, 0, 0, 1, 4, NULL), (12, 5, 200, 2, 1, 3, 1, 0, 1, NULL, 7);
PRAGMA user_version = 1;
"#;

#[expect(clippy::disallowed_methods, reason = "an earlier version made this database")]
fn open(path: &std::path::Path) -> Connection {
    Connection::open(path).unwrap()
}

fn version(path: &std::path::Path) -> i64 {
    open(path).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_database_of_the_first_release_is_brought_up_to_date() {
    let (_directory, path) = directory();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let first = include_str!("../../../migrations/0001-initial.sql");
    open(&path).execute_batch(&format!("{first}{ROWS}")).unwrap();
    let copy = path.with_file_name("keepwarm.db.before-0002");
    // An upgrade that was interrupted while it made its copy.
    std::fs::write(path.with_file_name("keepwarm.db.before-0002.part"), "half").unwrap();
    assert!(matches!(open_reader(&path), Err(StoreError::Older { .. })), "readers do not migrate");

    let store = Store::open(&path).unwrap();
    let (condition, error) = write(&store, |db| source::condition(db, 2)).unwrap();
    let refused = Condition { state: SourceState::AuthRequired, ..Condition::NEW };
    assert_eq!((condition, error.as_deref()), (refused, Some("login refused: no")));
    let seen = |source| {
        let all = write(&store, move |db| mailbox::all(db, source)).unwrap();
        all.into_iter()
            .map(|m| (m.seen, m.on_server, m.missing(SourceState::Ok)))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(1), [(Some(3), Some(3), Some(0))]);
    assert_eq!(seen(2), [(None, Some(50), None)], "what was not counted is not missing");
    let later = Timestamp::from_seconds(1000);
    assert_eq!(write(&store, move |db| quarantine::due(db, 2, later)).unwrap(), [41]);
    let copies = write(&store, |db| meeting::copies(db, 1, "m1")).unwrap();
    let found: Vec<_> = copies.iter().map(|c| (c.id, c.in_calendar, c.touches.len())).collect();
    assert_eq!(found, [(7, true, 1), (8, true, 0)]);
    let touch = &copies[0].touches[0];
    assert_eq!((touch.id, touch.relationship, touch.counted), (12, 5, true));
    assert_eq!((touch.interaction.audience, touch.interaction.at.millis()), (3, 200));
    let log = write(&store, |db| interaction::log(db, 5)).unwrap();
    assert_eq!(log.len(), 2, "the message too");
    let unplaced = write(&store, |db| turn::unplaced(db, 0, 9)).unwrap();
    assert_eq!(unplaced, [(11, 9)], "what threads say is found out later; a meeting is in none");
    let bo = write(&store, |db| contact::get(db, 1)).unwrap();
    let (name, organisation) = (bo.name.as_str(), bo.organisation.as_str());
    assert_eq!(
        (name, organisation, bo.addresses),
        ("Bo Li", "acme.example", vec!["bo@acme.example".to_owned()])
    );
    let line = write(&store, |db| line::of_address(db, 1)).unwrap();
    assert_eq!(line, [(1, Line { id: 5, relationship: 5, address: 1 })]);
    let silent =
        write(&store, |db| silence::until(db, (1, 1), NudgeKind::OwedReply, Timestamp::default()));
    assert_eq!(silent.unwrap(), Some(Timestamp::from_millis(9000)));
    drop(store);

    assert_eq!((version(&path), version(&copy)), (21, 1));
    let kept: i64 =
        open(&copy).query_row("SELECT count(*) FROM quarantine", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 2);
    let mode = std::os::unix::fs::PermissionsExt::mode;
    assert_eq!(mode(&std::fs::metadata(&copy).unwrap().permissions()) & 0o777, 0o600);
    let names = |dir: &std::path::Path| {
        let entries = std::fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names(path.parent().unwrap());
    drop(Store::open(&path).unwrap());
    assert_eq!(names(path.parent().unwrap()), before, "one copy for each upgrade");
}

/// The schemas up to the one in which keys were noted one by one.
const SCHEMAS: [&str; 7] = [
    include_str!("../../../migrations/0001-initial.sql"),
    include_str!("../../../migrations/0002-source-condition.sql"),
    include_str!("../../../migrations/0003-calendar-objects.sql"),
    include_str!("../../../migrations/0004-recent-keys.sql"),
    include_str!("../../../migrations/0005-invitation.sql"),
    include_str!("../../../migrations/0006-colleague.sql"),
    include_str!("../../../migrations/0007-noted-keys.sql"),
];

#[test]
fn keys_that_had_gathered_are_known_after_an_upgrade() {
    for (schema, noted) in [
        // One row for each key ...
        (5, "(-7, 3, NULL), (9, 3, 4)"),
        // ... or one for each time that it was noted, of which the last one holds.
        (7, "(9, 3, 7), (13, 3, 8), (-7, 3, NULL), (9, 3, 4), (13, NULL, NULL)"),
    ] {
        let (_directory, path) = directory();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let rows = format!(
            "INSERT INTO recent_ref (hash, thread_id, message_id) VALUES {noted};
            INSERT INTO thread_ref (hash, thread_id, message_id)
                VALUES (9, 3, NULL), (11, 5, 6), (13, 1, 1);
            DELETE FROM thread_ref WHERE hash = 13 AND {schema} = 5;
            PRAGMA user_version = {schema};"
        );
        open(&path).execute_batch(&format!("{}{rows}", SCHEMAS[..schema].concat())).unwrap();
        let store = Store::open(&path).unwrap();
        let keys = [-7, 9, 11, 12, 13].map(Key);
        let found = write(&store, move |db| thread::look_up(db, &keys)).unwrap();
        let known = |thread, message| Some(Known { thread: Some(thread), message });
        let expected = [known(3, None), known(3, Some(4)), known(5, Some(6)), None, None];
        assert_eq!(found, expected, "from schema {schema}");
    }
}
