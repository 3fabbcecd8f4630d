//! A first sync over a line of 40 ms and 100 Mbit/s, against bare clients over the same line.

use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use super::corpus::Bodies;
use super::measure::{Cost, measure, row, verdict};
use super::slow::{Like, line};
use super::{Bench, READ, number, sync};
use crate::support::dovecot::{Dovecot, PASSWORD, Storage};
use crate::support::process::Place;

const LIKE: Like = Like { round_trip: Duration::from_millis(40), bits_per_s: 100e6 };

#[test]
#[ignore = "a measurement: tests/bench/daemon line"]
fn emulated_line() {
    let (messages, rounds) = (number("KEEPWARM_BENCH_MESSAGES"), number("KEEPWARM_BENCH_ROUNDS"));
    let server = Dovecot::start_with(Storage::Maildir, &["ann"], "default_vsz_limit = 0");
    let bench = Bench::new(&server, "ann", messages, Bodies::OneLine);
    // Not a loopback address, by which keepwarm tells a server that is far away.
    let at: IpAddr = std::env::var("KEEPWARM_BENCH_FAR").unwrap().parse().unwrap();
    let far = line(at, server.imaps, LIKE);
    let place = Place::new().imap_at("mail", &server, far, "ann", PASSWORD);
    let bare = |how: &[&str]| {
        let mut command = Command::new(bench.programs.join("examples/bare_fetch"));
        command.args(how).args(["localhost", &far.port().to_string(), "ann", PASSWORD]);
        measure(command.arg(place.path("ca.pem")).args(READ))
    };
    bare(&[]);
    let [mut plain, mut compressed, mut first] = [const { Vec::<Cost>::new() }; 3];
    println!("{:<28} {:>8} {:<18} {:>6}   wall / bare, compressed", "", "wall s", "[range]", "MB");
    for _ in 0..rounds {
        plain.push(bare(&[]));
        compressed.push(bare(&["--compress"]));
        place.forget();
        first.push(sync(&bench.programs, &place, bench.read));
    }
    row("bare fetch, uncompressed", &plain, &compressed);
    row("bare fetch, compressed", &compressed, &compressed);
    let ratio = row("keepwarm, first sync", &first, &compressed);
    verdict("first sync, far: wall / bare compressed fetch", ratio, 1.3);
}
