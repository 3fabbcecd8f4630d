//! A message for a workflow of Microsoft Teams: an Adaptive Card 1.2 in its envelope.
//!
//! Guarantees that Teams takes it (size below) and that nothing in it is active but our own
//! buttons: strangers' text is made inert for the Markdown of a `TextBlock`, and every line is a
//! block of its own, so that no line break of ours means anything either. `RichTextBlock` would
//! need none of that, and is refused or left out by some clients (microsoft/AdaptiveCards issues
//! 3544 and 8804).
//!
//! Sources: <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>
//! (envelope), <https://adaptivecards.io/explorer/> (1.2),
//! <https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features> (Markdown),
//! <https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams> (28 KB).

use serde_json::{Map, Value, json};

use super::inert::{self, inert, plain};
use super::said::{Said, Whole};

/// Bytes of a message. 28 KB are allowed, approximately.
const BYTES: usize = 27_000;

/// Bytes kept for what stands around the nudges: envelope, title, what is left out.
const AROUND: usize = 1_500;

/// Characters of a name and of a sentence.
const NAME_CHARS: usize = 80;
const SENTENCE_CHARS: usize = 300;

/// Reasons of one nudge.
const REASONS: usize = 5;

/// Buttons of one set: the answers that say when, then those that say that it is wrong.
const ACTIONS: usize = 4;

/// Bytes of one URL; a longer one is left out, as its button would be refused.
const URL_BYTES: usize = 2_000;

/// The message's body.
pub(super) fn body(whole: &Whole<'_>) -> Value {
    let looks = [("size", json!("Medium")), ("weight", json!("Bolder"))];
    let mut blocks = vec![line(&safe(&whole.title()), &looks)];
    let mut bytes = AROUND;
    let mut shown = 0;
    for said in &whole.said {
        let nudge = nudge(said);
        let size = nudge.to_string().len() + 1;
        if shown > 0 && bytes + size > BYTES {
            break;
        }
        blocks.push(nudge);
        bytes += size;
        shown += 1;
    }
    if shown < whole.said.len() {
        blocks.push(aside(&format!("+{} more", whole.said.len() - shown)));
    }
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "fallbackText": safe(&plain(&whole.in_short(), SENTENCE_CHARS)),
        "msteams": { "width": "Full" },
        "body": blocks,
    });
    json!({ "type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": card,
    }] })
}

/// One nudge, parted from what is above it by a line.
fn nudge(said: &Said<'_>) -> Value {
    let name = safe(&inert::name(said.name, NAME_CHARS));
    let behind = match safe(&inert(said.aside, NAME_CHARS)) {
        none if none.is_empty() => none,
        words => format!(" ({words})"),
    };
    let mut items = vec![line(&format!("{}: **{name}**{behind}", said.lead), &[])];
    let address = safe(&inert(said.address, NAME_CHARS));
    if !address.is_empty() {
        items.push(aside(&address));
    }
    let reasons = said.reasons.iter().take(REASONS).map(|reason| ("•", *reason));
    for (mark, sentence) in reasons.chain([("→", said.suggestion)]) {
        let sentence = safe(&inert(sentence, SENTENCE_CHARS));
        if !sentence.is_empty() {
            items.push(line(&format!("{mark} {sentence}"), &[("spacing", json!("Small"))]));
        }
    }
    let links = said.links.iter().filter(|(_, url)| url.len() <= URL_BYTES);
    let actions: Vec<Value> = links
        .map(|(label, url)| json!({ "type": "Action.OpenUrl", "title": label, "url": url }))
        .collect();
    // One set would be cut at five by hosts that say nothing else (adaptivecards, `maxActions`).
    for actions in actions.chunks(ACTIONS) {
        items.push(json!({ "type": "ActionSet", "actions": actions }));
    }
    json!({ "type": "Container", "separator": true, "items": items })
}

/// A line; `looks` are the keys by which it looks otherwise than the others.
fn line(text: &str, looks: &[(&str, Value)]) -> Value {
    let mut block = Map::new();
    block.insert("type".to_owned(), json!("TextBlock"));
    block.insert("text".to_owned(), json!(text));
    block.insert("wrap".to_owned(), json!(true));
    for (key, value) in looks {
        block.insert((*key).to_owned(), value.clone());
    }
    Value::Object(block)
}

/// A line that is there to be found by those who look for it.
fn aside(text: &str) -> Value {
    line(text, &[("isSubtle", json!(true)), ("size", json!("Small")), ("spacing", json!("None"))])
}

/// Inert text for a `TextBlock`: no HTML either, for clients that take the text for such.
fn safe(inert: &str) -> String {
    let mut letters = inert.chars().peekable();
    let mut safe = String::with_capacity(inert.len());
    while let Some(c) = letters.next() {
        let entity = letters.peek().is_some_and(|c| c.is_alphanumeric() || *c == '#');
        safe.push(match c {
            '<' => '‹',
            '>' => '›',
            '&' if entity => '＆',
            c => c,
        });
    }
    safe
}
