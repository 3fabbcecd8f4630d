//! The command line as a user meets it: the demo, what it leaves behind, and what goes wrong.

mod accounts;
mod generate;
mod paths;
mod recompute;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const NOW: &str = "2026-07-15T15:00:00Z";

fn keepwarm(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keepwarm"))
        .args(arguments)
        .env_remove("KEEPWARM_LOG")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Plays the demo in a new directory and gives what it printed, without what differs each time.
fn demo(dir: &Path) -> String {
    let done = keepwarm(&["demo", "--now", NOW, "--dir", dir.to_str().unwrap()]);
    assert_eq!(text(&done.stderr), "");
    assert!(done.status.success());
    let printed = text(&done.stdout).replace(dir.to_str().unwrap(), "DIR");
    let seconds = |word: &str| word.parse::<f64>().is_ok() && word.contains('.');
    printed
        .lines()
        .map(|line| {
            let timing = line.contains("written in") || line.contains("nudged in");
            let words = line.split(' ').map(|w| if timing && seconds(w) { "N" } else { w });
            words.collect::<Vec<_>>().join(" ") + "\n"
        })
        .collect()
}

fn json(config: &str, arguments: &[&str]) -> Value {
    let all = [arguments, &["--format", "json", "--now", NOW, "--config", config]].concat();
    let done = keepwarm(&all);
    assert!(done.status.success(), "{arguments:?}: {}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn the_demo_tells_the_same_story_every_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = demo(&dir.path().join("one"));
    assert_eq!(first, demo(&dir.path().join("two")));
    insta::assert_snapshot!("demo", first);
}

#[test]
fn what_the_demo_leaves_answers_further_questions() {
    let dir = tempfile::tempdir().unwrap();
    demo(&dir.path().join("demo"));
    let config = dir.path().join("demo/keepwarm.toml");
    let config = config.to_str().unwrap();

    let all = json(config, &["relationships"]);
    let strongest = &all[0];
    for key in [
        "rep",
        "contact",
        "addresses",
        "organisation",
        "strength",
        "baseline",
        "outbound",
        "inbound",
        "meetings",
        "first_at",
        "last_outbound_at",
        "last_inbound_at",
        "falls_at",
    ] {
        assert!(!strongest[key].is_null(), "{key} is missing");
    }
    let strengths: Vec<f64> =
        all.as_array().unwrap().iter().map(|r| r["strength"].as_f64().unwrap()).collect();
    assert!(strengths.is_sorted_by(|a, b| a >= b));
    assert!(strengths.iter().all(|s| (0.0..100.0).contains(s)));

    let rep = strongest["rep"].as_str().unwrap();
    let address = strongest["addresses"][0].as_str().unwrap();
    let explained = json(config, &["explain", rep, address]);
    recompute::strength(&explained);
    for other in all.as_array().unwrap().iter().step_by(17) {
        let pair = [other["rep"].as_str().unwrap(), other["contact_id"].as_str().unwrap()];
        recompute::strength(&json(config, &["explain", pair[0], pair[1]]));
    }
    let organisation = strongest["organisation"].as_str().unwrap();
    let account = json(config, &["relationships", "--account", organisation, "--rep", rep]);
    assert!(account.as_array().unwrap().iter().all(|r| r["organisation"] == organisation));
    assert_eq!(json(config, &["relationships", "--limit", "3"]).as_array().unwrap().len(), 3);
    let strong = json(config, &["relationships", "--min-strength", "45"]);
    assert!(strong.as_array().unwrap().iter().all(|r| r["band"] == "strong"));

    let nudges = json(config, &["nudges", "list"]);
    assert!(nudges.as_array().unwrap().iter().all(|n| n["delivered"] == 1));
    let status = json(config, &["status"]);
    assert_eq!(status["outbox"]["pending"], 0);
    assert!(status["sources"].as_array().unwrap().iter().all(|s| s["state"] == "ok"));
}

#[test]
fn history_can_be_asked_as_of_any_day() {
    let dir = tempfile::tempdir().unwrap();
    demo(&dir.path().join("demo"));
    let config = dir.path().join("demo/keepwarm.toml");
    let earlier = "2026-01-15T15:00:00Z";
    let done = keepwarm(&[
        "relationships",
        "--format",
        "json",
        "--now",
        earlier,
        "--config",
        config.to_str().unwrap(),
    ]);
    let then: Value = serde_json::from_slice(&done.stdout).unwrap();
    for relationship in then.as_array().unwrap() {
        for key in ["first_at", "last_outbound_at", "last_inbound_at", "last_meeting_at"] {
            let at = relationship[key].as_str().unwrap_or_default();
            assert!(at <= earlier, "{key} {at} is dated later");
        }
    }
    let nudges = keepwarm(&[
        "nudges",
        "list",
        "--format",
        "csv",
        "--now",
        earlier,
        "--config",
        config.to_str().unwrap(),
    ]);
    assert_eq!(text(&nudges.stdout).lines().count(), 1, "only the header");
}

fn write(dir: &Path, name: &str, content: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn mistakes_are_answered_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let rep = "[[rep]]\nid = \"ann\"\nname = \"Ann\"\naddresses = [\"ann@us.example\"]\n";
    let store = "[store]\npath = \"kw.db\"\n";
    let fine = write(dir.path(), "fine.toml", &format!("{store}{rep}"));
    let typo = write(dir.path(), "typo.toml", &format!("{store}[nudge]\ndrop_ration = 0.5\n{rep}"));
    let (fine, typo) = (fine.to_str().unwrap(), typo.to_str().unwrap());
    for (arguments, status, told) in [
        (vec!["check", "--config", fine], 0, "ok: "),
        (vec!["check", "--config", typo], 2, "typo.toml:4:1"),
        (vec!["run", "--once", "--config", typo], 2, "drop_ratio"),
        (vec!["check", "--config", "/nowhere/keepwarm.toml"], 2, "/nowhere/keepwarm.toml"),
        (vec!["status", "--config", fine], 1, "`keepwarm run` creates it"),
        (vec!["relationships", "--rep", "bob", "--config", fine], 1, "does not exist yet"),
        (vec!["relationships", "--now", "yesterday", "--config", fine], 2, "is not an instant"),
        (vec!["run", "--now", NOW, "--config", fine], 2, "--once"),
        (vec!["frobnicate"], 2, "unrecognized subcommand"),
        (vec!["demo", "--dir", dir.path().to_str().unwrap()], 2, "exists already"),
    ] {
        let done = keepwarm(&arguments);
        let said = text(&done.stderr) + &text(&done.stdout);
        assert_eq!(done.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.contains(told), "{arguments:?}: {said}");
        assert!(!said.contains('\u{1b}'), "{arguments:?}: escape sequences in a pipe");
    }
    assert!(keepwarm(&["run", "--once", "--config", fine]).status.success());
    let unknown = keepwarm(&["relationships", "--rep", "bob", "--config", fine]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("the reps are ann"));
    let nobody = keepwarm(&["explain", "ann", "bo@acme.example", "--config", fine]);
    assert_eq!(nobody.status.code(), Some(1));
}
