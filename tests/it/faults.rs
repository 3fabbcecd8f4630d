//! Receivers that fail in every way there is, and `kill -9` in between: every nudge is taken at least
//! once, repeated only under its one id and with the same bytes, none is made up, and an endpoint that
//! works is not held up by those that do not.
//!
//! `KEEPWARM_NUDGES` says how many nudges (500 unless set), `KEEPWARM_KILLS` how many kills (5),
//! `KEEPWARM_SEED` at which moments; `tests/faults` plays 10,000 and 50. Time between retries is moved
//! from outside, while nothing runs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use keepwarm::deliver::{Secret, signature};
use keepwarm::model::Timestamp;

use crate::support::dump::{assert_sound, make_due, nudges};
use crate::support::faulty::{Faulty, Got, Manner};
use crate::support::generate::Draw;
use crate::support::owe::{owe, owed, release};
use crate::support::process::Place;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
/// The longest that a working endpoint may be kept waiting between two of its deliveries.
const PATIENCE: Duration = Duration::from_secs(1);
/// After so many requests the receiver that goes away says so.
const GONE_AFTER: usize = 20;

/// A number from the environment.
fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// The receivers, and the listener that nothing may come to.
struct Receivers {
    plain: Faulty,
    tls: Faulty,
    good: Faulty,
    gone: Faulty,
    inside: TcpListener,
}

impl Receivers {
    fn start() -> Self {
        let inside = TcpListener::bind("127.0.0.1:0").unwrap();
        inside.set_nonblocking(true).unwrap();
        let to = inside.local_addr().ok();
        let faulty = Manner { faulty: 30, inside: to, ..Manner::default() };
        Self {
            plain: Faulty::start(faulty.clone()),
            tls: Faulty::start(Manner { tls: true, ..faulty }),
            good: Faulty::start(Manner::default()),
            gone: Faulty::start(Manner { gone_after: Some(GONE_AFTER), ..Manner::default() }),
            inside,
        }
    }

    /// A place with an endpoint for each.
    fn place(&self) -> Place {
        let all = [
            ("plain", &self.plain),
            ("tls", &self.tls),
            ("good", &self.good),
            ("gone", &self.gone),
        ];
        all.into_iter().fold(Place::new(), |place, (name, receiver)| {
            let url = receiver.url();
            place.with(&format!(
                "[[endpoint]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = \"{SECRET}\"\n\
                 timeout_seconds = 1\nrequests_per_second = 1000"
            ))
        })
    }
}

/// What the kills left to see.
#[derive(Debug, Default)]
struct Seen {
    /// Processes that were killed while something was owed.
    in_delivery: usize,
    /// The longest that the working endpoint was kept waiting.
    longest: Duration,
    /// Starts until everything had arrived, after the kills.
    ends: usize,
}

#[test]
fn every_nudge_is_taken_whatever_its_receivers_do() {
    let (count, kills) = (setting("KEEPWARM_NUDGES", 500), setting("KEEPWARM_KILLS", 5));
    let seed = setting("KEEPWARM_SEED", 1);
    println!("KEEPWARM_NUDGES={count} KEEPWARM_KILLS={kills} KEEPWARM_SEED={seed}");
    let began = Instant::now();
    let receivers = Receivers::start();
    let place = receivers.place();
    std::fs::write(place.path("roots.pem"), receivers.tls.ca.clone().unwrap()).unwrap();
    let (owed_to, seen) = torment(&place, &receivers, (count, kills, seed as u64));
    println!("{seen:?}, {:?}", began.elapsed());
    assert!(seen.in_delivery * 2 > kills, "the kills missed the work: {seen:?}");
    assert!(seen.longest <= PATIENCE, "the working endpoint was held up: {seen:?}");
    assert_sound(&place.database());
    let stored = nudges(&place.database());
    assert_eq!(stored.len(), count);
    for (name, receiver) in
        [("plain", &receivers.plain), ("tls", &receivers.tls), ("good", &receivers.good)]
    {
        let ids = &owed_to[name];
        let of = |all: &BTreeSet<String>| (all.len(), all.first().cloned());
        assert_eq!(of(ids), of(&owed_in(&place, name)), "{name}");
        assert_taken(name, &receiver.got(), ids, |id| &stored[id].body);
        assert_eq!(owed(&place.database(), name), [0, i64::try_from(ids.len()).unwrap(), 0, 0]);
        println!(
            "{name}: {} nudges, {} requests, {:?}",
            ids.len(),
            receiver.got().len(),
            receiver.faults()
        );
    }
    let accepted = receivers.inside.accept();
    assert!(accepted.is_err(), "somebody followed a redirect: {accepted:?}");
    assert_gone_is_left_alone(&place, &receivers, kills);
}

/// The ids of what is or was owed to an endpoint.
fn owed_in(place: &Place, endpoint: &str) -> BTreeSet<String> {
    let owed = nudges(&place.database()).into_iter();
    let to = owed.filter(|(_, owed)| owed.outbox.iter().any(|(name, ..)| name == endpoint));
    to.map(|(id, _)| id).collect()
}

