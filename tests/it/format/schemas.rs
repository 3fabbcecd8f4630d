//! The JSON Schemas of config/schemas: what is sent is valid by them, and what is not is found.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use keepwarm::deliver::format::Format;
use keepwarm::deliver::format::fixture::{message, messages};
use keepwarm::model::NudgeKind;
use serde_json::{Value, json};

use super::{body, hostile};
use crate::support::served::installed;

/// What the schemas say of each document: `valid`, or what is wrong.
pub(crate) fn judged(documents: &[String]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut child = Command::new(installed("venv/bin/python"))
        .arg(root.join("tests/it/format/validate.py"))
        .arg(root.join("config/schemas"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let all = documents.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(all.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "every schema is one");
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<String> = said.lines().map(str::to_owned).collect();
    assert_eq!(said.len(), documents.len());
    said
}

#[test]
fn what_is_sent_is_valid() {
    let mut documents: Vec<String> =
        messages(false).iter().map(|(_, message)| body(&Format::Standard, message)).collect();
    for name in hostile::names().into_iter().filter(|name| !name.is_empty()) {
        let digests = super::about(&name).into_iter().skip(6);
        documents.extend(digests.map(|message| body(&Format::Standard, &message)));
    }
    for (document, said) in documents.iter().zip(judged(&documents)) {
        assert_eq!(said, "valid", "{document}");
    }
}

#[test]
fn every_type_has_a_schema_and_the_digest_knows_them_all() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/schemas");
    let digest = std::fs::read_to_string(schemas.join("nudge.digest.v1.json")).unwrap();
    for kind in NudgeKind::ALL {
        let file = format!("{}.json", kind.event_type());
        assert!(schemas.join(&file).exists(), "{file}");
        assert!(digest.contains(&file), "{file}");
    }
    assert_eq!(std::fs::read_dir(schemas).unwrap().count(), NudgeKind::ALL.len() + 2);
}

/// What becomes of an event by a change: a path and a value, or none to take it away.
fn changed(kind: NudgeKind, path: &str, value: Option<Value>) -> String {
    let mut event: Value =
        serde_json::from_str(&body(&Format::Standard, &message(kind, false))).unwrap();
    let (parent, key) = path.rsplit_once('/').unwrap();
    let parent = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(key.to_owned(), value),
        None => parent.remove(key),
    };
    event.to_string()
}

#[test]
fn what_is_wrong_is_found() {
    use NudgeKind::{ContactMoved, Decay, SingleThreaded};
    let table: Vec<(NudgeKind, &str, Option<Value>, &str)> = vec![
        (Decay, "/data/new_field", Some(json!(1)), "valid"),
        (Decay, "/data/reasons/0/new_number", Some(json!(1)), "valid"),
        (Decay, "/data/reasons/0/days", None, "valid"),
        (Decay, "/data/reminder", None, "valid"),
        (Decay, "/data/account", None, "valid"),
        (Decay, "/type", Some(json!("nudge.unknown.v1")), "no schema"),
        (Decay, "/type", Some(json!("nudge.owed_reply.v1")), "valid"),
        (Decay, "/timestamp", Some(json!("2026-11-21 08:00")), "$.timestamp"),
        (Decay, "/data/nudge_id", None, "'nudge_id' is a required"),
        (Decay, "/data/nudge_id", Some(json!("dig_aaaaaaaaaaaaaaaaaaa")), "$.data.nudge_id"),
        (Decay, "/data/rep/address", None, "'address' is a required"),
        (Decay, "/data/contact/name", Some(json!(7)), "7 is not of type 'string'"),
        (Decay, "/data/strength/now", Some(json!(101)), "$.data.strength.now"),
        (Decay, "/data/strength/band", Some(json!("warm")), "$.data.strength.band"),
        (Decay, "/data/reasons", Some(json!([])), "$.data.reasons"),
        (Decay, "/data/reasons/0/text", None, "'text' is a required"),
        (Decay, "/data/last_interaction/kind", Some(json!("call")), "$.data.last_interaction.kind"),
        (Decay, "/data/reminder", Some(json!(0)), "$.data.reminder"),
        (SingleThreaded, "/data/account", None, "'account' is a required"),
        (SingleThreaded, "/data/account/top_share", Some(json!(1.2)), "$.data.account.top_share"),
        (ContactMoved, "/data/moved_to/address", None, "'address' is a required"),
    ];
    let documents: Vec<String> =
        table.iter().map(|(kind, path, value, _)| changed(*kind, path, value.clone())).collect();
    for ((kind, path, value, finds), said) in table.iter().zip(judged(&documents)) {
        assert!(said.contains(finds), "{} {path} {value:?}: {said}", kind.code());
    }
}

#[test]
fn a_digest_is_judged_with_all_that_is_in_it() {
    let (_, digest) = messages(false).into_iter().find(|(what, _)| what == "a digest").unwrap();
    let right: Value = serde_json::from_str(&body(&Format::Standard, &digest)).unwrap();
    let mut wrong = right.clone();
    wrong["data"]["nudges"][3]["data"]["account"] = json!(null);
    let mut empty = right.clone();
    empty["data"]["nudges"] = json!([]);
    let said = judged(&[right.to_string(), wrong.to_string(), empty.to_string()]);
    assert_eq!(said[0], "valid");
    assert!(said[1].contains("$.data.nudges[3]"), "{}", said[1]);
    assert!(said[2].contains("$.data.nudges"), "{}", said[2]);
}
