//! The daemon, which goes on: its connections stall, end by themselves and are answered wrongly,
//! and new mail is found all the same.

use std::time::{Duration, Instant};

use super::stage::{Stage, scenarios, watched};
use crate::support::dump::rows;
use crate::support::generate::letter;
use crate::support::imapd::{Act, Fault, Profile};
use crate::support::process::Running;

/// How long it may take until new mail is found: some pauses after failures.
const SOON: Duration = Duration::from_secs(40);
/// How many connections that may take.
const MOST_CONNECTIONS: u32 = 30;

/// Mail comes twice while the server suffers.
#[track_caller]
fn goes_on(name: &str, profile: Profile, faults: &[Fault]) {
    let stage = Stage::new(profile);
    stage.server.suffer(faults);
    let daemon = stage.place.start(&["run"]);
    let (log, cost) = watched(daemon, |daemon| lives(&stage, daemon));
    cost.check(&log);
    // A program that polls does not meet what is wrong with IDLE.
    if stage.server.commands().contains_key("IDLE") {
        let unmet: Vec<&Fault> = faults.iter().filter(|fault| fault.hits() == 0).collect();
        assert!(unmet.is_empty(), "{name}: not met: {unmet:?}:\n{log}");
    }
    let connections = stage.server.connections();
    assert!(connections <= MOST_CONNECTIONS, "{name}: {connections} connections:\n{log}");
    stage.server.heal();
    stage.place.once(&[]);
    stage.assert_as_clean_now(name);
}

#[track_caller]
fn lives(stage: &Stage, mut daemon: Running) -> String {
    daemon.wait_for("keepwarm runs", SOON);
    wait_for_messages(stage, &daemon, 60);
    for (count, id) in [(61, "late@x"), (62, "later@x")] {
        let mail = letter("INBOX", ["bo@acme.example", "ann@us.example"], 1_706_000_000, id, None);
        stage.account.deliver(&mail);
        wait_for_messages(stage, &daemon, count);
    }
    let ran = daemon.terminate(Duration::from_secs(10));
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
    ran.stderr
}

#[track_caller]
fn wait_for_messages(stage: &Stage, daemon: &Running, count: i64) {
    let deadline = Instant::now() + SOON;
    while rows(&stage.place.database(), "message") != count {
        let found = rows(&stage.place.database(), "message");
        assert!(Instant::now() < deadline, "{found} messages, not {count}:\n{}", daemon.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// IDLE is accepted, and then this.
fn idle(then: &[Act]) -> Fault {
    let acts = [&[Act::Answer, Act::Wait(Duration::from_millis(30))], then].concat();
    Fault::on("IDLE", acts).always()
}

scenarios! { goes_on;
    nothing_is_wrong: DOVECOT, [Fault::on("GREETING", [Act::Answer])];
    idle_is_ended_by_the_server: DOVECOT, [
        idle(&[Act::send("TAG OK Idle terminated.\r\n"), Act::EndIdle]),
    ];
    idle_is_refused: YAHOO, [Fault::on("IDLE", [Act::send("TAG NO not now\r\n"), Act::EndIdle]).always()];
    idle_is_not_known: EXCHANGE, [Fault::on("IDLE", [Act::send("TAG BAD what?\r\n"), Act::EndIdle]).always()];
    idle_ends_the_connection: YAHOO, [idle(&[Act::Close])];
    idle_ends_with_a_bye: GMAIL, [idle(&[Act::send("* BYE session expired\r\n"), Act::Close])];
    idle_resets_the_connection: ICLOUD, [idle(&[Act::Reset])];
    idle_is_half_open: DOVECOT, [idle(&[Act::Hang])];
    idle_never_begins: DOVECOT, [Fault::on("IDLE", [Act::Hang]).always()];
    idle_tells_nonsense: DOVECOT, [
        Fault::on("PUSH", [Act::send("* 70 EXPUNGE\r\n* 3 FETCH (FLAGS ())\r\n* OK hm\r\n"), Act::Answer])
            .always(),
    ];
    idle_tells_nothing: DOVECOT, [Fault::on("PUSH", [Act::Wait(Duration::ZERO)]).always()];
    idle_breaks_when_it_tells: DOVECOT, [Fault::on("PUSH", [Act::send("* 7"), Act::Close]).always()];
    done_is_not_heard: DOVECOT, [Fault::on("DONE", [Act::Hang]).always()];
    half_open_while_reading: DOVECOT, [
        Fault::on("UID FETCH", [Act::Hang]),
        Fault::on("LIST", [Act::Hang]).skip(1),
    ];
    half_open_before_the_greeting: DOVECOT, [Fault::on("CONNECT", [Act::Hang])];
}
