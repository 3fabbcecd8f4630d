//! Endpoints of several formats side by side: what each is sent, and who is not told at all.

use serde_json::Value;

use super::now_s;
use super::nudges::{SECRET, went_quiet};
use crate::support::dump::nudges;
use crate::support::hook::Hook;
use crate::support::process::Place;

/// An endpoint by its lines.
fn with(place: Place, name: &str, hook: &Hook, lines: &str) -> Place {
    place.with(&format!("[[endpoint]]\nname = \"{name}\"\nurl = \"{}\"\n{lines}", hook.url()))
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

#[test]
fn every_endpoint_is_told_in_its_own_way() {
    let (crm, slack, teams, own, broken) =
        (Hook::start(), Hook::start(), Hook::start(), Hook::start(), Hook::start());
    let place = Place::new().maildir("ann-mail").endpoint("crm", crm.address(), SECRET);
    let place = with(place, "slack", &slack, "format = \"slack\"");
    let place = with(place, "teams", &teams, &format!("format = \"teams\"\nsecret = \"{SECRET}\""));
    std::fs::write(place.path("own.txt"), "{{ nudge.contact.name }} / {{ rep.id }}\n").unwrap();
    let lines = "format = \"template\"\ntemplate_file = \"own.txt\"\ncontent_type = \"text/plain\"";
    let place = with(place, "own", &own, lines);
    let lines = "format = \"template\"\ntemplate = \"{{ nudge.no_such_thing }}\"";
    let place = with(place, "broken", &broken, lines);
    for contact in ["bo@acme.example", "eve@hooli.example"] {
        went_quiet(&place, "ann-mail", contact, now_s(), 45);
    }
    let ran = place.once(&[]);

    let gave_up = ran.stderr.matches("it could not be written").count();
    assert!(gave_up == 2 && !ran.stderr.contains("no_such_thing"), "{}", ran.stderr);
    assert_eq!(crm.requests().len(), 2, "an event for each");
    let [digest] = slack.requests().try_into().unwrap();
    assert_eq!((digest.content_type.as_str(), digest.signature.as_str()), ("application/json", ""));
    assert!(digest.id.starts_with("dig_"), "{digest:?}");
    let blocks = json(&digest.body)["blocks"].clone();
    assert_eq!(blocks[0]["text"]["text"], "2 nudges for Ann Lee", "{blocks}");
    let [card] = teams.requests().try_into().unwrap();
    assert!(card.is_signed_with(SECRET), "{card:?}");
    assert_eq!(card.content_type, "application/json; charset=utf-8");
    let content = json(&card.body)["attachments"][0]["content"].clone();
    assert_eq!(content["body"].as_array().unwrap().len(), 3, "a title and two nudges: {content}");
    let mut lines: Vec<String> = own.requests().into_iter().map(|r| r.body).collect();
    lines.sort();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.ends_with(" / ann")), "{lines:?}");
    assert_eq!(own.requests()[0].content_type, "text/plain");

    assert_eq!(broken.requests(), [], "what cannot be written is not sent");
    for (_, owed) in nudges(&place.database()) {
        for (endpoint, state, _) in &owed.outbox {
            let expected = if endpoint == "broken" { "dead" } else { "delivered" };
            assert_eq!(state, expected, "{endpoint}");
        }
        assert_eq!(owed.outbox.len(), 5, "{owed:?}");
    }
}

#[test]
fn an_endpoint_is_told_only_of_what_it_asks_for() {
    let hooks: Vec<Hook> = (0..5).map(|_| Hook::start()).collect();
    let mut place = Place::new()
        .maildir("ann-mail")
        .with("[[account]]\nname = \"Acme\"\ndomains = [\"acme.example\", \"acme.de\"]")
        .with("[[account]]\nname = \"Hooli\"\ndomains = [\"hooli.example\"]")
        .with("[[rep]]\nid = \"bob\"\nname = \"Bob\"\naddresses = [\"bob@us.example\"]");
    let table = [
        ("kinds = [\"decay\"]", 2),
        ("kinds = [\"contact_moved\"]", 0),
        ("reps = [\"bob\"]", 0),
        ("accounts = [\"acme.de\"]", 1),
        ("kinds = [\"decay\"]\nreps = [\"ann\", \"bob\"]\naccounts = [\"Acme\", \"Hooli\"]", 2),
    ];
    for (number, ((lines, _), hook)) in table.iter().zip(&hooks).enumerate() {
        let lines = format!("secret = \"{SECRET}\"\n{lines}");
        place = with(place, &format!("e{number}"), hook, &lines);
    }
    for contact in ["bo@acme.example", "eve@hooli.example"] {
        went_quiet(&place, "ann-mail", contact, now_s(), 45);
    }
    place.once(&[]);
    for ((lines, count), hook) in table.iter().zip(&hooks) {
        // The accounts hang on one person each, which is told of as well where no kind is asked for.
        let events = hook.requests().into_iter().map(|request| json(&request.body));
        let all: Vec<Value> = events.collect();
        let decays = all.iter().filter(|event| event["type"] == "nudge.decay.v1").count();
        assert_eq!(decays, *count, "{lines}");
        assert!(!lines.contains("kinds") || all.len() == decays, "{lines}: {all:?}");
        let acme = |event: &Value| event["data"]["contact"]["organisation"] == "acme.example";
        assert!(!lines.ends_with("[\"acme.de\"]") || all.iter().all(acme), "{lines}: {all:?}");
    }
}

