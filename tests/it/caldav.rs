//! The CalDAV source: the program against real servers (Radicale, Xandikos), where after every step
//! what is stored equals an independent listing of the server, expanded by Python; and against a
//! scripted one for what those two do not do.

mod compare;
mod found;
mod life;
mod replica;
mod scripted;

use std::net::SocketAddr;

use crate::support::process::Place;
use crate::support::radicale::{PASSWORD, USER};
use crate::support::series::{NOW, ZONE};

/// A place that reads the calendars at a URL, with these further lines.
fn place(url: &str, lines: &str) -> Place {
    Place::new().with(&format!(
        "time_zone = \"{}\"\n[[source]]\nname = \"ann-dav\"\nrep = \"ann\"\nkind = \"caldav\"\n\
         url = \"{url}\"\nusername = \"{USER}\"\npassword = \"{PASSWORD}\"\n{lines}",
        ZONE.name()
    ))
}

/// The root of a server.
fn root(address: SocketAddr) -> String {
    format!("http://{address}/")
}

/// One complete pass around the time of the series.
#[track_caller]
fn sync(place: &Place) {
    let ran = place.once(&["--now", NOW]);
    assert!(!ran.stderr.contains("WARN"), "{}", ran.stderr);
}
