//! Mail among reps: it makes no relationship (G7), but tells who could introduce whom.

use crate::model::Envelope;

use super::directed::recipients;
use super::people::{Own, Who};

/// A message from one rep to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// The row of the rep who wrote it.
    pub from: i64,
    /// The row of a rep in To or Cc.
    pub to: i64,
    /// To how many people it was addressed, aliases folded, its writer left out.
    pub audience: u32,
}

/// Which reps a message goes between; none if a machine wrote it or somebody who is no rep.
#[must_use]
pub fn between(envelope: &Envelope, own: &Own) -> Vec<Between> {
    let (None, Some(sender)) = (envelope.automated, &envelope.from) else { return Vec::new() };
    let who = own.who(&sender.address);
    let Who::Rep(from) = who else { return Vec::new() };
    let is_rep = |address| matches!(own.who(address), Who::Rep(_));
    if !envelope.to.iter().chain(&envelope.cc).any(|person| is_rep(&person.address)) {
        return Vec::new();
    }
    let recipients = recipients(envelope, own, sender, who);
    let audience = u32::try_from(recipients.len()).unwrap_or(u32::MAX);
    let reps = recipients.iter().filter_map(|(_, who)| match who {
        Who::Rep(to) => Some(Between { from, to: *to, audience }),
        Who::Colleague | Who::Outsider | Who::Excluded => None,
    });
    reps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Automated, Key, Person, Timestamp};
    use crate::normalise::address::canonical;

    fn person(address: &str) -> Person {
        Person { address: canonical(address).unwrap(), name: String::new() }
    }

    fn envelope(from: &str, to: &str, cc: &str) -> Envelope {
        let people = |list: &str| list.split(' ').filter(|a| !a.is_empty()).map(person).collect();
        Envelope {
            key: Key(1),
            aliases: Vec::new(),
            references: Vec::new(),
            at: Timestamp::from_seconds(0),
            dated: true,
            from: Some(person(from)),
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

    #[test]
    fn only_what_a_rep_writes_to_another_is_between_them() {
        let address = |text: &str| canonical(text).unwrap();
        let reps = [("ann@us.example", 1), ("bob@us.example", 2), ("bob@old.example", 2)];
        let own = Own::new(reps.map(|(a, row)| (address(a), row)), ["us.example".to_owned()]);
        for (from, to, cc, expected) in [
            ("ann@us.example", "bob@us.example", "", vec![(1, 2, 1)]),
            ("ann@us.example", "bob@us.example bob@old.example", "", vec![(1, 2, 1)]),
            ("bob@old.example", "bo@acme.example", "ann@us.example", vec![(2, 1, 2)]),
            ("bob@old.example", "bob@us.example carl@us.example", "", vec![]),
            ("carl@us.example", "ann@us.example", "", vec![]),
            ("bo@acme.example", "ann@us.example bob@us.example", "", vec![]),
        ] {
            let found = between(&envelope(from, to, cc), &own);
            let found: Vec<_> = found.iter().map(|b| (b.from, b.to, b.audience)).collect();
            assert_eq!(found, expected, "{from} to {to}, {cc}");
        }
        let mut machine = envelope("ann@us.example", "bob@us.example", "");
        machine.automated = Some(Automated::AutoReply);
        assert_eq!(between(&machine, &own), []);
    }
}
