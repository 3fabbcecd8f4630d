//! A first sync of a large calendar from Radicale, and a daemon that finds nothing new.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use super::measure::{Cost, measure, summary, verdict};
use super::{number, programs};
use crate::support::dump::rows;
use crate::support::process::Place;
use crate::support::radicale::{PASSWORD, Radicale, USER};
use crate::support::series::NOW;

/// How long the daemon is watched, polling every second.
const WATCHED: Duration = Duration::from_secs(10);

/// What a pass took.
struct Pass {
    cost: Cost,
    cpu_s: f64,
    /// By the server's own account.
    server_s: f64,
    requests: usize,
}

#[test]
#[ignore = "a measurement: tests/bench/calendar_sync"]
fn calendar_sync() {
    let (events, rounds) = (number("KEEPWARM_BENCH_MESSAGES"), number("KEEPWARM_BENCH_ROUNDS"));
    let server = Radicale::start();
    let bytes = fill(&server, events);
    println!("{events} events, {} bytes each, a tenth of them weekly", bytes / events);
    let place = Place::new().with(&format!(
        "[sync]\ncommand_seconds = 600\n[[source]]\nname = \"dav\"\nrep = \"ann\"\nkind = \"caldav\"\nurl = \"http://{}/\"\n\
         username = \"{USER}\"\npassword = \"{PASSWORD}\"",
        server.address
    ));
    // Radicale parses every object when it first lists it, which takes minutes.
    pass(&server, &place, events);
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        place.forget();
        first.push(pass(&server, &place, events));
        again.push(pass(&server, &place, events));
    }
    println!(
        "{:<24} {:>8} {:>8} {:>8} {:>6} {:>9}",
        "", "wall s", "CPU s", "server s", "MB", "requests"
    );
    let cpu = row("first sync", &first);
    row("nothing new", &again);
    verdict("first sync: our CPU, s", cpu, 2.0);
    let asked = watch(&server, &place);
    verdict("daemon, nothing new: requests a second, polling each", asked, 1.2);
}

/// Puts events into a calendar of the server's, as it keeps them; gives how many bytes.
fn fill(server: &Radicale, events: usize) -> usize {
    let files = server.files("/ann/work/");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join(".Radicale.props"), r#"{"tag": "VCALENDAR"}"#).unwrap();
    let mut bytes = 0;
    for number in 0..events {
        let text = event(number);
        bytes += text.len();
        std::fs::write(files.join(format!("{number}.ics")), text).unwrap();
    }
    bytes
}

/// An event with four people between 2025-11 and 2026-12, or every tenth time a weekly one.
fn event(number: usize) -> String {
    let (day, hour) = (number % 28 + 1, number % 10 + 8);
    let month = number / 28 % 14;
    let (year, month) = (2025 + (month + 10) / 12, (month + 10) % 12 + 1);
    let at = |hour: usize| format!("TZID=Europe/Berlin:{year}{month:02}{day:02}T{hour:02}0000");
    let mut text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\nBEGIN:VEVENT\r\nUID:{number}@bench\r\n\
         DTSTAMP:20260101T000000Z\r\nDTSTART;{}\r\nDTEND;{}\r\nSUMMARY:Talk {number}\r\n\
         ORGANIZER:mailto:ann@us.example\r\n",
        at(hour),
        at(hour + 1)
    );
    if number.is_multiple_of(10) {
        text += "RRULE:FREQ=WEEKLY;COUNT=20\r\n";
    }
    for person in 0..3 {
        let who = (number + person * 7) % 500;
        let _ = write!(text, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:p{who}@c{}.example\r\n", who % 90);
    }
    text + "DESCRIPTION:We talk about what there is to talk about.\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

/// One complete pass, after which there are meetings of all events.
fn pass(server: &Radicale, place: &Place, events: usize) -> Pass {
    let mut command = Command::new(programs().join("keepwarm"));
    command.arg("--config").arg(place.path("keepwarm.toml"));
    command.args(["--log", "error", "run", "--once", "--now", NOW]);
    let (cpu, server_s, requests) = (children_cpu_s(), server.busy_s(), asked(server));
    let cost = measure(&mut command);
    let stored = usize::try_from(rows(&place.database(), "meeting")).unwrap();
    assert!(stored >= events, "{stored} meetings");
    Pass {
        cost,
        cpu_s: children_cpu_s() - cpu,
        server_s: server.busy_s() - server_s,
        requests: asked(server) - requests,
    }
}

/// Prints medians; gives that of the CPU.
fn row(name: &str, passes: &[Pass]) -> f64 {
    let median = |of: fn(&Pass) -> f64| summary(passes.iter().map(of).collect()).0;
    let cpu = median(|pass| pass.cpu_s);
    println!(
        "{name:<24} {:>8.2} {cpu:>8.2} {:>8.2} {:>6.1} {:>9}",
        median(|pass| pass.cost.wall_s),
        median(|pass| pass.server_s),
        median(|pass| pass.cost.peak_mb),
        passes[0].requests
    );
    cpu
}

/// Requests a second of a daemon that polls every second.
fn watch(server: &Radicale, place: &Place) -> f64 {
    let daemon = place.start_with(&["run"], &[("KEEPWARM__SYNC__POLL_SECONDS", "1")]);
    std::thread::sleep(Duration::from_secs(5));
    let before = asked(server);
    std::thread::sleep(WATCHED);
    let found = asked(server) - before;
    daemon.terminate(Duration::from_secs(10));
    f64::from(u32::try_from(found).unwrap()) / WATCHED.as_secs_f64()
}

fn asked(server: &Radicale) -> usize {
    server.requests("PROPFIND") + server.requests("REPORT")
}

/// What children of this process that have ended took, in seconds: in `/proc/self/stat`, after the
/// name in brackets, the 14th and 15th number, in hundredths.
fn children_cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, numbers) = stat.rsplit_once(") ").unwrap();
    let numbers: Vec<f64> = numbers.split(' ').map(|n| n.trim().parse().unwrap_or(0.0)).collect();
    (numbers[13] + numbers[14]) / 100.0
}
