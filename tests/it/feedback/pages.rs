//! The pages in a browser, on a phone and without scripts: they can be read, the button works, and
//! what strangers put into their names does nothing.

use super::{Desk, SOON};
use crate::format::hostile;
use crate::support::browser::{Browser, Scheme};
use crate::support::dump::execute;
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

/// Whatever a name says, the page has the parts that it has for a plain one, at the same places.
#[test]
fn hostile_names_are_only_read() {
    let hook = Hook::start();
    let desk = Desk::new(&["bo@acme.example"], hook.address());
    let daemon = desk.start();
    // Scripts may run here, if any got in.
    let browser = Browser::phone();
    let url = desk.links(&desk.nudge("bo@acme.example")).done;
    let parts = "[document.title, document.querySelectorAll('*').length,
                  document.querySelectorAll('script,img,svg,a,[http-equiv],[onerror]').length,
                  document.querySelector('form').getAttribute('action'),
                  document.querySelector('.faint').getBoundingClientRect().left,
                  document.querySelector('button').innerText,
                  document.documentElement.scrollWidth <= innerWidth]";
    let mut plain = None;
    let names = hostile::names();
    for (number, name) in ["Bo Li".to_owned()].iter().chain(&names).enumerate() {
        // As if nothing had looked at it on its way here.
        let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let sql = format!("UPDATE address SET name = CAST(x'{hex}' AS TEXT)");
        execute(&desk.place.database(), &sql);
        let tags = tags(&desk.get(desk.path(&url)).body);
        let (first_tags, first_parts) = plain.get_or_insert_with(|| {
            browser.open(&url);
            (tags.clone(), browser.look(parts))
        });
        assert_eq!(&tags, first_tags, "{name:?}");
        browser.open(&url);
        assert_eq!(&browser.look(parts), first_parts, "{name:?}");
        if number % 40 == 21 {
            browser.picture(&format!("hostile-{number}"));
        }
    }
    assert!(names.len() > 100);
    assert_eq!(plain.unwrap().1[0], "Mark this as done? – keepwarm");
    daemon.terminate(SOON);
}

/// Everything that stands in a tag.
fn tags(html: &str) -> Vec<String> {
    html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap().to_owned()).collect()
}
