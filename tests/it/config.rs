//! The configuration as the admin meets it: layers, and the messages for whatever is wrong.

mod check;

use std::path::Path;
use std::time::Duration;

use keepwarm::config::{
    self, Config, Grant, Login, Problems, SecretSource, Severity, SourceKind, Tls,
};
use secrecy::ExposeSecret as _;

/// A rep, a source and an endpoint whose secrets are canaries.
const CANARIES: &str = r#"
serve.token = "canary-9-canary-9"

[[rep]]
id = "ann"
name = "Ann Lee"
addresses = ["ann@us.example"]

[[source]]
name = "mail"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
password = "canary-1"

[[source]]
name = "other"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
password_command = ["/bin/echo", "canary-2"]

[[source]]
name = "third"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
[source.oauth]
token_url = "https://id.us.example/canary-5/token?canary-6"
client_id = "kw"
client_secret = "canary-7"
refresh_token = "canary-8"

[[endpoint]]
name = "crm"
url = "https://crm.us.example/hooks/canary-3?token=canary-4"
secret = "whsec_Y2FuYXJ5LTUtY2FuYXJ5LTUtY2FuYXJ5LTUt"
"#;

/// Writes the files into a directory of their own and loads them.
fn load(
    files: &[(&str, &str)],
    env: &[(&str, &str)],
) -> (tempfile::TempDir, Result<Config, Problems>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let loaded = config::load(&directory.path().join("keepwarm.toml"), env);
    (directory, loaded)
}

/// Loads what must be valid.
fn valid(files: &[(&str, &str)], env: &[(&str, &str)]) -> (tempfile::TempDir, Config) {
    let (directory, loaded) = load(files, env);
    (directory, loaded.unwrap_or_else(|problems| panic!("{problems}")))
}

/// What the first source, an IMAP login, is made with.
fn login(config: &Config) -> &Login {
    match &config.sources[0].kind {
        SourceKind::Imap(imap) => &imap.login,
        other => panic!("{other:?}"),
    }
}

/// The way to the first source's password.
fn password(config: &Config) -> &SecretSource {
    match login(config) {
        Login::Password(password) => password,
        other => panic!("{other:?}"),
    }
}

/// The message, with the directory as it is on an admin's machine.
fn message(directory: &Path, problems: &Problems) -> String {
    problems.to_string().replace(directory.to_str().unwrap(), "/etc/keepwarm")
}

/// A wrong configuration of `config/wrong.txt`.
#[derive(Default)]
struct Case<'a> {
    name: &'a str,
    files: Vec<(&'a str, &'a str)>,
    env: Vec<(&'a str, &'a str)>,
    says: &'a str,
}

/// All of them.
fn wrong() -> Vec<Case<'static>> {
    let text = include_str!("config/wrong.txt");
    text.split("\n=== ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case<'_> {
    let (name, parts) = text.split_once('\n').unwrap();
    let mut case = Case { name, ..Case::default() };
    for part in parts.split("--- ").skip(1) {
        let (head, body) = part.split_once('\n').unwrap();
        match head.split_once(' ') {
            Some(("file", path)) => case.files.push((path, body)),
            Some(("variable", variable)) => case.env.push(variable.split_once('=').unwrap()),
            _ => case.says = body.trim_end(),
        }
    }
    case
}

