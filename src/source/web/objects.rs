//! Sends the objects of a calendar as deltas: a part at a time, with the cursor last.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use crate::model::{Cursor, Delta, KnownMailbox, MailboxInfo, Object, RawItem, Role};
use crate::source::SourceError;

/// Objects of one delta.
const CHUNK: usize = 500;

/// What a pass over a calendar has found.
pub(in crate::source) struct Update<'a> {
    /// The calendar's name.
    pub(in crate::source) name: &'a str,
    /// What was known of it.
    pub(in crate::source) known: &'a [Object],
    /// What of that it no longer holds.
    pub(in crate::source) gone: Vec<i64>,
    /// What is new.
    pub(in crate::source) items: Vec<RawItem>,
    /// Where to go on if not all of it is committed.
    pub(in crate::source) meanwhile: Cursor,
    /// Where to go on from all of it.
    pub(in crate::source) cursor: Cursor,
}

/// Sends it, what has gone last: an event may have got another name.
///
/// # Errors
/// `Stopped` if nobody takes it.
pub(in crate::source) async fn send(
    update: Update<'_>,
    sink: &mpsc::Sender<Delta>,
) -> Result<(), SourceError> {
    let Update { name, known, gone, mut items, meanwhile, cursor } = update;
    let mut held: BTreeSet<i64> = known.iter().map(|object| object.item).collect();
    held.extend(items.iter().map(RawItem::number));
    gone.iter().for_each(|item| {
        held.remove(item);
    });
    let total = u64::try_from(held.len()).ok();
    let mailbox = || MailboxInfo { name: name.to_owned(), role: Role::Calendar };
    while items.len() > CHUNK {
        let rest = items.split_off(CHUNK);
        let (part, cursor) = (std::mem::replace(&mut items, rest), meanwhile.clone());
        let vanished = Vec::new();
        let mailbox = mailbox();
        let delta = Delta { mailbox, items: part, vanished, complete: false, cursor, total };
        sink.send(delta).await.map_err(|_| SourceError::Stopped)?;
    }
    let mailbox = mailbox();
    let delta = Delta { mailbox, items, vanished: gone, complete: true, cursor, total };
    sink.send(delta).await.map_err(|_| SourceError::Stopped)
}

/// Sends that calendars which are not to be read any more hold nothing: what is ahead in them would
/// count as held one day, and nobody take it back.
///
/// # Errors
/// `Stopped` if nobody takes it.
pub(in crate::source) async fn forget_others(
    known: &[KnownMailbox],
    names: &[String],
    today: i64,
    sink: &mpsc::Sender<Delta>,
) -> Result<(), SourceError> {
    let others = known.iter().filter(|known| !names.contains(&known.name));
    for KnownMailbox { name, objects, .. } in others.filter(|known| !known.objects.is_empty()) {
        let cursor = Cursor::Calendar { token: None, day: today };
        let gone = objects.iter().map(|object| object.item).collect();
        let (items, meanwhile) = (Vec::new(), cursor.clone());
        send(Update { name, known: objects, gone, items, meanwhile, cursor }, sink).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_calendar_that_is_named_no_more_is_emptied_once() {
        let known = |name: &str, items: &[i64]| KnownMailbox {
            name: name.to_owned(),
            cursor: Some(Cursor::Calendar { token: Some("t".to_owned()), day: 1 }),
            seen: Vec::new(),
            objects: items.iter().map(|item| Object { item: *item, tag: 1 }).collect(),
            retry: Vec::new(),
        };
        let known = [known("primary", &[1]), known("team", &[2, 3]), known("empty", &[])];
        let (sink, mut deltas) = mpsc::channel(9);
        forget_others(&known, &["primary".to_owned()], 7, &sink).await.unwrap();
        drop(sink);
        let delta = deltas.recv().await.unwrap();
        assert_eq!((delta.mailbox.name.as_str(), delta.vanished), ("team", vec![2, 3]));
        assert_eq!((delta.complete, delta.total), (true, Some(0)));
        assert_eq!(delta.cursor, Cursor::Calendar { token: None, day: 7 });
        assert_eq!(deltas.recv().await, None, "no other");
    }

    /// A pass that is broken off between two parts must not be taken for a whole one.
    #[tokio::test]
    async fn only_the_last_part_moves_the_cursor_and_tells_what_is_gone() {
        let object = |item: i64| Object { item, tag: item };
        let known = [object(1), object(2), object(5000)];
        let cursor =
            |token: Option<&str>| Cursor::Calendar { token: token.map(Into::into), day: 1 };
        let items = (3..=1200).map(|n| RawItem::Calendar { object: object(n), bytes: Vec::new() });
        let update = Update {
            name: "c",
            known: &known,
            gone: vec![2],
            items: items.collect(),
            meanwhile: cursor(None),
            cursor: cursor(Some("t")),
        };
        let (sink, mut deltas) = mpsc::channel(9);
        send(update, &sink).await.unwrap();
        drop(sink);
        let mut sent = Vec::new();
        while let Some(delta) = deltas.recv().await {
            assert_eq!(delta.total, Some(1200));
            sent.push((delta.items.len(), delta.complete, delta.vanished, delta.cursor));
        }
        let part = (500, false, vec![], cursor(None));
        assert_eq!(sent, [part.clone(), part, (198, true, vec![2], cursor(Some("t")))]);
    }
}
