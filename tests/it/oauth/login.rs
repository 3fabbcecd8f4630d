//! `keepwarm login`: a person signs in by a real browser or on another device, beside a daemon or
//! before there is one, and the daemon reads mail with what that gives.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Url;

use crate::support::browser::Browser;
use crate::support::dovecot::{Dovecot, free_port};
use crate::support::dump::{rows, values};
use crate::support::generate::mailbox;
use crate::support::http::{self, Reply};
use crate::support::process::{Place, Running};
use crate::support::sign_in::{SignIns, WORD};
use crate::support::tokens::{Provider, Rotation};

/// What takes a second takes no longer, however busy the machine is.
const SOON: Duration = Duration::from_secs(60);

/// A mailbox with mail, a provider, and a source for which nobody has signed in.
struct Scene {
    server: Dovecot,
    provider: Provider,
    place: Place,
}

fn scene() -> Scene {
    let server = Dovecot::with_tokens(&["ann"], "xoauth2 oauthbearer", "");
    for mail in mailbox(53, 5) {
        server.deliver("ann", mail.mailbox, mail.at, &mail.bytes);
    }
    let provider = Provider::start("ann", Rotation::Exchanged);
    let oauth = format!(
        "[source.oauth]\ntoken_url = \"{}\"\nauthorization_url = \"{}\"\ndevice_url = \"{}\"\n\
         client_id = \"kw\"\nclient_secret = \"canary-client\"\nscope = \"mail offline\"",
        provider.url(),
        provider.authorization_url(),
        provider.device_url(),
    );
    let place = Place::new().imap_by("ann-mail", &server, server.imaps, "ann", &oauth);
    Scene { server, provider, place }
}

/// A login that waits for its browser, and the address that it has printed.
#[track_caller]
fn begin(place: &Place, arguments: &[&str]) -> (Running, Url) {
    let mut login = place.start(&[&["login", "ann-mail"], arguments].concat());
    login.wait_for("ssh -L ", SOON);
    let log = login.log();
    let printed = log.lines().map(str::trim).find(|line| line.starts_with("http")).unwrap();
    (login, printed.parse().unwrap())
}

/// Where the provider sends a browser whose user does so.
#[track_caller]
fn sent(provider: &Url, choice: &str) -> Url {
    let page = get(provider).body;
    let begins = format!("id={choice} href=\"");
    let href = page.split_once(&begins).unwrap().1.split_once('"').unwrap().0;
    href.replace("&amp;", "&").parse().unwrap()
}

#[track_caller]
fn get(url: &Url) -> Reply {
    let address: SocketAddr = url.socket_addrs(|| None).unwrap()[0];
    http::ask(address, "GET", &format!("{}?{}", url.path(), url.query().unwrap()), &[], "")
}

/// Nothing of a sign-in may lie in a file as it was given.
#[track_caller]
fn assert_sealed(place: &Place) {
    for (path, bytes) in place.files() {
        let name = path.display().to_string();
        let configured = name.ends_with(".toml");
        for word in ["canary-refresh", "canary/code", "canary%2Fcode", "canary-device"] {
            let found = bytes.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(configured || !found, "{word} in {name}");
        }
    }
}

#[test]
fn a_browser_signs_in_beside_the_daemon_which_reads_at_once() {
    let Scene { provider, place, server: _server } = scene();
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("nobody has signed in; hint: keepwarm login ann-mail", SOON);
    assert_eq!(place.json(&["status"])["sources"][0]["state"], "auth_required");
    let told = doctor(&place);
    assert_eq!(told, "failed nobody has signed in; hint: keepwarm login ann-mail");

    let (login, url) = begin(&place, &[]);
    let browser = Browser::phone();
    browser.open(url.as_str());
    browser.press("#allow");
    browser.wait_for("You may close this.");
    assert_eq!(browser.look("document.title"), "Signed in – keepwarm");
    assert_eq!(browser.look("getComputedStyle(document.body).maxWidth"), "544px", "by its policy");
    browser.picture("signed-in");
    let ran = login.finish(SOON);
    assert!(ran.status.success(), "{}", ran.stderr);
    assert_eq!(ran.stdout, "ann-mail: signed in\n");

    daemon.wait_for("source read", SOON);
    assert!(doctor(&place).starts_with("skipped the daemon exchanges"), "{}", doctor(&place));
    let (asked, exchanged) = provider.sign_ins(|all| all.asked.remove(0)).split();
    assert_eq!(asked, "kw mail offline");
    assert_eq!(exchanged, "ann");
    let form = provider.requests().remove(0);
    assert_eq!((&*form["client_id"], &*form["client_secret"]), ("kw", "canary-client"));
    assert_eq!(provider.presented(), ["canary-refresh-1"], "what the sign-in gave");
    daemon.terminate(SOON);
    assert_eq!((rows(&place.database(), "message"), rows(&place.database(), "login")), (5, 1));
    place.once(&[]);
    assert_eq!(provider.presented(), ["canary-refresh-1", "canary-refresh-2"], "and so on");
    assert_eq!(place.json(&["status"])["sources"][0]["state"], "ok");
    assert_sealed(&place);
}

