//! What the server says is not what it holds, or not what was asked.

use std::sync::atomic::{AtomicU32, Ordering};

use super::stage::{heals, heals_in_the_end, scenarios};
use crate::support::imapd::{Act, Fault};

/// The honest answer with another number after a word.
fn number(on: &'static str, word: &'static str, change: fn(u32) -> u32) -> Fault {
    let edit = move |text: String| {
        let mut parts = text.split(word);
        let mut out = parts.next().unwrap().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let (digits, rest) = part.split_at(end);
            let number =
                digits.parse().map_or_else(|_| digits.to_owned(), |n| change(n).to_string());
            out.push_str(&format!("{word}{number}{rest}"));
        }
        out
    };
    Fault::on(on, [Act::edit(edit)])
}

/// The honest answer without the lines that contain a word.
fn without(on: &'static str, word: &'static str) -> Fault {
    let edit = move |text: String| -> String {
        text.split_inclusive("\r\n").filter(|line| !line.contains(word)).collect()
    };
    Fault::on(on, [Act::edit(edit)])
}

/// The honest answer with text in the place of other text.
fn instead(on: &'static str, from: &'static str, to: &'static str) -> Fault {
    Fault::on(on, [Act::edit(move |text| text.replace(from, to))])
}

/// Something before the honest answer.
fn first(on: &'static str, text: &'static str) -> Fault {
    Fault::on(on, [Act::send(text), Act::Answer])
}

/// The answers to FETCH, and the tagged one.
fn answers(text: &str) -> (Vec<String>, String) {
    let mut parts: Vec<String> = text.split(")\r\n").map(|part| format!("{part})\r\n")).collect();
    let tagged = parts.pop().unwrap();
    (parts, tagged.trim_end_matches(")\r\n").to_owned())
}

/// The answers to FETCH, rearranged.
fn rearranged(change: fn(Vec<String>) -> Vec<String>) -> Fault {
    let edit = move |text: String| {
        let (answers, tagged) = answers(&text);
        format!("{}{tagged}", change(answers).concat())
    };
    Fault::on("UID FETCH", [Act::edit(edit)])
}

/// Another UIDVALIDITY each time.
fn flapping() -> Fault {
    let count = AtomicU32::new(0);
    Fault::when("", move |moment| {
        let validity = 7 + count.fetch_add(1, Ordering::SeqCst) % 3;
        if !moment.line.starts_with("EXAMINE") && !moment.line.starts_with("LIST") {
            return vec![Act::Answer];
        }
        vec![Act::edit(move |text| {
            text.replace("UIDVALIDITY 17", &format!("UIDVALIDITY {validity}"))
        })]
    })
    .always()
}

/// What no client has asked for.
const NOISE: &str = "* 3 FETCH (FLAGS (\\Seen))\r\n* 70 EXISTS\r\n* 2 RECENT\r\n\
    * 5 FETCH (UID 5 FLAGS ())\r\n* OK [ALERT] nearly full\r\n* NO going slow\r\n* BAD riddle\r\n\
    * FLAGS (\\Answered)\r\n* STATUS \"Elsewhere\" (MESSAGES 5 UIDNEXT 6 UIDVALIDITY 7)\r\n\
    * LIST (\\Noselect) \"/\" \"Elsewhere\"\r\n* CAPABILITY IMAP4rev1\r\n* SEARCH 1 2 3\r\n\
    * 9999 FETCH (UID 9999 BODY[HEADER] {22}\r\nMessage-ID: <no@x>\r\n\r\n)\r\n";

scenarios! { heals_in_the_end;
    uidnext_too_low: DOVECOT, [
        number("LIST", "UIDNEXT ", |n| n / 2), number("EXAMINE", "UIDNEXT ", |n| n / 2).times(2),
    ];
    uidnext_too_low_without_list_status: EXCHANGE, [
        number("EXAMINE", "UIDNEXT ", |n| n.saturating_sub(9)).times(2),
    ];
    uidnext_too_high: DOVECOT, [
        number("LIST", "UIDNEXT ", |n| n + 70_000), number("EXAMINE", "UIDNEXT ", |n| n + 70_000),
    ];
    uidnext_at_its_end: EXCHANGE, [number("EXAMINE", "UIDNEXT ", |_| u32::MAX).times(2)];
    uidnext_of_zero: DOVECOT, [
        number("EXAMINE", "UIDNEXT ", |_| 0), number("LIST", "UIDNEXT ", |_| 0),
    ];
    too_few_exist: DOVECOT, [number("EXAMINE", "* ", |n| n.min(3))];
    too_many_exist: DOVECOT, [instead("EXAMINE", " EXISTS", "9 EXISTS")];
    millions_exist: MINIMAL, [
        instead("EXAMINE", " EXISTS", "99999 EXISTS"), number("EXAMINE", "UIDNEXT ", |_| u32::MAX),
    ];
    uidvalidity_flaps: DOVECOT, [flapping()];
    uidvalidity_of_the_list_is_another: DOVECOT, [number("LIST", "UIDVALIDITY ", |n| n + 1).always()];
}

