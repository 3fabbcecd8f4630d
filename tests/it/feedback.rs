//! Answers to nudges, as reps and programs give them: by links, by the API and by commands.

mod api;
mod commands;
mod links;
mod pages;

use std::net::SocketAddr;
use std::time::Duration;

use keepwarm::model::feedback::{LinkKey, Links};
use keepwarm::model::{Span, Timestamp};

use crate::support::dovecot::{free_port, put};
use crate::support::dump::{self, nudges};
use crate::support::generate::weekly;
use crate::support::http::{self, Reply};
use crate::support::process::{Place, Running};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/// What the API is asked with.
const TOKEN: &str = "canary-token-0123456789";

/// How long things may take that should take a second.
const SOON: Duration = Duration::from_secs(30);

const DAY_S: u64 = 86_400;

fn now() -> Timestamp {
    keepwarm::clock::Clock::System.now()
}

/// The program with an address to answer at, and contacts who went quiet.
struct Desk {
    place: Place,
    address: SocketAddr,
}

impl Desk {
    /// Everything is read and told when this is there; the endpoint is at `hook`.
    fn new(contacts: &[&str], hook: SocketAddr) -> Self {
        let desk = Self::unread(contacts, hook);
        // The receiver may be down: that is for the test to say.
        let ran = desk.place.keepwarm(&["run", "--once"]);
        assert!(ran.status.success(), "{}", ran.stderr);
        assert_eq!(nudges(&desk.place.database()).len(), contacts.len(), "a nudge for each");
        desk
    }

    fn unread(contacts: &[&str], hook: SocketAddr) -> Self {
        Self::restrained(contacts, hook, "")
    }

    /// With these lines in `[nudge]`.
    fn restrained(contacts: &[&str], hook: SocketAddr, lines: &str) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let place = Place::new()
            .serving(&format!(
                "listen = \"{address}\"\npublic_url = \"http://{address}/\"\ntoken_file = \"api\""
            ))
            .with(&format!("[nudge]\nper_rep_per_week = 100\n{lines}"))
            .with("[sync]\npoll_seconds = 86400")
            .maildir("ann-mail")
            .endpoint("crm", hook, SECRET);
        std::fs::write(place.path("api"), TOKEN).unwrap();
        let seconds = u64::try_from(now().seconds()).unwrap();
        for contact in contacts {
            for mail in weekly(contact, 26, seconds - 45 * DAY_S) {
                put(&place.path("ann-mail"), mail.at, &mail.bytes);
            }
        }
        Self { place, address }
    }

    fn start(&self) -> Running {
        let mut daemon = self.place.start(&["run"]);
        daemon.wait_for("keepwarm runs", SOON);
        daemon
    }

    /// The id of the nudge about a contact.
    #[track_caller]
    fn nudge(&self, contact: &str) -> String {
        let all = nudges(&self.place.database());
        let found = all.into_iter().find(|(_, owed)| owed.body.contains(contact));
        found.unwrap_or_else(|| panic!("no nudge about {contact}")).0
    }

    /// The links of a nudge, as they would stand in a message.
    fn links(&self, nudge: &str) -> Links {
        self.links_until(nudge, now() + Span::from_days(30))
    }

    fn links_until(&self, nudge: &str, expires_at: Timestamp) -> Links {
        let sql = "SELECT hex(key) FROM link_key";
        let hex = dump::values(&self.place.database(), sql).pop().unwrap();
        let digits: Vec<u32> = hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
        let byte = |pair: &[u32]| u8::try_from(16 * pair[0] + pair[1]).unwrap();
        let key: Vec<u8> = digits.chunks(2).map(byte).collect();
        let key = LinkKey(key.try_into().unwrap());
        let base = format!("http://{}", self.address);
        keepwarm::serve::link::links(&base, &key, nudge, expires_at)
    }

    /// The path of a link's URL.
    fn path<'a>(&self, url: &'a str) -> &'a str {
        url.strip_prefix(&format!("http://{}", self.address)).unwrap()
    }

    #[track_caller]
    fn get(&self, path: &str) -> Reply {
        http::ask(self.address, "GET", path, &[], "")
    }

    /// Presses the button of a link's page.
    #[track_caller]
    fn press(&self, url: &str) -> Reply {
        let path = self.path(url);
        let what = path.split('/').nth(3).unwrap();
        let form = ["Content-Type: application/x-www-form-urlencoded"];
        http::ask(self.address, "POST", path, &form, &format!("confirm={what}"))
    }

    #[track_caller]
    fn api(&self, method: &str, nudge: &str, body: &str) -> Reply {
        let (path, token) =
            (format!("/v1/nudges/{nudge}/feedback"), format!("Authorization: Bearer {TOKEN}"));
        http::ask(self.address, method, &path, &[&token, "Content-Type: application/json"], body)
    }

    /// Waits until the daemon has looked again at what an answer has changed.
    fn settle(&self) {
        let due =
            "SELECT count(*) FROM relationship WHERE due_at <= unixepoch('subsec') * 1000 + 1";
        let deadline = std::time::Instant::now() + SOON;
        while self.values(due) != ["0"] {
            assert!(std::time::Instant::now() < deadline, "the daemon does not look again");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What a statement finds, as lines.
    fn values(&self, sql: &str) -> Vec<String> {
        dump::values(&self.place.database(), sql)
    }

    /// Every answer: nudge's state and resolution, action, days, way, and whether it is in force.
    fn answers(&self) -> Vec<String> {
        self.values(
            "SELECT concat_ws(' ', contact.address, resolved_by, action, days, way,
                              iif(undone_at IS NULL, 'holds', 'undone'))
             FROM feedback JOIN nudge ON nudge.id = nudge_id
             JOIN relationship AS r ON r.id = relationship_id
             JOIN address AS contact ON contact.id = r.contact_id ORDER BY feedback.id",
        )
    }
}
