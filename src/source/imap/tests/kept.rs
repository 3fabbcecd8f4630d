//! What is read over a connection that is kept, and what of a mailbox that has become empty.

use super::*;
use crate::source::{Glance, Rest};

/// Everything, then what is told of: what each pass came to, and the deltas of the second.
async fn everything_then_news(
    settings: &Settings,
    known: &KnownMailbox,
) -> (Kept, Result<Pass, SourceError>, Vec<Delta>) {
    let tls = crate::http::tls_config(None).unwrap();
    let known = [known.clone()];
    let mut kept = Kept::default();
    let (sink, _deltas) = mpsc::channel(9);
    let all = read(settings, &tls, &mut kept, Scope::Everything, &known, sink).await;
    assert_eq!(all.unwrap().mailboxes, 1);
    let (sink, mut deltas) = mpsc::channel(9);
    let news = read(settings, &tls, &mut kept, Scope::News, &known, sink).await;
    let mut all = Vec::new();
    while let Some(delta) = deltas.recv().await {
        all.push(delta);
    }
    (kept, news, all)
}

fn read_to(low: u32, high: u32, retry: &[i64]) -> KnownMailbox {
    let cursor = Some(Cursor::Imap { uid_validity: 9, low, high });
    let (name, retry) = ("INBOX".to_owned(), retry.to_vec());
    KnownMailbox { name, cursor, seen: Vec::new(), objects: Vec::new(), retry }
}

fn exchange(command: &str) -> String {
    match command.strip_prefix("UID FETCH 4:") {
        Some("4294967295 (UID)") => {
            "* 4 FETCH (UID 5)\r\n* 5 FETCH (UID 6)\r\nTAG OK done\r\n".to_owned()
        }
        Some(_) => format!("{}TAG OK done\r\n", fetched(6)),
        None => {
            let words = "* CAPABILITY IMAP4rev1 CLIENTACCESSRULES\r\nTAG OK done\r\n";
            but(command, "CAPABILITY", words)
        }
    }
}

/// Exchange gives the last of two new messages and lists both.
#[tokio::test]
async fn news_does_not_pass_over_what_is_listed_and_not_given() {
    let whole: Answers = |c| match c {
        "UID FETCH 4:4294967295 (UID)" => "* 4 FETCH (UID 6)\r\nTAG OK done\r\n".to_owned(),
        _ => exchange(c),
    };
    for (answers, rest, found) in
        [(exchange as Answers, Rest::Something, vec![]), (whole, Rest::Nothing, vec![6])]
    {
        let settings = settings(serve("* OK ready\r\n", answers), TlsMode::None);
        let (kept, news, deltas) = everything_then_news(&settings, &read_to(1, 3, &[])).await;
        assert!(kept.is_connected());
        let news = news.unwrap();
        assert_eq!((news.scope, news.rest, uids(&deltas)), (Scope::News, rest, found));
    }
}

/// What is told of may be more than one window tells: then it is for a pass that has its turn.
#[tokio::test]
async fn news_reads_no_more_than_what_is_new_in_the_watched_mailbox() {
    let settings = settings(serve(GREETING, usual), TlsMode::None);
    let (mut kept, news, deltas) = everything_then_news(&settings, &read_to(2, 3, &[])).await;
    assert_eq!(news.unwrap().rest, Rest::Something);
    assert!(deltas.is_empty(), "{deltas:?}");
    assert_eq!(glance(&settings, &mut kept).await, Glance::Changed);
}

/// A mailbox that was read in part and says that it is empty may be mistaken.
#[tokio::test]
async fn a_mailbox_that_says_it_is_empty_keeps_its_cursor_and_is_no_news() {
    let emptied: Answers = |c| {
        let gone = "TAG OK done\r\n";
        let empty = "* 0 EXISTS\r\n* OK [UIDVALIDITY 9] .\r\n* OK [UIDNEXT 10] .\r\nTAG OK .\r\n";
        if c.starts_with("EXAMINE") { empty.to_owned() } else { but(c, "UID FETCH 3:3", gone) }
    };
    let settings = settings(serve(GREETING, emptied), TlsMode::None);
    let known = read_to(3, 3, &[3]);
    let (pass, deltas) = pass_over(&settings, std::slice::from_ref(&known)).await;
    assert_eq!(pass.unwrap().mailboxes, 1);
    assert_eq!(deltas.len(), 2, "{deltas:?}");
    assert!(deltas.iter().all(|delta| Some(&delta.cursor) == known.cursor.as_ref()), "{deltas:?}");

    let (kept, ..) = everything_then_news(&settings, &known).await;
    let next = kept.line.and_then(|line| line.watched).map(|watched| watched.next);
    assert_eq!(next, Some(10), "what went before it was read is not waited for");
}

#[tokio::test]
async fn a_list_that_lacks_the_inbox_is_not_all_there_is() {
    let nothing: Answers = |c| but(c, "LIST", "TAG OK done\r\n");
    let less: Answers = |c| but(c, "LIST", "* LIST () \"/\" Other\r\nTAG OK done\r\n");
    for (answers, known, refused) in [
        (nothing, vec![], 1),
        (nothing, vec![read_to(1, 3, &[])], 1),
        (less, vec![read_to(1, 3, &[])], 1),
        (less, vec![], 0),
    ] {
        let settings = settings(serve(GREETING, answers), TlsMode::None);
        let (pass, _) = pass_over(&settings, &known).await;
        let skipped = pass.unwrap().skipped;
        assert_eq!(skipped.len(), refused, "{skipped:?}");
        assert!(skipped.iter().all(|skipped| skipped.role == Some(Role::Inbox)), "{skipped:?}");
    }
}
