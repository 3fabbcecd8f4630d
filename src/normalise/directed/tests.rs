//! Who touches whom, as a table.

use crate::model::{Automated, Direction, Envelope, Key, Person, Timestamp};
use crate::normalise::address::canonical;

use super::{Directed, LeftOut, directed};
use crate::normalise::people::Own;

fn people(addresses: &str) -> Vec<Person> {
    addresses
        .split_whitespace()
        .map(|a| Person { address: canonical(a).unwrap(), name: String::new() })
        .collect()
}

fn envelope(from: &str, to: &str, cc: &str) -> Envelope {
    Envelope {
        key: Key(1),
        aliases: Vec::new(),
        references: Vec::new(),
        at: Timestamp::from_seconds(0),
        dated: true,
        from: people(from).pop(),
        to: people(to),
        cc: people(cc),
        subject: None,
        reply_subject: false,
        automated: None,
        authenticated: None,
        thread: None,
        sent: None,
        undelivered: None,
    }
}

fn own() -> Own {
    let rep = |a: &str, id| (canonical(a).unwrap(), id);
    Own::new(
        [rep("ann@us.example", 1), rep("ann@old.test", 1), rep("ben@us.example", 2)],
        ["us.example".to_owned()],
    )
    .excluding([], ["secret.example".to_owned()])
}

/// `rep>contact/audience` for outbound, `rep<contact/audience` for inbound.
fn told(envelope: &Envelope) -> String {
    match directed(envelope, &own()) {
        Directed::LeftOut(reason) => reason.code().to_owned(),
        Directed::Excluded => "excluded".to_owned(),
        Directed::Touches(touches) => touches
            .iter()
            .map(|t| {
                let arrow = if t.direction == Direction::Outbound { '>' } else { '<' };
                format!("{}{arrow}{}/{}", t.rep, t.contact.address.local(), t.audience)
            })
            .collect::<Vec<_>>()
            .join(" "),
    }
}

#[test]
fn messages_touch_whom_they_should() {
    for (from, to, cc, expected) in [
        ("ann@us.example", "bo@acme.example", "", "1>bo/1"),
        ("ann@us.example", "bo@acme.example", "cy@acme.example carl@us.example", "1>bo/3 1>cy/3"),
        ("ann@old.test", "bo@acme.example", "ann@us.example", "1>bo/1"),
        ("ann@us.example", "bo@acme.example bo+x@acme.example", "", "1>bo/1"),
        ("bo@acme.example", "ann@us.example", "", "1<bo/1"),
        ("bo@acme.example", "ann@us.example ann@old.test", "ben@us.example", "1<bo/2 2<bo/2"),
        ("bo@acme.example", "ann@us.example bo@acme.example", "", "1<bo/1"),
        ("bo@acme.example", "carl@us.example", "", "not_addressed"),
        ("bo@acme.example", "", "", "no_recipients"),
        ("carl@us.example", "ann@us.example", "bo@acme.example", "internal"),
        ("ann@us.example", "ben@us.example", "", "internal"),
        ("ann@us.example", "ann@old.test", "", "no_recipients"),
        ("", "ann@us.example", "", "no_sender"),
        ("x@secret.example", "ann@us.example", "", "excluded"),
        ("ann@us.example", "x@secret.example", "", "excluded"),
        ("ann@us.example", "x@secret.example bo@acme.example", "", "1>bo/2"),
    ] {
        assert_eq!(told(&envelope(from, to, cc)), expected, "from {from} to {to} cc {cc}");
    }
}

#[test]
fn automated_mail_touches_nobody() {
    let robot = Envelope {
        automated: Some(Automated::List),
        ..envelope("bo@acme.example", "ann@us.example", "")
    };
    assert_eq!(directed(&robot, &own()), Directed::LeftOut(LeftOut::Automated(Automated::List)));
}
