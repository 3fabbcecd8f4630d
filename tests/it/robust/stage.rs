//! What a scenario plays on: a scripted server, the program beside it, and what the program costs.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::dump::Dump;
use crate::support::generate::mailbox;
use crate::support::imapd::{Account, Fault, Imapd, PASSWORD, Profile};
use crate::support::process::{Place, Ran, Running};

/// An instant after all generated mail.
pub(super) const NOW: &str = "2025-06-01T00:00:00Z";
/// The most memory that a process may take.
const MOST_KB: u64 = 64 << 10;
/// The most processor time that one pass may take, in a build without optimisation.
const MOST_CPU: Duration = Duration::from_secs(5);
/// The most connections that a scenario may take.
const MOST_CONNECTIONS: u32 = 30;
/// Passes after which a server that has healed must have been read.
const PASSES: u32 = 6;
/// How long a pass may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// How the server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secured {
    Plain,
    Tls,
}

/// A server and the program that reads it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) server: Imapd,
    pub(super) account: Arc<Account>,
    pub(super) place: Place,
    secured: Secured,
    /// Passes made.
    passes: Cell<u32>,
}

/// What a process took at most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    memory_kb: u64,
    cpu: Duration,
}

impl Stage {
    /// A server with some mail of ann's.
    pub(super) fn new(profile: Profile) -> Self {
        Self::with(profile, Secured::Plain, 60)
    }

    /// The same with so many messages.
    pub(super) fn with(profile: Profile, secured: Secured, messages: usize) -> Self {
        let server = Imapd::start(profile);
        let account = server.account("ann");
        for mail in mailbox(7, messages) {
            account.deliver(&mail);
        }
        let place = place(&server, secured, target(&server, secured));
        Self { server, account, place, secured, passes: Cell::new(0) }
    }

    /// Where the server is.
    pub(super) fn target(&self) -> SocketAddr {
        target(&self.server, self.secured)
    }

    /// A new database for the same mail, reached at another address.
    pub(super) fn place_at(&self, address: SocketAddr) -> Place {
        place(&self.server, self.secured, address)
    }

    /// One pass; its costs are checked.
    #[track_caller]
    pub(super) fn pass(&self) -> Ran {
        // A day after the last one: no pause that a server may ask for is longer.
        let day = self.passes.get() + 1;
        self.passes.set(day);
        let now = format!("2025-06-{day:02}T00:00:00Z");
        let running = self.place.start(&["run", "--once", "--now", &now]);
        let (ran, cost) = watched(running, |running| running.finish(PATIENCE));
        cost.check(&ran.stderr);
        println!("{cost:?}");
        ran
    }

    /// Passes until one succeeds; gives what the failed ones said.
    #[track_caller]
    pub(super) fn read_through(&self) -> Vec<String> {
        let mut said = Vec::new();
        for _ in 0..PASSES {
            let ran = self.pass();
            if ran.status.success() {
                return said;
            }
            assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
            said.push(ran.stderr);
        }
        panic!("no pass of {PASSES} succeeds:\n{}", said.join("\n"));
    }

    /// Passes under faults until one succeeds; every fault must have been met.
    #[track_caller]
    pub(super) fn play(&self, name: &str, faults: &[Fault]) {
        self.server.suffer(faults);
        let said = self.read_through();
        for fault in faults {
            assert!(fault.hits() > 0, "{name}: {fault:?} was not met: {said:?}");
        }
        let connections = self.server.connections();
        assert!(connections <= MOST_CONNECTIONS, "{name}: {connections} connections");
        println!("{name}: {connections} connections, said {said:#?}");
    }

    /// What a clean sync finds on the server as it is.
    #[track_caller]
    pub(super) fn clean(&self) -> Dump {
        self.clean_at(&["--now", NOW])
    }

    fn clean_at(&self, arguments: &[&str]) -> Dump {
        let clean = self.place_at(self.target());
        clean.once(arguments);
        let dump = clean.dump();
        assert!(!dump.relationships.is_empty(), "the clean sync has found nothing");
        dump
    }

    /// Fails unless the database says what a clean sync says of what the server holds now.
    #[track_caller]
    pub(super) fn assert_as_clean(&self, context: &str) {
        self.server.heal();
        self.place.dump().assert_same(&self.clean(), context);
    }

