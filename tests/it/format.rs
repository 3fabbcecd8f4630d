//! What endpoints are sent, whoever is named in it: nothing in it is active but what we put there.

pub(crate) mod hostile;
mod rendered;
mod schemas;
mod template;

use keepwarm::deliver::format::fixture::{digest, item, messages};
use keepwarm::deliver::format::{Format, Item, Message, render};
use keepwarm::model::NudgeKind;
use serde_json::Value;

/// The body of a message in a format.
fn body(format: &Format, message: &Message) -> String {
    render(format, message).unwrap_or_else(|error| panic!("{error}: {message:?}")).body
}

fn json(format: &Format, message: &Message) -> Value {
    serde_json::from_str(&body(format, message)).unwrap()
}

/// Messages in which a name is everything that a stranger can choose, for each kind.
fn about(name: &str) -> Vec<Message> {
    let everywhere = |kind: NudgeKind| -> Item {
        let mut item = item(kind, name, true).unwrap();
        let data = &mut item.event.data;
        data.contact.organisation = name.to_owned();
        data.contact.address = name.to_owned();
        data.rep.name = name.to_owned();
        for reason in &mut data.reasons {
            reason.text = name.to_owned();
        }
        data.suggestion = name.to_owned();
        if let Some(account) = &mut data.account {
            account.name = name.to_owned();
        }
        if let Some(moved) = &mut data.moved_to {
            moved.organisation = name.to_owned();
        }
        item
    };
    let mut all: Vec<Message> = NudgeKind::ALL.map(|kind| digest(vec![everywhere(kind)])).into();
    let real = NudgeKind::ALL.into_iter().map(|kind| item(kind, name, true).unwrap());
    all.push(digest(real.collect()));
    all.push(digest(NudgeKind::ALL.map(everywhere).into()));
    all
}

/// Every string in a document, with its path.
fn strings(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Array(items) => {
            items.iter().for_each(|item| strings(item, &format!("{path}/-"), found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| strings(value, &format!("{path}/{key}"), found));
        }
        _ => {}
    }
}

/// Characters that nobody sees, and that change what is seen.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

const OURS: &str = "https://keepwarm.us.example/n/";

/// What is left of a text of Slack when our own links and line ends are taken out: no `<` is left,
/// unless somebody else has brought a link.
fn without_our_links(text: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&format!("<{OURS}")) {
        left.push_str(before);
        let (link, behind) = after.split_once('>').unwrap();
        let (url, label) = link.split_once('|').unwrap();
        assert!(!url.contains(['<', '|', '"', ' ']), "{text}");
        assert!(label.chars().all(|c| c.is_ascii_alphanumeric() || c == ' '), "{text}");
        rest = behind;
    }
    left + rest
}

#[test]
fn there_are_more_than_a_hundred_hostile_names_and_no_two_alike() {
    let mut names = hostile::names();
    assert!(names.len() > 150, "{}", names.len());
    names.sort();
    names.dedup();
    assert_eq!(names.len(), hostile::names().len());
}

#[test]
fn nothing_that_a_stranger_writes_is_active_in_slack() {
    for name in hostile::names() {
        for message in about(&name) {
            let sent = json(&Format::Slack, &message);
            let mut found = Vec::new();
            strings(&sent, "", &mut found);
            for (path, text) in found.iter().filter(|(path, _)| path.ends_with("/text")) {
                let told = format!("{name:?} at {path}: {text}");
                let plain = without_our_links(text);
                assert!(!plain.contains(['<', '>']), "{told}");
                assert!(!plain.chars().any(|c| c != '\n' && is_unseen(c)), "{told}");
                let decoded = ["&amp;", "&lt;", "&gt;"];
                let escapes: usize = decoded.iter().map(|e| plain.matches(e).count()).sum();
                assert_eq!(plain.matches('&').count(), escapes, "an & is escaped: {told}");
            }
            slack_markup(&name, &sent);
            slack_limits(&name, &sent);
        }
    }
}

