//! Cards for Teams as Microsoft's own renderer shows them, with a Markdown that makes links of whatever
//! looks like one: whoever is named in them, there are our buttons and one bold name, and nothing else.

use std::fmt::Write as _;

use keepwarm::deliver::format::Format;
use serde_json::{Value, json};

use super::{about, hostile};
use crate::support::browser::Browser;
use crate::support::served::installed;

/// What a page with the renderer does: `shown(cards)` lists the elements of each.
const RENDERER: &str = r"
const markdown = markdownit({ linkify: true });
markdown.linkify.set({ fuzzyLink: true, fuzzyEmail: true, fuzzyIP: true });
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdown.render(text);
    result.didProcess = true;
};
function shown(cards) {
    return cards.map((content) => {
        const card = new AdaptiveCards.AdaptiveCard();
        card.parse(content);
        const shown = card.render();
        document.body.replaceChildren(shown);
        const tags = [...shown.querySelectorAll('*')].map((element) => element.localName);
        return { tags, text: shown.innerText };
    });
}
";

/// A browser that shows cards.
fn renderer() -> (tempfile::TempDir, Browser) {
    let directory = tempfile::tempdir().unwrap();
    let mut page = "<!doctype html><meta charset=\"utf-8\"><body>".to_owned();
    for script in
        ["markdown-it/dist/browser/markdown-it.umd.min", "adaptivecards/dist/adaptivecards.min"]
    {
        let path = installed(&format!("npm/node_modules/{script}.js"));
        let _ = write!(page, "<script src=\"file://{}\"></script>", path.display());
    }
    let _ = write!(page, "<script>{RENDERER}</script>");
    let file = directory.path().join("renderer.html");
    std::fs::write(&file, page).unwrap();
    let browser = Browser::phone();
    browser.open(&format!("file://{}", file.display()));
    (directory, browser)
}

fn shown(browser: &Browser, cards: &[Value]) -> Vec<(Vec<String>, String)> {
    let shown = browser.look(&format!("shown({})", json!(cards)));
    let tags = |one: &Value| serde_json::from_value(one["tags"].clone()).unwrap();
    let all = shown.as_array().unwrap().iter();
    all.map(|one| (tags(one), one["text"].as_str().unwrap().to_owned())).collect()
}

/// What a card is made of; `p` and `strong` are Markdown's.
const OURS: [&str; 4] = ["div", "p", "strong", "button"];

#[test]
fn microsofts_renderer_shows_nothing_active_but_our_buttons() {
    let (_directory, browser) = renderer();
    for names in hostile::names().chunks(20) {
        // In digests, which hold what single nudges do.
        let cards: Vec<(&String, Value)> = names
            .iter()
            .flat_map(|name| about(name).into_iter().skip(6).map(move |message| (name, message)))
            .map(|(name, message)| {
                let sent = super::json(&Format::Teams, &message);
                (name, sent["attachments"][0]["content"].clone())
            })
            .collect();
        let contents: Vec<Value> = cards.iter().map(|(_, card)| card.clone()).collect();
        for ((name, card), (tags, text)) in cards.iter().zip(shown(&browser, &contents)) {
            let odd: Vec<&String> =
                tags.iter().filter(|tag| !OURS.contains(&tag.as_str())).collect();
            assert!(odd.is_empty(), "{name:?}: {odd:?} in {card}");
            let count = |tag: &str| tags.iter().filter(|found| *found == tag).count();
            let nudges = card["body"].as_array().unwrap().iter();
            let nudges = nudges.filter(|block| block["type"] == "Container").count();
            assert_eq!(
                (count("strong"), count("button")),
                (nudges, 6 * nudges),
                "{name:?}: {card}"
            );
            assert!(!text.contains("**") && text.contains("nudge"), "{name:?}: {text}");
        }
    }
}

/// The same names as they are: what the test above would find.
#[test]
fn microsofts_renderer_would_have_shown_it() {
    let (_directory, browser) = renderer();
    let raw = |name: &str| {
        json!({ "type": "AdaptiveCard", "version": "1.2",
                "body": [{ "type": "TextBlock", "text": name, "wrap": true }] })
    };
    let names = hostile::names();
    let cards: Vec<Value> = names.iter().map(|name| raw(name)).collect();
    let mut active = 0;
    for (tags, _) in cards.chunks(20).flat_map(|cards| shown(&browser, cards)) {
        active += usize::from(tags.iter().any(|tag| !["div", "p"].contains(&tag.as_str())));
    }
    assert!(active > 30, "{active} of {} names are active as they are", names.len());
}
