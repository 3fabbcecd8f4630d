//! Where the calendars are: redirects, homes on other hosts, and to whom a password goes.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::replica::Replica;
use super::{place, root};
use crate::support::davd::{Answer, CALENDAR, Davd, Tells, response};
use crate::support::dump::rows;
use crate::support::radicale::{PASSWORD, Radicale, USER};
use crate::support::series::NOW;

#[tokio::test]
async fn discovery_goes_from_any_of_these_to_the_calendars() {
    for (number, url) in ["/", "/p/", "/home/", CALENDAR, "/moved/", "/"].iter().enumerate() {
        for well_known in [301, 302, 307, 308] {
            let server = Davd::start(Tells::Tokens, 3);
            server.fault(move |asked| match asked.path.as_str() {
                "/" if number == 5 => Some(Answer::status(405)),
                "/moved/" => Some(Answer::header(301, "location", "/moved-again/")),
                "/moved-again/" => Some(Answer::header(301, "location", "/p/")),
                "/.well-known/caldav" => Some(Answer::header(well_known, "location", "/p/")),
                _ => None,
            });
            let mut replica = Replica::of(&server);
            replica.settings.url = replica.settings.url.join(url).unwrap();
            Replica::good(replica.pass().await);
            assert_eq!(replica.objects(), 3, "{url}");
            server.log();
            Replica::good(replica.pass().await);
            assert_eq!(server.log().len(), 1, "{url}: it is not discovered again");
            let asked = server.log();
            assert!(asked.iter().all(|asked| ["PROPFIND", "REPORT"].contains(&&*asked.method)));
        }
    }
}

#[tokio::test]
async fn a_home_that_has_moved_is_discovered_again() {
    for status in [404, 410] {
        let server = Davd::start(Tells::Tokens, 3);
        let mut replica = Replica::of(&server);
        Replica::good(replica.pass().await);
        server.fault(move |asked| {
            let home = "<c:calendar-home-set><d:href>/new/</d:href></c:calendar-home-set>";
            let calendar = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>";
            match asked.path.as_str() {
                "/p/" => Some(Answer::xml(&response("/p/", home))),
                "/home/" => Some(Answer::status(status)),
                "/new/" => Some(Answer::xml(&response(CALENDAR, calendar))),
                _ => None,
            }
        });
        Replica::good(replica.pass().await);
        assert_eq!(replica.objects(), 3, "{status}");
    }
}

/// A server that can name any host must not get the password sent there, nor have us look around.
#[tokio::test]
async fn credentials_never_go_to_another_host() {
    let other = Davd::start(Tells::Tokens, 3);
    let at = format!("http://{}", other.address);
    let home =
        |to: &str| format!("<c:calendar-home-set><d:href>{to}</d:href></c:calendar-home-set>");
    let principal = |to: &str| {
        format!("<d:current-user-principal><d:href>{to}</d:href></d:current-user-principal>")
    };
    for (what, answer) in [
        ("redirect", None),
        ("principal", Some(principal(&format!("{at}/p/")))),
        ("home", Some(home(&format!("{at}/home/")))),
        ("home by its name", Some(home(&format!("//localhost:{}/home/", other.address.port())))),
        ("metadata", Some(home("http://169.254.169.254/latest/"))),
    ] {
        let server = Davd::start(Tells::Tokens, 3);
        let location = format!("{at}/p/");
        server.fault(move |_| {
            Some(match &answer {
                Some(found) => Answer::xml(&response("/", found)),
                None => Answer::header(302, "location", &location),
            })
        });
        let mut replica = Replica::of(&server);
        let error = replica.pass().await.outcome.unwrap_err();
        assert_eq!(error.code(), "protocol", "{what}: {error}");
        assert!(error.to_string().contains("name it in url"), "{what}: {error}");
        assert_eq!(server.log().len(), 1, "{what}");
        assert_eq!(other.log(), [], "{what}");
    }
}

