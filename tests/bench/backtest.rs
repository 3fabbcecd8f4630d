//! The backtest on a log of a million interactions.

use std::fmt::Write;
use std::process::Command;

use super::measure::{Cost, measure, summary, verdict};
use super::{number, programs};

/// Reps of the log, …
const REPS: u64 = 200;
/// … whom each of them writes with, …
const CONTACTS: u64 = 250;
/// … and days that it spans.
const DAYS: u64 = 1_100;

#[test]
#[ignore = "a measurement: tests/bench/backtest"]
fn backtest() {
    let (rows, rounds) = (number("KEEPWARM_BENCH_MESSAGES"), number("KEEPWARM_BENCH_ROUNDS"));
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log.csv");
    std::fs::write(&log, generated(rows)).unwrap();
    let scores = dir.path().join("scores.csv");
    println!("{rows} interactions, {} relationships, {DAYS} days", REPS * CONTACTS);
    println!("{:<28} {:>8} {:<18} {:>6}", "", "wall s", "[range]", "MB");
    let judge = |more: &[&str]| -> Vec<Cost> {
        let run = |_| {
            let mut command = Command::new(programs().join("keepwarm"));
            measure(command.args(["backtest", "--interactions"]).arg(&log).args(more))
        };
        (0..rounds).map(run).collect()
    };
    let plain = row("backtest", &judge(&[]));
    row("backtest --scores", &judge(&["--scores", scores.to_str().unwrap()]));
    row("backtest --nudges", &judge(&["--nudges"]));
    let candidates = std::fs::read_to_string(&scores).unwrap().lines().count() - 1;
    println!("{candidates} candidates");
    verdict("a million interactions: wall, s", plain * 1e6 / rows as f64, 10.0);
}

fn row(name: &str, costs: &[Cost]) -> f64 {
    let (wall, least, most) = summary(costs.iter().map(|cost| cost.wall_s).collect());
    let (peak, ..) = summary(costs.iter().map(|cost| cost.peak_mb).collect());
    let range = format!("[{least:.3}..{most:.3}]");
    println!("{name:<28} {wall:>8.3} {range:<18} {peak:>6.1}");
    wall
}

/// Rows without order; some relationships have hundreds, most a few.
fn generated(rows: usize) -> String {
    let mut state = 11_u64;
    let mut below = |bound: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut log = "rep,contact,at,direction,audience,kind,linked\n".to_owned();
    for _ in 0..rows {
        let rep = below(REPS);
        let most = 1 + below(CONTACTS);
        let contact = below(most);
        let at = 1_577_836_800 + below(DAYS * 86_400);
        let direction = if below(2) == 0 { "outbound" } else { "inbound" };
        let widest = 1 + below(6);
        let audience = 1 + below(widest);
        writeln!(log, "r{rep},r{rep}c{contact},{at},{direction},{audience},message,").unwrap();
    }
    log
}
