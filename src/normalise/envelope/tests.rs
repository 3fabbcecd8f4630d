//! Odd and hostile headers, as tables.

use crate::model::{Automated, Key, Timestamp};

use super::{Unusable, envelope};

const DATE: &str = "Date: Tue, 03 Nov 2026 10:00:00 +0100\r\n";
const RECEIVED: Timestamp = Timestamp::from_seconds(1_793_696_400); // 2026-11-03T09:00:00Z

fn read(fields: &str) -> crate::model::Envelope {
    let header =
        format!("From: Bo Li <bo@acme.example>\r\nTo: ann@us.example\r\n{DATE}{fields}\r\n");
    envelope(header.as_bytes(), Some(RECEIVED), None).unwrap()
}

#[test]
fn an_ordinary_header() {
    let e = read(
        "Message-ID: <a1b2c3@acme.example>\r\nIn-Reply-To: <x1y2z3@us.example>\r\nSubject: Re: Offer\r\n",
    );
    assert_eq!(e.from.as_ref().unwrap().name, "Bo Li");
    assert_eq!(e.to.first().unwrap().address.as_str(), "ann@us.example");
    assert_eq!(e.at, RECEIVED);
    assert!(e.dated && e.reply_subject && e.automated.is_none());
    assert_eq!(e.key, Key::of("message-id", &[b"a1b2c3@acme.example"]));
    assert_eq!(e.references, [Key::of("message-id", &[b"x1y2z3@us.example"])]);
}

#[test]
fn spellings_of_a_message_id_are_one() {
    let key = Key::of("message-id", &[b"a1b2c3@acme.example"]);
    for id in [
        "<a1b2c3@acme.example>",
        "a1b2c3@acme.example",
        "\r\n <a1b2c3@acme.example>",
        "<a1b2c3\r\n @acme.example>",
        "< a1b2c3@acme.example >",
    ] {
        assert_eq!(read(&format!("Message-ID: {id}\r\n")).key, key, "{id:?}");
    }
    assert_ne!(read("Message-ID: <A1B2C3@acme.example>\r\n").key, key);
}

#[test]
fn without_a_message_id_the_fingerprint_names_it() {
    let one = read("Subject: Offer\r\n");
    assert_eq!(one.key, read("Subject: Offer\r\nX-Spam: no\r\n").key);
    assert_ne!(one.key, read("Subject: Other\r\n").key);
    assert_eq!(
        read("Message-ID: <a>\r\nSubject: Offer\r\n").key,
        one.key,
        "too short to name anything"
    );
}

#[test]
fn the_receipt_decides_where_the_date_cannot_be() {
    let at = |date: &str, received: Option<Timestamp>| {
        let header = format!("From: bo@acme.example\r\n{date}\r\n");
        envelope(header.as_bytes(), received, None).map(|e| (e.at, e.dated))
    };
    let dated = |s| Ok((Timestamp::from_seconds(s), true));
    for (date, received, expected) in [
        ("Date: Tue, 03 Nov 2026 09:00:00 +0000\r\n", Some(RECEIVED), dated(1_793_696_400)),
        ("Date: Tue, 03 Nov 2026 09:00:00 +0000\r\n", None, dated(1_793_696_400)),
        ("Date: Mon, 02 Nov 1998 09:00:00 +0000\r\n", Some(RECEIVED), dated(909_997_200)),
        ("Date: Tue, 03 Nov 2043 09:00:00 +0000\r\n", Some(RECEIVED), Ok((RECEIVED, false))),
        ("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n", Some(RECEIVED), Ok((RECEIVED, false))),
        ("Date: Tue, 33 Nov 2026 09:00:00 +0000\r\n", Some(RECEIVED), Ok((RECEIVED, false))),
        ("Date: soon\r\n", Some(RECEIVED), Ok((RECEIVED, false))),
        ("", Some(RECEIVED), Ok((RECEIVED, false))),
        ("", None, Err(Unusable::NoDate)),
        ("", Some(Timestamp::from_seconds(0)), Err(Unusable::NoDate)),
    ] {
        assert_eq!(at(date, received), expected, "{date:?} {received:?}");
    }
}

#[test]
fn prefixes_of_answers_are_recognised_and_do_not_count() {
    let offer = read("Subject: Offer\r\n").subject;
    for (subject, reply) in [
        ("Re: Offer", true),
        ("RE: RE: Offer", true),
        ("Re[2]: Offer", true),
        ("AW: offer ", true),
        ("Fwd: Offer", false),
        ("=?utf-8?q?Re=3A_Offer?=", true),
        ("[crm] Re: Offer", false),
        ("Offer", false),
    ] {
        let e = read(&format!("Subject: {subject}\r\n"));
        assert_eq!(e.subject, offer, "{subject}");
        assert_eq!(e.reply_subject, reply, "{subject}");
    }
    assert_eq!(read("Subject: Re:\r\n").subject, None);
    assert_eq!(read("").subject, None);
}

