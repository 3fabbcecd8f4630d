//! `keepwarm backtest` as a user meets it: on a log in a file, on the demo's store, and on logs that
//! are wrong.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const HEADER: &str = "rep,contact,at,direction,audience,kind,linked\n";

fn keepwarm(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keepwarm"));
    command.arg("backtest").args(arguments).env_remove("KEEPWARM_LOG").output().unwrap()
}

fn piped(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_keepwarm"))
        .arg("backtest")
        .args(arguments)
        .env_remove("KEEPWARM_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&done(output)).unwrap()
}

fn write(dir: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// Numbers that are the same on every run (the constants are Knuth's MMIX).
struct Lots(u64);

impl Lots {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Four reps and what they write with 40 contacts each for about 600 days: at a pace of their own,
/// some only until they lapse, some without ever getting an answer; and a meeting here and there.
fn synthetic() -> String {
    let mut lots = Lots(7);
    let mut log = HEADER.to_owned();
    for pair in 0..160 {
        let (rep, contact) = (pair / 40, pair % 40);
        let pace = 1 + lots.below(30);
        let ends = if lots.below(3) == 0 { 100 + lots.below(400) } else { 600 };
        let answers = lots.below(4);
        let mut day = lots.below(60);
        while day < ends {
            let seconds = 1_577_836_800 + day * 86_400 + lots.below(40_000);
            let audience = 1 + lots.below(3);
            log += &format!("r{rep},c{contact},{seconds},outbound,{audience},message,0\n");
            if lots.below(4) < answers {
                let at = seconds + 600 + lots.below(100_000);
                log += &format!("r{rep},c{contact},{at},inbound,1,message,1\n");
            }
            if lots.below(20) == 0 {
                let at = seconds + 200_000;
                log += &format!("r{rep},c{contact},{at},mutual,2,meeting,1\n");
            }
            day += 1 + lots.below(2 * pace);
        }
    }
    log
}

#[test]
fn a_log_may_come_as_a_file_compressed_or_by_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let log = synthetic();
    let plain = write(dir.path(), "log.csv", log.as_bytes());
    let told = done(&keepwarm(&["--interactions", plain.to_str().unwrap(), "--nudges"]));
    insta::assert_snapshot!("synthetic", told);

    // Two members, as `cat a.gz b.gz` makes.
    let mut compressed = Vec::new();
    let (half, rest) = log.split_at(log.len() / 2);
    for part in [half, rest] {
        let mut encoder =
            flate2::write::GzEncoder::new(&mut compressed, flate2::Compression::fast());
        encoder.write_all(part.as_bytes()).unwrap();
        encoder.finish().unwrap();
    }
    let gzip = write(dir.path(), "log", &compressed);
    assert_eq!(done(&keepwarm(&["--interactions", gzip.to_str().unwrap(), "--nudges"])), told);
    for input in [log.as_bytes(), &compressed] {
        assert_eq!(done(&piped(&["--interactions", "-", "--nudges"], input)), told);
    }

    // Rows in another order, and each of them twice.
    let mut rows: Vec<&str> = log.lines().skip(1).collect();
    rows.reverse();
    let twice = format!("{HEADER}{0}\n{0}\n", rows.join("\n"));
    let output = piped(&["--interactions", "-", "--nudges"], twice.as_bytes());
    assert_eq!(done(&output), told);
    let note = format!("standard input: {} rows were there before and counted once", rows.len());
    assert!(text(&output.stderr).contains(&note), "{}", text(&output.stderr));
}

/// A row of the scores.
struct Scored {
    strength: f64,
    s: f64,
    labels: [bool; 3],
    established: bool,
}

fn scored(path: &Path) -> Vec<Scored> {
    let content = std::fs::read_to_string(path).unwrap();
    let mut lines = content.lines();
    let header = "rep,contact,at,strength,s,label_30,label_60,label_90,established";
    assert_eq!(lines.next(), Some(header));
    let rows = lines.map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        assert!(fields[2].ends_with('Z') && fields[2].len() >= 20, "{line}");
        let flag = |index: usize| match fields[index] {
            "1" => true,
            "0" => false,
            other => panic!("{other} in {line}"),
        };
        let (strength, s) = (fields[3].parse().unwrap(), fields[4].parse().unwrap());
        Scored { strength, s, labels: [flag(5), flag(6), flag(7)], established: flag(8) }
    });
    rows.collect()
}

