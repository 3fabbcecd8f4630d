//! `keepwarm path`: who knows somebody, and by way of whom others get there, from mail in Maildirs.

use std::path::Path;

use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

use super::{keepwarm, text};
use crate::support::dovecot::{make_maildir, put};

const REPS: [&str; 3] = ["ann", "bob", "cy"];
/// The last exchange is over, and today is three days later.
const NOW: &str = "2026-03-15T12:00:00Z";
const WEEKS: i64 = 10;

/// The mailboxes of three reps.
struct Mailboxes<'a>(&'a Path);

impl Mailboxes<'_> {
    /// Puts a message into the mailboxes named `rep` (the inbox) or `rep.Sent`.
    fn put(&self, id: &str, who: (&str, &str), at: DateTime<Utc>, answers: &str, into: &[&str]) {
        let (from, to) = who;
        let date = at.to_rfc2822();
        let mail = format!(
            "Message-ID: <{id}@mail.example>\nDate: {date}\nFrom: {from}\nTo: {to}\n\
             In-Reply-To: <{answers}@mail.example>\n\n."
        );
        let seconds = u64::try_from(at.timestamp()).unwrap();
        for place in into {
            let (rep, folder) =
                place.split_once('.').map_or((*place, ""), |(rep, _)| (rep, ".Sent"));
            put(&self.0.join(rep).join(folder), seconds, mail.as_bytes());
        }
    }

    /// A message each way every week; `sent` and `got` are where the two are found.
    fn weekly(&self, name: &str, who: (&str, &str), weeks: i64, sent: &[&str], got: &[&str]) {
        let now: DateTime<Utc> = NOW.parse().unwrap();
        for week in 0..weeks {
            let at = now - Duration::days(3 + 7 * week);
            let ids = [format!("{name}-{week}"), format!("{name}-{week}-answer")];
            self.put(&ids[0], who, at, "nothing", sent);
            self.put(&ids[1], (who.1, who.0), at + Duration::hours(5), &ids[0], got);
        }
    }
}

fn configuration(dir: &Path) {
    let mut text = "[store]\npath = \"kw.db\"\n[organization]\ndomains = [\"us.example\"]\n\
                    [[account]]\nname = \"Acme\"\ndomains = [\"acme.example\", \"acme.de\"]\n"
        .to_owned();
    for rep in REPS {
        text.push_str(&format!(
            "[[rep]]\nid = \"{rep}\"\nname = \"{rep}\"\naddresses = [\"{rep}@us.example\"]\n\
             [[source]]\nname = \"{rep}-mail\"\nrep = \"{rep}\"\nkind = \"maildir\"\npath = \"{rep}\"\n"
        ));
        make_maildir(&dir.join(rep));
        make_maildir(&dir.join(rep).join(".Sent"));
    }
    std::fs::write(dir.join("kw.toml"), text).unwrap();
}

fn ask(config: &str, arguments: &[&str]) -> Value {
    let all = [arguments, &["--format", "json", "--now", NOW, "--config", config]].concat();
    let done = keepwarm(&all);
    assert!(done.status.success(), "{arguments:?}: {}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Each of a list by some of its fields.
fn told(list: &Value, keys: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    for one in list.as_array().unwrap() {
        let words: Vec<&str> = keys.iter().map(|key| one[*key].as_str().unwrap()).collect();
        told.push(words.join(" "));
    }
    told
}

#[test]
fn a_colleague_who_knows_somebody_is_the_way_there() {
    let dir = tempfile::tempdir().unwrap();
    configuration(dir.path());
    let of = Mailboxes(dir.path());
    let (ann, bob, cy) = ("ann@us.example", "bob@us.example", "cy@us.example");
    let (bo, di) = ("bo@acme.example", "di@acme.de");
    of.weekly("bo", (bob, bo), WEEKS, &["bob.Sent"], &["bob"]);
    of.weekly("di", (cy, di), 1, &["cy.Sent"], &["cy"]);
    // As often as with the contact, and found in several mailboxes.
    let copies = ["bob.Sent", "ann", "bob"];
    of.weekly("ours", (ann, bob), WEEKS, &["ann.Sent", "bob", "ann"], &copies);
    // Only in inboxes: anybody may have written it.
    of.weekly("forged", (ann, cy), WEEKS, &["cy"], &["ann"]);
    let config = dir.path().join("kw.toml");
    let config = config.to_str().unwrap();
    let ran = keepwarm(&["run", "--once", "--now", NOW, "--config", config]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));

    let all = ask(config, &["relationships"]);
    assert_eq!(told(&all, &["rep", "contact"]), [format!("bob {bo}"), format!("cy {di}")]);
    let to_bo = ask(config, &["path", bo]);
    assert_eq!(told(&to_bo["knows"], &["rep", "contact"]), [format!("bob {bo}")]);
    assert_eq!(told(&to_bo["paths"], &["rep", "via", "contact"]), [format!("ann bob {bo}")]);
    let way = &to_bo["paths"][0];
    let number = |key: &str| way[key].as_f64().unwrap();
    assert!((number("to_contact") - all[0]["strength"].as_f64().unwrap()).abs() < 1e-9);
    assert!((number("to_colleague") - number("to_contact")).abs() < 1e-9, "each message once");
    assert!((number("strength") - number("to_contact").min(number("to_colleague"))).abs() < 1e-9);

    let id = all[0]["contact_id"].as_str().unwrap();
    assert_eq!(ask(config, &["path", id])["paths"], to_bo["paths"]);
    let account = ask(config, &["path", "acme.de"]);
    assert_eq!(
        told(&account["knows"], &["rep", "contact"]),
        [format!("bob {bo}"), format!("cy {di}")]
    );
    assert_eq!(account["paths"], to_bo["paths"]);
    let from = ask(config, &["path", "acme.example", "--from", "cy"]);
    assert_eq!(told(&from["knows"], &["rep", "contact"]), [format!("cy {di}")]);
    assert_eq!(from["paths"], Value::Array(Vec::new()));
    // Before the last ten weeks there was nothing.
    let earlier =
        ["path", bo, "--now", "2025-12-01T00:00:00Z", "--format", "csv", "--config", config];
    assert_eq!(text(&keepwarm(&earlier).stdout).lines().count(), 1, "only the header");

    for (arguments, status, words) in [
        (vec!["path", "nobody@acme.example"], 1, "there is no contact"),
        (vec!["path", "con_nobody"], 1, "there is no contact"),
        (vec!["path", bo, "--from", "dan"], 2, "the reps are ann, bob, cy"),
    ] {
        let done = keepwarm(&[&arguments[..], &["--config", config]].concat());
        assert_eq!(done.status.code(), Some(status), "{arguments:?}");
        assert!(text(&done.stderr).contains(words), "{arguments:?}: {}", text(&done.stderr));
    }
}
