//! What a scenario plays on: a scripted server, the program beside it, and what the program costs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::generate::mailbox;
use crate::support::imapd::{Fault, Imapd, PASSWORD, Profile};
use crate::support::process::{Place, Ran, Running};

/// An instant after all generated mail.
const NOW: &str = "2025-06-01T00:00:00Z";
/// The most memory that a process may take.
const MOST_KB: u64 = 64 << 10;
/// The most processor time that one pass may take, in a build without optimisation.
const MOST_CPU: Duration = Duration::from_secs(10);
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
    pub(super) place: Place,
    secured: Secured,
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
        let place = place(&server, secured);
        Self { server, place, secured }
    }

    /// One pass; its costs are checked.
    #[track_caller]
    pub(super) fn pass(&self) -> Ran {
        let running = self.place.start(&["run", "--once", "--now", NOW]);
        let (ran, cost) = watched(running, |running| running.finish(PATIENCE));
        cost.check(&ran.stderr);
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

    /// Fails unless the database says what a clean sync says of what the server holds now.
    #[track_caller]
    pub(super) fn assert_as_clean(&self, context: &str) {
        self.server.heal();
        let clean = place(&self.server, self.secured);
        clean.once(&["--now", NOW]);
        let expected = clean.dump();
        assert!(
            !expected.relationships.is_empty(),
            "{context}: the clean sync has found something"
        );
        self.place.dump().assert_same(&expected, context);
    }
}

/// A configuration that reads ann's mail on a server, and does not wait long.
fn place(server: &Imapd, secured: Secured) -> Place {
    let place = Place::new();
    std::fs::write(place.path("ca.pem"), server.ca_pem()).unwrap();
    let (port, tls) = match secured {
        Secured::Plain => (server.imap.port(), "none"),
        Secured::Tls => (server.imaps.port(), "implicit"),
    };
    let password = PASSWORD.replace('"', "\\\"");
    place.with(&format!(
        "[sync]\nconnect_seconds = 2\ncommand_seconds = 2\npoll_seconds = 1\n\
         [[source]]\nname = \"ann-mail\"\nrep = \"ann\"\nkind = \"imap\"\nhost = \"localhost\"\n\
         port = {port}\ntls = \"{tls}\"\nca_file = \"ca.pem\"\nusername = \"ann\"\n\
         password = \"{password}\""
    ))
}

impl Cost {
    #[track_caller]
    fn check(self, log: &str) {
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

/// Plays faults that heal: passes until one succeeds, and then the database is as if nothing had
/// been wrong.
#[track_caller]
pub(super) fn heals(name: &str, profile: Profile, faults: &[Fault]) {
    let stage = Stage::new(profile);
    stage.server.suffer(faults);
    let said = stage.read_through();
    for fault in faults {
        assert!(fault.hits() > 0, "{name}: {fault:?} was not met: {said:?}");
    }
    assert!(stage.server.connections() <= 30, "{} connections", stage.server.connections());
    stage.assert_as_clean(name);
}
