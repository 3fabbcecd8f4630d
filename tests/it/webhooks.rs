//! What the program sends, verified by the reference libraries of Standard Webhooks, as receivers do.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::hook::{Hook, Request};
use crate::support::owe::{NAME, owe};
use crate::support::process::Place;
use crate::support::python;

const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// RFC 8032, 7.1, test 1.
const PAIR: &str = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const PUBLIC: &str = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// Of another key.
const OTHERS: &str = "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";

/// One question to a library.
struct Asked<'a> {
    key: &'a str,
    request: Request,
}

/// What a library says of each.
fn ask(mut command: Command, asked: &[Asked<'_>]) -> Vec<String> {
    let all: Vec<_> = asked
        .iter()
        .map(|Asked { key, request }| {
            json!({ "key": key, "id": request.id, "timestamp": request.timestamp,
                    "signature": request.signature, "body": request.body })
        })
        .collect();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json!(all).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support").join(name)
}

fn by_python() -> Command {
    let mut command = python::interpreter();
    command.arg(script("verify.py"));
    command
}

fn by_javascript() -> Command {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-servers");
    let mut command = Command::new(installed.join("node"));
    command.env("NODE_PATH", installed.join("npm/node_modules")).arg(script("verify.js"));
    command
}

/// A hundred requests of the program to an endpoint with these lines, and what it says of its keys.
fn sent(lines: &str) -> (Vec<Request>, serde_json::Value) {
    let hook = Hook::start();
    let url = hook.url();
    let place = Place::new().with(&format!(
        "[[endpoint]]\nname = \"crm\"\nurl = \"{url}\"\nrequests_per_second = 1000\n{lines}"
    ));
    owe(&place, &["crm"], 0..100);
    place.once(&[]);
    let requests = hook.requests();
    assert_eq!(requests.len(), 100);
    (requests, place.json(&["nudges", "key", "crm"]))
}

/// Fails unless a library takes every request by these keys, and none that has been changed.
#[track_caller]
fn assert_verified(requests: &[Request], keys: &[&str], wrong: &str, library: fn() -> Command) {
    let all = |key| requests.iter().map(move |request| Asked { key, request: request.clone() });
    let right: Vec<Asked<'_>> = keys.iter().flat_map(|key| all(key)).collect();
    let said = ask(library(), &right);
    assert_eq!(said, vec!["ok"; right.len()]);
    let mut changed: Vec<Asked<'_>> = all(wrong).take(10).collect();
    for (number, mut one) in all(keys[0]).take(40).enumerate() {
        match number % 4 {
            0 => one.request.body.push(' '),
            1 => one.request.id.push('0'),
            2 => {
                let later = one.request.timestamp.parse::<i64>().unwrap() + 1;
                one.request.timestamp = later.to_string();
            }
            _ => one.request.signature = one.request.signature.replace(",", ",A"),
        }
        changed.push(one);
    }
    let said = ask(library(), &changed);
    assert_eq!(said.len(), changed.len());
    assert!(said.iter().all(|said| said != "ok"), "{said:?}");
}

#[test]
fn a_shared_secret_is_verified_by_the_reference_libraries() {
    let (requests, key) = sent(&format!("secret = \"{NEW}\""));
    assert!(requests[0].json()["data"]["contact"]["name"] == NAME, "{}", requests[0].body);
    assert_eq!(key[0]["public_key"], json!(null), "the receiver has the secret itself");
    for library in [by_python as fn() -> Command, by_javascript] {
        assert_verified(&requests, &[NEW], OLD, library);
    }
}

/// While a secret is changed a receiver may have either.
#[test]
fn two_secrets_are_each_verified_by_the_reference_libraries() {
    let (requests, _) = sent(&format!("secret = \"{NEW}\"\nprevious_secret = \"{OLD}\""));
    let wrong = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for library in [by_python as fn() -> Command, by_javascript] {
        assert_verified(&requests, &[NEW, OLD], wrong, library);
    }
}

/// From a shared secret to an ed25519 key: the libraries, which know `v1` only, go on by the old one,
/// and Node's own cryptography verifies the new one by what `nudges key` prints.
#[test]
fn an_ed25519_key_is_verified_by_what_its_admin_is_told() {
    let (requests, key) = sent(&format!("secret = \"{PAIR}\"\nprevious_secret = \"{OLD}\""));
    assert_eq!(key[0]["public_key"], PUBLIC);
    assert_eq!(key[0]["previous_public_key"], json!(null));
    for library in [by_python as fn() -> Command, by_javascript] {
        assert_verified(&requests, &[OLD], NEW, library);
    }
    assert_verified(&requests, &[PUBLIC], OTHERS, by_javascript);
}
