//! Who takes part: three reps, some 120 contacts at some 30 companies, all invented.
//!
//! A contact's part in the story is its [`Arc`]; what the parts are made of is left to `arcs`.

use super::arcs::{ARCS, Arc};
use super::lots::Lots;

/// The own organisation's domain.
pub(super) const HOME: &str = "hearth.example";

/// A person of the own organisation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rep {
    /// The id in configuration and reports.
    pub(super) id: &'static str,
    /// The display name.
    pub(super) name: &'static str,
    /// What stands before the `@` of the usual address.
    pub(super) local: &'static str,
    /// The same for the alias.
    pub(super) alias: &'static str,
}

/// The reps, in the order in which the story numbers them.
pub(super) const REPS: [Rep; 3] = [
    Rep { id: "nora", name: "Nora Lindqvist", local: "nora.lindqvist", alias: "nora" },
    Rep { id: "sam", name: "Sam Okafor", local: "sam.okafor", alias: "sam" },
    Rep { id: "ines", name: "Inês Carvalho", local: "ines.carvalho", alias: "ines" },
];

/// How a contact's program writes headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// As the standards say.
    Plain,
    /// With `Thread-Topic` and `Thread-Index`.
    Outlook,
    /// Some answers without `In-Reply-To` and `References`.
    Phone,
}

/// A person outside.
#[derive(Clone, Debug)]
pub(super) struct Contact {
    /// The display name.
    pub(super) name: String,
    /// What stands before the `@`.
    pub(super) local: String,
    /// The domain as people write it; not always ASCII.
    pub(super) domain: &'static str,
    /// The rep who knows this person.
    pub(super) rep: usize,
    /// The part in the story.
    pub(super) arc: Arc,
    /// How many of the same arc and rep came before.
    pub(super) slot: i64,
    /// The usual time to answer, in minutes.
    pub(super) latency: i64,
    /// The clock of their `Date` headers, in minutes east of Greenwich.
    pub(super) offset: i32,
    /// How their program writes headers.
    pub(super) client: Client,
}

impl Contact {
    /// The address as this person's own program writes it: ASCII.
    pub(super) fn address(&self) -> String {
        let domain = idna::domain_to_ascii(self.domain).unwrap_or_else(|_| self.domain.to_owned());
        format!("{}@{domain}", self.local)
    }
}

/// Companies; some are in several parts of the story. One has an internationalised name.
const COMPANIES: [&str; 30] = [
    "alderworks.example",
    "brindle-oak.example",
    "cobaltline.example",
    "dunmore-freight.example",
    "eastquay.example",
    "fennel-and-rye.example",
    "gantrypoint.example",
    "hollowayglass.example",
    "ironmoss.example",
    "juniperlabs.example",
    "kestrelrail.example",
    "larkfield.example",
    "münzwerk.example",
    "northsill.example",
    "opalgrid.example",
    "pinebarrel.example",
    "quarrystone.example",
    "redwharf.example",
    "saltmarsh.example",
    "tamarindo.example",
    "umberworks.example",
    "valewater.example",
    "wickerbay.example",
    "xylotech.example",
    "yarrowhealth.example",
    "zinnia-foods.example",
    "bluffside.test",
    "corvane.test",
    "postfach.test",
    "freepost.example",
];

const FIRST: [&str; 30] = [
    "Ada", "Bruno", "Clara", "Dmitri", "Elif", "Felix", "Greta", "Hugo", "Iris", "Jonas", "Kavya",
    "Łucja", "Mateo", "Nadia", "Omar", "Petra", "Quinn", "Rosa", "Stefan", "Tomás", "Uma",
    "Viktor", "Wanda", "Xenia", "Yusuf", "Zoë", "Amara", "Björn", "Chiara", "Declan",
];

const LAST: [&str; 31] = [
    "Abara",
    "Bergmann",
    "Costa",
    "Doyle",
    "Eriksen",
    "Fontaine",
    "Grünwald",
    "Hale",
    "Ivanova",
    "Jansen",
    "Köhler",
    "Lindgren",
    "Moreau",
    "Nakata",
    "Ortega",
    "Petrov",
    "Quispe",
    "Rossi",
    "Svensson",
    "Tanaka",
    "Ueda",
    "Varga",
    "Whitlock",
    "Ximenes",
    "Yilmaz",
    "Zhou",
    "Ashdown",
    "Bellamy",
    "Crane",
    "Dufour",
    "Núñez",
];

/// Everybody outside, by rep and arc.
pub(super) fn contacts() -> Vec<Contact> {
    let mut cast: Vec<Contact> = Vec::new();
    for &(rep, arc, count) in ARCS {
        for slot in 0..count {
            let contact = match (arc, cast.last()) {
                (Arc::MovedTo, Some(before)) => moved(before),
                _ => contact(cast.len(), rep, arc, slot),
            };
            cast.push(contact);
        }
    }
    cast
}

fn contact(index: usize, rep: usize, arc: Arc, slot: i64) -> Contact {
    let lots = &mut Lots::of(&format!("contact {index}"));
    let first = pick(&FIRST, index * 7 + index / FIRST.len());
    let last = pick(&LAST, index * 11 + 3);
    Contact {
        name: format!("{first} {last}"),
        local: ascii(&format!("{first}.{last}")),
        domain: pick(&COMPANIES, index * 13 + index / COMPANIES.len()),
        rep,
        arc,
        slot,
        latency: lots.between(25, 700),
        offset: [0, 60, -300, 330].get(index % 4).copied().unwrap_or(0),
        client: match lots.between(0, 9) {
            0..=3 => Client::Outlook,
            4 | 5 => Client::Phone,
            _ => Client::Plain,
        },
    }
}

/// The same person at the next employer.
fn moved(before: &Contact) -> Contact {
    Contact { domain: "corvane.test", arc: Arc::MovedTo, ..before.clone() }
}

fn pick(names: &[&'static str], index: usize) -> &'static str {
    names.get(index % names.len().max(1)).copied().unwrap_or_default()
}

/// The name as it stands in an address.
fn ascii(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .map(|letter| match letter {
            'ł' => 'l',
            'á' => 'a',
            'ë' => 'e',
            'ö' => 'o',
            'ú' | 'ü' => 'u',
            'ñ' => 'n',
            other => other,
        })
        .collect()
}
