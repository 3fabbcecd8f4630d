//! `kill -9` at any moment: every message is counted once, every nudge arrives under its one id.
//!
//! `KEEPWARM_KILLS` says how often (20 unless set; `tests/crash` kills 200 times), `KEEPWARM_SEED`
//! which moments. Between kills mail arrives, relationships go quiet and once the server renumbers
//! its mailbox; the receiver fails every fifth request.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use keepwarm::clock::Clock;
use keepwarm::model::{Direction, Interaction, Kind, Timestamp};
use keepwarm::score::{Parameters, rebuild};

use crate::support::dovecot::Dovecot;
use crate::support::dump::{Dump, Pair, assert_sound, make_due, nudges, rows, same_state};
use crate::support::generate::{Draw, Mail, mailbox_since, weekly};
use crate::support::hook::{Answer, Hook};
use crate::support::process::Place;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
/// Messages that are there from the beginning, and that arrive between kills in all.
const MESSAGES: [usize; 2] = [1500, 1500];
/// Relationships that have gone quiet when their mail arrives.
const QUIET: u64 = 30;
const DAY_S: u64 = 86_400;

/// A number from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn killed_at_any_moment_it_loses_and_repeats_nothing() {
    let (kills, seed) = (setting("KEEPWARM_KILLS", 20), setting("KEEPWARM_SEED", 1));
    println!("KEEPWARM_KILLS={kills} KEEPWARM_SEED={seed}");
    let hook = Hook::start();
    hook.answer(Answer::FourOfFive);
    let server = Dovecot::start(&["ann"]);
    let place = Place::new()
        .with(
            "[sync]\npoll_seconds = 1\n[nudge]\nper_rep_per_day = 1000\nper_rep_per_week = 1000\n\
               mass_decay_least = 1000",
        )
        .imap("ann-mail", &server, "ann")
        .endpoint("crm", hook.address(), SECRET);
    let seen = torment(&place, &server, kills, seed);
    println!("{seen:?}, {} requests", hook.requests().len());
    assert!(seen.in_sync > 0 && seen.in_delivery > 0, "the kills missed all work: {seen:?}");

    place.once(&[]);
    for _ in 0..10 {
        if make_due(&place.database()) == 0 {
            break;
        }
        place.once(&[]);
    }
    let clean = Place::new().imap("ann-mail", &server, "ann");
    clean.once(&[]);
    assert_sound(&place.database());
    let dump = place.dump();
    assert!(dump.messages.len() > MESSAGES.iter().sum(), "{} messages", dump.messages.len());
    dump.assert_same(&clean.dump(), "after the kills, compared with a clean sync");
    assert_states_follow_from_the_log(&dump);
    assert_every_nudge_arrived(&place, &hook);
}

/// What the kills hit.
#[derive(Debug, Default)]
struct Seen {
    /// Processes that were killed having stored messages, but not all.
    in_sync: u32,
    /// Processes that were killed while something was owed.
    in_delivery: u32,
}

/// Starts and kills, with mail arriving in between.
fn torment(place: &Place, server: &Dovecot, kills: u64, seed: u64) -> Seen {
    let mut draw = Draw::new(seed);
    let now = u64::try_from(Clock::System.now().seconds()).unwrap();
    let all = mailbox_since(seed, MESSAGES.iter().sum(), now - 120 * DAY_S);
    let (first, mut later) = all.split_at(MESSAGES[0]);
    deliver(server, first);
    let mut arrived = first.len();
    let mut seen = Seen::default();
    // On a machine busy with other things the moments that matter come later: then it goes on, and
    // waits longer, until it has met them.
    for kill in 0..6 * kills {
        if kill >= kills && seen.in_sync > 0 && seen.in_delivery > 0 {
            break;
        }
        let daemon = place.start(&["run"]);
        std::thread::sleep(Duration::from_millis(5 + draw.below(396 * (1 + kill / kills))));
        daemon.kill();
        if place.database().exists() && has_tables(place) {
            let stored = rows(&place.database(), "message");
            seen.in_sync += u32::from(stored > 0 && stored < i64::try_from(arrived).unwrap());
            let owed = nudges(&place.database()).into_values().flat_map(|owed| owed.outbox);
            seen.in_delivery += u32::from(owed.into_iter().any(|(_, state, _)| state == "pending"));
        }
        if kill >= kills {
            continue;
        }
        let of_later = MESSAGES[1] as u64 * (kill + 1) / kills;
        let before = MESSAGES[1] - later.len();
        let (new, rest) = later.split_at(usize::try_from(of_later).unwrap() - before);
        deliver(server, new);
        later = rest;
        arrived += new.len();
        for contact in QUIET * kill / kills..QUIET * (kill + 1) / kills {
            let quiet = weekly(&format!("quiet{contact}@acme.example"), 26, now - 45 * DAY_S);
            deliver(server, &quiet);
            arrived += quiet.len();
        }
        if kill == kills / 2 {
            server.forget_uids("ann", "INBOX");
        }
    }
    seen
}

