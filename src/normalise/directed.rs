//! From an envelope to directed touches between reps and outsiders, or the reason why there are
//! none.
//!
//! A message from a rep is outbound to every outsider in To and Cc; one from an outsider is
//! inbound for every rep in To and Cc. Blind copies touch nobody (G6); colleagues and own aliases
//! make no relationship (G7).

use foldhash::{HashSet, HashSetExt};

use crate::model::{Automated, Direction, Envelope, Person};

use super::people::{Own, Who};

/// One touch that a message makes, before it is known which relationship it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Touch {
    /// The rep's row.
    pub rep: i64,
    /// The outsider.
    pub contact: Person,
    /// Which way.
    pub direction: Direction,
    /// To how many people the message was addressed, aliases folded, its writer left out.
    pub audience: u32,
}

/// Why a message makes no interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeftOut {
    /// It is automated mail.
    Automated(Automated),
    /// No writer could be read.
    NoSender,
    /// It names no recipient.
    NoRecipients,
    /// All of it is among colleagues.
    Internal,
    /// From an outsider, but no rep is in To or Cc.
    NotAddressed,
}

/// What a message is to the relationships.
#[derive(Clone, Debug, PartialEq)]
pub enum Directed {
    /// It makes these touches, at least one.
    Touches(Vec<Touch>),
    /// It is stored, but makes none.
    LeftOut(LeftOut),
    /// It must not be written down at all.
    Excluded,
}

impl LeftOut {
    /// The word for it in the database, in metrics and in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Automated(reason) => reason.code(),
            Self::NoSender => "no_sender",
            Self::NoRecipients => "no_recipients",
            Self::Internal => "internal",
            Self::NotAddressed => "not_addressed",
        }
    }

    /// What it means, for people.
    #[must_use]
    pub fn describe(code: &str) -> &'static str {
        match code {
            "list" => "mailing lists",
            "bulk" => "newsletters and bulk mail",
            "bounce" => "delivery reports",
            "auto_reply" => "out-of-office and other automatic answers",
            "auto_generated" => "messages written by machines",
            "no_reply" => "senders that take no answers",
            "calendar" => "invitations and answers of calendars",
            "many_recipients" => "mail to more than a hundred people",
            "no_sender" => "no readable sender",
            "no_recipients" => "no recipients named",
            "internal" => "mail among colleagues",
            "not_addressed" => "no rep in To or Cc (blind copies, lists)",
            "unverified" => "sender not authenticated",
            "unproven" => "claims to be from the rep, but is in no Sent mailbox",
            _ => "other reasons",
        }
    }
}

/// Decides what an envelope is to the relationships.
#[must_use]
pub fn directed(envelope: &Envelope, own: &Own) -> Directed {
    if let Some(reason) = envelope.automated {
        return Directed::LeftOut(LeftOut::Automated(reason));
    }
    let Some(from) = &envelope.from else { return Directed::LeftOut(LeftOut::NoSender) };
    let sender = own.who(&from.address);
    let everybody = [from].into_iter().chain(&envelope.to).chain(&envelope.cc);
    if sender == Who::Excluded || own.leaves_out(everybody.map(|person| &person.address)) {
        return Directed::Excluded;
    }
    let recipients = recipients(envelope, own, from, sender);
    if recipients.is_empty() {
        return Directed::LeftOut(LeftOut::NoRecipients);
    }
    let audience = u32::try_from(recipients.len()).unwrap_or(u32::MAX);
    let touches: Vec<Touch> = match sender {
        Who::Rep(rep) => recipients
            .iter()
            .filter(|(_, who)| *who == Who::Outsider)
            .map(|(person, _)| Touch {
                rep,
                contact: folded(person, own),
                direction: Direction::Outbound,
                audience,
            })
            .collect(),
        Who::Outsider => recipients
            .iter()
            .filter_map(|(_, who)| if let Who::Rep(rep) = who { Some(*rep) } else { None })
            .map(|rep| Touch {
                rep,
                contact: folded(from, own),
                direction: Direction::Inbound,
                audience,
            })
            .collect(),
        Who::Colleague | Who::Excluded => Vec::new(),
    };
    match (touches.is_empty(), sender) {
        (false, _) => Directed::Touches(touches),
        (true, Who::Outsider) => Directed::LeftOut(LeftOut::NotAddressed),
        (true, _) if recipients.iter().any(|(_, who)| *who == Who::Excluded) => Directed::Excluded,
        (true, _) => Directed::LeftOut(LeftOut::Internal),
    }
}

/// The person under the one spelling of the address.
fn folded(person: &Person, own: &Own) -> Person {
    Person { address: own.fold(&person.address).into_owned(), name: person.name.clone() }
}

/// The people in To and Cc, each once: a rep's aliases are one, and the writer is none of them.
pub(super) fn recipients<'a>(
    envelope: &'a Envelope,
    own: &Own,
    from: &Person,
    sender: Who,
) -> Vec<(&'a Person, Who)> {
    let mut addresses = HashSet::new();
    let mut reps = HashSet::new();
    let writer = own.fold(&from.address);
    let mut found = Vec::with_capacity(envelope.to.len() + envelope.cc.len());
    for person in envelope.to.iter().chain(&envelope.cc) {
        let address = own.fold(&person.address);
        let who = own.who_is(&address);
        if address == writer || matches!(who, Who::Rep(_)) && who == sender {
            continue;
        }
        let is_new = match who {
            Who::Rep(rep) => reps.insert(rep),
            _ => addresses.insert(address),
        };
        if is_new {
            found.push((person, who));
        }
    }
    found
}

#[cfg(test)]
mod tests;
