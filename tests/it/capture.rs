//! `explain-capture`: each reason why a message is stored or not is told, and nothing of what it says.

use crate::support::dovecot::put;
use crate::support::process::Place;

/// A message by the words of its Message-ID, header lines, and what is told of it.
struct Case {
    id: &'static str,
    lines: &'static str,
    is: &'static str,
    because: &'static str,
    /// What the rules say when the message is shown.
    judged: (&'static str, &'static str),
}

const CASES: [Case; 8] = [
    Case {
        id: "letter",
        lines: "From: Bo Li <bo@acme.example>\r\nTo: ann@us.example\r\nIn-Reply-To: <never@x.example>",
        is: "stored",
        because: "stored, with 1 interactions, of which 1 count",
        judged: ("captured", "it makes 1 interactions"),
    },
    Case {
        id: "newsletter",
        lines: "From: news@acme.example\r\nTo: ann@us.example\r\nList-Id: <news.acme.example>",
        is: "left_out",
        because: "makes no interaction (list): mailing lists",
        judged: ("left_out", "list: mailing lists"),
    },
    Case {
        id: "internal",
        lines: "From: carl@us.example\r\nTo: ann@us.example",
        is: "left_out",
        because: "mail among colleagues",
        judged: ("left_out", "internal: mail among colleagues"),
    },
    Case {
        id: "blind",
        lines: "From: bo@acme.example\r\nTo: list@acme.example",
        is: "left_out",
        because: "no rep in To or Cc",
        judged: ("left_out", "not_addressed"),
    },
    Case {
        id: "private",
        lines: "From: bo@acme.example\r\nTo: ann@us.example\r\nSensitivity: Private",
        is: "unknown",
        because: "nothing is stored under this Message-ID",
        judged: ("excluded", "Sensitivity"),
    },
    Case {
        id: "by-domain",
        lines: "From: nurse@clinic.example\r\nTo: ann@us.example",
        is: "unknown",
        because: "must not be written down",
        judged: ("excluded", "its writer must not be written down: privacy.exclude_domains"),
    },
    Case {
        id: "by-address",
        lines: "From: ann@us.example\r\nTo: union@labour.example",
        is: "unknown",
        because: "must not be written down",
        judged: ("excluded", "who it is to must not be written down: privacy.exclude_addresses"),
    },
    Case {
        id: "erased",
        lines: "From: Otto <otto@gone.example>\r\nTo: ann@us.example",
        is: "unknown",
        because: "must not be written down",
        judged: ("excluded", "its writer must not be written down: erased"),
    },
];

fn text(case: &Case) -> String {
    let Case { id, lines, .. } = case;
    let date = "Date: Mon, 5 Jan 2026 10:00:00 +0000";
    format!(
        "{lines}\r\n{date}\r\nSubject: canary\r\nMessage-ID: <{id}@x.example>\r\n\r\nbody canary"
    )
}

#[test]
fn every_reason_is_told_and_nothing_of_what_is_said() {
    let place = Place::new().maildir("mail").with(
        "[privacy]\nexclude_domains = [\"clinic.example\"]\n\
         exclude_addresses = [\"union@labour.example\"]",
    );
    place.once(&[]);
    assert!(place.keepwarm(&["erase", "otto@gone.example"]).status.success());
    for case in &CASES {
        put(&place.path("mail"), 1_767_607_200, text(case).as_bytes());
    }
    put(&place.path("mail"), 1_767_607_200, b"\x00\x01 this is no header at all");
    place.once(&[]);
    for case in &CASES {
        let id = format!("<{}@x.example>", case.id);
        let told = place.json(&["explain-capture", &id]);
        let stored = &told["stored"];
        assert_eq!(stored["is"], case.is, "{id}: {told}");
        assert!(stored["because"].as_str().unwrap().contains(case.because), "{id}: {told}");
        assert!(told["judged"].is_null(), "{id}: {told}");
        let unknown = case.is == "unknown";
        assert_eq!(!stored["mailboxes"].as_array().unwrap().is_empty(), unknown, "{id}: {told}");
        let file = place.path("shown.eml");
        std::fs::write(&file, text(case)).unwrap();
        let shown = place.json(&["explain-capture", "--file", file.to_str().unwrap()]);
        let (is, because) = case.judged;
        assert_eq!(shown["judged"]["is"], is, "{id}: {shown}");
        assert!(shown["judged"]["because"].as_str().unwrap().contains(because), "{id}: {shown}");
        let in_words = place.keepwarm(&["explain-capture", "--file", file.to_str().unwrap()]);
        for said in [told.to_string(), shown.to_string(), in_words.stdout] {
            for word in ["canary", "acme", "clinic", "labour", "otto", "Bo Li"] {
                assert!(!said.contains(word), "{id}: {word} in {said}");
            }
        }
    }
}

#[test]
fn what_is_not_there_is_told_with_how_far_was_read() {
    let place = Place::new().maildir("mail");
    put(&place.path("mail"), 1_767_607_200, text(&CASES[0]).as_bytes());
    place.once(&[]);
    let told = place.json(&["explain-capture", "never@x.example"]);
    assert_eq!(told["stored"]["is"], "referred_to", "{told}");
    assert_eq!(told["stored"]["thread"]["messages"], 1, "{told}");
    let read = &told["stored"]["mailboxes"][0];
    assert_eq!((&read["source"], &read["complete"]), (&"mail".into(), &true.into()), "{told}");
    assert!(read["read_until"].is_string(), "{told}");
    let letter = place.json(&["explain-capture", "letter@x.example"]);
    let touch = &letter["stored"]["interactions"][0];
    assert_eq!((&touch["rep"], &touch["counted"]), (&"ann".into(), &true.into()), "{letter}");
    let ran = place.keepwarm(&["explain-capture", "x"]);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stdout);
    let ran = place.keepwarm(&["explain-capture", "--file", "nowhere.eml"]);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stdout);
}
