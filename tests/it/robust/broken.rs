//! The connection breaks or the server refuses, in every state once.

use super::stage::{heals, scenarios};
use crate::support::imapd::{Act, Fault};

fn eof(on: &'static str) -> Fault {
    Fault::on(on, [Act::Close])
}

/// The honest answer up to its tagged line, then the end.
fn cut(on: &'static str) -> Fault {
    let untagged = |text: String| {
        let end = text.trim_end().rfind("\r\n").map_or(0, |end| end + 2);
        text.chars().take(end).collect()
    };
    Fault::on(on, [Act::edit(untagged), Act::Close])
}

fn no(on: &'static str) -> Fault {
    Fault::on(on, [Act::send("TAG NO [SERVERBUG] Internal error occurred.\r\n")])
}

/// The honest answer with a NO in the place of its OK.
fn no_after_all(on: &'static str) -> Fault {
    let refused = |text: String| {
        let end = text.trim_end().rfind("\r\n").map_or(0, |end| end + 2);
        let (untagged, tagged) = text.split_at(end);
        format!("{untagged}{}", tagged.replacen(" OK ", " NO [UNAVAILABLE] ", 1))
    };
    Fault::on(on, [Act::edit(refused)])
}

fn bad(on: &'static str) -> Fault {
    Fault::on(on, [Act::send("TAG BAD Command Error. 12\r\n")])
}

fn bye(on: &'static str) -> Fault {
    Fault::on(on, [Act::send("* BYE Connection closed. 14\r\n"), Act::Close])
}

fn reset(on: &'static str) -> Fault {
    Fault::on(on, [Act::Reset])
}

scenarios! { heals;
    eof_before_tls: DOVECOT, [eof("CONNECT")];
    eof_before_the_greeting: DOVECOT, [eof("GREETING")];
    eof_for_a_capability: MINIMAL, [eof("CAPABILITY")];
    eof_for_a_login: MINIMAL, [eof("LOGIN")];
    eof_for_a_sasl_login: DOVECOT, [eof("AUTHENTICATE")];
    eof_for_an_id: DOVECOT, [eof("ID")];
    eof_for_a_list: DOVECOT, [eof("LIST")];
    eof_for_an_examine: DOVECOT, [eof("EXAMINE")];
    eof_for_a_fetch: DOVECOT, [eof("UID FETCH")];
    eof_for_a_later_fetch: DOVECOT, [eof("UID FETCH").skip(1)];
    eof_for_a_logout: DOVECOT, [eof("LOGOUT")];
    eof_after_capabilities: MINIMAL, [cut("CAPABILITY")];
    eof_after_the_list: DOVECOT, [cut("LIST")];
    eof_after_what_examine_says: DOVECOT, [cut("EXAMINE"), cut("EXAMINE").skip(1)];
    eof_after_all_that_was_fetched: DOVECOT, [cut("UID FETCH"), cut("UID FETCH").skip(1)];
    eof_within_a_literal: DOVECOT, [
        Fault::on("UID FETCH", [
            Act::send("* 1 FETCH (UID 1 BODY[HEADER.FIELDS (DATE)]<0> {300}\r\nDate: Mon, 1"),
            Act::Close,
        ]),
    ];
    resets_everywhere: DOVECOT, [
        reset("GREETING"), reset("AUTHENTICATE"), reset("LIST"), reset("UID FETCH"),
    ];
    no_to_a_capability: MINIMAL, [no("CAPABILITY")];
    no_to_a_login: MINIMAL, [no("LOGIN")];
    no_to_a_sasl_login: DOVECOT, [no("AUTHENTICATE")];
    no_to_an_id: DOVECOT, [no("ID")];
    no_to_a_list: EXCHANGE, [no("LIST")];
    no_to_an_examine: DOVECOT, [no("EXAMINE")];
    no_to_a_fetch: DOVECOT, [no("UID FETCH")];
    no_to_every_other_fetch: DOVECOT, [no("UID FETCH"), no("UID FETCH").skip(1), no("UID FETCH").skip(2)];
    no_to_a_logout: DOVECOT, [no("LOGOUT")];
    no_after_all_that_was_fetched: DOVECOT, [no_after_all("UID FETCH"), no_after_all("UID FETCH").skip(1)];
    no_after_what_examine_says: DOVECOT, [no_after_all("EXAMINE")];
    bad_for_a_list: DOVECOT, [bad("LIST")];
    bad_for_an_examine: DOVECOT, [bad("EXAMINE")];
    bad_for_a_fetch: DOVECOT, [bad("UID FETCH")];
    bye_for_a_greeting: YAHOO, [bye("GREETING")];
    bye_for_a_capability: MINIMAL, [bye("CAPABILITY")];
    bye_for_a_login: MINIMAL, [bye("LOGIN")];
    bye_for_a_sasl_login: EXCHANGE, [bye("AUTHENTICATE")];
    bye_for_an_id: DOVECOT, [bye("ID")];
    bye_for_a_list: GMAIL, [bye("LIST")];
    bye_for_an_examine: GMAIL, [bye("EXAMINE")];
    bye_for_a_fetch: EXCHANGE, [bye("UID FETCH")];
}
