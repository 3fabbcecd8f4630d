//! Passes against a scripted server on loopback: what no well-behaved server can be made to say.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::*;
use crate::model::{Cursor, RawItem, Role};
use crate::source::SkipReason;

/// What the server answers to a command, `TAG` standing for the command's tag. `<EOF>` at the end
/// closes the connection, `<FLOOD>` sends bytes for ever, `<HOLD>` holds the answer back until the
/// next command has been answered.
type Answers = fn(&str) -> String;

mod kept;
mod withheld;

const GREETING: &str = "* OK [CAPABILITY IMAP4rev1] ready\r\n";

/// The answers of a well-behaved server with the messages 1, 2 and 3 in its INBOX.
fn usual(command: &str) -> String {
    if let Some(range) = command.strip_prefix("UID FETCH ") {
        let (low, high) = range.split_once(' ').unwrap().0.split_once(':').unwrap();
        let (low, high): (u32, u32) = (low.parse().unwrap(), high.parse().unwrap());
        let answers: String = (low..=high.min(3)).map(fetched).collect();
        return format!("{answers}TAG OK done\r\n");
    }
    match command.split(' ').next().unwrap() {
        "CAPABILITY" => "* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n".to_owned(),
        "LIST" => "* LIST () \"/\" INBOX\r\nTAG OK done\r\n".to_owned(),
        "EXAMINE" => "* 3 EXISTS\r\n* OK [UIDVALIDITY 9] .\r\n* OK [UIDNEXT 4] .\r\n\
                      TAG OK [READ-ONLY] done\r\n"
            .to_owned(),
        "FETCH" => "* 1 FETCH (UID 1)\r\n* 3 FETCH (UID 3)\r\nTAG OK done\r\n".to_owned(),
        _ => "TAG OK done\r\n".to_owned(),
    }
}

fn fetched(uid: u32) -> String {
    let header = format!("Message-ID: <{uid}@x>\r\n\r\n");
    format!(
        "* {uid} FETCH (UID {uid} INTERNALDATE \"21-Nov-2026 08:00:00 +0000\" \
         BODY[HEADER.FIELDS (MESSAGE-ID)]<0> {{{}}}\r\n{header})\r\n",
        header.len()
    )
}

/// Serves connections until the process ends. The thread holds nothing but its socket.
fn serve(greeting: &'static str, answers: Answers) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || converse(stream, greeting, answers));
        }
    });
    address
}

fn converse(mut stream: TcpStream, greeting: &str, answers: Answers) {
    stream.write_all(greeting.as_bytes()).unwrap();
    let mut held = String::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let Ok(line) = line else { return };
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = answers(command).replace("TAG", tag);
        if let Some(late) = answer.strip_suffix("<HOLD>") {
            held = late.to_owned();
            continue;
        }
        let answer = format!("{answer}{}", std::mem::take(&mut held));
        let text = answer.trim_end_matches("<EOF>").trim_end_matches("<FLOOD>");
        if stream.write_all(text.as_bytes()).is_err() || answer.ends_with("<EOF>") {
            return;
        }
        while answer.ends_with("<FLOOD>") {
            if stream.write_all(&[b'x'; 8192]).is_err() {
                return;
            }
        }
    }
}

fn settings(server: SocketAddr, tls: TlsMode) -> Settings {
    let mut settings = Settings::new("127.0.0.1", "ann", "secret".into());
    settings.port = server.port();
    settings.tls = tls;
    settings.response_timeout = Duration::from_secs(5);
    settings
}

async fn pass_over(
    settings: &Settings,
    known: &[KnownMailbox],
) -> (Result<Pass, SourceError>, Vec<Delta>) {
    let (sink, mut deltas) = mpsc::channel(2);
    let tls = crate::http::tls_config(None).unwrap();
    let collect = async {
        let mut all = Vec::new();
        while let Some(delta) = deltas.recv().await {
            all.push(delta);
        }
        all
    };
    let mut kept = Kept::default();
    let pass = read(settings, &tls, &mut kept, Scope::Everything, known, sink);
    tokio::join!(pass, collect)
}

