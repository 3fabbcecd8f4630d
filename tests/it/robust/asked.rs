//! The server asks for patience, or lets nobody in.

use super::stage::{heals, scenarios};
use crate::support::imapd::{Act, Fault};

fn says(on: &'static str, words: &'static str) -> Fault {
    Fault::on(on, [Act::send(format!("{words}\r\n"))])
}

fn ends(on: &'static str, words: &'static str) -> Fault {
    Fault::on(on, [Act::send(format!("{words}\r\n")), Act::Close])
}

scenarios! { heals;
    throttled_at_the_login: GMAIL, [says("AUTHENTICATE", "TAG NO [THROTTLED] Slow down.")];
    throttled_by_no: YAHOO, [says("UID FETCH", "TAG NO [THROTTLED] Account is throttled")];
    throttled_by_bad: EXCHANGE, [
        says("UID FETCH", "TAG BAD Request is throttled. Suggested Backoff Time: 9 milliseconds"),
    ];
    throttled_in_words_then_ended: EXCHANGE, [
        Fault::on("EXAMINE", [
            Act::send("TAG NO Request is throttled. Suggested Backoff Time: 9 milliseconds\r\n"),
            Act::send("* BYE Connection closed. 14\r\n"),
            Act::Close,
        ]),
    ];
    bandwidth_is_used_up: GMAIL, [
        ends("UID FETCH", "* BYE [OVERQUOTA] Account exceeded command or bandwidth limits. a1mb2"),
    ];
    too_many_connections_at_the_login: DOVECOT, [
        says("AUTHENTICATE", "TAG NO [LIMIT] Maximum number of connections from user+IP exceeded"),
    ];
    too_many_connections_for_a_greeting: GMAIL, [
        ends("GREETING", "* BYE Too many simultaneous connections. (Failure)"),
    ];
    logins_cannot_be_checked: DOVECOT, [
        says("AUTHENTICATE", "TAG NO [UNAVAILABLE] Temporary authentication failure."),
    ];
    authenticated_but_not_connected: EXCHANGE, [
        says("LIST", "TAG BAD User is authenticated but not connected."),
    ];
    a_mailbox_is_in_use: DOVECOT, [says("EXAMINE", "TAG NO [INUSE] Mailbox is locked")];
    logged_in_by_address: MINIMAL, [says("GREETING", "* PREAUTH Logged in as ann")];
    not_an_imap_server: EXCHANGE, [ends("GREETING", "Server Unavailable. 15")];
    the_server_fails_in_plain_text: EXCHANGE, [ends("UID FETCH", "Server Unavailable. 15")];
}