#[tokio::test]
async fn a_server_that_leads_nowhere_is_given_up() {
    for (what, answer, code, most) in
        [("circle", Some("/round/"), "protocol", 6), ("nothing", None, "misconfigured", 2)]
    {
        let server = Davd::start(Tells::Tokens, 3);
        server.fault(move |_| {
            Some(
                answer
                    .map_or_else(|| Answer::status(404), |to| Answer::header(302, "location", to)),
            )
        });
        let mut replica = Replica::of(&server);
        let error = replica.pass().await.outcome.unwrap_err();
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(server.log().len() <= most, "{what}");
    }
}

/// Who names one calendar does not want all the others if that one has gone.
#[tokio::test]
async fn a_url_with_a_path_is_taken_at_its_word() {
    for status in [403, 404, 405, 410] {
        let server = Davd::start(Tells::Tokens, 3);
        let mut replica = Replica::of(&server);
        replica.settings.url = replica.settings.url.join(CALENDAR).unwrap();
        Replica::good(replica.pass().await);
        assert_eq!(replica.objects(), 3);
        server.fault(move |asked| (asked.path == CALENDAR).then(|| Answer::status(status)));
        for _ in 0..2 {
            let error = replica.pass().await.outcome.unwrap_err();
            assert_eq!(error.code(), "protocol", "{status}: it may be back: {error}");
        }
        assert!(server.log().iter().all(|asked| asked.path == CALENDAR), "{status}");
        assert_eq!(replica.objects(), 3, "{status}");
    }
}

/// Another port of the same host under TLS, where its certificate stands for it.
#[test]
fn a_home_on_a_server_that_discovery_names_is_read_under_its_certificate() {
    let (radicale, ca) = Radicale::with_tls();
    let files = radicale.files("/ann/work/");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join(".Radicale.props"), r#"{"tag": "VCALENDAR"}"#).unwrap();
    std::fs::write(files.join("one.ics"), crate::support::davd::event(1)).unwrap();
    let front = Davd::start(Tells::Tokens, 0);
    let home = format!("https://localhost:{}/ann/", radicale.address.port());
    front.fault(move |asked| {
        let found = format!("<c:calendar-home-set><d:href>{home}</d:href></c:calendar-home-set>");
        (asked.path == "/p/").then(|| Answer::xml(&response("/p/", &found)))
    });
    let url = format!("http://localhost:{}/", front.address.port());
    let trusting = place(&url, "ca_file = \"ca.pem\"");
    std::fs::write(trusting.path("ca.pem"), ca).unwrap();
    trusting.once(&["--now", NOW]);
    assert_eq!(rows(&trusting.database(), "meeting"), 1);

    let ran = place(&url, "").keepwarm(&["run", "--once", "--now", NOW]);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("no trusted connection"), "{}", ran.stderr);
}

/// Radicale's own count of what it is asked.
#[test]
fn a_daemon_that_finds_nothing_new_asks_once_a_time() {
    let server = Radicale::start();
    let client = server.client();
    for number in 0..3 {
        client.make(&format!("/ann/cal-{number}/"));
        client.put(&format!("/ann/cal-{number}/a.ics"), &crate::support::davd::event(number));
    }
    client.make_for("/ann/todo/", "VTODO");
    let place = place(&root(server.address), "poll_seconds = 1");
    place.once(&[]);
    assert_eq!(rows(&place.database(), "meeting"), 3);
    let asked = || ["PROPFIND", "REPORT"].map(|method| server.requests(method));
    let begun = asked();
    let daemon = place.start(&["--log", "trace", "run"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    // It discovers where the calendars are, in two steps, and lists them.
    while asked()[0] < begun[0] + 3 {
        assert!(Instant::now() < deadline, "{}", daemon.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let before = asked();
    std::thread::sleep(Duration::from_secs(5));
    let after = asked();
    let log = daemon.terminate(Duration::from_secs(10)).stderr;
    assert!((3..=7).contains(&(after[0] - before[0])), "{before:?} {after:?}");
    assert_eq!(after[1], before[1], "no report while the listing tells of nothing new");
    let sent = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    for secret in [&sent, "canary", "/ann/", "cal-1", "acme.example"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
