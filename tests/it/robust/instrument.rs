//! The scripted server itself, spoken to by hand: what scenarios and measurements rely on.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::stage::{Secured, Stage};
use crate::support::generate::letter;
use crate::support::imapd::{Gmail, Imapd, Letter, PASSWORD, Profile, letters_from};

/// A client that says what it is told.
#[derive(Debug)]
struct Client(BufReader<TcpStream>);

impl Client {
    fn login(server: &Imapd, user: &str) -> Self {
        let stream = TcpStream::connect(server.imap).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self(BufReader::new(stream));
        client.line();
        let password = PASSWORD.replace('"', "\\\"");
        assert!(client.says(&format!("LOGIN {user} \"{password}\"")).ends_with("Logged in\r\n"));
        client
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn send(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    /// Everything up to the tagged answer.
    fn says(&mut self, command: &str) -> String {
        self.send(&format!("x {command}"));
        let mut all = String::new();
        while !all.lines().last().is_some_and(|line| line.starts_with("x ")) {
            let line = self.line();
            assert!(!line.is_empty(), "{command}: {all}");
            all.push_str(&line);
        }
        all
    }
}

#[test]
fn idlers_hear_of_changes_at_once() {
    let server = Imapd::start(Profile::DOVECOT);
    let account = server.account("ann");
    let mail = letter("INBOX", ["bo@acme.example", "ann@us.example"], 1_704_067_200, "a", None);
    account.deliver(&mail);
    let mut client = Client::login(&server, "ann");
    assert!(client.says("EXAMINE INBOX").contains("* 1 EXISTS\r\n"));
    client.send("x IDLE");
    assert_eq!(client.line(), "+ idling\r\n");
    let mut waits = Vec::new();
    for count in 2..30 {
        let began = Instant::now();
        account.deliver(&mail);
        assert_eq!(client.line(), format!("* {count} EXISTS\r\n"));
        waits.push(began.elapsed());
    }
    waits.sort();
    assert!(waits[waits.len() / 2] < Duration::from_millis(20), "{waits:?}");
    account.expunge("INBOX", 2);
    assert_eq!(client.line(), "* 2 EXPUNGE\r\n");
    client.send("DONE");
    assert_eq!(client.line(), "x OK Idle completed.\r\n");
    assert_eq!(server.pushes().iter().map(|p| p.exists).collect::<Vec<_>>(), Vec::from_iter(2..30));
    account.renumber("INBOX");
    assert!(client.says("NOOP").starts_with("* BYE"));
}

#[test]
fn messages_are_computed_when_they_are_fetched() {
    let server = Imapd::start(Profile::GMAIL);
    let account = server.account("ann");
    account.compute("[Gmail]/All Mail", 1_000_000, letters_from(5000, 1_700_000_000, 60));
    let mail = letter("INBOX", ["bo@acme.example", "ann@us.example"], 1_704_067_200, "a", None);
    let gmail = Gmail { message: 17, thread: 4, labels: "\"\\\\Inbox\" Acme".to_owned() };
    account.append("[Gmail]/All Mail", Letter { gmail: Some(gmail), ..Letter::of(&mail) });
    let mut client = Client::login(&server, "ann");
    assert!(client.says("EXAMINE \"[Gmail]/All Mail\"").contains("* 1000001 EXISTS\r\n"));
    let all = client.says(
        "UID FETCH 1000000:1000001 (UID X-GM-MSGID X-GM-THRID X-GM-LABELS \
         BODY.PEEK[HEADER.FIELDS (MESSAGE-ID X-NONE)]<0.20>)",
    );
    assert_eq!(
        all,
        "* 1000000 FETCH (UID 1000000 X-GM-MSGID 1000000 X-GM-THRID 1000000 X-GM-LABELS () \
         BODY[HEADER.FIELDS (MESSAGE-ID X-NONE)]<0> {20}\r\n\
         Message-ID: <1000000)\r\n\
         * 1000001 FETCH (UID 1000001 X-GM-MSGID 17 X-GM-THRID 4 X-GM-LABELS (\"\\\\Inbox\" Acme) \
         BODY[HEADER.FIELDS (MESSAGE-ID X-NONE)]<0> {19}\r\nMessage-ID: <a>\r\n\r\n)\r\n\
         x OK Fetch completed.\r\n"
    );
    let uids = client.says("FETCH 1,500000,1000001:* (UID)");
    let lines =
        ["* 1 FETCH (UID 1)", "* 500000 FETCH (UID 500000)", "* 1000001 FETCH (UID 1000001)"];
    assert_eq!(uids, format!("{}\r\nx OK Fetch completed.\r\n", lines.join("\r\n")));
}

#[test]
fn every_profile_is_read_through() {
    for profile in [
        Profile::DOVECOT,
        Profile::GMAIL,
        Profile::EXCHANGE,
        Profile::ICLOUD,
        Profile::YAHOO,
        Profile::MINIMAL,
    ] {
        let stage = Stage::with(profile.clone(), Secured::Tls, 60);
        assert_eq!(stage.read_through(), Vec::<String>::new(), "{}", profile.greeting);
        let dump = stage.place.dump();
        assert_eq!(dump.messages.len(), 60, "{}", profile.greeting);
        assert!(dump.interactions.iter().any(|touch| touch.direction == 0), "{}", profile.greeting);
    }
}
