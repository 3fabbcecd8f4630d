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

/// Objects that Radicale is given; some, such as periods, it does not take.
const MANY: usize = 600;
/// Those that it has then, at the least.
const LEAST: usize = 500;
/// Objects that Xandikos is given, which commits each of them to a repository.
const SOME: usize = 200;

/// What a server keeps as it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    Everything,
    /// Nothing in zones by the names that Windows has for them: Radicale knows none of those, and
    /// takes instants that are excluded from such a series out of UTC.
    ZonesOfIana,
}

/// Those that the second opinion is right about, that recur no more often than is kept, and that
/// mean on the server what they meant before.
fn agreed(seed: u64, count: usize, keeps: Keeps) -> Vec<Series> {
    let fits = |one: &Series| {
        let kept = keeps == Keeps::Everything || !one.ics.contains("Standard Time");
        kept && one.differs.is_none() && !one.ics.contains("FREQ=HOURLY")
    };
    let agreed: Vec<Series> =
        series(seed, count * 3).into_iter().filter(fits).take(count).collect();
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
    let calendars = ["/ann/work/", "/ann/home/", "/ann/new/"];
    let count = follow(server.address, &client, calendars, (MANY, Keeps::ZonesOfIana));
    assert!(count > LEAST, "{count} objects");
}

#[test]
fn xandikos_is_followed_through_every_change() {
    let server = Xandikos::start();
    let client = server.client();
    let calendars = ["calendar/", "home/", "new/"].map(|name| format!("{HOME}{name}"));
    client.make(&calendars[1]);
    let calendars = calendars.each_ref().map(String::as_str);
    assert_eq!(follow(server.address, &client, calendars, (SOME, Keeps::Everything)), SOME);
}

/// Events are made, changed, moved and deleted; tokens are lost; calendars come and go. Gives how
/// many objects the server has taken at first.
fn follow(
    address: SocketAddr,
    client: &Dav,
    [work, home, new]: [&str; 3],
    (count, keeps): (usize, Keeps),
) -> usize {
    let mut draw = Draw::new(7);
    let mut all = agreed(71, count + 20, keeps);
    let mut later = all.split_off(count);
    let at = |one: &Series| path(if one.ics.len().is_multiple_of(3) { home } else { work }, one);
    all.retain(|one| client.offer(&at(one), &one.ics));
    let place = place(&root(address), "");
    sync(&place);
    let count = assert_equal(&place, client, &[work, home], "a first sync");
    assert!(count > all.len(), "{count} meetings");
    sync(&place);
    assert_equal(&place, client, &[work, home], "nothing new");

    for (number, one) in all.iter().enumerate() {
        let at = at(one);
        match number % 12 {
            0 | 1 => edit(client, &at, one, &mut draw),
            2 => client.delete(&at),
            3 if !at.starts_with(work) => client.rename(&at, &path(work, one)),
            4 => client.rename(&at, &format!("{at}.other.ics")),
            _ => {}
        }
    }
    later.retain(|one| client.offer(&path(work, one), &one.ics));
    sync(&place);
    assert_equal(&place, client, &[work, home], "changed, deleted, moved, renamed, made");

    let sql = "UPDATE mailbox SET cursor = replace(cursor, '\"token\":\"', '\"token\":\"x')";
    execute(&place.database(), sql);
    client.delete(&path(work, &later[0]));
    edit(client, &path(work, &later[1]), &later[1], &mut draw);
    sync(&place);
    assert_equal(&place, client, &[work, home], "a token that the server does not know");

    client.delete(home);
    client.make(new);
    for one in agreed(72, 30, keeps) {
        client.offer(&path(new, &one), &one.ics);
    }
    sync(&place);
    assert_equal(&place, client, &[work, new], "a calendar removed, another one made");
    let clean = place.dump().without_cursors();
    place.forget();
    sync(&place);
    let again = place.dump().without_cursors();
    assert_eq!(clean.meetings, again.meetings, "as a clean sync");
    assert_eq!(clean.interactions, again.interactions, "as a clean sync");
    all.len()
}

/// Changes an object, if the second opinion is right about what it becomes and the server takes it.
fn edit(client: &Dav, path: &str, series: &Series, draw: &mut Draw) {
    let new = changed(series, draw);
    if new.differs.is_none() {
        client.offer(path, &new.ics);
    }
}

/// A second client writes while a pass runs: what the pass has read of it or not, the next one knows,
/// also where the tokens of a server come back with what it holds.
#[test]
fn what_changes_while_a_pass_runs_is_read_by_it_or_by_the_next() {
    let (radicale, xandikos) = (Radicale::start(), Xandikos::start());
    radicale.client().make("/ann/work/");
    let calendar = format!("{HOME}calendar/");
    for (address, client, calendar, keeps) in [
        (radicale.address, radicale.client(), "/ann/work/", Keeps::ZonesOfIana),
        (xandikos.address, xandikos.client(), calendar.as_str(), Keeps::Everything),
    ] {
        let mut all = agreed(73, 120, keeps);
        all.retain(|one| client.offer(&path(calendar, one), &one.ics));
        let place = place(&root(address), "");
        for round in 0..2 {
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
            client.offer(&at, &changed(one, &mut draw).ics);
        }
        std::thread::sleep(std::time::Duration::from_millis(draw.below(40)));
        client.put(&at, &one.ics);
    }
}
