//! The pages in a browser, on a phone and without scripts: they can be read, the button works, and
//! what strangers put into their names does nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Desk, SOON};
use crate::support::browser::{Browser, Scheme};
use crate::support::dovecot::put;
use crate::support::generate::weekly;
use crate::support::hook::Hook;

#[test]
fn the_button_works_on_a_phone_without_scripts() {
    let hook = Hook::start();
    let desk = Desk::new(&["bo@acme.example", "eve@hooli.example"], hook.address());
    let daemon = desk.start();
    let browser = Browser::phone_without_scripts();
    browser.open("data:text/html,<p>off</p><script>document.body.innerText='on'</script>");
    assert_eq!(browser.text().trim(), "off", "scripts do not run");

    let links = desk.links(&desk.nudge("bo@acme.example"));
    let mut grounds = Vec::new();
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.prefer(scheme);
        browser.open(&links.snooze_30);
        let text = browser.text();
        assert!(text.contains("Snooze for 30 days?") && text.contains("bo@acme.example"), "{text}");
        browser.picture(&format!("ask-{scheme:?}").to_lowercase());
        assert_eq!(browser.look("document.documentElement.scrollWidth <= innerWidth"), true);
        let height = "document.querySelector('button').getBoundingClientRect().height";
        assert!(browser.look(height).as_f64().unwrap() >= 44.0, "a thumb finds it");
        let ground = "getComputedStyle(document.body).backgroundColor";
        grounds.push(browser.look(ground).as_str().unwrap().to_owned());
    }
    assert_ne!(grounds[0], grounds[1], "the policy lets the style in, and it is dark in the dark");
    assert_eq!(desk.answers(), [""; 0], "to look is not to answer");

    browser.press("button");
    browser.wait_for("Snoozed for 30 days");
    browser.wait_for("Take it back");
    browser.picture("given-dark");
    assert_eq!(desk.answers(), ["bo@acme.example snoozed snooze 30 link holds"]);
    assert_eq!(browser.look("location.href"), links.snooze_30.as_str(), "it can be loaded again");
    browser.open(&links.done);
    browser.wait_for("Answered already");
    browser.picture("otherwise-dark");
    browser.press("button");
    browser.wait_for("Taken back");
    browser.prefer(Scheme::Light);
    browser.open(&links.done);
    browser.press("button");
    browser.wait_for("Marked as done");
    browser.picture("done-light");
    browser.open(&format!("{}x", links.done));
    browser.wait_for("not valid");
    browser.picture("invalid-light");
    daemon.terminate(SOON);
}

/// Names as strangers send them, with scripts, tags and directions of writing.
#[test]
fn hostile_names_are_only_read() {
    const NAMES: [&str; 6] = [
        "<script>document.title='on'</script>",
        "<img src=x onerror=\"document.title='on'\">",
        "</bdi></main><form action=//evil.example><button>Win</button>",
        "\u{202e}elpoep 000,01 ot tnes\u{202d}",
        "<style>*{display:none}</style><meta http-equiv=refresh content=0;url=//evil.example>",
        "{{7*7}} ${7*7} <svg/onload=document.title='on'>",
    ];
    let hook = Hook::start();
    let desk = Desk::unread(&[], hook.address());
    let seconds = u64::try_from(super::now().seconds()).unwrap();
    let contacts: Vec<String> = (0..NAMES.len()).map(|n| format!("n{n}@acme.example")).collect();
    for (contact, name) in contacts.iter().zip(NAMES) {
        let word = STANDARD.encode(name);
        for mail in weekly(contact, 26, seconds - 45 * super::DAY_S) {
            let text = String::from_utf8(mail.bytes).unwrap();
            let plain = format!("From: <{contact}>");
            let named = format!("From: =?utf-8?B?{word}?= <{contact}>");
            put(&desk.place.path("ann-mail"), mail.at, text.replace(&plain, &named).as_bytes());
        }
    }
    desk.place.once(&[]);
    let daemon = desk.start();
    // Scripts may run here, if any got in.
    let browser = Browser::phone();
    for (contact, name) in contacts.iter().zip(NAMES) {
        browser.open(&desk.links(&desk.nudge(contact)).done);
        let shown = browser.look("document.querySelector('.about strong').innerText");
        let steering = |c: char| matches!(c, '\u{202d}' | '\u{202e}');
        let visible: String = name.chars().filter(|c| !steering(*c)).collect();
        assert_eq!(shown.as_str().unwrap().trim(), visible.trim(), "it is shown as it is");
        let active =
            "document.querySelectorAll('script,img,svg,[action*=evil],[http-equiv]').length";
        assert_eq!(browser.look(active), 0, "{name}");
        assert_eq!(browser.look("document.title"), "Mark this as done? – keepwarm");
        assert_eq!(browser.look("document.querySelectorAll('button').length"), 1, "{name}");
        browser.picture(&format!("hostile-{}", contact.replace("@acme.example", "")));
    }
    daemon.terminate(SOON);
}