fn uids(deltas: &[Delta]) -> Vec<i64> {
    let items = deltas.iter().flat_map(|delta| &delta.items);
    items
        .map(|item| match item {
            RawItem::Message { item, .. } => *item,
            RawItem::Unreadable { item, .. } => -item,
            RawItem::Calendar { .. } | RawItem::Excluded { .. } => panic!("mail only"),
        })
        .collect()
}

#[tokio::test]
async fn a_good_server_is_read_and_the_cursor_covers_what_was_sent() {
    let server = serve(GREETING, usual);
    let (pass, deltas) = pass_over(&settings(server, TlsMode::None), &[]).await;
    assert_eq!(pass.unwrap(), Pass { mailboxes: 1, messages: 3, ..Pass::default() });
    assert_eq!(uids(&deltas), [1, 2, 3]);
    let [delta] = deltas.as_slice() else { panic!("{deltas:?}") };
    assert_eq!(delta.cursor, Cursor::Imap { uid_validity: 9, low: 1, high: 3 });
    assert_eq!((delta.complete, delta.total, delta.mailbox.role), (true, Some(3), Role::Inbox));
    let RawItem::Message { received_at, header, .. } = &delta.items[0] else { panic!() };
    assert_eq!(received_at.unwrap().to_string(), "2026-11-21T08:00:00Z");
    assert_eq!(header, b"Message-ID: <1@x>\r\n\r\n");
}

/// The library reports each of these as success, as an empty mailbox or as one with less in it.
#[tokio::test]
async fn what_is_not_answered_by_ok_is_an_error_and_moves_no_cursor() {
    let table: &[(&str, Answers, &str)] = &[
        (
            "FETCH, then a tagged NO",
            |c| but(c, "UID FETCH 1:3", &fetched_then("TAG NO [UNAVAILABLE] later\r\n")),
            "refused",
        ),
        ("FETCH, then EOF", |c| but(c, "UID FETCH 1:3", &fetched_then("<EOF>")), "unreachable"),
        (
            "FETCH, then a BYE",
            |c| but(c, "UID FETCH 1:3", &fetched_then("* BYE Connection closed. 14\r\n<EOF>")),
            "unreachable",
        ),
        (
            "throttled by BAD",
            |c| {
                but(
                    c,
                    "UID FETCH 1:3",
                    "TAG BAD Request is throttled. Suggested Backoff Time: 9 milliseconds\r\n",
                )
            },
            "throttled",
        ),
        ("EXAMINE cut by EOF", |c| but(c, "EXAMINE", "* 5 EXISTS\r\n<EOF>"), "unreachable"),
        (
            "EXAMINE without EXISTS",
            |c| but(c, "EXAMINE", "* OK [UIDVALIDITY 9] .\r\nTAG OK done\r\n"),
            "refused",
        ),
        ("EXAMINE refused", |c| but(c, "EXAMINE", "TAG NO [NOPERM] no\r\n"), "refused"),
        ("LIST cut by EOF", |c| but(c, "LIST", "* LIST () \"/\" INBOX\r\n<EOF>"), "unreachable"),
        ("LIST refused", |c| but(c, "LIST", "TAG NO no\r\n"), "protocol"),
        ("somebody else's tag", |c| but(c, "LIST", "X9 OK done\r\n"), "protocol"),
        ("asked for more", |c| but(c, "LIST", "+ go on\r\n"), "protocol"),
        (
            "wrong password",
            |c| but(c, "LOGIN", "TAG NO [AUTHENTICATIONFAILED] no\r\n"),
            "unauthorized",
        ),
        ("too many logins", |c| but(c, "LOGIN", "TAG NO [LIMIT] no\r\n"), "throttled"),
    ];
    for (what, answers, expected) in table {
        let server = serve(GREETING, *answers);
        let (pass, deltas) = pass_over(&settings(server, TlsMode::None), &[]).await;
        let found = match &pass {
            Ok(pass) => pass.skipped.first().map_or("read", |skipped| skipped.reason.code()),
            Err(error) => error.code(),
        };
        assert_eq!(found, *expected, "{what}: {pass:?}");
        assert!(deltas.is_empty(), "{what}: {deltas:?}");
        assert!(!format!("{pass:?}").contains("secret"), "{what}: {pass:?}");
    }
}

