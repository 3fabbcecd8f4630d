//! Connections that are cut, delayed and split at random: 200 runs against the scripted server and
//! some against Dovecot. A run is named by its seed.

use std::net::SocketAddr;

use super::stage::{NOW, Secured, Stage};
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::dump::Dump;
use crate::support::generate::mailbox;
use crate::support::imapd::{Letter, Profile};
use crate::support::process::Place;
use crate::support::proxy::{Proxy, RoughProxy};

/// Connections that are cut in one run at most.
const MOST_CUTS: u64 = 3;
/// Passes that fail in one run at most: those whose connection was cut.
const MOST_FAILED: u32 = 3;
/// Mailboxes beside those that every account has, so that a pass has many commits to stop between.
const MAILBOXES: [&str; 4] = ["Acme", "Globex", "Hooli", "Initech"];

/// What a number of runs have met.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    cut: u64,
    failed: u32,
    resumed: u32,
}

/// One run: passes through a rough proxy until one succeeds.
fn run(
    whole: &Dump,
    length: u64,
    seed: u64,
    target: SocketAddr,
    at: impl Fn(SocketAddr) -> Place,
) -> Met {
    let proxy = RoughProxy::start(
        target,
        seed,
        u32::try_from(seed % (MOST_CUTS + 1)).unwrap(),
        length * 9 / 10,
    );
    let place = at(proxy.address);
    let mut met = Met::default();
    loop {
        let ran = place.keepwarm(&["run", "--once", "--now", NOW]);
        if ran.status.success() {
            break;
        }
        met.failed += 1;
        assert!(met.failed <= MOST_FAILED, "seed {seed}: {}", ran.stderr);
        let stored = place.dump().messages.len();
        met.resumed += u32::from(stored > 0 && stored < whole.messages.len());
    }
    place.dump().assert_same(whole, &format!("seed {seed}"));
    met.cut = proxy.cut();
    met
}

#[track_caller]
fn assert_rough(all: &[Met]) {
    let runs = u32::try_from(all.len()).unwrap();
    let sum = |of: fn(&Met) -> u32| all.iter().map(of).sum::<u32>();
    let (failed, resumed) = (sum(|met| met.failed), sum(|met| met.resumed));
    let cut: u64 = all.iter().map(|met| met.cut).sum();
    println!(
        "{runs} runs, {cut} connections cut, {failed} passes failed, {resumed} had stored some"
    );
    assert!(2 * failed >= runs && 5 * resumed >= runs, "the runs were not rough enough");
}

fn scripted(profile: Profile, secured: Secured, seeds: std::ops::Range<u64>) {
    let stage = Stage::with(profile, secured, 30);
    for (name, seed) in MAILBOXES.into_iter().zip(50..) {
        stage.account.create(name, "\\HasNoChildren");
        for mail in mailbox(seed, 12) {
            stage.account.append(name, Letter::of(&mail));
        }
    }
    let measured = Proxy::start(stage.target());
    let clean = stage.place_at(measured.address);
    clean.once(&["--now", NOW]);
    let (whole, length) = (clean.dump(), measured.passed());
    assert!(whole.messages.len() > 60, "{} messages", whole.messages.len());
    let met: Vec<Met> = seeds
        .map(|seed| run(&whole, length, seed, stage.target(), |address| stage.place_at(address)))
        .collect();
    assert_rough(&met);
}

#[test]
fn rough_connections_to_a_dovecot_like_server() {
    scripted(Profile::DOVECOT, Secured::Tls, 0..50);
}

#[test]
fn rough_connections_in_the_clear() {
    scripted(Profile::YAHOO, Secured::Plain, 50..100);
}

#[test]
fn rough_connections_to_an_exchange_like_server() {
    scripted(Profile::EXCHANGE, Secured::Plain, 100..150);
}

#[test]
fn rough_connections_to_a_minimal_server() {
    scripted(Profile::MINIMAL, Secured::Tls, 150..200);
}

#[test]
fn rough_connections_to_dovecot() {
    let server = Dovecot::start(&["ann"]);
    for (number, mail) in mailbox(23, 90).iter().enumerate() {
        let name = if number % 3 == 0 { MAILBOXES[number / 3 % 4] } else { mail.mailbox };
        server.deliver("ann", name, mail.at, &mail.bytes);
    }
    let at = |address| Place::new().imap_at("ann-mail", &server, address, "ann", PASSWORD);
    let measured = Proxy::start(server.imaps);
    let clean = at(measured.address);
    clean.once(&["--now", NOW]);
    let (whole, length) = (clean.dump(), measured.passed());
    assert_eq!(whole.messages.len(), 90);
    let met: Vec<Met> =
        (1000..1030).map(|seed| run(&whole, length, seed, server.imaps, at)).collect();
    assert_rough(&met);
}
