//! What a server may do to a pass: each time the next good pass ends with what the server holds.

use std::time::Duration;

use keepwarm::model::{Cursor, Delta, RawItem, Span};
use keepwarm::source::{SkipReason, SourceError};

use super::replica::{Done, Replica, token, tokens};
use crate::support::davd::{Answer, CALENDAR, Davd, Tells, event, multistatus, response};

/// How many objects the deltas bring.
fn brought(deltas: &[Delta]) -> usize {
    deltas.iter().flat_map(|d| &d.items).filter(|i| matches!(i, RawItem::Calendar { .. })).count()
}

fn code(done: &Done) -> &'static str {
    done.outcome.as_ref().err().map_or("ok", SourceError::code)
}

#[tokio::test]
async fn a_pass_without_changes_costs_one_request() {
    for (tells, expected) in [
        (Tells::Tokens, &["home"][..]),
        (Tells::Tags, &["home"]),
        (Tells::Nothing, &["home", "list"]),
    ] {
        let server = Davd::start(tells, 120);
        let mut replica = Replica::of(&server);
        let (pass, deltas) = Replica::good(replica.pass().await);
        assert_eq!((pass.mailboxes, pass.messages, brought(&deltas)), (1, 120, 120), "{tells:?}");
        let complete: Vec<bool> = deltas.iter().map(|delta| delta.complete).collect();
        assert_eq!(complete, [false, false, true], "{tells:?}: 50 objects each");
        assert!(
            deltas
                .iter()
                .rev()
                .skip(1)
                .all(|delta| { matches!(delta.cursor, Cursor::Calendar { token: None, .. }) })
        );
        server.log();
        for _ in 0..2 {
            let (_, deltas) = Replica::good(replica.pass().await);
            assert_eq!(brought(&deltas), 0, "{tells:?}");
            assert_eq!(server.asked(), expected, "{tells:?}");
        }
        server.put("000.ics", &event(7));
        server.put("new.ics", &event(999));
        server.delete("001.ics");
        let (_, deltas) = Replica::good(replica.pass().await);
        assert_eq!((brought(&deltas), replica.objects()), (2, 120), "{tells:?}");
        assert_eq!(deltas.last().unwrap().total, Some(120), "{tells:?}");
        assert_eq!(server.asked().len(), 3, "{tells:?}: the calendars, the changes, the objects");
    }
}

#[tokio::test]
async fn a_refused_token_means_a_listing_and_a_sweep() {
    for status in [400, 403, 404, 405, 409, 410, 412, 500, 501, 507] {
        let server = Davd::start(Tells::Tokens, 60);
        let mut replica = Replica::of(&server);
        Replica::good(replica.pass().await);
        server.log();
        server.put("000.ics", &event(7));
        server.delete("001.ics");
        server.fault(move |asked| {
            (asked.what() == "sync" && asked.body.contains("t:")).then(|| Answer::status(status))
        });
        let (_, deltas) = Replica::good(replica.pass().await);
        assert_eq!((brought(&deltas), replica.objects()), (1, 59), "{status}");
        assert_eq!(server.asked(), ["home", "sync", "sync", "multiget"], "{status}");
        server.recover();
        Replica::good(replica.pass().await);
        assert_eq!(server.asked(), ["home"], "{status}");
    }
}

#[tokio::test]
async fn a_listing_that_is_cut_short_is_asked_for_in_another_way() {
    for how in ["refused", "truncated", "cut xml", "no token"] {
        let server = Davd::start(Tells::Tokens, 60);
        server.delete("003.ics");
        server.fault(move |asked| {
            let some = response(&format!("{CALENDAR}000.ics"), "<d:getetag>\"1\"</d:getetag>");
            let end = format!(
                "<d:response><d:href>{CALENDAR}</d:href>\
                 <d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>"
            );
            (asked.what() == "sync").then(|| match how {
                "refused" => Answer::status(507),
                "truncated" => Answer::xml(&format!("{some}{end}<d:sync-token>t:1</d:sync-token>")),
                "no token" => Answer::xml(&some),
                _ => Answer::Plain(207, Vec::new(), multistatus(&some).replace("</d:multi", "")),
            })
        });
        let mut replica = Replica::of(&server);
        Replica::good(replica.pass().await);
        assert_eq!(replica.objects(), 59, "{how}");
        assert_eq!(
            server.asked(),
            ["find", "find", "home", "sync", "list", "multiget", "multiget"],
            "{how}"
        );
    }
}