/// AUC by counting pairs, and average precision by thresholds: as they are defined.
fn recompute(rows: &[(f64, bool)]) -> (f64, f64) {
    let of = |label: bool| rows.iter().filter(move |row| row.1 == label).map(|row| row.0);
    let (mut won, mut pairs, mut precision) = (0.0, 0.0, 0.0);
    let all = |s: f64| rows.iter().filter(|row| row.0 >= s).count() as f64;
    for positive in of(true) {
        for negative in of(false) {
            pairs += 1.0;
            won += match positive.total_cmp(&negative) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
        precision += of(true).filter(|other| *other >= positive).count() as f64 / all(positive);
    }
    (won / pairs, precision / of(true).count() as f64)
}

/// Computes again, from the scores, what the document says of S and of the strength.
fn agree(document: &Value, rows: &[Scored]) {
    for figure in document["figures"].as_array().unwrap() {
        let score = figure["score"].as_str().unwrap();
        let horizon = match figure["horizon_days"].as_u64().unwrap() {
            30 => 0,
            60 => 1,
            _ => 2,
        };
        let judged = rows.iter().filter(|row| figure["population"] == "all" || row.established);
        let value = |row: &Scored| if score == "s" { row.s } else { row.strength };
        let judged: Vec<(f64, bool)> =
            judged.map(|row| (value(row), row.labels[horizon])).collect();
        assert_eq!(figure["rows"].as_u64(), u64::try_from(judged.len()).ok());
        if score != "s" && score != "strength" {
            continue;
        }
        let (auc, ap) = recompute(&judged);
        assert!((figure["auc"].as_f64().unwrap() - auc).abs() < 1e-9, "{figure} {auc}");
        assert!((figure["ap"].as_f64().unwrap() - ap).abs() < 1e-9, "{figure} {ap}");
    }
    let mut bands: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for row in rows {
        let band = match row.strength {
            s if s >= 45.0 => "strong",
            s if s >= 30.0 => "good",
            s if s >= 10.0 => "fair",
            s if s > 0.0 => "weak",
            _ => "none",
        };
        let counts = bands.entry(band).or_default();
        counts[0] += 1;
        for (count, label) in counts.iter_mut().skip(1).zip(row.labels) {
            *count += u64::from(label);
        }
    }
    for told in document["calibration"].as_array().unwrap() {
        let counts = bands.get(told["band"].as_str().unwrap()).copied().unwrap_or_default();
        let told =
            ["rows", "active_30", "active_60", "active_90"].map(|key| told[key].as_u64().unwrap());
        assert_eq!(told, counts);
    }
}

#[test]
fn anyone_can_compute_the_table_again_from_the_scores() {
    let dir = tempfile::tempdir().unwrap();
    let log = write(dir.path(), "log.csv", synthetic().as_bytes());
    let scores = dir.path().join("scores.csv");
    let (log, file) = (log.to_str().unwrap(), scores.to_str().unwrap());
    let given = ["--interactions", log, "--scores", file, "--format"];
    let document = json(&keepwarm(&[&given[..], &["json"]].concat()));
    let rows = scored(&scores);
    assert!(rows.len() > 500, "{}", rows.len());
    agree(&document, &rows);

    // The same figures as CSV.
    let csv = done(&keepwarm(&["--interactions", log, "--format", "csv"]));
    let figures = document["figures"].as_array().unwrap();
    assert_eq!(csv.lines().count(), 1 + figures.len());
    for (line, figure) in csv.lines().skip(1).zip(figures) {
        let auc = format!("{:.6}", figure["auc"].as_f64().unwrap());
        assert!(line.contains(figure["score"].as_str().unwrap()) && line.contains(&auc), "{line}");
    }

    // Other snapshots.
    let window = ["--from", "2021-01-01", "--to", "2021-02-10", "--every-days", "10"];
    let document = json(&keepwarm(&[&given[..], &["json"], &window].concat()));
    assert_eq!(document["snapshots"]["count"], 5);
    assert_eq!(document["snapshots"]["last_at"], "2021-02-10T00:00:00Z");
    agree(&document, &scored(&scores));

    // Nothing dated later counts.
    let known = ["json", "--now", "2020-12-01T00:00:00Z"];
    let document = json(&keepwarm(&[&given[..], &known].concat()));
    assert!(document["log"]["last_at"].as_str().unwrap() < "2020-12-01");
}

#[test]
fn triggers_are_compared_at_equal_precision() {
    let document = json(&piped(
        &["--interactions", "-", "--nudges", "--format", "json"],
        synthetic().as_bytes(),
    ));
    let triggers = document["nudges"]["triggers"].as_array().unwrap();
    assert!(document["nudges"]["lapses"].as_u64().unwrap() > 20);
    for trigger in triggers {
        if let Some(wanted) = trigger["chosen"].as_str().unwrap().strip_prefix("precision_")
            && !trigger["threshold"].is_null()
        {
            let reached = trigger["forward_precision"].as_f64().unwrap();
            assert!(reached >= wanted.parse::<f64>().unwrap(), "{trigger}");
        }
    }
    let configured = triggers.iter().filter(|trigger| trigger["chosen"] == "configured");
    assert!(configured.clone().count() >= 2);
    for trigger in configured {
        assert!(trigger["median_silence_days"].as_f64().unwrap() >= 7.0, "{trigger}");
        assert!(trigger["per_rep_week"].as_f64().unwrap() > 0.0, "{trigger}");
    }
}

#[test]
fn logs_with_little_in_them_are_no_failure() {
    let one = "ann,bo,2020-01-01T00:00:00Z,outbound,1,message,\n";
    let late = "ann,bo,2022-01-01T00:00:00Z,inbound,1,message,\n";
    for (rows, told) in [
        (String::new(), "the log holds no interactions"),
        (one.to_owned(), "The log spans 0 days"),
        (format!("{one}{late}"), "too little history to tell whether"),
    ] {
        let input = format!("{HEADER}{rows}");
        let output = piped(&["--interactions", "-", "--nudges"], input.as_bytes());
        assert!(done(&output).contains(told), "{}", text(&output.stdout));
        let document = json(&piped(
            &["--interactions", "-", "--nudges", "--format", "json"],
            input.as_bytes(),
        ));
        assert_eq!(document["log"]["interactions"], rows.lines().count());
    }
}

#[test]
fn mistakes_are_told_with_file_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = format!("{HEADER}ann,bo,yesterday,outbound,1,message,\nann,bo,0,out,1,message,\n");
    let wrong = write(dir.path(), "wrong.csv", wrong.as_bytes());
    let many = HEADER.to_owned() + &"ann,bo,0,inbound,none,message,\n".repeat(12);
    let many = write(dir.path(), "many.csv", many.as_bytes());
    let whole = synthetic();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(whole.as_bytes()).unwrap();
    let compressed = encoder.finish().unwrap();
    let cut = write(dir.path(), "cut.csv.gz", &compressed[..compressed.len() / 2]);
    let log = write(dir.path(), "log.csv", whole.as_bytes());
    let nowhere = dir.path().join("no/where.csv");
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    for (arguments, status, told) in [
        (
            vec![path(&wrong)],
            2,
            vec!["wrong.csv:2: at: must be", "wrong.csv:3: direction: must be"],
        ),
        (vec![path(&many)], 2, vec!["many.csv:11: audience", "… and 2 more", "hint: "]),
        (vec![path(&cut)], 1, vec!["cut.csv.gz"]),
        (vec![path(&nowhere)], 2, vec!["where.csv", "hint: "]),
        (vec![path(dir.path())], 1, vec!["directory"]),
        (vec![path(&log), "--every-days".into(), "0".into()], 2, vec!["--every-days"]),
        (vec![path(&log), "--from".into(), "soon".into()], 2, vec!["is not an instant"]),
        (vec![path(&log), "--scores".into(), path(&nowhere)], 2, vec!["--scores"]),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = keepwarm(&[&["--interactions"], &arguments[..]].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        for told in told {
            assert!(said.contains(told), "{arguments:?}: {said}");
        }
        assert!(!said.contains("many.csv:12"), "{said}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn the_own_store_is_judged_by_its_own_strengths() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let now = "2026-07-15T15:00:00Z";
    let played = Command::new(env!("CARGO_BIN_EXE_keepwarm"))
        .args(["demo", "--now", now, "--dir", demo.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(played.status.success());
    let config = demo.join("keepwarm.toml");
    let (config, scores) = (config.to_str().unwrap(), dir.path().join("scores.csv"));
    let given = ["--config", config, "--format", "json", "--now"];
    let with_scores = ["--nudges", "--scores", scores.to_str().unwrap()];
    let document = json(&keepwarm(&[&given[..], &[now], &with_scores].concat()));
    assert_eq!(document["log"]["answers"], "threads");
    assert_eq!(document["log"]["reps"], 3);
    assert!(document["snapshots"]["count"].as_u64().unwrap() > 5);
    agree(&document, &scored(&scores));

    // What is shown of a day is what the backtest took for it.
    let content = std::fs::read_to_string(&scores).unwrap();
    let strongest = content.lines().skip(1).max_by(|a, b| strength(a).total_cmp(&strength(b)));
    let row: Vec<&str> = strongest.unwrap().split(',').collect();
    let output = Command::new(env!("CARGO_BIN_EXE_keepwarm"))
        .args(["explain", row[0], row[1], "--config", config, "--format", "json", "--now", row[2]])
        .output()
        .unwrap();
    let explained: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!((explained["strength"].as_f64().unwrap() - strength(&row.join(","))).abs() < 1e-9);

    let earlier = json(&keepwarm(&[&given[..], &["2026-01-15T15:00:00Z"]].concat()));
    assert!(earlier["log"]["last_at"].as_str().unwrap() < "2026-01-15T15:00:00Z");
}

fn strength(row: &str) -> f64 {
    row.split(',').nth(3).unwrap().parse().unwrap()
}
