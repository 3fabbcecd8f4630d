//! Invitations whose parts the server does not give, or gives as nobody would: the mail is read all
//! the same, in the same pass, and nothing is asked where nothing is announced.

use super::stage::{Stage, scenarios};
use crate::support::dump::rows;
use crate::support::generate::REP;
use crate::support::imapd::{Act, Fault, Letter, Profile};
use crate::support::invite::Invite;

/// Meetings that somebody invites to.
const INVITED: usize = 12;

/// A stage with invitations among the mail.
fn invited(profile: Profile) -> Stage {
    let stage = Stage::new(profile);
    for number in 0..INVITED {
        let lines = format!(
            "UID:u{number}|DTSTAMP:20240201T090000Z|DTSTART:202403{:02}T100000Z|DURATION:PT1H|\
             ORGANIZER:mailto:bo@acme.example|ATTENDEE:mailto:ann@us.example",
            number + 1
        );
        let invite = Invite { from: "bo@acme.example", to: REP, method: "REQUEST", lines: &lines };
        stage.account.deliver(&invite.mail("INBOX", 1_706_778_000 + number as u64));
    }
    stage
}

/// A fault in what is asked beside headers, each time.
fn beside(acts: impl Into<Vec<Act>>) -> Fault {
    let acts = acts.into();
    let when = move |moment: &crate::support::imapd::Moment<'_>| {
        let header = moment.line.contains("HEADER");
        let part = moment.line.contains("BODYSTRUCTURE") || moment.line.contains("BODY.PEEK[");
        if part && !header { acts.clone() } else { vec![Act::Answer] }
    };
    Fault::when("UID FETCH", when).always()
}

fn instead(from: &'static str, to: &'static str) -> Fault {
    beside([Act::edit(move |text| text.replace(from, to))])
}

/// The first pass reads all mail; how many invitations it has got.
#[track_caller]
fn read_at_once(name: &str, profile: Profile, faults: &[Fault]) -> usize {
    let stage = invited(profile);
    stage.server.suffer(faults);
    let ran = stage.pass();
    assert!(ran.status.success(), "{name}: {}", ran.stderr);
    let dump = stage.place.dump();
    assert_eq!(dump.messages.len(), 60 + INVITED, "{name}: all mail is read");
    println!("{name}: {} connections, {:?}", stage.server.connections(), stage.server.commands());
    kept(&stage)
}

/// How many invitations are kept.
fn kept(stage: &Stage) -> usize {
    usize::try_from(rows(&stage.place.database(), "invitation")).unwrap()
}

#[track_caller]
fn without(name: &str, profile: Profile, faults: &[Fault]) {
    assert_eq!(read_at_once(name, profile, faults), 0, "{name}");
}

#[track_caller]
fn with_all(name: &str, profile: Profile, faults: &[Fault]) {
    assert_eq!(read_at_once(name, profile, faults), INVITED, "{name}");
}

/// Brackets deeper than any parser bears.
fn deep(text: &str) -> String {
    let deep = format!("BODYSTRUCTURE {}", "(".repeat(4000));
    text.replace("BODYSTRUCTURE ", &deep)
}

scenarios! { without;
    refused: DOVECOT, [beside([Act::send("TAG NO not today\r\n")])];
    rejected: DOVECOT, [beside([Act::send("TAG BAD what\r\n")])];
    an_answer_that_is_not_imap: DOVECOT, [beside([Act::send("* 1 FETCH (BODYSTRUCTURE (\r\n")])];
    nested_without_end: DOVECOT, [beside([Act::edit(|text| deep(&text))])];
    closed: EXCHANGE, [beside([Act::Close])];
    nothing: DOVECOT, [beside([Act::send("TAG OK done\r\n")])];
    of_others: DOVECOT, [instead("(UID ", "(UID 9")];
    nil_parts: DOVECOT, [instead("BODY[2]<0> {", "BODY[2]<0> NIL X {")];
    other_sections: DOVECOT, [instead("BODY[2]", "BODY[1]")];
    too_long: GMAIL, [instead("\"base64\" ", "\"base64\" 9999")];
    in_another_code: DOVECOT, [instead("\"base64\"", "\"7bit\"")];
}

scenarios! { with_all;
    as_it_should_be: DOVECOT, [Fault::on("NEVER", [Act::Answer])];
    one_command_at_a_time: EXCHANGE, [Fault::on("NEVER", [Act::Answer])];
    labelled: GMAIL, [Fault::on("NEVER", [Act::Answer])];
    without_any_extension: MINIMAL, [Fault::on("NEVER", [Act::Answer])];
    cut_once: DOVECOT, [
        Fault::when("UID FETCH", |moment| {
            let beside = moment.line.contains("BODYSTRUCTURE") && moment.connection == 1;
            if beside { vec![Act::Close] } else { vec![Act::Answer] }
        })
        .always(),
    ];
    noise_besides: DOVECOT, [
        beside([Act::send("* 3 FETCH (FLAGS (\\Seen))\r\n* OK still here\r\n"), Act::Answer]),
    ];
}

#[test]
fn one_that_cannot_be_given_costs_the_others_nothing() {
    let stage = invited(Profile::DOVECOT);
    let poison = stage.account.append("INBOX", Letter::of(&poison()));
    let word = format!("UID {poison} ");
    stage.server.suffer(&[beside([Act::edit(move |text| {
        let bad = format!("{word}BODYSTRUCTURE ((((");
        text.replace(&format!("{word}BODYSTRUCTURE "), &bad)
    })])]);
    let ran = stage.pass();
    assert!(ran.status.success(), "{}", ran.stderr);
    assert_eq!(kept(&stage), INVITED, "all others");
}

fn poison() -> crate::support::generate::Mail {
    let lines = "UID:poison|DTSTART:20240304T100000Z|ORGANIZER:mailto:bo@acme.example";
    let invite = Invite { from: "bo@acme.example", to: REP, method: "REQUEST", lines };
    invite.mail("INBOX", 1_706_779_000)
}

#[test]
fn where_nothing_is_announced_nothing_more_is_asked() {
    let asked = |invitations| {
        let stage =
            if invitations { invited(Profile::DOVECOT) } else { Stage::new(Profile::DOVECOT) };
        assert!(stage.pass().status.success());
        stage.server.commands()["UID FETCH"]
    };
    // All of INBOX is one window: its structures by one command, their parts by another.
    assert_eq!(asked(true), asked(false) + 2);
}