    /// The same for one that was read by the clock.
    #[track_caller]
    pub(super) fn assert_as_clean_now(&self, context: &str) {
        self.server.heal();
        self.place.dump().assert_same(&self.clean_at(&[]), context);
    }
}

fn target(server: &Imapd, secured: Secured) -> SocketAddr {
    match secured {
        Secured::Plain => server.imap,
        Secured::Tls => server.imaps,
    }
}

/// A configuration that reads ann's mail at an address, and does not wait long.
fn place(server: &Imapd, secured: Secured, address: SocketAddr) -> Place {
    let place = Place::new();
    std::fs::write(place.path("ca.pem"), server.ca_pem()).unwrap();
    let (port, password) = (address.port(), PASSWORD.replace('"', "\\\""));
    let tls = match secured {
        Secured::Plain => "none",
        Secured::Tls => "implicit",
    };
    place.with(&format!(
        "[sync]\nconnect_seconds = 2\ncommand_seconds = 2\npoll_seconds = 1\n\
         [[source]]\nname = \"ann-mail\"\nrep = \"ann\"\nkind = \"imap\"\nhost = \"localhost\"\n\
         port = {port}\ntls = \"{tls}\"\nca_file = \"ca.pem\"\nusername = \"ann\"\n\
         password = \"{password}\""
    ))
}

impl Cost {
    #[track_caller]
    pub(super) fn check(self, log: &str) {
        assert!(self.memory_kb > 0, "the process was not measured");
        assert!(self.memory_kb < MOST_KB, "{} KiB of memory:\n{log}", self.memory_kb);
        assert!(self.cpu < MOST_CPU, "{:?} of processor time:\n{log}", self.cpu);
    }
}

/// Measures a process while `then` waits for it, up to its last milliseconds.
pub(super) fn watched<T>(running: Running, then: impl FnOnce(Running) -> T) -> (T, Cost) {
    let (id, over) = (running.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut cost = Cost::default();
            while !over.load(Ordering::SeqCst) {
                cost.look(id);
                std::thread::sleep(Duration::from_millis(2));
            }
            cost
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| then(running)));
        over.store(true, Ordering::SeqCst);
        let cost = watch.join().unwrap();
        let result = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (result, cost)
    })
}

impl Cost {
    /// What Linux says of the process so far (proc(5)); nothing of one that has ended.
    fn look(&mut self, id: u32) {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{id}/{name}"));
        let (Ok(status), Ok(stat)) = (read("status"), read("stat")) else { return };
        let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let memory = memory.and_then(|line| line.split_whitespace().next()?.parse().ok());
        self.memory_kb = self.memory_kb.max(memory.unwrap_or(0));
        // User and system time, in hundredths of a second, are the fields 14 and 15; the second
        // field ends with the last bracket.
        let ticks = |stat: &str| -> Option<u64> {
            let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
            Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
        };
        let cpu = Duration::from_millis(10 * ticks(&stat).unwrap_or(0));
        self.cpu = self.cpu.max(cpu);
    }
}

/// One test for each row: its name, the provider, the faults; played by the function named first.
macro_rules! scenarios {
    ($play:ident; $(
        $(#[$attribute:meta])* $name:ident: $profile:ident, [$($fault:expr),+ $(,)?];
    )+) => {$(
        #[test]
        $(#[$attribute])*
        fn $name() {
            let profile = crate::support::imapd::Profile::$profile;
            $play(stringify!($name), profile, &[$($fault),+]);
        }
    )+};
}
pub(super) use scenarios;

/// Plays faults that heal: passes until one succeeds, and then the database is as if nothing had
/// been wrong.
#[track_caller]
pub(super) fn heals(name: &str, profile: Profile, faults: &[Fault]) {
    let stage = Stage::new(profile);
    stage.play(name, faults);
    stage.assert_as_clean(name);
}

/// Plays faults that a pass cannot see: one pass later, when they are over, the database is as if
/// nothing had been wrong.
#[track_caller]
pub(super) fn heals_in_the_end(name: &str, profile: Profile, faults: &[Fault]) {
    let stage = Stage::new(profile);
    stage.play(name, faults);
    stage.server.heal();
    let ran = stage.pass();
    assert!(ran.status.success(), "{name}: {}", ran.stderr);
    stage.assert_as_clean(name);
}
