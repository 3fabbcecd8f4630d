//! A server that can do next to nothing (pymap): no SPECIAL-USE, no LIST-EXTENDED, no COMPRESS.

use super::{arrive, assert_clean, assert_read, count, fill};
use crate::support::generate::{letter, mailbox};
use crate::support::served::{self, PASSWORD, Served, USER};

#[test]
fn a_minimal_server_is_read_by_the_names_of_its_mailboxes() {
    let server = Served::pymap();
    let mut client = server.client();
    for name in ["Gesendete Elemente", "Customers/Acme", "Entw&APw-rfe", "Trash"] {
        client.run(&format!("CREATE \"{name}\""));
    }
    let mails = mailbox(61, 60);
    fill(&mut client, "Gesendete Elemente", &mails[..50]);
    let people = ["bo@acme.example", "ann@us.example"];
    client.append_to("Customers/Acme", &letter("INBOX", people, mails[0].at, "kept", None));
    for unread in ["Entw&APw-rfe", "Trash"] {
        client.append_to(unread, &letter("INBOX", people, mails[0].at, unread, None));
    }

    let login = format!("password = \"{PASSWORD}\"");
    let place = served::place(server.address, USER, &login);
    for pass in ["first", "second"] {
        let ran = place.once(&[]);
        assert!(!ran.stderr.contains("WARN"), "{pass}: {}", ran.stderr);
        assert_read(
            &place,
            &[
                ("INBOX", "inbox", count(&mails[..50], "INBOX")),
                ("Gesendete Elemente", "sent", count(&mails[..50], "Sent")),
                ("Customers/Acme", "other", 1),
            ],
        );
    }
    arrive(&place, &mut client, "Gesendete Elemente", &mails[50..]);
    assert_clean(&place, "pymap");
}
