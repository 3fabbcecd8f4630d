//! `keepwarm contacts` on a Maildir: who is one with whom, said by the mail, by a file and by the
//! admin, with and without a daemon.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::dovecot::{make_maildir, put};
use crate::support::dump::Dump;
use crate::support::process::{Place, Ran};

/// Midnight of 2026-01-01.
const START_S: u64 = 1_767_225_600;
const NOW: &str = "2026-03-01T00:00:00Z";
const SOON: Duration = Duration::from_secs(20);

/// One message of a day: to whom or from whom, its id and what it answers.
fn letter(day: u64, from: &str, to: &str, id: &str, answers: &str) -> Vec<u8> {
    let date = chrono::DateTime::from_timestamp(i64::try_from(START_S + day * 86_400).unwrap(), 0);
    let references = match answers {
        "" => String::new(),
        other => format!("In-Reply-To: <{other}@x.example>\r\n"),
    };
    format!(
        "From: {from}\r\nTo: {to}\r\nDate: {}\r\nMessage-ID: <{id}@x.example>\r\n{references}\
         Subject: offer\r\n\r\nbody\r\n",
        date.unwrap().to_rfc2822()
    )
    .into_bytes()
}

/// A Maildir of ann's with what she has sent and received.
fn place(mail: &[(&str, u64, Vec<u8>)]) -> Place {
    let place = Place::new().maildir("mail");
    make_maildir(&place.path("mail").join(".Sent"));
    add(&place, mail);
    place
}

fn add(place: &Place, mail: &[(&str, u64, Vec<u8>)]) {
    for (mailbox, day, message) in mail {
        let directory = place.path("mail");
        let directory = if *mailbox == "Sent" { directory.join(".Sent") } else { directory };
        put(&directory, START_S + day * 86_400, message);
    }
}

/// A month of letters with one address, answered each day.
fn month(name: &str, address: &str, from: u64) -> Vec<(&'static str, u64, Vec<u8>)> {
    let them = format!("{name} <{address}>");
    let day = |n: u64| {
        let (asked, answer) = (format!("a{n}.{address}"), format!("b{n}.{address}"));
        let (asked, answer) = (asked.replace('@', "."), answer.replace('@', "."));
        let at = from + n;
        [
            ("Sent", at, letter(at, "ann@us.example", &them, &asked, "")),
            ("INBOX", at, letter(at, &them, "ann@us.example", &answer, &asked)),
        ]
    };
    (0..5).flat_map(day).collect()
}

fn two_of_one_name() -> Place {
    let place = place(
        &[month("Bo Li", "bo@acme.example", 0), month("\"Li, Bo\"", "bo@beta.example", 20)]
            .concat(),
    );
    place.once(&["--now", NOW]);
    place
}

fn people(place: &Place) -> Vec<Vec<String>> {
    let told = place.json(&["contacts", "--now", NOW]);
    let of = |one: &Value| {
        let all = one["addresses"].as_array().unwrap();
        all.iter().map(|address| address.as_str().unwrap().to_owned()).collect()
    };
    let mut all: Vec<Vec<String>> = told.as_array().unwrap().iter().map(of).collect();
    all.sort();
    all
}

/// What is known, however the files were named.
fn known(place: &Place) -> Dump {
    place.dump().without_cursors()
}

