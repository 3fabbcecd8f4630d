//! The life of a rep's calendars on a real server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::compare::assert_equal;
use super::{place, root, sync};
use crate::support::dav::Dav;
use crate::support::dump::execute;
use crate::support::generate::Draw;
use crate::support::radicale::Radicale;
use crate::support::series::{Series, changed, series};
use crate::support::xandikos::{HOME, Xandikos};

/// Objects on the server.
const COUNT: usize = 540;

/// Those that the second opinion is right about.
fn agreed(seed: u64, count: usize) -> Vec<Series> {
    let all = series(seed, count * 2).into_iter();
    let agreed: Vec<Series> = all.filter(|one| one.differs.is_none()).take(count).collect();
    assert_eq!(agreed.len(), count);
    agreed
}

fn path(calendar: &str, series: &Series) -> String {
    format!("{calendar}{}.ics", series.uid)
}

#[test]
fn radicale_is_followed_through_every_change() {
    let server = Radicale::start();
    let client = server.client();
    client.make("/ann/work/");
    client.make("/ann/home/");
    follow(server.address, &client, ["/ann/work/", "/ann/home/", "/ann/new/"]);
}

#[test]
fn xandikos_is_followed_through_every_change() {
    let server = Xandikos::start();
    let client = server.client();
    let calendars = ["calendar/", "home/", "new/"].map(|name| format!("{HOME}{name}"));
    client.make(&calendars[1]);
    follow(server.address, &client, calendars.each_ref().map(String::as_str));
}

/// Events are made, changed, moved and deleted; tokens are lost; calendars come and go.
fn follow(address: SocketAddr, client: &Dav, [work, home, new]: [&str; 3]) {
    let mut draw = Draw::new(7);
    let mut all = agreed(71, COUNT + 20);
    let later = all.split_off(COUNT);
    for (number, one) in all.iter().enumerate() {
        client.put(&path(if number % 3 == 0 { home } else { work }, one), &one.ics);
    }
    let place = place(&root(address), "");
    sync(&place);
    let count = assert_equal(&place, client, &[work, home], "a first sync");
    assert!(count > COUNT, "{count} meetings");
    sync(&place);
    assert_equal(&place, client, &[work, home], "nothing new");

    for (number, one) in all.iter_mut().enumerate() {
        let at = path(if number % 3 == 0 { home } else { work }, one);
        match number % 12 {
            0 | 1 => {
                *one = changed(one, &mut draw);
                client.put(&at, &one.ics);
            }
            2 => client.delete(&at),
            3 => client.rename(&at, &path(work, one)),
            4 => client.rename(&at, &format!("{at}.other.ics")),
            _ => {}
        }
    }
    for one in &later {
        client.put(&path(work, one), &one.ics);
    }
    sync(&place);
    assert_equal(&place, client, &[work, home], "changed, deleted, moved, renamed, made");

    // What was read stays read: nothing of it is stored as new.
    execute(&place.database(), "UPDATE mailbox SET cursor = replace(cursor, '\"token\":\"', '\"token\":\"x')");
    client.delete(&path(work, &later[0]));
    client.put(&path(work, &later[1]), &changed(&later[1], &mut draw).ics);
    sync(&place);
    assert_equal(&place, client, &[work, home], "a token that the server does not know");

    client.delete(home);
    client.make(new);
    for one in agreed(72, 30) {
        client.put(&path(new, &one), &one.ics);
    }
    sync(&place);
    assert_equal(&place, client, &[work, new], "a calendar removed, another one made");
    let clean = place.dump().without_cursors();
    place.forget();
    sync(&place);
    let again = place.dump().without_cursors();
    assert_eq!(clean.meetings, again.meetings, "as a clean sync");
    assert_eq!(clean.interactions, again.interactions, "as a clean sync");
}

/// A second client writes while a pass runs: what the pass has read of it or not, the next one knows,
/// also where the tokens of a server come back with what it holds.
#[test]
fn what_changes_while_a_pass_runs_is_read_by_it_or_by_the_next() {
    let (radicale, xandikos) = (Radicale::start(), Xandikos::start());
    radicale.client().make("/ann/work/");
    let calendar = format!("{HOME}calendar/");
    for (address, client, calendar) in [
        (radicale.address, radicale.client(), "/ann/work/"),
        (xandikos.address, xandikos.client(), calendar.as_str()),
    ] {
        let all = agreed(73, 200);
        for one in &all {
            client.put(&path(calendar, one), &one.ics);
        }
        let place = place(&root(address), "");
        for round in 0..3 {
            let ended = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| unrest(&client, calendar, &all, &ended));
                sync(&place);
                ended.store(true, Ordering::Relaxed);
            });
            sync(&place);
            assert_equal(&place, &client, &[calendar], &format!("{address}, round {round}"));
        }
    }
}

/// Changes objects and changes them back, deletes some and puts them back, until told to end.
fn unrest(client: &Dav, calendar: &str, all: &[Series], ended: &AtomicBool) {
    let mut draw = Draw::new(9);
    while !ended.load(Ordering::Relaxed) {
        let one = &all[usize::try_from(draw.below(all.len() as u64)).unwrap()];
        let at = path(calendar, one);
        if draw.below(3) == 0 {
            client.delete(&at);
        } else {
            client.put(&at, &changed(one, &mut draw).ics);
        }
        std::thread::sleep(std::time::Duration::from_millis(draw.below(40)));
        client.put(&at, &one.ics);
    }
}