fn deliver(server: &Dovecot, mails: &[Mail]) {
    for mail in mails {
        server.deliver("ann", mail.mailbox, mail.at, &mail.bytes);
    }
}

/// A process killed early has made the file, but not migrated it, or not to the end.
fn has_tables(place: &Place) -> bool {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let newest = std::fs::read_dir(migrations).unwrap().count();
    rows(&place.database(), &format!("pragma_user_version WHERE user_version = {newest}")) == 1
}

/// Every state is what the log of its counted interactions says, folded anew.
fn assert_states_follow_from_the_log(dump: &Dump) {
    let mut logs: BTreeMap<&Pair, Vec<Interaction>> = BTreeMap::new();
    for touch in dump.interactions.iter().filter(|touch| touch.counted) {
        let direction = match touch.direction {
            0 => Direction::Outbound,
            1 => Direction::Inbound,
            _ => Direction::Mutual,
        };
        logs.entry(&touch.pair).or_default().push(Interaction {
            at: Timestamp::from_millis(touch.at),
            direction,
            kind: if touch.kind == 0 { Kind::Message } else { Kind::Meeting },
            audience: touch.audience,
            linked: touch.linked,
        });
    }
    for (pair, state) in &dump.relationships {
        let mut log = logs.remove(pair).unwrap_or_default();
        log.sort_by_key(|interaction| interaction.at);
        let mut anew = rebuild(&log, chrono_tz::UTC, &Parameters::default(), Clock::System.now());
        anew.folded_at = Timestamp::default();
        assert!(same_state(state, &anew), "{pair:?}:\n  found   {state:?}\n  rebuilt {anew:?}");
    }
}

/// Every nudge came at least once, always as it is stored, and nothing came that is not.
fn assert_every_nudge_arrived(place: &Place, hook: &Hook) {
    let nudges = nudges(&place.database());
    let mut arrived: BTreeSet<&str> = BTreeSet::new();
    let requests = hook.requests();
    for request in &requests {
        let stored = nudges.get(&request.id);
        let stored = stored.unwrap_or_else(|| panic!("{} is no nudge", request.id));
        assert_eq!(request.body, stored.body, "{} has one body", request.id);
        assert!(request.is_signed_with(SECRET), "{request:?}");
        arrived.insert(&request.id);
    }
    let stored: BTreeSet<&str> = nudges.keys().map(String::as_str).collect();
    assert_eq!(arrived, stored, "what arrived is what was stored");
    for (id, owed) in &nudges {
        let [(_, state, _)] = owed.outbox.as_slice() else { panic!("{id}: {:?}", owed.outbox) };
        assert_eq!(state, "delivered", "{id}");
    }
    for contact in 0..QUIET {
        let address = format!("\"quiet{contact}@acme.example\"");
        let about = nudges.values().filter(|owed| owed.body.contains(&address)).count();
        assert_eq!(about, 1, "nudges about {address}");
    }
    println!("{} nudges, {} requests", nudges.len(), requests.len());
}
