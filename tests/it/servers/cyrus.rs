//! Cyrus: attributes in lower case, its own order of answers, object ids nobody asked for.
//!
//! Not among the tests that run by themselves, for its package and Dovecot's exclude each other:
//! `tests/servers/cyrus` installs it apart, starts it and runs this.

use std::net::SocketAddr;

use super::{arrive, assert_clean, assert_read, count, fill};
use crate::support::client::Client;
use crate::support::generate::{letter, mailbox};
use crate::support::served;

/// The address of a Cyrus, in the clear, whose users `cyrus` (its admin) and `ann` have one password.
const ADDRESS: &str = "KEEPWARM_TEST_CYRUS";
const PASSWORD: &str = "canary";

#[test]
#[ignore = "needs the server that tests/servers/cyrus starts"]
fn cyrus_is_read_like_any_other() {
    let address = std::env::var(ADDRESS).unwrap_or_else(|_| panic!("run tests/servers/cyrus"));
    let address: SocketAddr = address.parse().unwrap();
    let mut client = Client::login(address, "ann", PASSWORD);
    client.run("CREATE \"Customers/Gro&AN8-\"");
    // Its use is told by an attribute alone, in the words of Cyrus.
    client.run("CREATE Postausgang (USE (\\Sent))");
    let mails = mailbox(65, 60);
    let first = &mails[..50];
    fill(&mut client, "Postausgang", first);
    let people = ["bo@acme.example", "ann@us.example"];
    for (name, id) in [("Customers/Gro&AN8-", "kept"), ("Trash", "trash"), ("Drafts", "draft")] {
        client.append_to(name, &letter("INBOX", people, mails[0].at, id, None));
    }

    let place = served::place(address, "ann", &format!("password = \"{PASSWORD}\""));
    for _ in 0..2 {
        place.once(&[]);
        assert_read(
            &place,
            &[
                ("INBOX", "inbox", count(first, "INBOX")),
                ("Postausgang", "sent", count(first, "Sent")),
                ("Archive", "other", 0),
                ("Customers", "other", 0),
                ("Customers/Gro&AN8-", "other", 1),
            ],
        );
    }
    arrive(&place, &mut client, "Postausgang", &mails[50..]);
    assert_clean(&place, "Cyrus");
}
