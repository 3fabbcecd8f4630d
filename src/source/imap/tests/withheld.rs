//! Messages that a server lists and does not give, and those that it marks.

use super::*;
use crate::model::Sent;

fn known(cursor: Cursor, retry: &[i64]) -> KnownMailbox {
    let (name, retry) = ("INBOX".to_owned(), retry.to_vec());
    KnownMailbox { name, cursor: Some(cursor), seen: Vec::new(), objects: Vec::new(), retry }
}

/// Exchange answers a FETCH with OK and leaves a message out, while it lists it.
fn without_the_second(command: &str) -> String {
    if command.starts_with("UID FETCH 1:3 (UID)") {
        return "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\nTAG OK done\r\n"
            .to_owned();
    }
    if command.starts_with("UID FETCH 1:3 ") {
        return format!("{}{}TAG OK done\r\n", fetched(1), fetched(3));
    }
    usual(command)
}

#[tokio::test]
async fn a_message_that_is_listed_and_not_given_is_asked_for_and_then_told() {
    let never: Answers = |c| match c.strip_prefix("UID FETCH 2:2 ") {
        Some(_) => "TAG OK done\r\n".to_owned(),
        None => without_the_second(c),
    };
    for (answers, second) in [(without_the_second as Answers, 2), (never, -2)] {
        let server = serve(GREETING, answers);
        let (pass, deltas) = pass_over(&settings(server, TlsMode::None), &[]).await;
        pass.unwrap();
        assert_eq!(uids(&deltas), [1, 3, second]);
    }
}

/// That the connection breaks says nothing of the message.
#[tokio::test]
async fn a_message_is_not_put_aside_because_the_connection_was_lost() {
    let lost: Answers = |c| match c.strip_prefix("UID FETCH 2:2 ") {
        Some(_) => "<EOF>".to_owned(),
        None => without_the_second(c),
    };
    let server = serve(GREETING, lost);
    let (pass, deltas) = pass_over(&settings(server, TlsMode::None), &[]).await;
    assert_eq!(pass.map_err(|error| error.code()), Err("unreachable"));
    assert!(deltas.is_empty(), "{deltas:?}");
}

/// A mailbox that holds more than it lists is not read to its end.
#[tokio::test]
async fn what_a_server_holds_and_does_not_list_is_not_passed_over() {
    let less: Answers = |c| match c.strip_prefix("UID FETCH 1:3 ") {
        Some(_) => format!("{}TAG OK done\r\n", fetched(1)),
        None => usual(c),
    };
    let server = serve(GREETING, less);
    let (pass, deltas) = pass_over(&settings(server, TlsMode::None), &[]).await;
    assert_eq!(pass.unwrap().skipped.len(), 1);
    assert!(deltas.is_empty(), "{deltas:?}");
}

/// Gives and lists one message of three, and tells this.
fn only_the_first(command: &str, told: &str) -> String {
    match command.strip_prefix("UID FETCH 1:3 ") {
        Some("(UID)") => format!("* 1 FETCH (UID 1)\r\n{told}TAG OK done\r\n"),
        Some(_) => format!("{}TAG OK done\r\n", fetched(1)),
        None => usual(command),
    }
}

#[tokio::test]
async fn what_is_deleted_meanwhile_accounts_for_itself_alone() {
    let one: Answers = |c| only_the_first(c, "* 3 EXPUNGE\r\n");
    let two: Answers = |c| only_the_first(c, "* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n");
    for (answers, skipped, found) in [(one, 1, vec![]), (two, 0, vec![1])] {
        let server = serve(GREETING, answers);
        let (pass, deltas) = pass_over(&settings(server, TlsMode::None), &[]).await;
        assert_eq!((pass.unwrap().skipped.len(), uids(&deltas)), (skipped, found));
    }
}

#[tokio::test]
async fn it_is_asked_for_again_until_it_is_given_or_gone() {
    let cursor = Cursor::Imap { uid_validity: 9, low: 1, high: 3 };
    let refused: Answers = |c| but(c, "UID FETCH 2:2", "TAG NO not now\r\n");
    let gone: Answers = |c| but(c, "UID FETCH 2:2", "TAG OK done\r\n");
    let excluded = RawItem::Excluded { item: 2 };
    for (what, answers, found) in [
        ("given", usual as Answers, Some(vec![2])),
        ("refused", refused, Some(vec![-2])),
        ("gone", gone, None),
    ] {
        let server = serve(GREETING, answers);
        let known = known(cursor.clone(), &[2]);
        let (pass, deltas) = pass_over(&settings(server, TlsMode::None), &[known]).await;
        pass.unwrap();
        assert!(deltas.iter().all(|delta| delta.cursor == cursor), "{what}: {deltas:?}");
        match found {
            Some(found) => assert_eq!(uids(&deltas), found, "{what}"),
            None => {
                let items: Vec<_> = deltas.iter().flat_map(|delta| &delta.items).collect();
                assert_eq!(items, [&excluded], "{what}");
            }
        }
    }
}

/// Gmail's attributes, escaped as it does.
fn labelled(command: &str) -> String {
    let marked = |uid: u32, labels: &str| {
        let marks = format!("(X-GM-THRID 17 X-GM-LABELS ({labels}) UID");
        fetched(uid).replace("(UID", &marks)
    };
    if command.starts_with("UID FETCH") {
        assert!(command.contains("X-GM-LABELS"), "{command}");
        let messages = [
            marked(1, r#""\\Inbox" "\\Important""#),
            marked(2, r#""\\Draft""#),
            marked(3, r#""\\Sent" Customers/Acme"#),
        ];
        return format!("{}TAG OK done\r\n", messages.concat());
    }
    but(command, "CAPABILITY", "* CAPABILITY IMAP4rev1 X-GM-EXT-1\r\nTAG OK done\r\n")
}

#[tokio::test]
async fn labels_tell_what_was_sent_and_what_must_not_be_read() {
    for (exclude, expected) in [
        (vec![], vec![(1, Some(Sent::ByOthers)), (2, None), (3, Some(Sent::ByOwner))]),
        (vec!["Customers"], vec![(1, Some(Sent::ByOthers)), (2, None), (3, None)]),
    ] {
        let server = serve(GREETING, labelled);
        let mut settings = settings(server, TlsMode::None);
        settings.exclude_mailboxes = exclude.iter().map(|name| (*name).to_owned()).collect();
        let (pass, deltas) = pass_over(&settings, &[]).await;
        pass.unwrap();
        let found: Vec<_> = deltas
            .iter()
            .flat_map(|delta| &delta.items)
            .map(|item| match item {
                RawItem::Message { item, marks, .. } => {
                    assert_eq!(marks.thread, Some(17));
                    (*item, marks.sent)
                }
                RawItem::Excluded { item } => (*item, None),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(found, expected, "{exclude:?}");
    }
}