scenarios! { heals;
    no_uidnext_in_examine: DOVECOT, [without("EXAMINE", "UIDNEXT").always()];
    no_uidnext_anywhere: EXCHANGE, [
        without("EXAMINE", "UIDNEXT").always(), instead("STATUS", "UIDNEXT", "UNSEEN").always(),
    ];
    no_uidvalidity: DOVECOT, [without("EXAMINE", "UIDVALIDITY")];
    no_exists: DOVECOT, [without("EXAMINE", "EXISTS")];
    a_status_without_items: DOVECOT, [
        instead("LIST", "MESSAGES", "UNSEEN").always(),
    ];
    fetch_without_uid_besides: DOVECOT, [
        rearranged(|all| {
            let without = |one: &String| one.replace("(UID ", "(X-UID ");
            all.iter().flat_map(|one| [without(one), one.clone()]).collect()
        })
        .always(),
    ];
    fetch_backwards: DOVECOT, [rearranged(|all| all.into_iter().rev().collect()).always()];
    fetch_of_everything_twice: DOVECOT, [
        rearranged(|all| all.iter().cloned().chain(all.iter().cloned()).collect()).always(),
    ];
    answers_in_small_letters: DOVECOT, [
        instead("UID FETCH", " FETCH (UID ", " fetch (uid ").always(),
        instead("EXAMINE", "EXISTS", "exists").always(),
        instead("LIST", "* LIST", "* list").always(),
    ];
    noise_in_every_state: DOVECOT, [
        first("UID FETCH", NOISE).always(),
        first("ID", NOISE).always(),
        first("AUTHENTICATE", "* OK one moment\r\n* NO still there\r\n").always(),
    ];
    noise_before_the_list: DOVECOT, [first("LIST", "* 1 EXISTS\r\n* OK listing\r\n").always()];
    mailboxes_listed_twice: DOVECOT, [
        Fault::on("LIST", [Act::edit(|text| {
            let end = text.trim_end().rfind("\r\n").map_or(0, |end| end + 2);
            let (untagged, tagged) = text.split_at(end);
            format!("{untagged}{untagged}{tagged}")
        })]).always(),
    ];
    odd_attributes_and_delimiters: DOVECOT, [
        instead("LIST", "\\HasNoChildren", "\\hasnochildren \\X-Odd").always(),
    ];
    unknown_codes_everywhere: DOVECOT, [
        instead("EXAMINE", "* OK [UIDNEXT", "* OK [X-ODD (a \"b\") 7] .\r\n* OK [UIDNEXT").always(),
        instead("UID FETCH", " OK Fetch", " OK [X-ODD a] Fetch").always(),
    ];
    the_tag_of_another: DOVECOT, [instead("EXAMINE", " OK [READ-ONLY]", "9 OK [READ-ONLY]")];
    asked_for_more: DOVECOT, [first("UID FETCH", "+ go on\r\n")];
    empty_lines_between: DOVECOT, [first("UID FETCH", "\r\n\r\n")];
    a_line_that_is_not_imap: DOVECOT, [first("EXAMINE", "* \u{0}\u{1}\r\n")];
}

scenarios! { heals_in_the_end;
    fetch_without_any_uid: DOVECOT, [instead("UID FETCH", "(UID ", "(X-UID ").times(2)];
    fetch_without_the_messages: EXCHANGE, [rearranged(|all| all.into_iter().skip(9).collect())];
    nothing_exists: DOVECOT, [number("EXAMINE", "* ", |_| 0), number("LIST", "MESSAGES ", |_| 0)];
}
