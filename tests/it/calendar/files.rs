//! Calendars on the disk.

use std::path::Path;

use keepwarm::model::{Cursor, Delta, KnownMailbox, Object, RawItem};
use keepwarm::source::{SourceError, ics};
use tokio::sync::mpsc;

use super::at;

async fn pass(path: &Path, known: &[KnownMailbox], now: &str) -> Result<Delta, SourceError> {
    let (sink, mut deltas) = mpsc::channel(1);
    let settings = ics::Settings { path: path.to_owned() };
    let pass = ics::read(&settings, known, at(now), sink).await?;
    let delta = deltas.recv().await.unwrap();
    assert_eq!(pass.mailboxes, 1);
    assert!(delta.complete);
    Ok(delta)
}

#[tokio::test]
async fn a_file_is_read_again_when_it_or_the_day_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bob.ics");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write("BEGIN:VCALENDAR");
    let first = pass(&path, &[], "2026-11-21T08:00:00Z").await.unwrap();
    let bytes = b"BEGIN:VCALENDAR".to_vec();
    assert_eq!(first.items, [RawItem::Calendar { object: Object::WHOLE, bytes }]);
    let known = |cursor: &Cursor| {
        [KnownMailbox {
            name: "calendar".to_owned(),
            cursor: Some(cursor.clone()),
            seen: vec![],
            objects: vec![],
            retry: vec![],
        }]
    };
    let same = pass(&path, &known(&first.cursor), "2026-11-21T23:59:59Z").await.unwrap();
    assert_eq!((same.items.len(), &same.cursor), (0, &first.cursor));
    let next_day = pass(&path, &known(&first.cursor), "2026-11-22T00:00:00Z").await.unwrap();
    assert_eq!(next_day.items.len(), 1);
    write("BEGIN:VCALENDAR\n");
    let changed = pass(&path, &known(&first.cursor), "2026-11-21T08:00:00Z").await.unwrap();
    assert_eq!(changed.items.len(), 1);
}

#[tokio::test]
async fn a_directory_is_read_file_by_file_and_a_missing_path_is_told() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [("b.ics", "two"), ("a.ICS", "one"), ("notes.txt", "no")] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    std::fs::create_dir(directory.path().join("c.ics")).unwrap();
    let delta = pass(directory.path(), &[], "2026-11-21").await.unwrap();
    assert_eq!(delta.items.len(), 3);
    assert_eq!(delta.items[0], RawItem::Calendar { object: Object::WHOLE, bytes: b"one".to_vec() });
    assert!(matches!(&delta.items[2], RawItem::Unreadable { .. }), "{:?}", delta.items[2]);
    let missing = pass(&directory.path().join("none.ics"), &[], "2026-11-21").await;
    assert!(matches!(missing, Err(SourceError::Misconfigured(_))), "{missing:?}");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.ics");
    std::fs::File::create(&path).unwrap().set_len(64 * 1024 * 1024 + 1).unwrap();
    let result = pass(&path, &[], "2026-11-21").await;
    assert!(matches!(&result, Err(SourceError::Misconfigured(why)) if why.contains("64 MiB")));
}