#[test]
fn every_mistake_is_told_in_full() {
    let mut differ = Vec::new();
    for case in wrong() {
        let (directory, loaded) = load(&case.files, &case.env);
        let says = match loaded {
            Ok(_) => "valid\n".to_owned(),
            Err(problems) => message(directory.path(), &problems),
        };
        if says.trim_end() != case.says {
            differ.push(format!("=== {}\n{says}=== instead of\n{}", case.name, case.says));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(wrong().len() > 130, "the cases are read");
}

/// Where each mistake stands, and what is to be written instead: in words, or by what it must be.
#[test]
fn every_answer_says_where_and_what_to_write() {
    let tells = ["must ", "needs exactly one of", "is missing: ", "hint: "];
    for case in wrong() {
        for problem in case.says.split("\n\n") {
            assert!(problem.contains("\n  --> "), "{}: no place\n{problem}", case.name);
            let told = tells.iter().any(|words| problem.contains(words));
            assert!(told, "{}: nothing to do\n{problem}", case.name);
        }
    }
}

#[test]
fn a_byte_order_mark_and_ends_of_lines_of_windows_move_no_place() {
    let (directory, loaded) =
        load(&[("keepwarm.toml", "\u{feff}[sync]\r\npol_seconds = 60\r\n")], &[]);
    let says = message(directory.path(), &loaded.unwrap_err());
    assert!(says.contains("/etc/keepwarm/keepwarm.toml:2:1\n"), "{says}");
    assert!(says.contains("2 | pol_seconds = ...\n"), "{says}");
}

#[test]
fn a_file_that_is_not_utf_8_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keepwarm.toml");
    std::fs::write(&path, b"[organization]\ndomains = [\"b\xfccher.example\"]\n").unwrap();
    let says = config::load(&path, std::iter::empty()).unwrap_err().to_string();
    assert!(says.contains("keepwarm.toml:2:14\n") && says.contains("UTF-8"), "{says}");
}

#[test]
fn no_message_shows_a_secret() {
    for case in wrong() {
        let (_directory, loaded) = load(&case.files, &case.env);
        let says = loaded.err().map(|problems| format!("{problems}\n{problems:?}"));
        let says = says.unwrap_or_default();
        assert!(!says.contains("hunter2") && !says.contains("12345"), "{}:\n{says}", case.name);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let problems = config::load(&directory.path().join("none.toml"), std::iter::empty());
    let says = message(directory.path(), &problems.unwrap_err());
    let expected = "error: the file cannot be read: No such file or directory (os error 2)\n  \
                    --> /etc/keepwarm/none.toml\n";
    assert_eq!(says, expected);
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let (_directory, config) = valid(&[("keepwarm.toml", "")], &[]);
    assert_eq!(config.store.path, Path::new("/var/lib/keepwarm/keepwarm.db"));
    assert_eq!(config.organization.time_zone, chrono_tz::UTC);
    assert_eq!(config.organization.working_hours, keepwarm::score::WorkingHours::default());
    assert_eq!(config.sync.poll, Duration::from_secs(60));
    assert_eq!(config.sync.history, None);
    assert_eq!(config.nudge.min_silence.days().to_bits(), 7.0_f64.to_bits());
    assert_eq!(config.serve.listen, "127.0.0.1:8025".parse().ok());
    assert_eq!(config.serve.link_lifetime, keepwarm::model::Span::from_days(30));
    assert!(config.serve.public_url.is_none() && config.serve.token.is_none());
    assert!(config.reps.is_empty() && config.sources.is_empty() && config.endpoints.is_empty());
}

#[test]
fn later_layers_win_and_lists_are_appended() {
    let files = [
        (
            "keepwarm.toml",
            "organization.domains = [\"a.example\"]\n[sync]\npoll_seconds = 2\ndays_back = 2\ncommand_seconds = 2\n",
        ),
        ("conf.d/20-b.toml", "organization.domains = [\"c.example\"]\n[sync]\ndays_back = 4\n"),
        (
            "conf.d/10-a.toml",
            "organization.domains = [\"b.example\"]\n[sync]\npoll_seconds = 3\ndays_back = 3\n",
        ),
        ("conf.d/30-c.toml.bak", "not = even TOML"),
        ("conf.d/.#20-b.toml", "not = even TOML"),
    ];
    let (_directory, config) = valid(&files, &[("KEEPWARM__SYNC__POLL_SECONDS", "5")]);
    assert_eq!(config.organization.domains, ["a.example", "b.example", "c.example"]);
    assert_eq!(config.sync.command_timeout, Duration::from_secs(2), "the main file's");
    assert_eq!(config.sync.history.unwrap().days().to_bits(), 4.0_f64.to_bits(), "20-b's");
    assert_eq!(config.sync.poll, Duration::from_secs(5), "the environment's");
}

#[test]
fn accounts_are_joined_by_the_organisations_of_their_domains() {
    let file = "[accounts]\ntarget = 3\n[[account]]\nname = \"Bücher\"\n\
                domains = [\"mail.bücher.example\", \"Buch.example\", \"bücher.example\"]\n";
    let (_directory, config) = valid(&[("keepwarm.toml", file)], &[]);
    let account = config.accounts.get("buch.example");
    assert_eq!(account.domains, ["xn--bcher-kva.example", "buch.example"]);
    assert_eq!(account.target, 3);
}

#[test]
fn variables_are_read_as_their_key_asks() {
    let files = [("keepwarm.toml", "organization.domains = [\"a.example\"]\n")];
    let env = [
        ("KEEPWARM__STORE__PATH", "/0123"),
        ("KEEPWARM__ORGANIZATION__DOMAINS", "b.example, c.example"),
        ("KEEPWARM__STRENGTH__MEETING_MASS", "3"),
        ("KEEPWARM__SERVE__LISTEN", "off"),
        ("KEEPWARM_LOG", "not ours"),
    ];
    let (_directory, config) = valid(&files, &env);
    assert_eq!(config.store.path, Path::new("/0123"));
    assert_eq!(config.organization.domains, ["b.example", "c.example"]);
    assert_eq!(config.strength.meeting_mass.to_bits(), 3.0_f64.to_bits());
    assert_eq!(config.serve.listen, None);
}

#[test]
fn relative_paths_begin_where_they_are_written() {
    let source = CANARIES.replace("password = \"canary-1\"", "password_file = \"secrets/ann\"");
    let files = [("keepwarm.toml", "[store]\npath = \"k.db\"\n"), ("conf.d/ann.toml", &source)];
    let (directory, config) = valid(&files, &[]);
    assert_eq!(config.store.path, directory.path().join("k.db"));
    let SecretSource::File(path) = password(&config) else { panic!("{config:?}") };
    assert_eq!(*path, directory.path().join("conf.d/secrets/ann"));

    let (_directory, config) =
        valid(&[("keepwarm.toml", "")], &[("KEEPWARM__STORE__PATH", "k.db")]);
    assert_eq!(config.store.path, std::env::current_dir().unwrap().join("k.db"));
}

#[test]
fn a_port_follows_from_tls_and_the_zone_from_the_organisation() {
    for (lines, port, tls) in [
        ("", 993, Tls::Implicit),
        ("tls = \"starttls\"", 143, Tls::StartTls),
        ("tls = \"none\"\nallow_plaintext = true", 143, Tls::None),
        ("port = 1993", 1993, Tls::Implicit),
    ] {
        let text =
            CANARIES.replace("password = \"canary-1\"", &format!("password = \"p\"\n{lines}"));
        let text = format!("organization.time_zone = \"Asia/Tokyo\"\n{text}");
        let (_directory, config) = valid(&[("keepwarm.toml", &text)], &[]);
        assert_eq!(config.reps[0].time_zone, chrono_tz::Asia::Tokyo);
        let SourceKind::Imap(imap) = &config.sources[0].kind else { panic!("{lines}") };
        assert_eq!((imap.port, imap.tls), (port, tls), "{lines}");
    }
}

/// With every way to each secret once, as they stand in the documentation one after the other.
#[test]
fn the_examples_in_the_documentation_are_valid() {
    let documented = include_str!("../../config/default.toml");
    let ways = |secrets: &[&str]| -> Vec<String> {
        let of = |secret: &&str| {
            ["", "_file", "_credential", "_command"].map(|way| format!("{secret}{way}"))
        };
        secrets.iter().flat_map(of).collect()
    };
    let choices = [
        &["password", "token"][..],
        &["secret"],
        &["previous_secret"],
        &["client_secret"],
        &["refresh_token"],
        &["token_key"],
    ];
    for way in 0..8 {
        let chosen = |key: &str| {
            choices
                .iter()
                .map(|secrets| ways(secrets))
                .all(|ways| !ways.iter().any(|name| name == key) || ways[way % ways.len()] == key)
        };
        let kept: Vec<&str> = documented
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(example) if !example.starts_with(' ') => example,
                _ => line,
            })
            // The calendars' login is shown with one way only.
            .filter(|line| {
                line.ends_with(".dav\"") || chosen(line.split(' ').next().unwrap_or_default())
            })
            .collect();
        // There is no key `token`: what a file says once and for all would expire.
        if way == 4 {
            continue;
        }
        let holidays = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\n\
                        DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20270101\r\n\
                        END:VEVENT\r\nEND:VCALENDAR\r\n";
        let files = [("keepwarm.toml", kept.join("\n")), ("holidays.ics", holidays.to_owned())];
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        let (_directory, config) = valid(&files, &[]);
        let count = (config.reps.len(), config.sources.len(), config.endpoints.len());
        assert_eq!(count, (1, 8, 4), "way {way}");
        assert_eq!(config.accounts.get("acme.de").domains, ["acme.example", "acme.de"]);
        assert_eq!(matches!(login(&config), Login::Password(_)), way < 4, "way {way}");
    }
}

