//! The admin's care of the data: backups, items put aside, strengths computed anew, and what is
//! known of a person.

use std::time::Duration;

use crate::support::dovecot::put;
use crate::support::process::Place;

/// Midnight of 2026-01-01.
const START_S: u64 = 1_767_225_600;

/// A Maildir of ann's with letters to bo and from him.
fn place() -> Place {
    let place = Place::new().maildir("mail");
    for day in 0..5 {
        let at = START_S + day * 86_400;
        let date = chrono::DateTime::from_timestamp(i64::try_from(at).unwrap(), 0).unwrap();
        for (n, from, to) in [
            (0, "ann@us.example", "Bo Li <bo@acme.example>"),
            (1, "Bo Li <bo@acme.example>", "ann@us.example"),
        ] {
            let letter = format!(
                "From: {from}\r\nTo: {to}\r\nDate: {}\r\nMessage-ID: <{day}.{n}@x.example>\r\n\r\n",
                date.to_rfc2822()
            );
            put(&place.path("mail"), at, letter.as_bytes());
        }
    }
    place.once(&[]);
    place
}

#[test]
fn a_backup_is_made_beside_a_daemon_and_put_back_without_one() {
    let place = place();
    let then = place.dump().without_cursors();
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", Duration::from_secs(20));
    let file = place.path("copy.db");
    let file = file.to_str().unwrap();
    let ran = place.keepwarm(&["backup", file]);
    assert!(ran.status.success(), "{}", ran.stderr);
    assert!(ran.stdout.contains("10 messages"), "{}", ran.stdout);
    let mode = std::os::unix::fs::PermissionsExt::mode;
    let permissions = std::fs::metadata(file).unwrap().permissions();
    assert_eq!(mode(&permissions) & 0o777, 0o600, "for its owner only");

    let again = place.keepwarm(&["backup", file]);
    assert_eq!(again.status.code(), Some(1), "none is written over");
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
    let ran = place.keepwarm(&["restore", file]);
    assert_eq!(ran.status.code(), Some(1), "not while a daemon runs: {}", ran.stdout);
    assert!(ran.stderr.contains("in use by another"), "{}", ran.stderr);
    daemon.terminate(Duration::from_secs(20));

    place.forget();
    place.once(&["--now", "2025-12-01T00:00:00Z"]);
    let ran = place.keepwarm(&["restore", file]);
    assert!(ran.status.success(), "{}", ran.stderr);
    assert!(place.path("kw.db.before-restore").exists(), "{}", ran.stdout);
    place.dump().without_cursors().assert_same(&then, "what was put back");
    place.once(&[]);
    place.dump().without_cursors().assert_same(&then, "and read again");
}

#[test]
fn what_is_no_sound_backup_is_not_put_back() {
    let place = place();
    let then = place.dump();
    let good = place.path("good.db");
    assert!(place.keepwarm(&["backup", good.to_str().unwrap()]).status.success());
    let bytes = std::fs::read(&good).unwrap();
    let mut torn = bytes.clone();
    let middle = torn.len() / 2;
    torn.truncate(middle / 4096 * 4096);
    let mut newer = bytes;
    newer[60..64].copy_from_slice(&999u32.to_be_bytes());
    for (name, bytes, said) in [
        ("text", b"no database at all, but long enough to be read as one".to_vec(), "damaged"),
        ("empty", Vec::new(), "is no backup"),
        ("torn", torn, "damaged"),
        ("newer", newer, "newer keepwarm"),
    ] {
        let path = place.path(name);
        std::fs::write(&path, bytes).unwrap();
        let ran = place.keepwarm(&["restore", path.to_str().unwrap()]);
        assert_eq!(ran.status.code(), Some(1), "{name}: {}", ran.stdout);
        assert!(ran.stderr.contains(said), "{name}: {}", ran.stderr);
        place.dump().assert_same(&then, name);
    }
    assert!(!place.path("kw.db.before-restore").exists());
}

#[test]
fn an_export_tells_all_that_is_known_of_a_person() {
    let place = place();
    let told = place.json(&["export", "Bo@Acme.example"]);
    assert_eq!(told["is"], "contact", "{told}");
    let known = &told["known"];
    assert_eq!(known["addresses"][0]["name"], "Bo Li", "{told}");
    assert_eq!(known["relationships"][0]["outbound"], 5, "{told}");
    assert_eq!(known["interactions"].as_array().unwrap().len(), 10, "{told}");
    assert_eq!(known["interactions"][0]["at"], "2026-01-01T00:00:00Z", "{told}");
    let rep = place.json(&["export", "ann@us.example"]);
    assert_eq!(
        (&rep["is"], &rep["known"]["interactions"][0]["count"]),
        (&"rep".into(), &10.into())
    );
    assert!(!rep.to_string().contains("acme"), "contacts are other people: {rep}");
    let ran = place.keepwarm(&["export", "nobody@acme.example"]);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stdout);
}

#[test]
fn rebuilding_changes_nothing_and_finds_what_is_wrong() {
    let place = place();
    let then = place.dump();
    let ran = place.keepwarm(&["rebuild"]);
    assert!(
        ran.stdout.contains("1 relationships computed anew; all"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    place.dump().assert_same(&then, "computed anew");
    spoil(&place, "UPDATE relationship SET outbound = 99, baseline = 3");
    let ran = place.keepwarm(&["rebuild"]);
    assert!(ran.stdout.contains("1 of them were not right"), "{}{}", ran.stdout, ran.stderr);
    place.dump().assert_same(&then, "mended");
}

#[test]
fn what_was_put_aside_is_read_again_when_somebody_asks() {
    let place = place();
    spoil(
        &place,
        "INSERT INTO quarantine (mailbox_id, item, reason, at)
         SELECT mailbox_id, item, 'it was broken', 5 FROM seen ORDER BY item LIMIT 1",
    );
    let listed = place.json(&["quarantine"]);
    assert_eq!(
        (&listed[0]["source"], &listed[0]["reason"]),
        (&"mail".into(), &"it was broken".into())
    );
    place.once(&[]);
    assert_eq!(place.json(&["quarantine"]).as_array().unwrap().len(), 1, "not by itself");
    let ran = place.keepwarm(&["quarantine", "retry", "--source", "other"]);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stdout);
    let ran = place.keepwarm(&["quarantine", "retry", "--source", "mail"]);
    assert!(ran.stdout.contains("1 items are read again"), "{}{}", ran.stdout, ran.stderr);
    place.once(&[]);
    assert_eq!(place.json(&["quarantine"]), serde_json::json!([]));
}

#[expect(clippy::disallowed_methods, reason = "what a fault would leave")]
fn spoil(place: &Place, sql: &str) {
    rusqlite::Connection::open(place.database()).unwrap().execute_batch(sql).unwrap();
}
