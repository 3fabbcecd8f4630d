//! Answers as servers write them, and as nobody should.

use proptest::prelude::*;

use super::*;

#[test]
fn an_answer_is_read_whatever_its_prefixes() {
    let answer = multistatus(
        "\u{feff}<?xml version='1.0'?>\n<!-- x --><multistatus xmlns='DAV:' xmlns:X='urn:ietf:params:xml:ns:caldav'>
          <response><href> /a%20b/ </href>
            <propstat><prop>
              <resourcetype><collection/><X:calendar/><owner xmlns='urn:x'/></resourcetype>
              <displayname>M&amp;M &#x263a; <![CDATA[<&>]]></displayname>
              <X:supported-calendar-component-set><X:comp name='vevent'/><X:comp name=\"VTODO\"/>
              </X:supported-calendar-component-set>
              <supported-report-set><supported-report><report><sync-collection/></report>
              </supported-report><supported-report><report><X:calendar-query/></report>
              </supported-report></supported-report-set>
              <q:getctag xmlns:q='http://calendarserver.org/ns/'>c</q:getctag>
            </prop><status>HTTP/1.1 200 OK</status></propstat>
            <propstat><status>HTTP/1.1 404 Not Found</status>
              <prop><sync-token>no</sync-token><getetag/></prop></propstat>
          </response>
          <response><href>/gone</href><status>HTTP/2 410</status></response>
          <sync-token>t</sync-token>
        </multistatus>"
            .as_bytes(),
    )
    .unwrap();
    let [one, gone] = answer.responses.as_slice() else { panic!("{answer:?}") };
    assert_eq!((one.href.as_str(), one.status), ("/a%20b/", None));
    let expected = Properties {
        name: Some("M&M \u{263a} <&>".to_owned()),
        ctag: Some("c".to_owned()),
        kinds: vec![Kind::Collection, Kind::Calendar, Kind::Other],
        components: vec!["VEVENT".to_owned(), "VTODO".to_owned()],
        reports: vec![Report::Changes],
        ..Properties::default()
    };
    assert_eq!(one.found, expected);
    assert_eq!((gone.href.as_str(), gone.status), ("/gone", Some(410)));
    assert_eq!(answer.token.as_deref(), Some("t"));
}

#[test]
fn where_things_are_is_read_from_the_right_elements() {
    let answer = multistatus(
        b"<d:multistatus xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'>
          <d:response><d:href>/</d:href><d:propstat><d:prop>
            <d:current-user-principal><d:href>/p</d:href></d:current-user-principal>
            <c:calendar-home-set><d:href>/h1</d:href><d:href>/h2</d:href></c:calendar-home-set>
            <c:href>/no</c:href><x:calendar-home-set xmlns:x='urn:x'><d:href>/no</d:href>
            </x:calendar-home-set></d:prop></d:propstat></d:response></d:multistatus>",
    )
    .unwrap();
    let found = &answer.responses[0].found;
    assert_eq!(found.principal.as_deref(), Some("/p"), "without a status it is found");
    assert_eq!(
        (found.homes.as_slice(), &*answer.responses[0].href),
        (&["/h1".to_owned(), "/h2".to_owned()][..], "/")
    );
}

#[test]
fn what_is_no_whole_answer_is_refused() {
    let deep = format!("<multistatus xmlns='DAV:'>{}", "<a>".repeat(1_000_000));
    let laughs = "<!DOCTYPE m [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>\
        <multistatus xmlns='DAV:'><response><href>&b;</href></response></multistatus>";
    for (text, why) in [
        ("", "nothing"),
        ("<html><body><p>log in</body></html>", "a page"),
        ("<error xmlns='DAV:'><valid-sync-token/></error>", "an error"),
        ("<multistatus xmlns='urn:x'/>", "another namespace"),
        ("<multistatus/>", "no namespace"),
        ("<multistatus xmlns='DAV:'><response>", "an answer cut between elements"),
        ("<multistatus xmlns='DAV:'><response><hr", "an answer cut inside one"),
        ("<multistatus xmlns='DAV:'></response></multistatus>", "crossed elements"),
        (&deep, "too deep"),
        (laughs, "entities of its own"),
    ] {
        assert_eq!(multistatus(text.as_bytes()), Err(Malformed), "{why}");
    }
    let empty = multistatus(b"<multistatus xmlns='DAV:'/>").unwrap();
    assert_eq!(empty, Multistatus::default());
}

/// A few kilobytes of gzip may hold millions of resources of which nothing is said.
#[test]
fn an_answer_about_nothing_but_very_many_resources_is_refused() {
    for (count, expected) in [(MAX_RESPONSES, true), (MAX_RESPONSES + 2, false)] {
        let text =
            format!("<multistatus xmlns='DAV:'>{}</multistatus>", "<response/>".repeat(count));
        assert_eq!(multistatus(text.as_bytes()).is_ok(), expected, "{count}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        parts in prop::collection::vec(prop_oneof![
            Just("<multistatus xmlns='DAV:'>".to_owned()), Just("</multistatus>".to_owned()),
            Just("<response>".to_owned()), Just("</response>".to_owned()),
            Just("<propstat><prop>".to_owned()), Just("<![CDATA[".to_owned()),
            Just("&#x110000;&amp;&#0;".to_owned()), Just("<comp name=".to_owned()),
            ".{0,8}",
        ], 0..40),
        cut in 0usize..400,
    ) {
        let bytes = parts.concat().into_bytes();
        let _ = multistatus(bytes.get(..cut.min(bytes.len())).unwrap_or_default());
    }
}
