//! The mail changes while it is read, or lies so that reading it takes many commands.

use std::sync::Arc;

use super::stage::{Secured, Stage};
use crate::support::generate::{letter, mailbox};
use crate::support::imapd::{Account, Act, Fault, Letter, Profile, letters_from};

/// An honest answer before which something happens to the mail.
fn before(
    on: &'static str,
    account: &Arc<Account>,
    happens: impl Fn(&Account) + Send + Sync + 'static,
) -> Fault {
    let account = Arc::clone(account);
    Fault::when(on, move |_| {
        happens(&account);
        vec![Act::Answer]
    })
}

fn new_letter(id: &str) -> Letter {
    let mail = letter("INBOX", ["bo@acme.example", "ann@us.example"], 1_706_000_000, id, None);
    Letter::of(&mail)
}

/// Plays faults, and then one more pass on a server that is honest and at rest.
#[track_caller]
fn settles(stage: &Stage, name: &str, faults: &[Fault]) {
    stage.play(name, faults);
    stage.server.heal();
    let ran = stage.pass();
    assert!(ran.status.success(), "{name}: {}", ran.stderr);
}

#[test]
fn mail_that_comes_while_the_rest_is_read_is_read_once() {
    let stage = Stage::with(Profile::DOVECOT, Secured::Tls, 60);
    let comes = |account: &Account| {
        account.append("INBOX", new_letter("late@x"));
    };
    settles(&stage, "late", &[before("UID FETCH", &stage.account, comes)]);
    assert_eq!(stage.place.dump().messages.len(), 61);
    stage.assert_as_clean("mail came between EXAMINE and FETCH");
}

#[test]
fn a_message_moved_while_it_is_read_is_known_once() {
    let stage = Stage::new(Profile::DOVECOT);
    stage.account.create("Acme", "\\HasNoChildren");
    let uid = stage.account.append("INBOX", new_letter("moved@x"));
    let moves = move |account: &Account| {
        account.append("Acme", new_letter("moved@x"));
        account.expunge("INBOX", uid);
    };
    settles(&stage, "moved", &[before("UID FETCH", &stage.account, moves)]);
    let found = stage.place.dump();
    assert_eq!(found.messages.len(), 61);
    found.without_cursors().assert_same(&stage.clean().without_cursors(), "moved");
}

#[test]
fn a_mailbox_renamed_before_it_is_opened_is_read_under_its_new_name() {
    let stage = Stage::new(Profile::DOVECOT);
    stage.account.create("Acme", "\\HasNoChildren");
    stage.account.append("Acme", new_letter("a@x"));
    let renamed = |account: &Account| account.rename("Acme", "Acme GmbH");
    settles(&stage, "renamed", &[before("EXAMINE \"Acme\"", &stage.account, renamed)]);
    stage.assert_as_clean("renamed between LIST and EXAMINE");
}

#[test]
fn a_mailbox_deleted_while_it_is_read_holds_up_nothing() {
    let stage = Stage::new(Profile::DOVECOT);
    stage.account.create("Acme", "\\HasNoChildren");
    stage.account.append("Acme", new_letter("a@x"));
    stage.account.append("INBOX", new_letter("a@x"));
    let deleted = |account: &Account| account.delete("Acme");
    let fault = before("UID FETCH", &stage.account, deleted).skip(2);
    settles(&stage, "deleted", &[fault]);
    let (found, clean) = (stage.place.dump(), stage.clean());
    found.without_cursors().assert_same(&clean.without_cursors(), "deleted before FETCH");
}

#[test]
fn a_mailbox_renumbered_while_it_is_read_is_read_again() {
    let stage = Stage::new(Profile::DOVECOT);
    stage.account.skip_to("INBOX", 5000);
    stage.account.append("INBOX", new_letter("a@x"));
    let renumbered = |account: &Account| account.renumber("INBOX");
    let faults = [
        before("UID FETCH", &stage.account, renumbered),
        before("EXAMINE", &stage.account, renumbered).skip(1),
    ];
    settles(&stage, "renumbered", &faults);
    stage.assert_as_clean("renumbered between EXAMINE and FETCH");
}

#[test]
fn a_mailbox_renumbered_between_passes_is_read_again() {
    let stage = Stage::new(Profile::EXCHANGE);
    for round in 0..4 {
        stage.account.renumber("INBOX");
        stage.account.append("INBOX", new_letter(&format!("{round}@x")));
        assert_eq!(stage.read_through(), Vec::<String>::new());
        stage.assert_as_clean(&format!("renumbered {round} times"));
    }
}

/// Windows of a thousand: every command of a long read fails once.
#[test]
fn a_long_read_goes_on_where_it_broke() {
    let stage = Stage::with(Profile::DOVECOT, Secured::Tls, 0);
    stage.account.compute("INBOX", 3500, letters_from(40, 1_704_067_200, 600));
    let refused = [Act::send("TAG NO [SERVERBUG] Internal error occurred.\r\n")];
    let faults = [
        Fault::on("FETCH", refused.clone()),
        Fault::on("FETCH", [Act::Close]),
        Fault::on("UID FETCH", [Act::Close]).skip(1),
        Fault::on("UID FETCH", [Act::Answer, Act::Close]),
        Fault::on("UID FETCH", refused).skip(1),
        Fault::on("UID FETCH", [Act::send("* GARBLE\r\n")]),
    ];
    stage.play("a long read", &faults);
    assert_eq!(stage.place.dump().messages.len(), 3500);
    stage.assert_as_clean("a long read");
}

#[test]
fn a_sparse_mailbox_is_read_through_though_its_windows_fail() {
    let stage = Stage::with(Profile::EXCHANGE, Secured::Plain, 0);
    for (place, mail) in mailbox(9, 40).iter().enumerate() {
        stage.account.skip_to("INBOX", 1 + 90_000_000 * u32::try_from(place).unwrap());
        stage.account.append("INBOX", Letter::of(mail));
    }
    let refused = |times| {
        Fault::on("UID FETCH", [Act::send("TAG NO [SERVERBUG] Internal error.\r\n")]).times(times)
    };
    stage.play("sparse", &[Fault::on("FETCH", [Act::Reset]), refused(3)]);
    assert_eq!(stage.place.dump().messages.len(), 40);
    stage.assert_as_clean("sparse");
}

/// Faults that do not heal but concern one message: all others are read, and a clean sync of the
/// same server finds the same.
#[test]
fn one_poisoned_message_costs_itself_only() {
    let holds = |line: &str| {
        let range = line.trim_start_matches("UID FETCH ").split(' ').next()?;
        let (low, high) = range.split_once(':')?;
        (low.parse::<u32>().ok()? <= 9 && 9 <= high.parse::<u32>().ok()?).then_some(())
    };
    for (what, act) in [
        ("refused", Act::send("TAG NO [SERVERBUG] Internal error occurred.\r\n")),
        ("garbled", Act::send("* GARBLE\r\n")),
        ("endless", Act::Flood(b"* 9 FETCH (UID 9 BODY[HEADER] {99999999}\r\n".repeat(100))),
    ] {
        let stage = Stage::new(Profile::DOVECOT);
        let poisoned = Fault::when("UID FETCH", move |moment| {
            let hit = moment.mailbox == Some("INBOX") && holds(moment.line).is_some();
            vec![if hit { act.clone() } else { Act::Answer }]
        });
        stage.play(what, &[poisoned.always()]);
        let found = stage.place.dump();
        assert_eq!((found.messages.len(), found.quarantine.len()), (59, 1), "{what}");
        found.assert_same(&stage.clean(), what);
    }
}