#[track_caller]
fn done(ran: &Ran) {
    assert_eq!(ran.status.code(), Some(0), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn merged_split_and_undone_contacts_are_as_the_log_tells() {
    let place = two_of_one_name();
    let apart = known(&place);
    let proposed = place.json(&["contacts", "duplicates", "--now", NOW]);
    assert_eq!(proposed[0]["kind"], "same_name", "{proposed}");
    assert_eq!(proposed[0]["a"]["address"], "bo@acme.example", "{proposed}");
    assert_eq!(proposed[0]["b"]["address"], "bo@beta.example", "{proposed}");

    let ran = place.keepwarm(&["contacts", "merge", "Bo@acme.example", "bo@beta.example"]);
    done(&ran);
    assert!(ran.stdout.contains("contacts undo 1"), "{}", ran.stdout);
    assert_eq!(people(&place), [["bo@beta.example", "bo@acme.example"]], "the latest one first");
    assert_eq!(place.json(&["contacts", "duplicates", "--now", NOW]), serde_json::json!([]));
    let one = place.json(&["explain", "ann", "bo@acme.example", "--now", NOW]);
    assert_eq!(one["outbound"], 10, "{one}");
    assert_eq!(one["organisation"], "beta.example", "{one}");

    // As if they had always been one.
    let fresh = two_of_one_name();
    fresh.forget();
    std::fs::write(fresh.path("p.csv"), "person,address\n1,bo@acme.example\n1,bo@beta.example\n")
        .unwrap();
    let fresh = fresh.with("[identity]\nfile = \"p.csv\"");
    fresh.once(&["--now", NOW]);
    known(&place).assert_same(&known(&fresh), "merged later, and by the file from the beginning");

    let log = place.json(&["contacts", "log"]);
    assert_eq!((log[0]["by"].as_str(), log[0]["what"].as_str()), (Some("admin"), Some("merge")));
    done(&place.keepwarm(&["contacts", "split", "bo@acme.example", "bo@beta.example"]));
    known(&place).assert_same(&apart, "split again");
    done(&place.keepwarm(&["contacts", "undo", "2"]));
    known(&place).assert_same(&known(&fresh), "the split is undone");
    done(&place.keepwarm(&["contacts", "undo", "1"]));
    known(&place).assert_same(&apart, "the merge is undone");
    let log = place.json(&["contacts", "log"]);
    assert!(log.as_array().unwrap().iter().all(|one| one["undone_at"].is_string()), "{log}");
}

#[test]
fn what_cannot_be_done_is_said_with_what_may_be_meant() {
    let place = two_of_one_name();
    let before = known(&place);
    for (arguments, expected) in [
        (&["merge", "bo@acme.exampel", "bo@beta.example"][..], "did you mean bo@acme.example?"),
        (&["merge", "bo@acme.example", "bo@acme.example"], "are one contact already"),
        (&["split", "bo@acme.example", "bo@acme.example"], "is the only address of Bo Li"),
        (&["split", "bo@acme.example", "bo@beta.example"], "is no address of Bo Li"),
        (&["merge", "con_nobody", "x@y.example"], "there is no contact con_nobody"),
        (&["undo", "7"], "there is no change 7"),
    ] {
        let ran = place.keepwarm(&[&["contacts"], arguments].concat());
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{arguments:?}: {}", ran.stderr);
    }
    known(&place).assert_same(&before, "nothing was changed");
    let none = Place::new().maildir("mail").keepwarm(&["contacts", "undo", "1"]);
    assert!(none.stderr.contains("does not exist yet"), "{}", none.stderr);
}

/// The file holds three addresses together, of which the admin takes one away and gives it back by
/// another than the one that the file knows it by.
#[test]
fn a_merge_takes_no_third_address_out_of_a_contact() {
    let third = month("Bo Li", "bo@gamma.example", 30);
    let all = ["bo@acme.example", "bo@beta.example", "bo@gamma.example"];
    let place = two_of_one_name();
    add(&place, &third);
    let rows: Vec<String> = all.iter().map(|address| format!("1,{address}\n")).collect();
    std::fs::write(place.path("p.csv"), format!("person,address\n{}", rows.concat())).unwrap();
    let place = place.with("[identity]\nfile = \"p.csv\"");
    place.once(&["--now", NOW]);
    assert_eq!(people(&place).len(), 1);
    for leaves in all {
        done(&place.keepwarm(&["contacts", "split", leaves, leaves]));
        assert_eq!(people(&place).len(), 2, "without {leaves}");
        let other = all.into_iter().rfind(|other| *other != leaves).unwrap();
        done(&place.keepwarm(&["contacts", "merge", leaves, other]));
        assert_eq!(people(&place).len(), 1, "with {leaves} again");
    }
}

#[test]
fn a_daemon_does_it_within_about_a_second() {
    let place = two_of_one_name();
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", SOON);
    let began = Instant::now();
    done(&place.keepwarm(&["contacts", "merge", "bo@acme.example", "bo@beta.example"]));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(people(&place).len(), 1);
    let refused = place.keepwarm(&["contacts", "undo", "9"]);
    assert_eq!(refused.status.code(), Some(2), "{}", refused.stderr);
    // What arrives now is the merged contact's.
    let late = letter(40, "Bo Li <bo@acme.example>", "ann@us.example", "late", "");
    add(&place, &[("INBOX", 40, late)]);
    done(&daemon.terminate(SOON));
    place.once(&["--now", NOW]);
    assert_eq!(people(&place), [["bo@acme.example", "bo@beta.example"]]);
    assert_eq!(crate::support::dump::rows(&place.database(), "request"), 0, "answers are fetched");
}

#[test]
fn an_answer_from_a_new_address_under_the_same_full_name_is_the_same_person() {
    let ask = |id: &str| ("Sent", 30, letter(30, "ann@us.example", "bo@acme.example", id, ""));
    let from = |who: &str, id: &str, answers: &str| {
        ("INBOX", 31, letter(31, who, "ann@us.example", id, answers))
    };
    let known = month("Bo Li", "bo@acme.example", 0);
    for (what, more, contacts) in [
        ("answered", vec![ask("q"), from("\"Li, Bo\" <bo@beta.example>", "r", "q")], 1),
        ("another name", vec![ask("q"), from("Cy Ng <cy@beta.example>", "r", "q")], 2),
        ("no full name", vec![ask("q"), from("Bo <bo@beta.example>", "r", "q")], 2),
        ("no answer", vec![ask("q"), from("Bo Li <bo@beta.example>", "r", "")], 2),
        ("a function", vec![ask("q"), from("Bo Li <sales@beta.example>", "r", "q")], 2),
    ] {
        for turned in [false, true] {
            let mut parts = [known.clone(), more.clone()];
            if turned {
                parts.reverse();
            }
            let [first, second] = parts;
            let place = place(&first);
            place.once(&["--now", NOW]);
            add(&place, &second);
            place.once(&["--now", NOW]);
            assert_eq!(people(&place).len(), contacts, "{what}, turned: {turned}");
        }
    }
}

#[test]
fn what_the_admin_takes_back_the_mail_does_not_bring_back() {
    let mut mail = month("Bo Li", "bo@acme.example", 0);
    mail.push(("Sent", 30, letter(30, "ann@us.example", "bo@acme.example", "q", "")));
    let answer = |id: &str| letter(31, "Bo Li <bo@beta.example>", "ann@us.example", id, "q");
    mail.push(("INBOX", 31, answer("r")));
    let place = place(&mail);
    place.once(&["--now", NOW]);
    assert_eq!(people(&place).len(), 1);
    assert_eq!(place.json(&["contacts", "log"])[0]["by"], "evidence");
    done(&place.keepwarm(&["contacts", "undo", "1"]));
    add(&place, &[("INBOX", 31, answer("s"))]);
    place.once(&["--now", NOW]);
    assert_eq!(people(&place).len(), 2);
}

#[test]
fn people_of_the_file_are_one_until_they_leave_it() {
    let place = two_of_one_name().with("[identity]\nfile = \"people.csv\"");
    let write = |text: &str| std::fs::write(place.path("people.csv"), text).unwrap();
    for (text, contacts) in [
        ("person,address\nBo,bo@acme.example\nBo,bo@beta.example\n", 1),
        ("person,address\nBo,bo@acme.example\n", 2),
        ("person,address\nBo,bo@acme.example\nBo,later@gamma.example\nBo,bo@beta.example\n", 1),
    ] {
        write(text);
        place.once(&["--now", NOW]);
        assert_eq!(people(&place).len(), contacts, "{text}");
    }
    add(&place, &month("B", "later@gamma.example", 40));
    place.once(&["--now", NOW]);
    assert_eq!(people(&place).len(), 1, "who appears later is known");
    write("person,address\nBo,bo at acme\n");
    for command in [&["run", "--once"][..], &["check"]] {
        let ran = place.keepwarm(command);
        assert_eq!(ran.status.code(), Some(2), "{command:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("people.csv:2:4"), "{command:?}: {}", ran.stderr);
    }
}

#[test]
fn spellings_of_one_address_are_one_contact() {
    let one = |address: &str, from| month("Bo Li", address, from);
    let mail = [
        one("bo.li@gmail.com", 0),
        one("boli@googlemail.com", 10),
        one("cy.ng@acme.co.uk", 20),
        one("cy.ng@acme.example", 30),
    ];
    let plain = place(&mail.concat());
    plain.once(&["--now", NOW]);
    assert_eq!(people(&plain).len(), 3);
    let aliases = "[identity]\nalias_domains = [\"acme.co.uk = acme.example\"]";
    let plain = plain.with(aliases);
    plain.once(&["--now", NOW]);
    assert_eq!(people(&plain).len(), 2, "known before the rule");
    let begun = place(&mail.concat()).with(aliases);
    begun.once(&["--now", NOW]);
    let expected = [["boli@gmail.com"], ["cy.ng@acme.example"]];
    assert_eq!(people(&begun), expected, "with the rule from the beginning");
    let told = begun.json(&["relationships", "--now", NOW]);
    assert_eq!(told[0]["outbound"], 10, "{told}");
    let kinds: Vec<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["organisation_kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"free_mail") && kinds.contains(&"company"), "{told}");
}

#[test]
fn one_whose_mail_comes_back_and_who_writes_from_elsewhere_may_have_moved() {
    let report = |failed: &str, answers: &str| {
        let text = String::from_utf8(letter(
            25,
            "Mail System <mailer-daemon@us.example>",
            "ann@us.example",
            "report",
            answers,
        ));
        format!("Return-Path: <>\r\n{failed}{}", text.unwrap()).into_bytes()
    };
    let asked = ("Sent", 25, letter(25, "ann@us.example", "bo@acme.example", "q", ""));
    for (what, report, kind) in [
        ("named", report("X-Failed-Recipients: bo@acme.example\r\n", ""), "moved"),
        ("referred to", report("", "q"), "moved"),
        ("another's", report("X-Failed-Recipients: cy@acme.example\r\n", ""), "same_name"),
    ] {
        let mut mail =
            [month("Bo Li", "bo@acme.example", 0), month("Bo Li", "bo@beta.example", 30)].concat();
        mail.extend([asked.clone(), ("INBOX", 25, report)]);
        let place = place(&mail);
        place.once(&["--now", NOW]);
        let told = place.json(&["contacts", "duplicates", "--now", NOW]);
        assert_eq!(told[0]["kind"], kind, "{what}: {told}");
        assert_eq!(told[0]["a"]["address"], "bo@acme.example", "{what}: {told}");
    }
}

/// What is proposed as duplicates, in pairs of addresses.
fn proposed(place: &Place) -> Vec<[String; 2]> {
    let told = place.json(&["contacts", "duplicates", "--now", NOW]);
    let address = |side: &Value| side["address"].as_str().unwrap().to_owned();
    let all = told.as_array().unwrap().iter();
    all.map(|one| [address(&one["a"]), address(&one["b"])]).collect()
}

#[test]
fn who_is_kept_apart_from_one_address_is_so_from_the_whole_contact() {
    let mail = [
        month("Bo Li", "bo@acme.example", 0),
        month("Bo Li", "bo@beta.example", 10),
        month("Bo Li", "bo@gamma.example", 20),
    ];
    let place = place(&mail.concat());
    place.once(&["--now", NOW]);
    assert_eq!(proposed(&place).len(), 3);
    done(&place.keepwarm(&["contacts", "merge", "bo@acme.example", "bo@beta.example"]));
    done(&place.keepwarm(&["contacts", "split", "bo@acme.example", "bo@beta.example"]));
    assert_eq!(proposed(&place).len(), 2, "either of them may be the third");
    done(&place.keepwarm(&["contacts", "merge", "bo@beta.example", "bo@gamma.example"]));
    assert_eq!(proposed(&place), Vec::<[String; 2]>::new());
}

#[test]
fn a_name_of_very_many_addresses_is_passed_over_and_that_is_said() {
    let of_company = |n: u64| {
        let all = month("John Smith", &format!("john@company{n}.example"), n);
        all.into_iter().take(2)
    };
    let mut mail: Vec<_> = (0..20).flat_map(of_company).collect();
    let place_of = |mail: &[(&str, u64, Vec<u8>)]| {
        let place = place(mail);
        place.once(&["--now", NOW]);
        place
    };
    assert_eq!(proposed(&place_of(&mail)).len(), 20 * 19 / 2);
    mail.extend(of_company(20));
    mail.extend(month("Bo Li", "bo@acme.example", 0));
    mail.extend(month("Bo Li", "bo@beta.example", 10));
    let place = place_of(&mail);
    assert_eq!(proposed(&place), [["bo@acme.example", "bo@beta.example"]]);
    let ran = place.keepwarm(&["contacts", "duplicates", "--now", NOW]);
    done(&ran);
    let said = "note: 1 name was passed over: more than 20 addresses have it";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}
