//! A message for an incoming webhook of Slack: blocks with mrkdwn, and a text for notifications.
//!
//! Guarantees that Slack takes it (limits below) and that nothing in it is active but our own links:
//! strangers' text is made inert, then `&`, `<` and `>` are escaped, and `verbatim` keeps Slack from
//! making links and mentions of what is left. Links instead of buttons: a webhook has no app behind
//! it that could take a click. Nothing is unfurled, so that Slack does not open the links either.
//!
//! Sources: <https://docs.slack.dev/reference/block-kit/composition-objects/text-object> (3,000
//! characters, `verbatim`), <https://docs.slack.dev/messaging/formatting-message-text> (escaping),
//! <https://docs.slack.dev/reference/block-kit/blocks> (50 blocks),
//! <https://docs.slack.dev/changelog/2018-04-truncating-really-long-messages> (40,000 characters).

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::inert::{self, inert, plain};
use super::said::{Said, Whole};

/// Blocks of a message.
const BLOCKS: usize = 50;

/// Characters of one text object, escapes and URLs included.
const TEXT_CHARS: usize = 3_000;

/// Characters of all blocks together. 40,000 are documented, of the text; beyond some 13,000
/// messages with blocks were refused as `msg_blocks_too_long` (slackapi/bolt-js issue 2509).
const ALL_CHARS: usize = 12_000;

/// Characters of a header, escapes included.
const TITLE_CHARS: usize = 150;

/// Characters of the text that notifications show.
const FALLBACK_CHARS: usize = 300;

/// Characters of an address (RFC 5321, 4.5.3.1.3).
const ADDRESS_CHARS: usize = 254;

/// Characters of a name and of a sentence.
const NAME_CHARS: usize = 80;
const SENTENCE_CHARS: usize = 300;

/// The message's body.
pub(super) fn body(whole: &Whole<'_>) -> Value {
    let title = escaped(&whole.title(), TITLE_CHARS);
    let title = json!({ "type": "plain_text", "text": title, "emoji": false });
    let mut blocks = vec![json!({ "type": "header", "text": title })];
    let mut chars = 0;
    let mut shown = 0;
    for said in &whole.said {
        let more = nudge(said);
        let size: usize = more.iter().map(size).sum();
        // The last block is kept for what is left out; the first nudge fits by its own limits.
        let full = blocks.len() + more.len() >= BLOCKS || chars + size > ALL_CHARS;
        if shown > 0 && full {
            break;
        }
        blocks.extend(more);
        chars += size;
        shown += 1;
    }
    if shown < whole.said.len() {
        let more = format!("+{} more", whole.said.len() - shown);
        blocks.push(context(&[mrkdwn(&more)]));
    }
    let fallback = escaped(&plain(&whole.in_short(), FALLBACK_CHARS), TEXT_CHARS);
    json!({
        "text": fallback, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false,
        "blocks": blocks,
    })
}

/// The blocks of one nudge: what is said, and how to answer.
fn nudge(said: &Said<'_>) -> Vec<Value> {
    let mut blocks = vec![json!({ "type": "section", "text": mrkdwn(&section(said)) })];
    let mut below = Vec::new();
    let address = escaped(&plain(said.address, ADDRESS_CHARS), TEXT_CHARS);
    if !address.is_empty() {
        below.push(json!({ "type": "plain_text", "text": address, "emoji": false }));
    }
    let links = links(said);
    if !links.is_empty() {
        below.push(mrkdwn(&links));
    }
    if !below.is_empty() {
        blocks.push(context(&below));
    }
    blocks
}

/// The text of a nudge: a line for the name, one for each reason, one for what to do.
fn section(said: &Said<'_>) -> String {
    let name = |text: &str| escaped(text, 5 * NAME_CHARS);
    let sentence = |text: &str| escaped(&inert(text, SENTENCE_CHARS), 3 * SENTENCE_CHARS);
    let mut text = format!("{}: *{}*", said.lead, name(&inert::name(said.name, NAME_CHARS)));
    let aside = inert(said.aside, NAME_CHARS);
    if !aside.is_empty() {
        let _ = write!(text, " ({})", name(&aside));
    }
    let next = match sentence(said.suggestion) {
        none if none.is_empty() => none,
        words => format!("\n→ {words}"),
    };
    let room = TEXT_CHARS - length(&next);
    for reason in said.reasons.iter().map(|text| sentence(text)).filter(|text| !text.is_empty()) {
        let line = format!("\n• {reason}");
        if length(&text) + length(&line) > room {
            break;
        }
        text.push_str(&line);
    }
    text + &next
}

/// The links by which the rep answers, as many as fit.
fn links(said: &Said<'_>) -> String {
    let mut text = String::new();
    for (label, url) in &said.links {
        let between = if text.is_empty() { "" } else { " · " };
        let link = format!("{between}<{}|{label}>", address(url));
        if length(&text) + length(&link) > TEXT_CHARS {
            break;
        }
        text.push_str(&link);
    }
    text
}

/// A URL as it stands in a link: what would end it is percent-encoded.
fn address(url: &str) -> String {
    url.replace('&', "&amp;").replace('<', "%3C").replace('>', "%3E").replace('|', "%7C")
}

fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

fn context(elements: &[Value]) -> Value {
    json!({ "type": "context", "elements": elements })
}

/// The three characters that Slack asks to escape, and no other; cut where it would be longer than
/// `most` with its escapes.
fn escaped(text: &str, most: usize) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut length = 0;
    for c in text.chars() {
        let mut utf8 = [0; 4];
        let written = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            c => c.encode_utf8(&mut utf8),
        };
        length += self::length(written);
        if length > most {
            break;
        }
        safe.push_str(written);
    }
    safe
}

/// The characters of a block, as it is sent.
fn size(block: &Value) -> usize {
    length(&block.to_string())
}

/// Characters as JavaScript counts them, which is never fewer than others do.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
