//! Structures of messages as servers tell them.

use super::*;

/// The place of the calendar part, as a section and in words.
fn found(structure: &str, said: Announced) -> Option<String> {
    let line = format!("* 1 FETCH (UID 7 BODYSTRUCTURE {structure})\r\n");
    let Ok((_, Response::Fetch(_, attributes))) = Response::parse(line.as_bytes()) else {
        panic!("{structure}")
    };
    let body = attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::BodyStructure(body) => Some(body),
        _ => None,
    });
    let place = place(body.unwrap(), said)?;
    let section: Vec<String> = place.path.iter().map(u32::to_string).collect();
    Some(format!("{} {:?} {}", section.join("."), place.encoding, place.octets))
}

#[test]
fn the_calendar_part_is_found_where_it_is() {
    let text = "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 10 1 NIL NIL NIL NIL)";
    let html = "(\"TEXT\" \"HTML\" (\"CHARSET\" \"utf-8\") NIL NIL \"QUOTED-PRINTABLE\" 10 1)";
    let calendar = "(\"text\" \"calendar\" (\"charset\" \"utf-8\" \"method\" \"REQUEST\") NIL NIL \
        \"base64\" 1200 16 NIL NIL NIL NIL)";
    let silent = "(\"TEXT\" \"CALENDAR\" NIL NIL NIL NIL 900 16)";
    let file = "(\"application\" \"ics\" (\"name\" \"invite.ics\") NIL NIL \"BASE64\" 1600 NIL \
        (\"attachment\" (\"filename\" \"invite.ics\")) NIL NIL)";
    let forwarded = format!(
        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 1500 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) \
         {calendar} 30 NIL NIL NIL NIL)"
    );
    let long = calendar.replace("1200", "262145");
    let (perhaps, plainly) = (Announced::Perhaps, Announced::Plainly);
    for (what, structure, said, expected) in [
        ("all of it", calendar.to_owned(), plainly, Some("1 Base64 1200")),
        (
            "google",
            format!("(({text}{html}{calendar} \"alternative\"){file} \"mixed\")"),
            plainly,
            Some("1.3 Base64 1200"),
        ),
        (
            "outlook",
            format!("({text}{html}{calendar} \"alternative\" (\"boundary\" \"b\") NIL NIL)"),
            plainly,
            Some("3 Base64 1200"),
        ),
        ("a file", format!("({text}{file} \"mixed\")"), plainly, Some("2 Base64 1600")),
        ("without encoding", format!("({text}{silent} \"mixed\")"), plainly, Some("2 Plain 900")),
        (
            "by its method",
            format!("({silent}{calendar} \"mixed\")"),
            plainly,
            Some("2 Base64 1200"),
        ),
        ("perhaps one", format!("({text}{calendar} \"mixed\")"), perhaps, Some("2 Base64 1200")),
        ("perhaps, and no method", format!("({text}{silent}{file} \"mixed\")"), perhaps, None),
        ("a forwarded one", format!("({text}{forwarded} \"mixed\")"), plainly, None),
        ("none", format!("({text}{html} \"alternative\")"), plainly, None),
        ("too long", format!("({text}{long} \"mixed\")"), plainly, None),
    ] {
        assert_eq!(found(&structure, said).as_deref(), expected, "{what}");
    }
}

#[test]
fn a_part_is_given_as_it_was_before_it_travelled() {
    for (bytes, encoding, expected) in [
        ("BEGIN:\r\n", Encoding::Plain, Some("BEGIN:\r\n")),
        ("QkVH\r\nSU4=\r\n", Encoding::Base64, Some("BEGIN")),
        ("BE=47=\r\nIN\r\n", Encoding::QuotedPrintable, Some("BEGIN\r\n")),
        ("#", Encoding::Base64, None),
    ] {
        let found = decoded(bytes.as_bytes(), encoding);
        let found = found.map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(found.as_deref(), expected, "{bytes:?} {encoding:?}");
    }
    assert_eq!(decoded(&vec![b'x'; MAX_BYTES + 1], Encoding::Plain), None);
}

#[test]
fn a_window_asks_for_some_mib_and_no_more() {
    let mut parts = Parts::default();
    let taken = (0..100).filter(|_| parts.reserve(MAX_BYTES).is_some()).count();
    assert_eq!(taken, WINDOW_BYTES / MAX_BYTES);
}