/// What doctor says of the login.
fn doctor(place: &Place) -> String {
    let ran = place.keepwarm(&["doctor", "--source", "ann-mail", "--format", "json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
    let row = rows.iter().find(|row| row["check"] == "login").unwrap();
    let of = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let hint = row["hint"].as_str().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
    format!("{} {}{hint}", of("result"), of("found"))
}

/// Client, scope, and whom the browser is asked to sign in as.
trait Split {
    fn split(self) -> (String, String);
}

impl Split for crate::support::tokens::Form {
    fn split(self) -> (String, String) {
        (format!("{} {}", self["client_id"], self["scope"]), self["login_hint"].clone())
    }
}

/// Whoever else finds the port changes nothing; and before the first start there is no daemon.
#[test]
fn only_the_answer_to_this_sign_in_counts_and_only_once() {
    let Scene { provider, place, server: _server } = scene();
    let port = free_port().to_string();
    let (login, url) = begin(&place, &["--port", &port]);
    let right = sent(&url, "allow");
    assert_eq!(right.port().unwrap().to_string(), port);
    let with = |query: &str| {
        let mut url = right.clone();
        url.set_query(Some(query));
        url
    };
    let query = right.query().unwrap();
    let (code, state) = query.split_once("&state=").unwrap();
    for (query, status) in [
        ("", 404),
        ("a=b", 404),
        (code, 400),
        (&format!("{code}&state={state}x"), 400),
        (&format!("{code}&state={}", state.to_ascii_lowercase()), 400),
        (&format!("{code}&{code}&state={state}"), 400),
        (&format!("error=access_denied&state=x{state}"), 400),
    ] {
        let reply = get(&with(query));
        assert_eq!(reply.status, status, "{query}: {}", reply.body);
        assert!(!reply.body.contains("canary"), "{}", reply.body);
    }
    let mut icon = right.clone();
    icon.set_path("/favicon.ico");
    assert_eq!(get(&icon).status, 404);
    assert!(provider.requests().is_empty(), "nothing was exchanged");
    assert!(login.log().contains("not to this sign-in"), "{}", login.log());

    let reply = get(&right);
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("Signed in"), "{}", reply.body);
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    let ran = login.finish(SOON);
    assert_eq!(ran.stdout, "ann-mail: signed in; it is read by the next start of the daemon\n");
    let again = std::net::TcpStream::connect(("127.0.0.1", right.port().unwrap()));
    assert!(again.is_err(), "nothing listens any more");
    place.once(&[]);
    assert_eq!((rows(&place.database(), "message"), provider.requests().len()), (5, 2));
    assert_sealed(&place);
}

#[test]
fn a_sign_in_that_comes_to_nothing_says_why_and_keeps_nothing() {
    let Scene { provider, place, server: _server } = scene();
    for (what, choice, user, exit, words) in [
        ("denied", "deny", "ann", 1, "the provider says access_denied\nhint: whoever signed in"),
        ("expired", "allow", "ann", 1, "invalid_grant\nhint: the code of this sign-in has expired"),
        ("another's", "allow", "bob", 2, "nothing was kept: "),
    ] {
        provider.is_used_by(user);
        let (login, url) = begin(&place, &[]);
        let back = sent(&url, choice);
        if what == "expired" {
            provider.sign_ins(SignIns::expire);
        }
        let reply = get(&back);
        assert!(reply.body.contains("Not signed in"), "{what}: {}", reply.body);
        let ran = login.finish(SOON);
        assert_eq!(ran.status.code(), Some(exit), "{what}: {}", ran.stderr);
        assert!(ran.stderr.contains(words) && ran.stdout.is_empty(), "{what}: {}", ran.stderr);
        let told = ran.stderr.replace(url.as_str(), "");
        assert!(!told.contains("canary"), "{what}: {told}");
        assert_eq!(rows(&place.database(), "login"), 0, "{what}");
    }
    assert_eq!(provider.requests().len(), 2, "what was denied is not asked for");
}

/// Others are asked more slowly when they say so, as long as they say that nobody has signed in.
#[test]
fn a_device_waits_for_its_word_to_be_typed() {
    let Scene { provider, place, server: _server } = scene();
    provider.sign_ins(|all| all.answers.extend(["authorization_pending", "slow_down"]));
    let ran = place.keepwarm(&["login", "ann-mail", "--device"]);
    assert!(ran.status.success(), "{}", ran.stderr);
    assert!(ran.stderr.contains(WORD) && ran.stderr.contains("https://id.us.example/device"));
    assert!(!provider.sign_ins(|all| all.hasty), "never sooner than it may");
    assert_eq!(provider.sign_ins(|all| all.asked[0]["scope"].clone()), "mail offline");
    assert_eq!(provider.requests().len(), 3);
    place.once(&[]);
    assert_eq!((rows(&place.database(), "message"), rows(&place.database(), "login")), (5, 1));
    assert_sealed(&place);

    let sealed = || values(&place.database(), "SELECT hex(sealed) FROM login");
    let kept = sealed();
    for (error, words) in [
        ("expired_token", "nobody has signed in in time"),
        ("access_denied", "the provider says access_denied"),
        ("authorization_declined", "the provider says authorization_declined"),
    ] {
        provider.sign_ins(|all| all.answers.push_back(error));
        let ran = place.keepwarm(&["login", "ann-mail", "--device"]);
        assert_eq!(ran.status.code(), Some(1), "{error}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{error}: {}", ran.stderr);
        assert_eq!(sealed(), kept, "{error}: the login that there was stays");
    }
}

const GOOGLE: &str = "host = \"imap.gmail.com\"\nusername = \"ann@us.example\"\n[source.oauth]\n\
                      client_id = \"kw\"";

/// A login, what else is in `[store]`, the arguments, and what is said.
const REFUSED: &[(&str, &str, &[&str], &str)] = &[
    (
        "password = \"x\"",
        "",
        &["a"],
        "source a logs in with a password\nhint: write [source.oauth]",
    ),
    ("token_file = \"t\"", "", &["a"], "somebody else keeps fresh\nhint: write [source.oauth]"),
    (
        "[source.oauth]\nprovider = \"microsoft\"\nclient_id = \"kw\"\nrefresh_token_file = \"r\"",
        "",
        &["a"],
        "wins over a sign-in\nhint: take refresh_token... out",
    ),
    (
        "[source.oauth]\ngrant = \"client_credentials\"\ntenant = \"us.example\"\n\
             client_id = \"kw\"\nclient_secret_file = \"c\"\nprovider = \"microsoft\"",
        "",
        &["a"],
        "read by an app in its own right: nobody signs in",
    ),
    (
        "[source.oauth]\ngrant = \"service_account\"\nkey_file = \"k\"",
        "",
        &["a"],
        "read by a service account: nobody signs in",
    ),
    (
        "[source.oauth]\ntoken_url = \"https://id.us.example/token\"\nclient_id = \"kw\"",
        "",
        &["a"],
        "does not say where one signs in\nhint: write provider",
    ),
    (
        "[source.oauth]\ntoken_url = \"https://id.us.example/token\"\nclient_id = \"kw\"",
        "",
        &["a", "--device"],
        "does not say where a device asks for a code\nhint: write device_url",
    ),
    (
        GOOGLE,
        "",
        &["a", "--device"],
        "gives no rights to mail or calendars by a device code\nhint: sign in by a browser",
    ),
    (GOOGLE, "", &["b"], "there is no source called b\nhint: there are a"),
    (GOOGLE, "", &["a/bob"], "no source called a/bob"),
    (
        GOOGLE,
        "token_key_credential = \"tk\"",
        &["a"],
        "hint: if there is none yet: openssl rand -base64 32 >/etc",
    ),
    (
        GOOGLE,
        "token_key_file = \"tk\"",
        &["a"],
        "hint: if there is none yet: openssl rand -base64 32 >/",
    ),
    (GOOGLE, "token_key = \"short\"", &["a"], "32 characters"),
];

#[test]
fn where_nobody_can_sign_in_it_is_said_what_to_do() {
    for (login, more, arguments, words) in REFUSED {
        let host = "host = \"imap.us.example\"\nusername = \"ann@us.example\"\n";
        let host = if login.starts_with("host") { "" } else { host };
        let place = Place::new().with(&format!(
            "[[source]]\nname = \"a\"\nrep = \"ann\"\nkind = \"imap\"\n{host}{login}"
        ));
        let path = place.path("keepwarm.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("[store]", &format!("[store]\n{more}"))).unwrap();
        let ran = place.keepwarm(&[&["login"], *arguments].concat());
        assert_eq!(ran.status.code(), Some(2), "{login} {more}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{login} {more} {arguments:?}: {}", ran.stderr);
    }
    let place = Place::new()
        .maildir("old")
        .with(&format!("[[source]]\nname = \"mail\"\nreps = \"*\"\nkind = \"imap\"\n{GOOGLE}"));
    let hint = place.keepwarm(&["login", "mail"]);
    assert!(hint.stderr.contains("name one of them, such as mail/ann"), "{}", hint.stderr);
    let maildir = place.keepwarm(&["login", "old"]);
    assert!(maildir.stderr.contains("source old needs no login"), "{}", maildir.stderr);
}

/// What Google and Microsoft need is known: only the client is to be written.
#[test]
fn the_known_providers_are_asked_for_what_the_source_needs() {
    for (source, starts, fields) in [
        (
            "kind = \"imap\"\nhost = \"imap.gmail.com\"\nusername = \"ann@us.example\"\n\
             [source.oauth]\nclient_id = \"kw\"",
            "https://accounts.google.com/o/oauth2/v2/auth?",
            vec![
                ("scope", "https://mail.google.com/"),
                ("access_type", "offline"),
                ("prompt", "consent"),
                ("login_hint", "ann@us.example"),
                ("redirect_uri", "http://127.0.0.1:PORT"),
            ],
        ),
        (
            "kind = \"google_calendar\"\n[source.oauth]\nclient_id = \"kw\"",
            "https://accounts.google.com/o/oauth2/v2/auth?",
            vec![
                ("scope", "https://www.googleapis.com/auth/calendar.events.readonly"),
                ("login_hint", "ann@us.example"),
            ],
        ),
        (
            "kind = \"imap\"\nhost = \"outlook.office365.com\"\nusername = \"ann@us.example\"\n\
             [source.oauth]\nclient_id = \"kw\"\ntenant = \"us.example\"",
            "https://login.microsoftonline.com/us.example/oauth2/v2.0/authorize?",
            vec![
                ("scope", "https://outlook.office.com/IMAP.AccessAsUser.All offline_access"),
                ("redirect_uri", "http://localhost:PORT"),
            ],
        ),
        (
            "kind = \"graph_calendar\"\n[source.oauth]\nclient_id = \"kw\"\n\
             token_url = \"https://login.microsoftonline.us/t/oauth2/v2.0/token\"",
            "https://login.microsoftonline.us/t/oauth2/v2.0/authorize?",
            vec![("scope", "https://graph.microsoft.com/Calendars.Read offline_access")],
        ),
    ] {
        let place =
            Place::new().with(&format!("[[source]]\nname = \"ann-mail\"\nrep = \"ann\"\n{source}"));
        let (login, url) = begin(&place, &[]);
        assert!(url.as_str().starts_with(starts), "{url}");
        let port =
            login.log().split_once("ssh -L ").unwrap().1.split_once(':').unwrap().0.to_owned();
        for (name, value) in fields {
            let found = url.query_pairs().find(|(found, _)| found == name);
            let found = found.map(|(_, value)| value.into_owned());
            assert_eq!(found, Some(value.replace("PORT", &port)), "{name} in {url}");
        }
        login.kill();
    }
}