/// Formatting is ours: one bold name in the first line of a section, and nothing else.
fn slack_markup(name: &str, sent: &Value) {
    for block in sent["blocks"].as_array().unwrap() {
        let elements = block["elements"].as_array().into_iter().flatten();
        for text in std::iter::once(&block["text"]).chain(elements).filter(|text| text.is_object())
        {
            let words = text["text"].as_str().unwrap();
            let told = format!("{name:?}: {words}");
            if text["type"] == "plain_text" {
                assert_eq!(text["emoji"], false, "{told}");
                continue;
            }
            assert_eq!(text["type"], "mrkdwn", "{told}");
            assert_eq!(text["verbatim"], true, "{told}");
            let plain = without_our_links(words);
            let bold = if block["type"] == "section" { 2 } else { 0 };
            assert_eq!(plain.matches('*').count(), bold, "{told}");
            let lead = plain.split('*').next().unwrap();
            assert!(!plain.contains(['_', '~', '`']), "{told}");
            assert_eq!(plain.matches(':').count(), lead.matches(':').count(), "{told}");
            for line in plain.lines().skip(1) {
                assert!(line.starts_with("• ") || line.starts_with("→ "), "{told}");
            }
            for mention in ["@here", "@channel", "@everyone", "#general"] {
                assert!(!plain.contains(mention), "{told}");
            }
        }
    }
}

fn slack_limits(name: &str, sent: &Value) {
    let count = |text: &str| text.encode_utf16().count();
    let blocks = sent["blocks"].as_array().unwrap();
    assert!((1..=50).contains(&blocks.len()), "{name:?}");
    assert!(count(&sent["blocks"].to_string()) < 13_000, "{name:?}");
    assert!(count(sent["text"].as_str().unwrap()) <= 3_000, "{name:?}");
    for block in blocks {
        let most = if block["type"] == "header" { 150 } else { 3_000 };
        let mut found = Vec::new();
        strings(block, "", &mut found);
        for (path, text) in found {
            assert!(count(&text) <= most, "{name:?} at {path}: {} characters", count(&text));
            assert!(!text.is_empty(), "{name:?} at {path}");
        }
        assert!(block["elements"].as_array().is_none_or(|elements| elements.len() <= 10));
    }
}

#[test]
fn nothing_that_a_stranger_writes_is_active_in_teams() {
    for name in hostile::names() {
        for message in about(&name) {
            let sent = json(&Format::Teams, &message);
            assert!(body(&Format::Teams, &message).len() <= 28 * 1024, "{name:?}");
            let card = &sent["attachments"][0]["content"];
            assert_eq!(card["version"], "1.2");
            assert!(sent.get("entities").is_none() && card["msteams"].get("entities").is_none());
            let mut found = Vec::new();
            strings(card, "", &mut found);
            for (path, text) in found {
                teams_text(&format!("{name:?} at {path}: {text}"), &path, &text);
            }
        }
    }
}

/// What may stand where in a card.
fn teams_text(told: &str, path: &str, text: &str) {
    let leaf = path.rsplit('/').next().unwrap();
    match leaf {
        "url" => assert!(text.starts_with(OURS) && !text.contains(['<', '"', ' ']), "{told}"),
        "text" | "fallbackText" => {
            let bold = if text.contains(": **") { 2 } else { 0 };
            assert_eq!(text.matches("**").count(), bold, "{told}");
            let plain = text.replace("**", "");
            let markup = ['*', '_', '[', ']', '`', '~', '\\', '<', '>', '{', '}', '\n', '\r'];
            assert!(!plain.contains(markup), "{told}");
            assert!(!plain.chars().any(is_unseen), "{told}");
            let more = plain.starts_with('+') && plain.ends_with(" more");
            assert!(more || !plain.starts_with(['-', '+', '#', '>', '=', '|']), "{told}");
            assert!(!plain.contains("://") && !plain.contains("www."), "{told}");
            let entity = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '#');
            assert!(!plain.split('&').skip(1).any(entity), "{told}");
        }
        // Keys of the card whose values are words of ours.
        _ => assert!(
            text.chars().all(|c| c.is_ascii_alphanumeric() || " .:/-".contains(c)),
            "{told}"
        ),
    }
}

/// A host's name is not made a link, nor an address by any but its own letters.
#[test]
fn no_name_of_a_host_is_left_that_a_client_could_make_a_link() {
    for name in hostile::names() {
        for format in [Format::Slack, Format::Teams] {
            for message in about(&name) {
                let mut found = Vec::new();
                strings(&json(&format, &message), "", &mut found);
                let shown = found.iter().filter(|(path, _)| {
                    path.ends_with("/text") && !path.ends_with("/elements/-/text")
                });
                for (path, text) in shown {
                    let plain = without_our_links(text);
                    let letters: Vec<char> = plain.chars().collect();
                    let dotted = letters.windows(3).any(|three| {
                        three[1] == '.' && three[0].is_alphanumeric() && three[2].is_alphanumeric()
                    });
                    assert!(!dotted, "{name:?} at {path}: {text}");
                }
            }
        }
    }
}