#[test]
fn a_secret_is_taken_as_it_is_written() {
    for (written, secret) in [
        ("\"0123\"", "0123"),
        ("\"1e5\"", "1e5"),
        ("\"true\"", "true"),
        ("\"2026-11-21\"", "2026-11-21"),
        ("'a\"b\\c'", "a\"b\\c"),
        ("\"${HOME} %h $x ü\"", "${HOME} %h $x ü"),
        ("\" both ends \"", " both ends "),
    ] {
        let text = CANARIES.replace("\"canary-1\"", written);
        let (_directory, config) = valid(&[("keepwarm.toml", &text)], &[]);
        assert_eq!(password(&config).resolve().unwrap().expose_secret(), secret, "{written}");
    }
}

#[test]
fn a_token_or_the_way_to_one_takes_the_place_of_a_password() {
    let oauth = "[source.oauth]\ntoken_url = \"https://id.us.example/token\"\n\
                 client_id = \"kw\"\nrefresh_token_file = \"ann\"\n";
    let with = |lines: &str| {
        let text = CANARIES.replacen("password = \"canary-1\"", lines, 1);
        valid(&[("keepwarm.toml", &text)], &[])
    };
    let (directory, config) = with("token_file = \"ann\"");
    let Login::Token(SecretSource::File(path)) = login(&config) else { panic!("{config:?}") };
    assert_eq!(*path, directory.path().join("ann"));

    let (directory, config) = with(oauth);
    let Login::Oauth(oauth) = login(&config) else { panic!("{config:?}") };
    let Grant::RefreshToken { refresh_token, client_secret, .. } = &oauth.grant else {
        panic!("{oauth:?}")
    };
    let Some(SecretSource::File(path)) = refresh_token else { panic!("{oauth:?}") };
    assert_eq!(*path, directory.path().join("ann"));
    assert!(client_secret.is_none() && oauth.scope.is_none(), "{oauth:?}");
    assert_eq!(config.sources.len(), 3, "the table is part of its source");
}

