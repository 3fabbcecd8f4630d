//! Messages that nobody is sent: what a template is tried with before it is used.
//!
//! One of each kind, a digest of them all, and one about people whose names are no names.

use serde_json::{Value, json};

use super::{Item, Links, Message};
use crate::model::{NudgeKind, Timestamp};

/// Names that break what is not written with care.
const ODD_NAMES: [&str; 6] = [
    "Bo \"the Closer\" O'Brien \\ Sons",
    "<script>alert(1)</script> & Co. ]]>",
    "{{ 7 * 7 }} {% include 'x' %} ${HOME}",
    "*Bo* _Li_ [here](https://evil.example) <!channel> @here",
    "陳大文 🧑🏽‍💻 Ünïcödé İı",
    "n\u{2028}a\tm\re\u{0}",
];

/// When they are written.
const AT: Timestamp = Timestamp::from_seconds(1_795_161_600);

/// A message for each of these, by what it is.
#[must_use]
pub fn messages(links: bool) -> Vec<(String, Message)> {
    let mut messages: Vec<(String, Message)> = NudgeKind::ALL
        .into_iter()
        .map(|kind| (format!("a nudge {}", kind.code()), message(kind, links)))
        .collect();
    let all: Vec<Item> =
        NudgeKind::ALL.into_iter().filter_map(|k| item(k, "Bo Li", links)).collect();
    messages.push(("a digest".to_owned(), digest(all)));
    let odd: Vec<Item> =
        ODD_NAMES.iter().filter_map(|name| item(NudgeKind::Decay, name, links)).collect();
    messages.push(("a digest with odd names".to_owned(), digest(odd)));
    messages
}

/// A message of one nudge.
#[must_use]
pub fn message(kind: NudgeKind, links: bool) -> Message {
    let items: Vec<Item> = item(kind, "Bo Li", links).into_iter().collect();
    let id = items.first().map(|item| item.event.data.nudge_id.clone()).unwrap_or_default();
    Message { id, at: AT, items }
}

/// A message of several nudges.
#[must_use]
pub fn digest(items: Vec<Item>) -> Message {
    Message { id: "dig_aaaaaaaaaaaaaaaaaaa".to_owned(), at: AT, items }
}

/// A nudge of that kind about somebody of that name; never none.
#[must_use]
pub fn item(kind: NudgeKind, name: &str, links: bool) -> Option<Item> {
    let event = json!({ "type": kind.event_type(), "timestamp": AT, "data": data(kind, name) });
    let links = links.then(|| {
        let link =
            |what: &str| format!("https://keepwarm.us.example/n/{what}?t=0123456789abcdef&k=1");
        Links {
            done: link("done"),
            snooze_7: link("snooze-7"),
            snooze_30: link("snooze-30"),
            snooze_90: link("snooze-90"),
            not_relevant: link("not-relevant"),
            wrong_person: link("wrong-person"),
        }
    });
    let stored = event.to_string();
    Some(Item { event: serde_json::from_value(event).ok()?, stored, links })
}

fn data(kind: NudgeKind, name: &str) -> Value {
    let mut data = json!({
        "nudge_id": format!("ndg_{}", "a".repeat(19)),
        "episode_id": format!("eps_{}", "b".repeat(19)),
        "rep": { "id": "ann", "name": "Ann Lee", "address": "ann@us.example" },
        "contact": {
            "id": format!("con_{}", "c".repeat(19)),
            "name": name, "address": "bo@acme.example", "organisation": "acme.example",
        },
        "strength": { "now": 31.2, "baseline": 72.0, "band": "cooling" },
        "reasons": reasons(kind, name),
        "last_interaction":
            { "at": "2026-10-11T09:12:00Z", "kind": "meeting", "direction": "mutual" },
        "suggestion": format!("Follow up on your meeting with {name} of 11 October 2026."),
        "data_fresh_at": "2026-11-21T07:55:00Z",
    });
    let more = match kind {
        NudgeKind::SingleThreaded => json!({ "account":
            { "name": "Acme", "strong": 1, "target": 5, "top_share": 0.81 } }),
        NudgeKind::ContactMoved => json!({ "moved_to":
            { "address": "bo@globex.example", "organisation": "globex.example" } }),
        _ => json!({ "reminder": 1 }),
    };
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    data
}

fn reasons(kind: NudgeKind, name: &str) -> Value {
    match kind {
        NudgeKind::Decay => json!([
            { "code": "silence", "days": 41, "usual_gap_days": 12,
              "text": "No two-way contact for 41 days; usually every 12 days." },
            { "code": "drop", "text": "Strength 31, down from 72 at its best." },
        ]),
        kind => json!([
            { "code": kind.code(), "text": format!("Something is to be said of {name}.") },
        ]),
    }
}