#[tokio::test]
async fn a_greeting_that_is_not_an_invitation_is_refused() {
    for (greeting, expected) in [
        ("* BYE too many connections\r\n", "throttled"),
        ("* BYE shutting down\r\n", "unreachable"),
        ("* PREAUTH logged in as ann\r\n", "protocol"),
        ("Server Unavailable. 15\r\n", "protocol"),
        ("", "unreachable"),
    ] {
        for tls in [TlsMode::None, TlsMode::StartTls] {
            let server = serve(greeting, |_| "<EOF>".to_owned());
            let mut settings = settings(server, tls);
            settings.response_timeout = Duration::from_millis(300);
            settings.connect_timeout = Duration::from_millis(300);
            let (pass, _) = pass_over(&settings, &[]).await;
            assert_eq!(pass.unwrap_err().code(), expected, "{greeting:?} {tls:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_put_before_the_handshake_is_refused() {
    let server = serve("* OK ready\r\n", |_| "TAG OK go ahead\r\nA1 OK forged\r\n".to_owned());
    let (pass, _) = pass_over(&settings(server, TlsMode::StartTls), &[]).await;
    let error = pass.unwrap_err();
    assert!(error.to_string().contains("tampering"), "{error}");

    let server = serve("* OK ready\r\n", |_| "TAG BAD what?\r\n".to_owned());
    let (pass, _) = pass_over(&settings(server, TlsMode::StartTls), &[]).await;
    assert_eq!(pass.unwrap_err().code(), "misconfigured");
}

#[tokio::test]
async fn an_endless_answer_ends_the_pass_and_not_the_memory() {
    let table: &[(&str, Answers)] = &[
        ("literal", |c| but(c, "EXAMINE", "* 1 FETCH (BODY[] {99999999}\r\n<FLOOD>")),
        ("line", |c| but(c, "EXAMINE", "* OK <FLOOD>")),
    ];
    for (what, answers) in table {
        let server = serve(GREETING, *answers);
        let (pass, deltas) = pass_over(&settings(server, TlsMode::None), &[]).await;
        let reason = pass.unwrap().skipped.remove(0).reason;
        assert_eq!(
            reason,
            SkipReason::Refused("an answer of more than 4 MiB".to_owned()),
            "{what}"
        );
        assert!(deltas.is_empty(), "{what}");
    }
}

#[tokio::test]
async fn untagged_warnings_do_not_disturb() {
    let answers: Answers = |c| {
        let warning = "* NO [ALERT] ann@us.example is nearly full\r\n* BAD and a riddle\r\n";
        format!("{warning}{}", usual(c))
    };
    let (pass, deltas) = pass_over(&settings(serve(GREETING, answers), TlsMode::None), &[]).await;
    assert_eq!(pass.unwrap().messages, 3);
    assert_eq!(uids(&deltas), [1, 2, 3]);
}

#[tokio::test]
async fn what_was_not_asked_for_is_passed_over() {
    let answers: Answers = |c| {
        let noise = format!(
            "* 7 FETCH (FLAGS (\\Seen))\r\n{}* 2 FETCH (UID 2 FLAGS ())\r\n{}* 4 EXISTS\r\n",
            fetched(77),
            fetched(2)
        );
        if c.starts_with("UID FETCH") { format!("{noise}{}", usual(c)) } else { usual(c) }
    };
    let (_, deltas) = pass_over(&settings(serve(GREETING, answers), TlsMode::None), &[]).await;
    assert_eq!(uids(&deltas), [1, 2, 3]);
}

/// Two windows are asked for at a time, and a server may answer them mixed or the later one first:
/// taken for noise, the answers to the second would be lost.
#[tokio::test]
async fn answers_to_two_windows_may_come_in_any_order() {
    let late: Answers = |c| {
        if c.starts_with("UID FETCH 3:3") { format!("{}<HOLD>", usual(c)) } else { usual(c) }
    };
    let mixed: Answers = |c| match c {
        _ if c.starts_with("UID FETCH 3:3") => {
            format!("{}{}{}TAG OK done\r\n", fetched(1), fetched(3), fetched(2))
        }
        _ if c.starts_with("UID FETCH 1:2") => "TAG OK done\r\n".to_owned(),
        _ => usual(c),
    };
    for (what, answers) in [("late", late), ("mixed", mixed)] {
        let settings = Settings { window: 1, ..settings(serve(GREETING, answers), TlsMode::None) };
        let (pass, deltas) = pass_over(&settings, &[]).await;
        assert_eq!(uids(&deltas), [3, 1, 2], "{what}: {pass:?}");
        assert_eq!(deltas.len(), 2, "{what}");
    }
}

/// One message that cannot be had must not hold up the others, whichever way it fails.
#[tokio::test]
async fn a_poisoned_message_is_found_and_passed_over() {
    let table: &[(&str, Answers)] = &[
        ("refused", |c| poisoned(c, "TAG NO [SERVERBUG] Internal error occurred\r\n")),
        ("garbled", |c| poisoned(c, "* GARBLE\r\n")),
        ("endless", |c| poisoned(c, "* 2 FETCH (UID 2 BODY[HEADER] {99999999}\r\n<FLOOD>")),
        ("nil", |c| {
            let nil = "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (DATE)]<0> NIL)\r\n";
            poisoned(c, &format!("{}{nil}{}TAG OK x\r\n", fetched(1), fetched(3)))
        }),
        ("empty", |c| {
            let empty = "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (DATE)]<0> {0}\r\n)\r\n";
            let rest = if c.contains("2:2") { String::new() } else { fetched(1) + &fetched(3) };
            poisoned(c, &format!("{rest}{empty}TAG OK x\r\n"))
        }),
    ];
    for (what, answers) in table {
        let server = serve(GREETING, *answers);
        let (pass, deltas) = pass_over(&settings(server, TlsMode::None), &[]).await;
        let mut found = uids(&deltas);
        found.sort_unstable();
        assert_eq!(found, [-2, 1, 3], "{what}: {pass:?}");
        assert!(deltas.last().unwrap().complete, "{what}");
    }
}

/// If nothing can be had, the fault is not the messages', and no cursor may pass them.
#[tokio::test]
async fn a_mailbox_that_gives_nothing_is_not_taken_for_poisoned() {
    let all: Answers = |c| but(c, "UID FETCH", "TAG NO [SERVERBUG] Internal error occurred\r\n");
    let only: Answers = |c| match c {
        _ if c.starts_with("UID FETCH") => "TAG NO [SERVERBUG] Internal error\r\n".to_owned(),
        _ => but(c, "FETCH", "* 3 FETCH (UID 3)\r\nTAG OK done\r\n"),
    };
    for (what, answers) in [("all", all), ("the only one", only)] {
        let (pass, deltas) =
            pass_over(&settings(serve(GREETING, answers), TlsMode::None), &[]).await;
        assert!(matches!(pass.unwrap().skipped[0].reason, SkipReason::Refused(_)), "{what}");
        assert!(deltas.is_empty(), "{what}: {deltas:?}");
    }
}

#[tokio::test]
async fn a_cancelled_pass_and_a_gone_receiver_stop_it() {
    use crate::source::{Kept, Reader, read};
    let server = serve(GREETING, usual);
    let settings = settings(server, TlsMode::None);
    let reader = Reader::Imap(Arc::new(settings), crate::http::tls_config(None).unwrap());
    let stop = tokio_util::sync::CancellationToken::new();
    for cancelled in [false, true] {
        let (sink, deltas) = mpsc::channel(1);
        if cancelled {
            stop.cancel();
        } else {
            drop(deltas);
        }
        let (mut kept, now) = (Kept::default(), crate::model::Timestamp::from_millis(0));
        let pass = read(&reader, &mut kept, Scope::Everything, &[], now, sink, &stop).await;
        assert_eq!(pass, Err(SourceError::Stopped), "{cancelled}");
        assert!(!kept.is_connected());
    }
}

/// The usual answers, but for one command.
fn but(command: &str, prefix: &str, answer: &str) -> String {
    if command.starts_with(prefix) { answer.to_owned() } else { usual(command) }
}

fn fetched_then(end: &str) -> String {
    format!("{}{end}", fetched(1))
}

/// The usual answers, but for windows that hold message 2.
fn poisoned(command: &str, answer: &str) -> String {
    let holds = ["1:3", "1:2", "2:3", "2:2"];
    let poisoned = holds.iter().any(|range| command.starts_with(&format!("UID FETCH {range} ")));
    if poisoned { answer.to_owned() } else { usual(command) }
}