#[test]
fn loopback_needs_no_permission() {
    let text = CANARIES
        .replace("imap.us.example\"", "127.0.0.1\"\ntls = \"none\"")
        .replace("https://crm.us.example/", "http://[::1]:9000/");
    let (_directory, config) = valid(&[("keepwarm.toml", &text)], &[]);
    assert_eq!(config.endpoints[0].url.scheme(), "http");
}

/// A slip of one character anywhere in a file with secrets: whatever it makes of the file, the
/// secrets are not in the answer.
#[test]
fn no_slip_of_the_pen_shows_a_secret() {
    let text = include_str!("config/secrets.toml");
    let secrets: Vec<usize> = text.match_indices("hunter2").map(|(at, _)| at).collect();
    let mut answers = 0;
    for at in 0..text.len() {
        // A secret that is itself changed is not looked for.
        let within = |begin: &usize| (begin + 1..begin + "hunter2".len()).contains(&at);
        if secrets.iter().any(within) {
            continue;
        }
        let (head, tail) = text.split_at(at);
        let begins = secrets.contains(&at);
        for slip in ["", "\"", "'", "\n", "=", "[", "]", "{", "#", ".", " ", "x"] {
            // Inserted, and instead of a character that is no secret's.
            let instead = tail.get(1..).filter(|_| !begins).unwrap_or(tail);
            for rest in [tail, instead] {
                let slipped = format!("{head}{slip}{rest}");
                let (_directory, loaded) = load(&[("keepwarm.toml", &slipped)], &[]);
                let says = loaded.unwrap_err().to_string();
                assert!(!says.contains("hunter2"), "{slip:?} at {at}:\n{slipped}\n{says}");
                answers += 1;
            }
        }
    }
    assert!(answers > 1000, "{answers} slips");
}

