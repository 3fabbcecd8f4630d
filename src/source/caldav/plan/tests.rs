//! Names and states, as servers write them in several ways.

use super::super::xml::Report;
use super::*;

fn base() -> Url {
    Url::parse("https://d.us.example/ann/cal/").unwrap()
}

#[test]
fn a_path_is_the_same_however_it_is_escaped() {
    for (one, other, same) in [
        ("/ann%40x/a.ics", "/ann@x/a.ics", true),
        ("/a%e2%82%ac.ics", "/a\u{20ac}.ics", true),
        ("/a%E2%82%AC.ics", "/a%e2%82%ac.ics", true),
        ("/ann/cal", "/ann/cal/", true),
        ("https://d.us.example:443/ann/cal/x", "x", true),
        ("/a+b", "/a%2Bb", true),
        ("/a%2Fb", "/a/b", false),
        ("/A", "/a", false),
        ("/a", "/a/b", false),
    ] {
        let [one_key, other_key] = [one, other].map(|href| name_key(&base(), href));
        assert!(one_key.is_some(), "{one}");
        assert_eq!(one_key == other_key, same, "{one} {other}");
    }
    assert_eq!(name_key(&base(), "https://e.us.example/ann/cal/x"), None, "another host");
    assert_eq!(name_key(&base(), "http://[x"), None, "no address");
}

#[test]
fn an_etag_is_the_same_with_quotes_and_without() {
    for (one, other, same) in [
        ("\"a\"", "a", true),
        ("W/\"a\"", "\"a\"", true),
        (" \"a\" ", "\"a\"", true),
        ("\"a\"", "\"b\"", false),
        ("\"W/a\"", "\"a\"", false),
    ] {
        assert_eq!(tag(one) == tag(other), same, "{one} {other}");
    }
}

#[test]
fn how_a_calendar_is_read_follows_from_what_is_known_of_it() {
    use Approach::{Changes, Everything, Unchanged};
    const TODAY: i64 = 20_000;
    let calendar = |report: Option<Report>, token: &str| Calendar {
        url: base(),
        name: "/ann/cal/".to_owned(),
        report,
        token: Some(token.to_owned()).filter(|token| !token.is_empty()),
    };
    let known = |token: Option<&str>, day: i64, retry: &[i64]| KnownMailbox {
        name: "/ann/cal/".to_owned(),
        cursor: Some(Cursor::Calendar { token: token.map(str::to_owned), day }),
        seen: Vec::new(),
        objects: Vec::new(),
        retry: retry.to_vec(),
    };
    let sync = Some(Report::Changes);
    let (a, late) = (Some("a"), TODAY - window::ROLL_DAYS);
    for (offered, known, expected, why) in [
        (calendar(sync, "a"), None, Everything(Tags::Trusted), "never read"),
        (calendar(sync, "a"), Some(known(None, TODAY, &[])), Everything(Tags::Trusted), "in part"),
        (calendar(sync, "a"), Some(known(a, late + 1, &[])), Unchanged, "the same token"),
        (calendar(sync, "b"), Some(known(a, TODAY, &[])), Changes("a"), "another token"),
        (calendar(sync, ""), Some(known(a, TODAY, &[])), Changes("a"), "a token not listed"),
        (calendar(None, "b"), Some(known(a, TODAY, &[])), Everything(Tags::Trusted), "a tag"),
        (calendar(None, ""), Some(known(None, TODAY, &[])), Everything(Tags::Trusted), "neither"),
        (calendar(sync, "a"), Some(known(a, TODAY, &[7])), Everything(Tags::Trusted), "retry"),
        (calendar(sync, "a"), Some(known(a, late, &[7])), Everything(Tags::Ignored), "roll"),
        (calendar(sync, "a"), Some(known(a, TODAY + 1, &[])), Unchanged, "a clock behind"),
        (calendar(sync, "a"), Some(known(a, TODAY + 2, &[])), Everything(Tags::Ignored), "ahead"),
    ] {
        assert_eq!(approach(&offered, known.as_ref(), TODAY), expected, "{why}");
    }
}

/// Otherwise it would wait for ever, every pass would list all of the calendar, and its series would
/// end where they were expanded to before.
#[test]
fn what_could_not_be_given_is_asked_for_again_though_it_has_not_changed() {
    let item = name_key(&base(), "a.ics").unwrap();
    let other = name_key(&base(), "b.ics").unwrap();
    let known = |retry: &[i64]| KnownMailbox {
        name: "/ann/cal/".to_owned(),
        cursor: Some(Cursor::Calendar { token: Some("t".to_owned()), day: 20_000 }),
        seen: Vec::new(),
        objects: vec![Object { item, tag: tag("1") }, Object { item: other, tag: tag("1") }],
        retry: retry.to_vec(),
    };
    let listed = |name: &str| Response {
        href: format!("/ann/cal/{name}"),
        found: Properties { etag: Some("\"1\"".to_owned()), ..Properties::default() },
        ..Response::default()
    };
    let answer = Multistatus { responses: vec![listed("a.ics"), listed("b.ics")], token: None };
    let listing = listing(&answer, &base(), Extent::Everything);
    for (retry, expected) in [(&[][..], &[][..]), (&[item], &["/ann/cal/a.ics"])] {
        let todo = todo(&listing, Some(&known(retry)), Tags::Trusted);
        let fetched: Vec<&str> = todo.fetch.iter().map(|wanted| wanted.href.as_str()).collect();
        assert_eq!(fetched, expected, "{retry:?}");
        assert_eq!((todo.vanished, todo.released), (vec![], vec![]), "{retry:?}");
    }
}