/// Owes nudges in as many parts as there are kills, starts and kills; then goes on until all have
/// arrived. Gives what is owed to whom.
fn torment(
    place: &Place,
    receivers: &Receivers,
    (count, kills, seed): (usize, usize, u64),
) -> (BTreeMap<&'static str, BTreeSet<String>>, Seen) {
    let mut draw = Draw::new(seed);
    let (mut all, mut seen) = (BTreeMap::<_, BTreeSet<String>>::new(), Seen::default());
    for kill in 0..kills {
        let part = count * kill / kills..count * (kill + 1) / kills;
        let half = part.start.midpoint(part.end);
        for (endpoints, numbers) in [
            (["good", "plain", "gone"], part.start..half),
            (["good", "tls", "gone"], half..part.end),
        ] {
            let ids = owe(place, &endpoints, numbers);
            for name in endpoints {
                all.entry(name).or_default().extend(ids.iter().cloned());
            }
        }
        // Once in a while a receiver is down altogether.
        receivers.plain.set_down(kill % 10 == 4);
        let before = receivers.good.got().len();
        let daemon = start(place);
        std::thread::sleep(Duration::from_millis(100 + draw.below(1900)));
        daemon.kill();
        seen.longest = seen.longest.max(longest_wait(&receivers.good.got()[before..], place));
        let left = ["good", "plain", "tls"].iter().any(|name| owed(&place.database(), name)[0] > 0);
        seen.in_delivery += usize::from(left);
        make_due(&place.database());
        release(&place.database());
    }
    receivers.plain.set_down(false);
    while pending(place) > 0 {
        assert!(seen.ends < 200, "{} deliveries do not arrive", pending(place));
        seen.ends += 1;
        let daemon = start(place);
        let mut last = (Instant::now(), pending(place));
        // Until nothing moves any more: what is left waits for its time.
        while last.1 > 0 && last.0.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(50));
            let left = pending(place);
            if left != last.1 {
                last = (Instant::now(), left);
            }
        }
        daemon.kill();
        make_due(&place.database());
        release(&place.database());
    }
    (all, seen)
}

fn start(place: &Place) -> crate::support::process::Running {
    let roots = place.path("roots.pem");
    let mut daemon = place.start_with(
        &["run"],
        &[("SSL_CERT_FILE", roots.to_str().unwrap()), ("KEEPWARM_LOG", "error")],
    );
    assert!(!daemon.has_ended());
    daemon
}

/// What is owed to the endpoints that are there.
fn pending(place: &Place) -> i64 {
    ["good", "plain", "tls"].iter().map(|name| owed(&place.database(), name)[0]).sum()
}

/// The longest time between two requests of one process to the working endpoint, to which everything
/// was owed at once; and from the last to the end of the process, if not all of it had come.
fn longest_wait(got: &[Got], place: &Place) -> Duration {
    let gaps = got.windows(2).map(|two| two[1].at - two[0].at);
    let last = got.last().filter(|_| owed(&place.database(), "good")[0] > 0);
    gaps.chain(last.map(|last| last.at.elapsed())).max().unwrap_or_default()
}

/// Every nudge came, always with the bytes that are stored and signed, and nothing else did.
fn assert_taken<'a>(
    name: &str,
    got: &[Got],
    owed: &BTreeSet<String>,
    body: impl Fn(&str) -> &'a String,
) {
    let secret = Secret::parse(SECRET).unwrap();
    let mut taken = BTreeSet::new();
    for request in got {
        assert!(owed.contains(&request.id), "{name}: {} was never owed to it", request.id);
        assert_eq!(&request.body, body(&request.id), "{name}: {} has one body", request.id);
        let at = Timestamp::from_seconds(request.timestamp.parse().unwrap());
        let right = signature(&secret, &request.id, at, request.body.as_bytes());
        assert_eq!(request.signature, right, "{name}: {}", request.id);
        if request.taken {
            taken.insert(request.id.clone());
        }
    }
    assert_eq!(&taken, owed, "{name}: what was taken is what was owed");
}

/// Whoever said that it is gone is asked again only by a process that was killed before it had noted
/// so; under another URL it gets everything that it is owed.
fn assert_gone_is_left_alone(place: &Place, receivers: &Receivers, kills: usize) {
    let asked = receivers.gone.got().len();
    assert!((GONE_AFTER + 1..=GONE_AFTER + kills + 1).contains(&asked), "{asked} requests");
    let again = Faulty::start(Manner::default());
    let text = std::fs::read_to_string(place.path("keepwarm.toml")).unwrap();
    let text = text.replace(&receivers.gone.url(), &again.url());
    std::fs::write(place.path("keepwarm.toml"), text).unwrap();
    place.once(&[]);
    assert_eq!(receivers.gone.got().len(), asked);
    let taken: BTreeSet<String> = [receivers.gone.got(), again.got()]
        .concat()
        .into_iter()
        .filter(|request| request.taken)
        .map(|request| request.id)
        .collect();
    assert_eq!(taken, owed_in(place, "gone"));
    println!("gone: {asked} requests, then {} under another url", again.got().len());
}
