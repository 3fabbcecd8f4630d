//! A connection to any of these servers that breaks at any byte of a first sync costs a pass and
//! nothing else.

use std::net::SocketAddr;

use super::{exchange, fill, gmail};
use crate::support::client::Client;
use crate::support::dovecot::{self, Dovecot};
use crate::support::dump::assert_sound;
use crate::support::generate::mailbox;
use crate::support::process::Place;
use crate::support::proxy::Proxy;
use crate::support::served::{self, AllMail, Served, USER};

/// Places at which the conversation is cut, evenly from its first byte to its last.
const CUTS: u64 = 12;

#[test]
fn a_cut_connection_to_exchange() {
    let server: Dovecot = exchange::start();
    let client = Client::login(server.imap, "ann", dovecot::PASSWORD);
    let place =
        |address| Place::new().imap_at("ann-mail", &server, address, "ann", dovecot::PASSWORD);
    survive(client, exchange::SENT, server.imaps, place);
}

#[test]
fn a_cut_connection_to_a_minimal_server() {
    let server = Served::pymap();
    let login = format!("password = \"{}\"", served::PASSWORD);
    let place = |address| served::place(address, USER, &login);
    survive(server.client(), "Sent", server.address, place);
}

#[test]
fn a_cut_connection_to_gmail() {
    let server = Served::gmail(AllMail::Hidden);
    let place = |address| gmail::place(address, "");
    survive(server.client(), gmail::SENT, server.address, place);
}

/// Fills the server, reads it once through a proxy and then again and again, each time cut at
/// another place and gone on with: every time it must come to the same.
fn survive(
    mut client: Client,
    sent: &str,
    server: SocketAddr,
    place: impl Fn(SocketAddr) -> Place,
) {
    if !client.run("LIST \"\" \"*\"").iter().any(|line| line.contains(sent)) {
        client.run(&format!("CREATE \"{sent}\""));
    }
    fill(&mut client, sent, &mailbox(66, 80));
    // A server may allow few connections.
    drop(client);
    let proxy = Proxy::start(server);
    let place = place(proxy.address);
    place.once(&[]);
    let (whole, length) = (place.dump(), proxy.passed());
    assert_eq!(whole.messages.len(), 80);

    let (mut failed, mut resumed) = (0, 0);
    for cut in (0..CUTS).map(|place| 1 + length * place / CUTS) {
        place.forget();
        proxy.cut_after(cut);
        let ran = place.keepwarm(&["run", "--once"]);
        proxy.cut_after(u64::MAX);
        failed += u64::from(!ran.status.success());
        resumed += u64::from(!place.dump().messages.is_empty());
        place.once(&[]);
        place.dump().assert_same(&whole, &format!("cut after {cut} of {length} bytes"));
        assert_sound(&place.database());
    }
    let seen = format!("{failed} of {CUTS} passes failed, {resumed} had stored some");
    assert!(failed >= CUTS - 1 && (2..=CUTS - 2).contains(&resumed), "{seen}");
}
