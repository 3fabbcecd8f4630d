//! What a process takes, and how that is told.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often a process's peak memory is read; what it grows in its last moment is missed.
const SAMPLE: Duration = Duration::from_millis(4);

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) wall_s: f64,
    pub(super) peak_mb: f64,
}

/// Runs a command to its end, which must be a good one.
pub(super) fn measure(command: &mut Command) -> Cost {
    let began = Instant::now();
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (peak_kb, waited) = (AtomicU64::new(0), AtomicU64::new(0));
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            // A process that has ended has no memory any more.
            while waited.load(Ordering::Relaxed) == 0
                && let Some(now) = peak(&status)
            {
                peak_kb.fetch_max(now, Ordering::Relaxed);
                std::thread::sleep(SAMPLE);
            }
        });
        let output = child.wait_with_output().unwrap();
        waited.store(1, Ordering::Relaxed);
        output
    });
    let wall_s = began.elapsed().as_secs_f64();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    Cost { wall_s, peak_mb: peak_kb.into_inner() as f64 / 1024.0 }
}

/// `VmHWM` of a process in kB.
fn peak(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Prints a row: medians and ranges of wall clock and, round by round, its ratio to a reference.
/// Answers with the median of that.
pub(super) fn row(name: &str, costs: &[Cost], reference: &[Cost]) -> f64 {
    let (wall, least, most) = summary(costs.iter().map(|cost| cost.wall_s).collect());
    let (peak, ..) = summary(costs.iter().map(|cost| cost.peak_mb).collect());
    let ratios = costs.iter().zip(reference).map(|(cost, of)| cost.wall_s / of.wall_s);
    let (ratio, low, high) = summary(ratios.collect());
    let range = format!("[{least:.3}..{most:.3}]");
    println!("{name:<28} {wall:>8.3} {range:<18} {peak:>6.1}   x {ratio:.2} [{low:.2}..{high:.2}]");
    ratio
}

/// Prints whether a figure keeps to its target.
pub(super) fn verdict(what: &str, figure: f64, most: f64) {
    let word = if figure <= most { "kept" } else { "MISSED" };
    println!("  {what:<58} {figure:>9.2}  at most {most:>6}  {word}");
}

/// Median and range.
pub(super) fn summary(mut numbers: Vec<f64>) -> (f64, f64, f64) {
    numbers.sort_by(f64::total_cmp);
    (numbers[numbers.len() / 2], numbers[0], numbers[numbers.len() - 1])
}