/// Each kind, a digest and one about people with odd names, in each format.
#[test]
fn messages_look_so() {
    for (format, word) in
        [(Format::Standard, "standard"), (Format::Slack, "slack"), (Format::Teams, "teams")]
    {
        let mut all = String::new();
        let without = messages(false).into_iter().take(1);
        let without = without.map(|(what, message)| (format!("{what}, without links"), message));
        for (what, message) in messages(true).into_iter().chain(without) {
            let pretty = serde_json::to_string_pretty(&json(&format, &message)).unwrap();
            all += &format!("=== {what}\n{pretty}\n");
        }
        insta::assert_snapshot!(word, all);
    }
}

/// One line for each hostile name as it is shown, which somebody can read through.
#[test]
fn hostile_names_look_so() {
    let mut lines = String::new();
    for name in hostile::names() {
        let message = digest(vec![item(NudgeKind::Decay, &name, false).unwrap()]);
        let slack = json(&Format::Slack, &message);
        let slack =
            slack["blocks"][0]["text"]["text"].as_str().unwrap().lines().next().unwrap().to_owned();
        let teams = json(&Format::Teams, &message);
        let teams = &teams["attachments"][0]["content"]["body"][1]["items"][0]["text"];
        let short: String = name.chars().take(60).collect();
        lines += &format!("{short:?}\n  slack {slack}\n  teams {}\n", teams.as_str().unwrap());
    }
    insta::assert_snapshot!(lines);
}

/// Checks of events that were really made, as stored: they are valid by their schemas, and can be sent
/// in every format, alone and several at once.
pub(crate) fn fit(stored: &[String]) {
    for (event, said) in stored.iter().zip(schemas::judged(stored)) {
        assert_eq!(said, "valid", "{event}");
    }
    let items: Vec<Item> = stored
        .iter()
        .map(|stored| {
            let event = serde_json::from_str(stored).unwrap();
            Item { event, stored: stored.clone(), links: None }
        })
        .collect();
    let alone = items.iter().map(|item| Message {
        id: item.event.data.nudge_id.clone(),
        at: item.event.timestamp,
        items: vec![item.clone()],
    });
    for message in alone.chain(items.chunks(9).map(|items| digest(items.to_vec()))) {
        slack_limits("", &json(&Format::Slack, &message));
        assert!(body(&Format::Teams, &message).len() <= 28 * 1024);
    }
    let digests: Vec<String> =
        items.chunks(9).map(|items| body(&Format::Standard, &digest(items.to_vec()))).collect();
    for (digest, said) in digests.iter().zip(schemas::judged(&digests)) {
        assert_eq!(said, "valid", "{digest}");
    }
}

#[test]
fn what_does_not_fit_is_counted() {
    for (format, tail) in [(Format::Slack, "/elements/-/text"), (Format::Teams, "/text")] {
        for count in [1, 2, 5, 24, 25, 60, 500] {
            let items: Vec<Item> = (0..count)
                .map(|n| item(NudgeKind::Decay, &format!("Bo {n}"), true).unwrap())
                .collect();
            let sent = json(&format, &digest(items));
            let mut found = Vec::new();
            strings(&sent, "", &mut found);
            let shown = (0..count).filter(|n| {
                let name = format!("*Bo {n}*");
                found.iter().any(|(_, text)| text.contains(&name))
            });
            let shown = shown.count();
            let more =
                found.iter().filter(|(path, _)| path.ends_with(tail)).find_map(|(_, text)| {
                    text.strip_prefix('+')?.strip_suffix(" more")?.parse::<usize>().ok()
                });
            assert_eq!(shown + more.unwrap_or(0), count, "{format:?}: {sent}");
            assert!(shown >= count.min(5), "{format:?} shows {shown} of {count}");
            assert!(found.iter().any(|(_, text)| text.contains("*Bo 0*")), "the first is there");
        }
    }
}
