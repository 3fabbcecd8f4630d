//! What stands on the pages, and what must never be active there.

use super::*;
use crate::model::Span;

const NOW: Timestamp = Timestamp::from_seconds(1_795_780_800);

fn about(contact: &str, organisation: &str, rep: &str) -> About {
    About {
        contact: contact.to_owned(),
        organisation: organisation.to_owned(),
        rep: rep.to_owned(),
        subject: Subject::Contact,
        zone: chrono_tz::America::New_York,
        made_at: NOW,
        done_until: NOW + Span::from_days(21),
        given: None,
    }
}

fn answered(feedback: Feedback, quiet: Quiet) -> Given {
    Given { feedback, at: NOW, quiet }
}

/// The text between tags.
fn text(html: &str) -> String {
    let body = html.split_once("<body>").unwrap().1;
    let parts = body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every tag, without what stands in it.
fn tags(html: &str) -> Vec<String> {
    let names = html.split('<').skip(1).map(|part| {
        part.trim_start_matches('/').split(['>', ' ', '\n']).next().unwrap().to_owned()
    });
    names.collect()
}

#[test]
fn a_page_says_who_and_what_follows() {
    let bo = about("Bo Li", "acme.example", "Ann Lee");
    let who = "Bo Li acme.example Nudge of 27 November 2026 to Ann Lee";
    for (feedback, title, follows, button) in [
        (
            Feedback::Done,
            "Mark this as done?",
            "until 18 December 2026. Reminders of this nudge end.",
            "Mark as done",
        ),
        (
            Feedback::Snooze7,
            "Snooze for 7 days?",
            "until 4 December 2026. If there is still a reason then, you may be told again.",
            "Snooze for 7 days",
        ),
        (
            Feedback::Snooze30,
            "Snooze for 30 days?",
            "until 27 December 2026.",
            "Snooze for 30 days",
        ),
        (
            Feedback::Snooze90,
            "Snooze for 90 days?",
            "until 25 February 2027.",
            "Snooze for 90 days",
        ),
        (
            Feedback::NotRelevant,
            "Is this not relevant?",
            "any more, until this is taken back.",
            "No more nudges about this",
        ),
        (Feedback::WrongPerson, "Is this the wrong person?", "mixed up", "It is the wrong person"),
    ] {
        let html = ask(feedback, &bo, NOW);
        let said = text(&html);
        for words in [title, who, follows, button] {
            assert!(said.contains(words), "{words:?} is not in {said:?}");
        }
        let sent = format!("name=\"confirm\" value=\"{}\"", feedback.code());
        assert!(html.contains("method=\"post\" action=\"\"") && html.contains(&sent), "{html}");
        assert_eq!(tags(&html).iter().filter(|tag| *tag == "button").count(), 2, "one button");
    }
}

#[test]
fn a_page_says_what_was_done_and_how_it_is_taken_back() {
    let bo = about("Bo Li", "acme.example", "Ann Lee");
    for (feedback, quiet, says) in [
        (Feedback::Done, Quiet::Until(NOW + Span::from_days(21)), "until 18 December 2026"),
        (Feedback::Snooze7, Quiet::Until(NOW + Span::from_days(7)), "until 4 December 2026"),
        (Feedback::NotRelevant, Quiet::ForGood, "any more, until this is taken back"),
        (Feedback::NotRelevant, Quiet::Ended, "was ended since"),
    ] {
        let html = given(&answered(feedback, quiet), &bo, "../../take_back/9/sig");
        let said = text(&html);
        assert!(said.contains("Answered on 27 November 2026.") && said.contains(says), "{said}");
        assert!(html.contains("action=\"../../take_back/9/sig\""), "{html}");
        assert!(html.contains("name=\"confirm\" value=\"take_back\""), "{html}");
    }
    let whole = About { subject: Subject::Account, ..bo.clone() };
    let said = text(&ask(Feedback::NotRelevant, &whole, NOW));
    assert!(said.contains("nudged about how this account hangs together any more"), "{said}");
    let first = answered(Feedback::Done, Quiet::Ended);
    let said = text(&otherwise(Feedback::Snooze30, &first, &bo, "x"));
    assert!(said.contains("before: done.") && said.contains("used: snooze for 30 days."), "{said}");
    assert!(text(&taken_back(&bo)).contains("No answer to this nudge is in force"));
    assert!(!taken_back(&bo).contains("<form"));
}

#[test]
fn what_strangers_chose_is_never_active() {
    for hostile in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</bdi></p></main><form action=//evil.example>",
        "</title><style>*{display:none}</style>",
        "{{ 7 * 7 }} {% include \"x\" %} ${7*7}",
        "&lt;b&gt; &amp; &#60;script&#62;",
        "<!-- ",
        "]]><svg/onload=alert(1)>",
        "javascript:alert(1)",
    ] {
        let plain = about("Bo", "acme.example", "Ann");
        let odd = about(hostile, hostile, hostile);
        let was = answered(Feedback::Snooze7, Quiet::ForGood);
        for (plain, odd) in [
            (ask(Feedback::Done, &plain, NOW), ask(Feedback::Done, &odd, NOW)),
            (given(&was, &plain, "x"), given(&was, &odd, "x")),
            (ask_back(&was, &plain), ask_back(&was, &odd)),
            (taken_back(&plain), taken_back(&odd)),
        ] {
            assert_eq!(tags(&odd), tags(&plain), "{hostile}");
            // Nothing but what our own template says stands in a tag.
            let attributes = |html: &str| {
                let inside = html.split('<').skip(1).filter_map(|part| part.split_once('>'));
                inside.map(|(inside, _)| inside.to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(attributes(&odd), attributes(&plain), "{hostile}");
        }
    }
}

#[test]
fn a_refusal_is_the_same_whatever_nudge_there_is() {
    for (html, title) in [
        (refused(Refused::Expired), "This link has expired"),
        (refused(Refused::NotOurs), "This link is not valid"),
        (gone(), "There is nothing here any more"),
    ] {
        assert!(text(&html).contains(title) && text(&html).contains("Nothing was changed."));
        assert!(!html.contains("<form") && !html.contains("class=\"about\""), "{html}");
    }
}

#[test]
fn the_policy_allows_the_style_and_nothing_else() {
    let policy = security_policy();
    let html = gone();
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = STANDARD.encode(Sha256::digest(style));
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    assert!(!html.contains("<script") && !html.contains("style=\""), "{html}");
}

/// Contrast by WCAG 2.2, "relative luminance".
#[test]
fn text_can_be_read_in_light_and_dark() {
    let colours = |block: &str| {
        let value = |name: &str| {
            let hex = block.split_once(name).unwrap().1.split([';', '}']).next().unwrap();
            let hex = hex.trim_start_matches('#');
            let long = if hex.len() == 3 {
                hex.chars().flat_map(|c| [c, c]).collect()
            } else {
                hex.to_owned()
            };
            let part = |at: usize| {
                let c = f64::from(u8::from_str_radix(long.get(at..at + 2).unwrap(), 16).unwrap())
                    / 255.0;
                if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
        };
        ["--ground:", "--text:", "--faint:", "--act:", "--on-act:"].map(value)
    };
    let contrast = |a: f64, b: f64| (a.max(b) + 0.05) / (a.min(b) + 0.05);
    let (light, dark) = STYLE.split_once("@media").unwrap();
    for block in [light, dark] {
        let [ground, text, faint, act, on_act] = colours(block);
        for (a, b) in [(ground, text), (ground, faint), (act, on_act)] {
            assert!(contrast(a, b) >= 7.0, "{} in {block}", contrast(a, b));
        }
    }
}
