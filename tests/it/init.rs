//! `keepwarm init` with a real server: what it writes works, and it overwrites nothing.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::generate::mailbox;

/// Runs a command with these lines on its standard input.
fn keepwarm(directory: &Path, arguments: &[&str], lines: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_keepwarm"))
        .arg("--config")
        .arg(directory.join("keepwarm.toml"))
        .args(arguments)
        .env_remove("KEEPWARM_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // One who refuses at once does not read.
    let _ = stdin.write_all((lines.join("\n") + "\n").as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The user of the server is "ann", and its mailboxes are read under whatever address logs in so.
fn answers<'a>(server: &'a str, password: &'a str, url: &'a str) -> [&'a str; 5] {
    ["ann@us.example", "", server, password, url]
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn five_answers_make_a_configuration_that_works() {
    let server = Dovecot::start(&["ann@us.example"]);
    super::daemon::fill(&server, "ann@us.example", &mailbox(41, 10));
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    std::fs::write(at.join("ca.pem"), server.ca_pem()).unwrap();
    let ca = at.join("ca.pem");
    let init = ["init", "--ca-file", ca.to_str().unwrap()];
    let place = format!("localhost:{}", server.imaps.port());

    let wrong = answers(&place, "canary-wrong", "https://crm.us.example/hooks/1");
    let refused = keepwarm(at, &init, &wrong);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("nothing is written"), "{}", stderr(&refused));
    assert!(!stderr(&refused).contains("canary-wrong"));
    assert!(!at.join("keepwarm.toml").exists() && !at.join("secrets").exists());

    let right = answers(&place, PASSWORD, "https://crm.us.example/hooks/1");
    let made = keepwarm(at, &init, &right);
    assert!(made.status.success(), "{}", stderr(&made));
    assert!(!stderr(&made).contains(PASSWORD));
    assert!(stderr(&made).matches(": ").count() >= 5);
    let text = std::fs::read_to_string(at.join("keepwarm.toml")).unwrap();
    for line in [
        "domains = [\"us.example\"]",
        "id = \"ann\"",
        "name = \"Ann\"",
        "host = \"localhost\"",
        "password_file = \"secrets/ann\"",
        "secret_file = \"secrets/webhook\"",
    ] {
        assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
    }
    assert!(!text.contains(PASSWORD) && !text.contains("whsec_"), "{text}");
    let mode = |name: &str| at.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode("secrets/ann")), (0o700, 0o600));

    let again = keepwarm(at, &init, &right);
    assert_eq!(again.status.code(), Some(2), "{}", stderr(&again));
    assert_eq!(std::fs::read_to_string(at.join("keepwarm.toml")).unwrap(), text);

    let checked = keepwarm(at, &["check"], &[]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    let tried = keepwarm(at, &["doctor", "--source", "ann-mail"], &[]);
    assert!(tried.status.success(), "{}{}", String::from_utf8_lossy(&tried.stdout), stderr(&tried));
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_written() {
    for (lines, says) in [
        (&["ann"] as &[&str], "is no address"),
        (&[], "no answer to `E-mail address"),
        (&["ann@us.invalid", "", "imaps://x"], "is no server"),
        (&["ann@us.invalid", "", "localhost:1", ""], "no answer to `Password"),
        (&["ann@us.invalid", "", "localhost:1", "x", "ftp://x"], "is no URL"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let ran = keepwarm(directory.path(), &["init"], lines);
        assert_eq!(ran.status.code(), Some(2), "{lines:?}: {}", stderr(&ran));
        assert!(stderr(&ran).contains(says), "{lines:?}: {}", stderr(&ran));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{lines:?}");
    }
}

#[test]
fn a_place_of_credentials_is_used_and_a_chat_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    std::fs::create_dir(at.join("credentials")).unwrap();
    // As the package lays it out: a configuration of comments is there to be overwritten.
    let packaged = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/keepwarm.toml");
    std::fs::copy(packaged, at.join("keepwarm.toml")).unwrap();
    let url = "https://hooks.slack.com/services/T0/B0/X";
    let lines = answers("localhost:1", "a \"quoted\" one", url);
    let made = keepwarm(at, &["init", "--untested"], &lines);
    assert!(made.status.success(), "{}", stderr(&made));
    let text = std::fs::read_to_string(at.join("keepwarm.toml")).unwrap();
    assert!(text.contains("password_credential = \"ann\""), "{text}");
    assert!(text.contains("format = \"slack\"") && !text.contains("secret_"), "{text}");
    let secret = std::fs::read_to_string(at.join("credentials/ann")).unwrap();
    assert_eq!(secret, "a \"quoted\" one\n");
}