#[test]
fn only_the_configured_server_is_believed() {
    let authenticated = |results: &str| {
        let header = format!("From: bo@acme.example\r\n{DATE}{results}\r\n");
        envelope(header.as_bytes(), None, Some("mx.us.example")).unwrap().authenticated
    };
    for (results, expected) in [
        ("Authentication-Results: mx.us.example; spf=pass; dmarc=pass header.from=x\r\n", true),
        ("Authentication-Results: mx.us.example; dmarc = pass\r\n", true),
        ("Authentication-Results: mx.us.example; dmarc=fail\r\n", false),
        ("Authentication-Results: evil.example; dmarc=pass\r\n", false),
        (
            "Authentication-Results: mx.us.example; dmarc=fail\r\nAuthentication-Results: mx.us.example; dmarc=pass\r\n",
            false,
        ),
        (
            "Authentication-Results: other.example; x=1\r\nAuthentication-Results: mx.us.example; dmarc=pass\r\n",
            true,
        ),
        (
            "Authentication-Results: mx.us.example; spf=pass smtp.mailfrom=\"a;dmarc=pass\"@x; dmarc=fail\r\n",
            false,
        ),
        ("Authentication-Results: mx.us.example; dmarc=fail (p=none; dmarc=pass)\r\n", false),
        ("Authentication-Results: mx.us.example; dmarc=pass (p=none)\r\n", true),
        ("", false),
    ] {
        assert_eq!(authenticated(results), Some(expected), "{results:?}");
    }
    assert_eq!(read("Authentication-Results: mx.us.example; dmarc=fail\r\n").authenticated, None);
    let long = "a".repeat(17 * 1024);
    let joined = format!(
        "Authentication-Results: mx.us.example; dmarc=fail\r\nX-Long: {long}\r\n ;dmarc=pass\r\n"
    );
    assert_eq!(authenticated(&joined), Some(false), "what continued a line passed over");
}

#[test]
fn hostile_headers_end_quickly_and_quietly() {
    let many_ids = "<aaaaaaaa@b.example> ".repeat(3000);
    let long_refs = (0..3000).map(|n| format!("<reference{n}@b.example>\r\n ")).collect::<String>();
    let addresses = (0..5000).map(|n| format!("p{n}@b.example, ")).collect::<String>();
    for (what, fields) in [
        ("one id many times", format!("References: {many_ids}\r\n")),
        ("many references", format!("References: {long_refs}\r\n")),
        ("many addresses on one line", format!("Cc: {addresses}\r\n")),
        (
            "continuations of parameters",
            format!("Content-Type: text/plain; {}\r\n", "x*0*=a;".repeat(9000)),
        ),
        ("a megabyte of subject", format!("Subject: {}\r\n", "a".repeat(1 << 20))),
        ("nothing but colons", ":\r\n".repeat(5000)),
        ("a nul", "Subject: a\0b\r\n".to_owned()),
        ("open quotes", format!("Cc: {}\r\n", "\"(<".repeat(5000))),
        ("encoded words", format!("Subject: {}\r\n", "=?utf-8?b?/////w==?= ".repeat(700))),
    ] {
        let e = read(&fields);
        assert!(e.references.len() <= 50, "{what}");
        assert_eq!(e.from.unwrap().address.as_str(), "bo@acme.example", "{what}");
    }
    let folded = (0..400).map(|n| format!("p{n}@b.example,\r\n ")).collect::<String>();
    assert_eq!(read(&format!("Cc: {folded}\r\n")).automated, Some(Automated::ManyRecipients));
}

#[test]
fn what_cannot_be_kept_says_why() {
    for (header, why) in [
        ("", Unusable::NoHeader),
        ("\r\n\r\nbody", Unusable::NoHeader),
        (
            "From: bo@acme.example\r\nDate: Tue, 03 Nov 2026 10:00:00 +0100\r\nSensitivity: Private\r\n",
            Unusable::Private,
        ),
    ] {
        assert_eq!(envelope(header.as_bytes(), None, None).unwrap_err(), why, "{header:?}");
    }
}

#[test]
fn addresses_that_people_really_send() {
    let to = |field: &str| {
        let header = format!("From: bo@acme.example\r\n{DATE}To: {field}\r\n\r\n");
        let e = envelope(header.as_bytes(), None, None).unwrap();
        e.to.iter().map(|p| p.address.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    for (field, expected) in [
        ("undisclosed-recipients:;", ""),
        ("Team: a@b.example, c@d.example;", "a@b.example c@d.example"),
        ("a@b.example; c@d.example", "a@b.example c@d.example"),
        ("\"Li, Bo\" <bo@acme.example>", "bo@acme.example"),
        ("'bo@acme.example'", "bo@acme.example"),
        ("\"bo@acme.example\" <BO@acme.example>", "bo@acme.example"),
        ("Bo <bo@b\u{fc}cher.example>", "bo@xn--bcher-kva.example"),
        ("MAILER-DAEMON", ""),
    ] {
        assert_eq!(to(field), expected, "{field}");
    }
}