#[tokio::test]
async fn an_empty_report_takes_nothing_back_that_is_listed() {
    let server = Davd::start(Tells::Tokens, 3);
    let mut replica = Replica::of(&server);
    Replica::good(replica.pass().await);
    server.put("000.ics", &event(7));
    server.fault(|asked| match asked.what() {
        "sync" if asked.body.contains("t:") => Some(Answer::status(403)),
        "sync" => Some(Answer::xml("<d:sync-token>t:9</d:sync-token>")),
        _ => None,
    });
    let (_, deltas) = Replica::good(replica.pass().await);
    assert_eq!((brought(&deltas), replica.objects()), (1, 3));
    for name in ["000.ics", "001.ics", "002.ics"] {
        server.delete(name);
    }
    let (_, deltas) = Replica::good(replica.pass().await);
    assert_eq!((brought(&deltas), replica.objects()), (0, 0), "it is empty indeed");
}

#[tokio::test]
async fn an_error_says_what_to_do_next() {
    let header = |status, value: &str| Answer::header(status, "retry-after", value);
    for (number, expected) in [
        (0, "unauthorized"),
        (1, "throttled"),
        (2, "throttled"),
        (3, "throttled"),
        (4, "unreachable"),
        (5, "unreachable"),
        (6, "unreachable"),
        (7, "unreachable"),
        (8, "protocol"),
        (9, "protocol"),
    ] {
        for at in ["find", "home", "sync", "multiget"] {
            let server = Davd::start(Tells::Tokens, 3);
            server.fault(move |asked| {
                let both = at == "sync" && asked.what() == "list";
                (asked.what() == at || both).then(|| match number {
                    0 => Answer::status(401),
                    1 => header(429, "7"),
                    2 => header(503, "7"),
                    3 => header(403, "7"),
                    4 => Answer::status(503),
                    5 => Answer::status(500),
                    6 => {
                        Answer::Broken(multistatus("<d:response>").replace("</d:multistatus>", ""))
                    }
                    7 => Answer::Never,
                    8 => Answer::Plain(207, Vec::new(), "<html><p>".to_owned()),
                    _ => Answer::Long(multistatus("").replace("</d:multistatus>", "  "), 1 << 18),
                })
            });
            let mut replica = Replica::of(&server);
            replica.settings.response_timeout = Duration::from_millis(300);
            let done = replica.pass().await;
            // An answer that is too large may be an object's own.
            let expected = match (number, at) {
                (9, "multiget" | "sync") => "ok",
                _ => expected,
            };
            assert_eq!(code(&done), expected, "{number} at {at}: {:?}", done.outcome);
            if let Err(SourceError::Throttled { after, .. }) = done.outcome {
                assert_eq!(after, Some(Duration::from_secs(7)), "{number} at {at}");
            }
            let asked = server.log();
            assert!(asked.len() < 12, "{number} at {at}: {} requests", asked.len());
            server.recover();
            // What was put aside is asked for again.
            Replica::good(replica.pass().await);
            assert_eq!(replica.objects(), 3, "{number} at {at}");
        }
    }
}

#[tokio::test]
async fn a_refused_token_of_a_login_is_exchanged_once() {
    for (given, expected, requests) in [
        (&["old", "new"][..], "ok", 6),
        (&["old", "older"], "unauthorized", 2),
        (&["old"], "unauthorized", 1),
        (&["new"], "ok", 5),
    ] {
        let server = Davd::start(Tells::Tokens, 3);
        server.fault(|asked| (asked.authorization != "Bearer new").then(|| Answer::status(401)));
        let mut replica = Replica::of(&server);
        replica.settings.credentials = tokens(given);
        let done = replica.pass().await;
        assert_eq!(code(&done), expected, "{given:?}");
        assert_eq!(server.log().len(), requests, "{given:?}");
    }
}

