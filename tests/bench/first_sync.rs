//! Measurements: not run with the tests, each started by its script in tests/bench.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::dump::rows;
use crate::support::generate::mailbox;
use crate::support::process::Place;

/// An instant after all generated mail.
const NOW: &str = "2026-01-01T00:00:00Z";

/// What a process took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall_s: f64,
    rss_mb: f64,
}

#[test]
#[ignore = "a measurement: tests/bench/first_sync"]
fn first_sync() {
    let number = |name: &str| -> usize {
        let text = std::env::var(name).unwrap_or_else(|_| panic!("run tests/bench/first_sync"));
        text.parse().unwrap()
    };
    let programs = PathBuf::from(std::env::var_os("KEEPWARM_BENCH_DIR").unwrap());
    let (messages, rounds) = (number("KEEPWARM_BENCH_MESSAGES"), number("KEEPWARM_BENCH_ROUNDS"));
    let server = Dovecot::start(&["ann"]);
    for mail in mailbox(1, messages) {
        server.deliver("ann", mail.mailbox, mail.at, &mail.bytes);
    }
    let place = Place::new().imap("ann-mail", &server, "ann");
    let bench = Bench { programs, server, place, messages };
    println!("{messages} messages; wall in s, median [range] of {rounds}; peak memory in MB");
    bench.bare();
    bench.keepwarm("warming up");
    let (mut bare, mut first, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        bare.push(bench.bare());
        bench.place.forget();
        first.push(bench.keepwarm("first"));
        again.push(bench.keepwarm("again"));
    }
    println!("{}", row("bare fetch, warm", &bare, &bare));
    println!("{}", row("keepwarm, first sync, warm", &first, &bare));
    println!("{}", row("keepwarm, nothing new, warm", &again, &bare));
    let (mut bare, mut first) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        bench.chill();
        bare.push(bench.bare());
        bench.chill();
        bench.place.forget();
        first.push(bench.keepwarm("first"));
    }
    println!("{}", row("bare fetch, cold", &bare, &bare));
    println!("{}", row("keepwarm, first sync, cold", &first, &bare));
}

struct Bench {
    programs: PathBuf,
    server: Dovecot,
    place: Place,
    messages: usize,
}

impl Bench {
    /// The reference: INBOX and then Sent, each by one connection.
    fn bare(&self) -> Cost {
        let port = self.server.imaps.port().to_string();
        let ca_file = self.place.path("ca.pem");
        let costs = ["INBOX", "Sent"].map(|mailbox| {
            let mut command = Command::new(self.programs.join("examples/bare_fetch"));
            command.args(["localhost", &port, "ann", PASSWORD]).arg(&ca_file).arg(mailbox);
            measure(&command, &self.place.path("measured"))
        });
        Cost {
            wall_s: costs.iter().map(|cost| cost.wall_s).sum(),
            rss_mb: costs.iter().map(|cost| cost.rss_mb).fold(0.0, f64::max),
        }
    }

    fn keepwarm(&self, what: &str) -> Cost {
        let mut command = Command::new(self.programs.join("keepwarm"));
        command.arg("--config").arg(self.place.path("keepwarm.toml"));
        command.args(["--log", "error", "run", "--once", "--now", NOW]);
        let cost = measure(&command, &self.place.path("measured"));
        let stored = rows(&self.place.database(), "message");
        assert_eq!(stored, i64::try_from(self.messages).unwrap(), "{what}");
        cost
    }

    /// Deletes the server's caches: headers are parsed anew.
    fn chill(&self) {
        for mailbox in ["INBOX", "Sent"] {
            let directory = self.server.maildir("ann", mailbox);
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().unwrap().to_string_lossy().starts_with("dovecot.index") {
                    std::fs::remove_file(path).unwrap();
                }
            }
        }
    }
}

/// Runs a command to its end: `time` from Debian, or else python3, tells its peak memory.
fn measure(command: &Command, file: &Path) -> Cost {
    const PEAK: &str = "import os, resource, subprocess, sys\n\
        code = subprocess.call(sys.argv[2:])\n\
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n\
        open(sys.argv[1], 'w').write(str(peak))\n\
        sys.exit(code)";
    let mut measured = if Path::new("/usr/bin/time").exists() {
        let mut time = Command::new("/usr/bin/time");
        time.args(["-f", "%M", "-o"]).arg(file);
        time
    } else {
        let mut python = Command::new("python3");
        python.args(["-c", PEAK]).arg(file);
        python
    };
    measured.arg(command.get_program()).args(command.get_args());
    measured.stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let output = measured.output().unwrap();
    let wall_s = began.elapsed().as_secs_f64();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    let peak_kb: f64 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
    Cost { wall_s, rss_mb: peak_kb / 1024.0 }
}

/// Median and range.
fn summary(mut numbers: Vec<f64>) -> (f64, f64, f64) {
    numbers.sort_by(f64::total_cmp);
    (numbers[numbers.len() / 2], numbers[0], numbers[numbers.len() - 1])
}

fn row(name: &str, costs: &[Cost], reference: &[Cost]) -> String {
    let (wall, least, most) = summary(costs.iter().map(|cost| cost.wall_s).collect());
    let (rss, ..) = summary(costs.iter().map(|cost| cost.rss_mb).collect());
    let ratios = costs.iter().zip(reference).map(|(cost, of)| cost.wall_s / of.wall_s);
    let (ratio, low, high) = summary(ratios.collect());
    let mut text = format!("{name:<28} {wall:>7.3} [{least:.3}..{most:.3}] {rss:>6.1} MB");
    let _ = write!(text, "   x {ratio:.2} [{low:.2}..{high:.2}] of bare");
    text
}