/// What `check` says of a template, without the first lines of the answer that are of others.
fn checked(lines: &str, file: Option<&str>) -> (Option<i32>, String) {
    let hook = Hook::start();
    let place = with(Place::new(), "own", &hook, &format!("format = \"template\"\n{lines}"));
    if let Some(text) = file {
        std::fs::write(place.path("own.j2"), text).unwrap();
    }
    let ran = place.keepwarm(&["check"]);
    let directory = place.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    let says = ran.stderr.replace(&directory, "/etc/keepwarm");
    let error = says.split_once("error: ").map(|(_, error)| format!("error: {error}"));
    (ran.status.code(), error.unwrap_or_default())
}

#[test]
fn a_template_is_tried_by_check() {
    let file = "template_file = \"own.j2\"";
    for (lines, text, code, says) in [
        ("template = '{\"text\": {{ nudge.contact.name | tojson }}}'", None, 0, ""),
        (file, Some("{\"text\": \"{{ nudge.contact.name }}\"}"), 0, ""),
        (
            file,
            Some("{\n  \"text\": \"{{ nudge.contact.nam }}\"\n}"),
            2,
            "error: the template /etc/keepwarm/own.j2 cannot write a nudge decay: it uses what is \
             not there: `nudge.contact.nam` is undefined in line 2\n  --> /etc/keepwarm/own.j2:2:3\n  \
             |\n2 |   \"text\": \"{{ nudge.contact.nam }}\"\n  |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n\
             hint: ask first: {% if value is defined %}\n",
        ),
        (
            file,
            Some("{\"text\": {{ nudge.contact.name }}}"),
            2,
            "error: the template /etc/keepwarm/own.j2 cannot write a nudge decay: what it writes is \
             no JSON: expected value at line 1 column 10 of that\n  --> [[endpoint]] own\nhint: between \
             quotes write {{ value }}, without quotes {{ value | tojson }}; or set content_type\n",
        ),
        (
            file,
            None,
            2,
            "error: reading /etc/keepwarm/own.j2: No such file or directory (os error 2)\n  --> \
             [[endpoint]] own\nhint: the user keepwarm must be able to read it\n",
        ),
        (
            "template = \"\"\"\\n{% if %}\"\"\"",
            None,
            2,
            "error: the template: syntax error: unexpected end of block in line 2\n  --> [[endpoint]] own\n",
        ),
        (
            "template = \"\\\"{{ nudge.links.done }}\\\"\"",
            None,
            2,
            "error: the template cannot write a nudge decay without links: it uses what is not there: \
             `nudge.links.done` is undefined in line 1\n  --> [[endpoint]] own\nhint: ask first: {% if \
             value is defined %}\n",
        ),
    ] {
        let (status, said) = checked(lines, text);
        assert_eq!((status, said.as_str()), (Some(code), says), "{lines} {text:?}");
    }
}

#[test]
fn check_tells_of_a_chat_that_would_not_understand() {
    let place = Place::new()
        .with("[[endpoint]]\nname = \"a\"\nurl = \"https://hooks.slack.com/services/1\"")
        .with(&format!("secret = \"{SECRET}\""))
        .with("[[endpoint]]\nname = \"b\"\nformat = \"slack\"")
        .with("url = \"https://1.4a.environment.api.powerplatform.com/powerautomate/1\"");
    let ran = place.keepwarm(&["check"]);
    let says = "warning: `endpoint.url` is that of Slack, which does not understand this format\n  --> \
                [[endpoint]] a\nhint: set format = \"slack\"\nwarning: `endpoint.url` is that of a \
                workflow of Teams, which does not understand this format\n  --> [[endpoint]] b\nhint: \
                set format = \"teams\"\n";
    assert!(ran.status.success() && ran.stderr.contains(says), "{}", ran.stderr);
}
