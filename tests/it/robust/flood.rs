//! The server sends without end, or with so little or nothing that it might as well.

use std::time::Duration;

use super::stage::{heals, scenarios};
use crate::support::imapd::{Act, Fault};

/// This, and then these bytes for ever.
fn flood(on: &'static str, begin: &'static str, bytes: &[u8]) -> Fault {
    Fault::on(on, [Act::send(begin), Act::Flood(bytes.repeat(65536 / bytes.len()))])
}

fn hang(on: &'static str) -> Fault {
    Fault::on(on, [Act::Hang])
}

fn drip(on: &'static str) -> Fault {
    Fault::on(on, [Act::Drip(1, Duration::from_millis(150))])
}

scenarios! { heals;
    endless_greeting: DOVECOT, [flood("GREETING", "* OK ", b"x")];
    endless_line: DOVECOT, [flood("EXAMINE", "* OK ", b"x")];
    endless_line_of_quotes: DOVECOT, [flood("LIST", "* LIST (", b"\\\"(")];
    endless_literal: DOVECOT, [flood("UID FETCH", "* 1 FETCH (UID 1 BODY[] {4294967295}\r\n", b"x")];
    endless_literal_of_a_gigabyte: DOVECOT, [
        flood("UID FETCH", "* 1 FETCH (UID 1 BODY[HEADER] {1073741824}\r\n", b"x\r\n"),
    ];
    endless_brackets: DOVECOT, [flood("UID FETCH", "* 1 FETCH (UID 1 X-A ", b"(")];
    endless_structure: DOVECOT, [flood("UID FETCH", "* 1 FETCH (UID 1 BODYSTRUCTURE ", b"(")];
    endless_extension: DOVECOT, [
        flood("UID FETCH", "* 1 FETCH (BODYSTRUCTURE (\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL NIL NIL NIL ", b"("),
    ];
    endless_list_of_mailboxes: DOVECOT, [flood("LIST", "", b"* LIST () \"/\" \"a\"\r\n")];
    endless_capabilities: MINIMAL, [flood("CAPABILITY", "* CAPABILITY IMAP4rev1", b" A=B")];
    a_literal_longer_than_it_may_be: DOVECOT, [
        flood("LIST", "* LIST () \"/\" {99999999999999999999999}\r\n", b"x"),
    ];
    silent_before_tls: DOVECOT, [hang("CONNECT")];
    silent_for_a_greeting: DOVECOT, [hang("GREETING")];
    silent_for_a_login: EXCHANGE, [hang("AUTHENTICATE")];
    silent_for_a_list: DOVECOT, [hang("LIST")];
    silent_for_an_examine: DOVECOT, [hang("EXAMINE")];
    silent_for_a_fetch: GMAIL, [hang("UID FETCH")];
    silent_for_a_logout: DOVECOT, [hang("LOGOUT")];
    silent_within_a_literal: DOVECOT, [
        Fault::on("UID FETCH", [
            Act::send("* 1 FETCH (UID 1 BODY[HEADER.FIELDS (DATE)]<0> {300}\r\nDate: Mon, 1"),
            Act::Hang,
        ]),
    ];
    dripping_examine: DOVECOT, [drip("EXAMINE")];
    dripping_fetch: DOVECOT, [drip("UID FETCH")];
    slow_but_alive: DOVECOT, [
        Fault::on("UID FETCH", [Act::Drip(1000, Duration::from_millis(5))]).always(),
        Fault::on("EXAMINE", [Act::Wait(Duration::from_millis(300)), Act::Answer]).always(),
        Fault::on("GREETING", [Act::Drip(1, Duration::from_millis(1))]).always(),
    ];
    endless_attributes: DOVECOT, [flood("UID FETCH", "* 1 FETCH (UID 1", b" FLAGS ()")];
    endless_chatter: DOVECOT, [flood("EXAMINE", "", b"* OK still here\r\n")];
    an_id_in_pieces: DOVECOT, [Fault::on("ID", [Act::Drip(4, Duration::from_millis(9))]).always()];
    byte_by_byte: MINIMAL, [Fault::on("", [Act::Drip(1, Duration::ZERO)]).always()];
}