#[tokio::test]
async fn a_first_sync_that_was_interrupted_goes_on() {
    let server = Davd::start(Tells::Tokens, 170);
    server.fault(|asked| {
        let fetch = asked.what() == "multiget";
        (fetch && asked.hrefs().len() < 50).then(|| Answer::status(502))
    });
    let mut replica = Replica::of(&server);
    let done = replica.pass().await;
    assert_eq!(code(&done), "unreachable");
    assert_eq!(replica.objects(), 150);
    assert_eq!(token(&replica.known[CALENDAR]), None);
    server.recover();
    server.log();
    Replica::good(replica.pass().await);
    let fetched: usize = server.log().iter().map(|asked| asked.hrefs().len()).sum();
    assert_eq!((fetched, replica.objects()), (20, 170), "no object twice");
}

/// What is stored must be what its token stands for: a server whose tokens are hashes may come back
/// to it.
#[tokio::test]
async fn a_token_is_not_kept_if_anything_changed_on_the_way() {
    let server = Davd::start(Tells::Tokens, 3);
    let moved = response(
        &format!("{CALENDAR}000.ics"),
        &format!("<d:getetag>\"9\"</d:getetag><c:calendar-data>{}</c:calendar-data>", event(7)),
    );
    let gone = format!(
        "<d:response><d:href>{CALENDAR}000.ics</d:href>\
         <d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
    );
    for (answer, left) in [(moved, 3), (gone, 2)] {
        let mut replica = Replica::of(&server);
        let others: String = [1, 2]
            .map(|number| {
                let (tag, data) = (number + 1, event(number));
                let found = format!(
                    "<d:getetag>\"{tag}\"</d:getetag><c:calendar-data>{data}</c:calendar-data>"
                );
                response(&format!("{CALENDAR}00{number}.ics"), &found)
            })
            .concat();
        let answer = format!("{answer}{others}");
        server.fault(move |asked| (asked.what() == "multiget").then(|| Answer::xml(&answer)));
        Replica::good(replica.pass().await);
        assert_eq!((token(&replica.known[CALENDAR]), replica.objects()), (None, left));
        server.recover();
        let (_, deltas) = Replica::good(replica.pass().await);
        assert_eq!((brought(&deltas), replica.objects()), (1, 3), "the one that was in between");
        assert!(token(&replica.known[CALENDAR]).is_some());
    }
}