#[test]
fn debug_leaks_no_secret() {
    let (_directory, config) = valid(&[("keepwarm.toml", CANARIES)], &[]);
    let debug = format!("{config:?} {config:#?}");
    assert!(debug.contains("imap.us.example"), "{debug}");
    for canary in ["canary", "Y2FuYXJ5"] {
        assert!(!debug.contains(canary), "{canary} in {debug}");
    }
}

#[test]
fn credentials_are_found_by_their_name_or_with_the_prefix_of_the_directory() {
    let text = CANARIES.replace("password = \"canary-1\"", "password_credential = \"ann\"");
    let credentials = tempfile::tempdir().unwrap();
    let env = [("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap())];
    let (_directory, config) = valid(&[("keepwarm.toml", &text)], &env);
    assert!(password(&config).resolve().is_err(), "there is no such file yet");
    for (file, secret) in [("keepwarm_ann", "one"), ("ann", "two")] {
        std::fs::write(credentials.path().join(file), format!("{secret}\n")).unwrap();
        assert_eq!(password(&config).resolve().unwrap().expose_secret(), secret, "{file}");
    }
}

/// Whether one is missing is known only where systemd lends them: not in a shell, and, with systemd 252,
/// not in what `ExecReload=` runs, which is told of a directory that it cannot open.
#[test]
fn a_credential_is_missed_only_where_credentials_are_lent() {
    let text = CANARIES.replace("password = \"canary-1\"", "password_credential = \"ann\"");
    let lent = tempfile::tempdir().unwrap();
    let lent = lent.path().to_str().unwrap();
    for (directory, severity, says) in [
        (None, Severity::Warning, "there is no $CREDENTIALS_DIRECTORY"),
        (Some("/nonexistent"), Severity::Warning, "reading /nonexistent/ann"),
        (Some(lent), Severity::Error, "/ann: No such file"),
    ] {
        let env: Vec<_> =
            directory.map(|path| ("CREDENTIALS_DIRECTORY", path)).into_iter().collect();
        let (_directory, config) = valid(&[("keepwarm.toml", &text)], &env);
        let problems = config::check(&config);
        let found = problems.iter().find(|problem| problem.to_string().contains(says));
        assert_eq!(
            found.map(|found| found.severity),
            Some(severity),
            "{directory:?}: {problems:?}"
        );
    }
}
