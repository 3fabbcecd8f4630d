//! What a message says to a person, whatever the form: to whom, about whom, why, and what next.
//!
//! Here is decided which parts of an event a chat shows and in which order; how they look is each
//! format's. What is said of one nudge is not inert yet.

use super::inert::name;
use super::{Item, Links, Message};
use crate::model::NudgeKind;
use crate::nudge::payload::Payload;

/// Characters of a name in a line that has several.
const NAME_CHARS: usize = 60;

/// What is said in one message.
pub(super) struct Whole<'a> {
    /// To whom.
    rep: &'a str,
    /// About what, the most at stake first.
    pub(super) said: Vec<Said<'a>>,
}

/// What is said about one nudge. All of it but `lead` and the labels of links is a stranger's text
/// or holds some.
pub(super) struct Said<'a> {
    /// What it is, before the name: `Going quiet`.
    pub(super) lead: &'static str,
    /// Whom it is about.
    pub(super) name: &'a str,
    /// What stands behind the name in brackets; may be empty.
    pub(super) aside: &'a str,
    /// The contact's address; empty where it is the name already.
    pub(super) address: &'a str,
    /// Why, the weightiest first.
    pub(super) reasons: Vec<&'a str>,
    /// What might be done; may be empty.
    pub(super) suggestion: &'a str,
    /// Labels and URLs by which the rep answers; none where there are no such links.
    pub(super) links: Vec<(&'static str, &'a str)>,
}

impl<'a> Whole<'a> {
    /// What a message says, in its order.
    pub(super) fn of(message: &'a Message) -> Self {
        let rep = message.items.first().map_or("", |item| item.event.data.rep.name.as_str());
        Self { rep, said: message.items.iter().map(said).collect() }
    }

    /// The line above all of it, inert.
    pub(super) fn title(&self) -> String {
        let nudges = if self.said.len() == 1 { "nudge" } else { "nudges" };
        format!("{} {nudges} for {}", self.said.len(), name(self.rep, NAME_CHARS))
    }

    /// All of it in one line, inert, for where there is no room for more.
    pub(super) fn in_short(&self) -> String {
        match self.said.as_slice() {
            [one] => format!("{}: {}", one.lead, name(one.name, NAME_CHARS)),
            more => {
                let names: Vec<String> =
                    more.iter().map(|said| name(said.name, NAME_CHARS)).collect();
                format!("{}: {}", self.title(), names.join(", "))
            }
        }
    }
}

fn said(item: &Item) -> Said<'_> {
    let data = &item.event.data;
    let kind = NudgeKind::ALL.into_iter().find(|kind| kind.event_type() == item.event.r#type);
    let (name, aside) = about(kind, data);
    Said {
        lead: lead(kind),
        name,
        aside,
        address: if data.contact.name == data.contact.address { "" } else { &data.contact.address },
        reasons: data.reasons.iter().map(|reason| reason.text.as_str()).collect(),
        suggestion: &data.suggestion,
        links: item.links.as_ref().map(links).unwrap_or_default(),
    }
}

/// What a kind is called before the name.
fn lead(kind: Option<NudgeKind>) -> &'static str {
    match kind {
        Some(NudgeKind::Decay) => "Going quiet",
        Some(NudgeKind::OwedReply) => "You owe a reply",
        Some(NudgeKind::StoppedAnswering) => "Does not answer any more",
        Some(NudgeKind::SingleThreaded) => "Hangs on too few people",
        Some(NudgeKind::ContactMoved) => "Has moved",
        Some(NudgeKind::NoFollowUp) => "Met, and no follow-up",
        None => "Nudge",
    }
}

/// Whom a nudge is about, and what belongs behind that: mostly a contact and the organisation.
fn about(kind: Option<NudgeKind>, data: &Payload) -> (&str, &str) {
    let contact = &data.contact;
    match (kind, &data.account, &data.moved_to) {
        (Some(NudgeKind::SingleThreaded), Some(account), _) => (&account.name, &contact.name),
        (Some(NudgeKind::ContactMoved), _, Some(moved)) => (&contact.name, &moved.organisation),
        _ => (&contact.name, &contact.organisation),
    }
}

fn links(links: &Links) -> Vec<(&'static str, &str)> {
    vec![
        ("Done", &links.done),
        ("Snooze 7 days", &links.snooze_7),
        ("Snooze 30 days", &links.snooze_30),
        ("Snooze 90 days", &links.snooze_90),
        ("Not relevant", &links.not_relevant),
        ("Wrong person", &links.wrong_person),
    ]
}
