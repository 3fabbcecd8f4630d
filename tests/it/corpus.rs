//! Real messages that are odd, from a directory that is not part of the repository.
//!
//! Reads every file below the directory named by `KEEPWARM_CORPUS`, as it is and cut where its
//! header ends; says so and passes where that is not set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use keepwarm::model::Timestamp;
use keepwarm::normalise::envelope;

/// How long one header may take, in a build that is not optimised.
const LIMIT: Duration = Duration::from_millis(250);

const RECEIVED: Timestamp = Timestamp::from_seconds(1_704_067_200);

#[test]
fn every_message_of_the_corpus_is_an_envelope_or_a_reason() {
    let Some(root) = std::env::var_os("KEEPWARM_CORPUS") else {
        println!("skipped: KEEPWARM_CORPUS names no directory of messages");
        return;
    };
    let files = files(Path::new(&root));
    assert!(!files.is_empty(), "no files in {}", Path::new(&root).display());
    let mut slowest = (Duration::ZERO, PathBuf::new());
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        for (how, input) in [("whole", bytes.as_slice()), ("header", header(&bytes))] {
            let began = Instant::now();
            let found = envelope(input, Some(RECEIVED), Some("mx.us.example"));
            let took = began.elapsed();
            assert!(took < LIMIT, "{} ({how}): {took:?}", path.display());
            let outcome = found.map_or_else(
                |why| format!("{why:?}"),
                |found| match found.from {
                    Some(_) => "envelope".to_owned(),
                    None => "envelope without sender".to_owned(),
                },
            );
            *outcomes.entry(format!("{how}: {outcome}")).or_default() += 1;
            slowest = slowest.max((took, path.clone()));
        }
    }
    println!("{} files; slowest {:?} {}", files.len(), slowest.0, slowest.1.display());
    println!("{outcomes:#?}");
    assert!(!outcomes.keys().any(|outcome| outcome.contains("ParserPanic")), "{outcomes:?}");
}

/// The header block: to the first empty line, whatever its line breaks.
fn header(bytes: &[u8]) -> &[u8] {
    let ends = [&b"\r\n\r\n"[..], b"\n\n", b"\r\r"].map(|end| {
        bytes.windows(end.len()).position(|window| window == end).unwrap_or(bytes.len())
    });
    &bytes[..ends.into_iter().min().unwrap_or(bytes.len())]
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}