#[tokio::test]
async fn objects_that_cannot_be_given_are_passed_over() {
    let server = Davd::start(Tells::Tokens, 120);
    let large =
        event(1).replace("DURATION", &format!("X-NOTE:{}\r\nDURATION", "x".repeat(2 << 20)));
    server.put("large.ics", &large);
    server.fault(|asked| {
        let odd = asked.what() == "multiget" && asked.hrefs().iter().any(|h| h.ends_with("/007.ics"));
        // All but one are given, and that one never.
        odd.then(|| {
            let rest = asked.hrefs().into_iter().filter(|href| !href.ends_with("/007.ics"));
            let found = |href: String| {
                let number: usize = href.trim_start_matches(CALENDAR).split('.').next()?.parse().ok()?;
                let (tag, data) = (number + 1, event(number));
                Some(response(
                    &href,
                    &format!("<d:getetag>\"{tag}\"</d:getetag><c:calendar-data><![CDATA[{data}]]></c:calendar-data>"),
                ))
            };
            Answer::xml(&rest.filter_map(found).collect::<String>())
        })
    });
    let mut replica = Replica::of(&server);
    let (_, deltas) = Replica::good(replica.pass().await);
    let why: Vec<&str> = deltas
        .iter()
        .flat_map(|delta| &delta.items)
        .filter_map(|item| match item {
            RawItem::Unreadable { why, .. } => Some(why.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(replica.objects(), 121 - why.len(), "{why:?}");
    assert!(why.contains(&"the server lists it and does not give it"), "{why:?}");
    assert_eq!(deltas.last().unwrap().total, Some(121));

    // They are asked for again when they are due, and forgotten when they have gone.
    server.recover();
    server.put("large.ics", &event(500));
    let waiting = std::mem::take(&mut replica.known.get_mut(CALENDAR).unwrap().retry);
    server.log();
    replica.known.get_mut(CALENDAR).unwrap().retry = waiting;
    Replica::good(replica.pass().await);
    assert_eq!(replica.objects(), 121);
    assert_eq!(replica.known[CALENDAR].retry, [] as [i64; 0]);
    server.delete("large.ics");
    replica.known.get_mut(CALENDAR).unwrap().retry = vec![4711];
    Replica::good(replica.pass().await);
    assert_eq!(replica.known[CALENDAR].retry, [] as [i64; 0], "nothing waits for ever");
}

#[tokio::test]
async fn an_object_over_which_the_server_has_an_error_does_not_hold_up_the_others() {
    let server = Davd::start(Tells::Tokens, 120);
    server.fault(|asked| {
        let poison = asked.hrefs().iter().any(|href| href.ends_with("/007.ics"));
        poison.then(|| Answer::status(500))
    });
    let mut replica = Replica::of(&server);
    let (pass, deltas) = Replica::good(replica.pass().await);
    assert_eq!((replica.objects(), pass.messages), (119, 120));
    assert_eq!(replica.known[CALENDAR].retry.len(), 1);
    assert!(deltas.last().unwrap().complete && token(&replica.known[CALENDAR]).is_some());
    assert!(server.asked().len() < 20);

    // An outage is no fault of the objects.
    server.fault(|asked| (asked.what() == "multiget").then(|| Answer::status(500)));
    let mut replica = Replica::of(&server);
    let done = replica.pass().await;
    assert_eq!(
        (code(&done), done.deltas.len(), server.asked().len() < 25),
        ("unreachable", 0, true)
    );
}

/// One answer may hold less than the objects that were asked for are long.
#[tokio::test]
async fn objects_that_are_large_together_are_fetched_in_parts() {
    let server = Davd::start(Tells::Tags, 0);
    for number in 0..50 {
        let note = format!("X-NOTE:{}\r\nDURATION", "x".repeat(900 << 10));
        server.put(&format!("{number}.ics"), &event(number).replace("DURATION", &note));
    }
    let mut replica = Replica::of(&server);
    let (_, deltas) = Replica::good(replica.pass().await);
    assert_eq!((replica.objects(), deltas.len()), (50, 2));
    assert!(token(&replica.known[CALENDAR]).is_some());
}

#[tokio::test]
async fn the_window_moves_on_by_reading_everything_again() {
    let server = Davd::start(Tells::Tokens, 120);
    let mut replica = Replica::of(&server);
    Replica::good(replica.pass().await);
    let first = replica.now;
    replica.now = first + Span::from_days(13);
    let (_, deltas) = Replica::good(replica.pass().await);
    assert_eq!(brought(&deltas), 0, "not yet");

    replica.now = first + Span::from_days(14);
    server.fault(|asked| {
        let last = asked.what() == "multiget" && asked.hrefs().len() < 50;
        last.then(|| Answer::status(502))
    });
    let done = replica.pass().await;
    assert_eq!((code(&done), brought(&done.deltas)), ("unreachable", 100));
    server.recover();
    let (_, deltas) = Replica::good(replica.pass().await);
    assert_eq!(brought(&deltas), 120, "one half of it may be as old as before");
    let (_, deltas) = Replica::good(replica.pass().await);
    assert_eq!(brought(&deltas), 0, "and that is that");
    replica.now = first;
    let (_, deltas) = Replica::good(replica.pass().await);
    assert_eq!(brought(&deltas), 120, "the clock was ahead");
}

#[tokio::test]
async fn a_calendar_that_is_refused_stays_as_it_is_and_one_that_is_gone_goes() {
    let server = Davd::start(Tells::Tokens, 3);
    let mut replica = Replica::of(&server);
    Replica::good(replica.pass().await);
    server.put("000.ics", &event(7));
    server.fault(|asked| (asked.path == CALENDAR).then(|| Answer::status(403)));
    let (pass, deltas) = Replica::good(replica.pass().await);
    assert!(matches!(pass.skipped[0].reason, SkipReason::Refused(_)), "{pass:?}");
    assert_eq!((deltas.len(), replica.objects()), (0, 3));

    // A listing that says nothing of it, or says that it cannot tell.
    for (status, expected) in [("507", "protocol"), ("403", "ok")] {
        server.fault(move |asked| {
            let told = format!(
                "<d:response><d:href>{CALENDAR}</d:href><d:status>HTTP/1.1 {status} x</d:status>\
                 </d:response>"
            );
            (asked.what() == "home").then(|| Answer::xml(&told))
        });
        let done = replica.pass().await;
        assert_eq!((code(&done), done.deltas.len(), replica.objects()), (expected, 0, 3));
    }
    server.fault(|asked| (asked.what() == "home").then(|| Answer::xml("")));
    let done = replica.pass().await;
    assert_eq!((code(&done), replica.objects()), ("protocol", 3), "not even the home is listed");
    server.fault(|asked| {
        let home = response("/home/", "<d:resourcetype><d:collection/></d:resourcetype>");
        (asked.what() == "home").then(|| Answer::xml(&home))
    });
    let (pass, deltas) = Replica::good(replica.pass().await);
    assert!(matches!(pass.skipped[..], [_]), "not listed, and there: {pass:?}");
    assert_eq!((deltas.len(), replica.objects()), (0, 3), "as for somebody else");
    server.fault(|asked| {
        let home = response("/home/", "<d:resourcetype><d:collection/></d:resourcetype>");
        match asked.what() {
            "home" => Some(Answer::xml(&home)),
            "list" => Some(Answer::status(404)),
            _ => None,
        }
    });
    let (_, deltas) = Replica::good(replica.pass().await);
    assert_eq!((deltas.len(), replica.objects()), (1, 0));
    assert!(deltas[0].complete && deltas[0].vanished.len() == 3);
    let (_, deltas) = Replica::good(replica.pass().await);
    assert_eq!(deltas.len(), 0, "that is said once");
    server.log();
    Replica::good(replica.pass().await);
    assert_eq!(server.asked(), ["home"], "and asked once");
    server.recover();
    Replica::good(replica.pass().await);
    assert_eq!(replica.objects(), 3, "it is back");
}

#[tokio::test]
async fn only_calendars_of_events_are_read() {
    const REST: &str = "<d:sync-token>1</d:sync-token>";
    let kinds = |more: &str| format!("<d:resourcetype><d:collection/>{more}</d:resourcetype>");
    let calendar = kinds("<c:calendar/>");
    let only = |component: &str| {
        let component = format!("<c:comp name=\"{component}\"/>");
        format!(
            "<c:supported-calendar-component-set>{component}</c:supported-calendar-component-set>"
        )
    };
    let name = |name: &str| format!("<d:displayname>{name}</d:displayname>");
    let all = [
        ("inbox/", kinds("<c:schedule-inbox/>"), Some("not_selectable")),
        ("people/", kinds("<a:addressbook xmlns:a=\"urn:x\"/>"), Some("not_selectable")),
        ("todo/", format!("{calendar}{}", only("VTODO")), Some("not_selectable")),
        ("feed/", kinds("<c:calendar/><s:subscribed/>"), Some("not_selectable")),
        ("named/", format!("{calendar}{}", name("Private")), Some("excluded")),
        ("by-path/below/", calendar.clone(), Some("excluded")),
        ("by-path-not/", calendar.clone(), None),
        ("vevent/", format!("{calendar}{}", only("vevent")), None),
        // Another calendar, not another name for one.
        ("a%2Fb/", calendar.clone(), None),
    ];
    let told: String = all
        .iter()
        .map(|(path, found, _)| response(&format!("/home/{path}"), &format!("{found}{REST}")))
        .collect();
    let elsewhere = response("http://127.0.0.2/home/x/", &format!("{calendar}{REST}"));
    let server = Davd::start(Tells::Tokens, 0);
    server.fault(move |asked| match asked.what() {
        "home" => Some(Answer::xml(&format!("{told}{elsewhere}"))),
        "sync" => Some(Answer::xml("<d:sync-token>1</d:sync-token>")),
        _ => None,
    });
    let mut replica = Replica::of(&server);
    replica.settings.exclude_mailboxes = vec!["private".to_owned(), "/home/by-path".to_owned()];
    let (pass, _) = Replica::good(replica.pass().await);
    for (path, _, expected) in all {
        let name = format!("/home/{path}");
        let found = pass.skipped.iter().find(|skipped| skipped.mailbox == name);
        assert_eq!(found.map(|skipped| skipped.reason.code()), expected, "{path}");
        assert_eq!(replica.known.contains_key(&name), expected.is_none(), "{path}");
    }
    assert!(!replica.known.contains_key("/home/x/"), "a calendar on another host");
}
