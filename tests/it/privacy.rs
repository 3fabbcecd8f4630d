//! What must not be written down is not, whatever else is known: what a rep has put into a private mailbox,
//! before or after it was read, and what somebody has part in who is left out.

use crate::support::dovecot::{Dovecot, make_maildir, put};
use crate::support::process::Place;

const ANN: &str = "ann@us.example";
const BOB: &str = "bob@us.example";
const BO: &str = "Bo Li <bo@acme.example>";
const DORA: &str = "Dora Private <dora@home.example>";
/// 2026-01-05.
const START_S: u64 = 1_767_607_200;

struct Letter {
    n: u64,
    from: &'static str,
    to: &'static str,
}

fn letter(n: u64, from: &'static str, to: &'static str) -> Letter {
    Letter { n, from, to }
}

fn text(of: &Letter) -> String {
    let Letter { n, from, to } = of;
    let at = i64::try_from(START_S + n * 3_600).unwrap();
    let date = chrono::DateTime::from_timestamp(at, 0).unwrap().to_rfc2822();
    let answers = match n % 10 {
        0 => String::new(),
        // As mail programs write them: the whole way, for a thread that was joined stays joined.
        _ => {
            let all: Vec<String> =
                (n / 10 * 10..*n).map(|before| format!("<{before}@x.example>")).collect();
            format!("References: {}\r\n", all.join(" "))
        }
    };
    format!(
        "From: {from}\r\nTo: {to}\r\nDate: {date}\r\nMessage-ID: <{n}@x.example>\r\n{answers}\r\n"
    )
}

/// A thread with bo, of which the middle is private; one with dora; and a letter to both reps.
fn letters() -> [Letter; 7] {
    [
        letter(0, ANN, BO),
        letter(1, BO, ANN),
        letter(2, ANN, BO),
        letter(10, ANN, DORA),
        letter(11, DORA, ANN),
        letter(20, BO, "ann@us.example, bob@us.example"),
        letter(30, BO, ANN),
    ]
}

const PRIVATE: [u64; 4] = [1, 10, 11, 20];

fn place() -> Place {
    let place = Place::new()
        .maildir("mail")
        .maildir("bobs")
        .with(&format!("[[rep]]\nid = \"bob\"\nname = \"Bob\"\naddresses = [\"{BOB}\"]"));
    let path = place.path("keepwarm.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let (before, after) = config.split_once("name = \"bobs\"\nrep = \"ann\"").unwrap();
    std::fs::write(path, format!("{before}name = \"bobs\"\nrep = \"bob\"{after}")).unwrap();
    make_maildir(&place.path("mail/.Private"));
    make_maildir(&place.path("mail/.Sent"));
    place
}

/// Puts letters where they belong, those that are wanted; gives where each one is.
fn fill(place: &Place, wanted: impl Fn(u64) -> bool) -> Vec<(u64, std::path::PathBuf)> {
    put(
        &place.path("bobs"),
        START_S,
        text(&letter(20, BO, "ann@us.example, bob@us.example")).as_bytes(),
    );
    let mut all = Vec::new();
    for of in letters().iter().filter(|of| wanted(of.n)) {
        let mailbox = if of.from == ANN { "mail/.Sent" } else { "mail" };
        all.push((of.n, put(&place.path(mailbox), START_S, text(of).as_bytes())));
    }
    all
}

#[test]
fn what_is_moved_into_a_private_mailbox_is_as_if_it_had_never_been_read() {
    let without = place();
    fill(&without, |n| !PRIVATE.contains(&n));
    without.once(&[]);
    // What bob got is told of by his mailbox, as a letter to both: it is her who has put it away.
    let shared = i64::try_from((START_S + 20 * 3_600) * 1000).unwrap();
    let rest = |place: &Place| {
        let mut dump = place.dump().without_cursors();
        dump.interactions.retain(|touch| touch.pair.0 == "bob" || touch.at != shared);
        dump.relationships.retain(|pair, _| pair.0 == "bob");
        dump
    };
    let wanted = rest(&without);
    std::fs::remove_dir_all(without.path("bobs/new")).unwrap();
    make_maildir(&without.path("bobs"));
    without.forget();
    without.once(&[]);
    let hers = without.dump().relationships;

    let moved = place();
    let files = fill(&moved, |_| true);
    moved.once(&[]);
    assert_eq!(moved.json(&["contacts"]).as_array().unwrap().len(), 2);
    for (n, path) in &files {
        if PRIVATE.contains(n) {
            let name = path.file_name().unwrap();
            std::fs::rename(path, moved.path("mail/.Private/new").join(name)).unwrap();
        }
    }
    moved.once(&[]);
    let check = |place: &Place, what: &str| {
        let told = place.json(&["relationships", "--rep", "ann"]);
        assert_eq!((&told[0]["outbound"], &told[0]["inbound"]), (&2.into(), &1.into()), "{what}");
        assert_eq!(told.as_array().unwrap().len(), 1, "{what}: {told}");
        let told = place.json(&["relationships", "--rep", "bob"]);
        assert_eq!(told[0]["inbound"], 1, "{what}: to bob it is what it was");
        rest(place).assert_same(&wanted, what);
        let found = place.dump().relationships;
        let (found, wanted) = (found.iter().find(|(pair, _)| pair.0 == "ann"), hers.iter().next());
        assert_eq!(found.unwrap().1.counts, wanted.unwrap().1.counts, "{what}");
        for (path, bytes) in place.files() {
            let database = path.to_string_lossy().contains("kw.db");
            let found = bytes.windows(4).any(|w| w.eq_ignore_ascii_case(b"dora"));
            assert!(!(database && found), "{what}: dora is in {}", path.display());
        }
        for (n, is) in [(10, "private"), (20, "stored")] {
            let told = &place.json(&["explain-capture", &format!("{n}@x.example")])["stored"];
            let to = serde_json::json!(["ann"]);
            assert_eq!((&told["is"], &told["private_to"]), (&is.into(), &to), "{what}: {told}");
        }
        let ran = place.keepwarm(&["rebuild"]);
        assert!(ran.stdout.contains("all of them were right"), "{what}: {}", ran.stdout);
    };
    check(&moved, "moved");

    // Copies of it are somewhere else too, and all of it is read again.
    fill(&moved, |n| PRIVATE.contains(&n));
    moved.once(&[]);
    check(&moved, "met again");
    moved.forget();
    moved.once(&[]);
    check(&moved, "read from the beginning, in another order");
}

#[test]
fn what_is_moved_into_a_private_mailbox_of_a_server_is_taken_out() {
    let server = Dovecot::start(&["ann"]);
    let place = Place::new().imap("ann-mail", &server, "ann");
    for of in &letters() {
        server.deliver("ann", "INBOX", START_S, text(of).as_bytes());
    }
    place.once(&[]);
    let before = place.dump();
    assert_eq!(before.messages.len(), 7);
    for of in letters().iter().filter(|of| PRIVATE.contains(&of.n)) {
        server.deliver("ann", "Private", START_S, text(of).as_bytes());
    }
    place.once(&[]);
    let after = place.dump();
    assert_eq!(after.messages.len(), 3, "{:?}", after.messages);
    assert_eq!(after.contacts.len(), 1, "dora is nobody's: {:?}", after.contacts);
}

#[test]
fn any_leaves_out_the_whole_and_only_the_person() {
    const LAWYER: &str = "Law Yer <law@firm.example>";
    for (matching, expected) in [("only", 3), ("any", 1)] {
        let place = Place::new().maildir("mail").with(&format!(
            "[privacy]\nexclude_domains = [\"firm.example\"]\nmatch = \"{matching}\"\n\
             [[source]]\nname = \"cal\"\nrep = \"ann\"\nkind = \"ics\"\npath = \"cal.ics\""
        ));
        let both: &str = "Bo Li <bo@acme.example>, Law Yer <law@firm.example>";
        for of in [letter(0, ANN, BO), letter(10, ANN, both), letter(20, LAWYER, ANN)] {
            put(&place.path("mail"), START_S, text(&of).as_bytes());
        }
        let event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:e\r\n\
            DTSTART:20260110T100000Z\r\nDURATION:PT1H\r\nORGANIZER:mailto:ann@us.example\r\n\
            ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@us.example\r\n\
            ATTENDEE;PARTSTAT=ACCEPTED:mailto:bo@acme.example\r\n\
            ATTENDEE;PARTSTAT=ACCEPTED:mailto:law@firm.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        std::fs::write(place.path("cal.ics"), event).unwrap();
        place.once(&[]);
        let dump = place.dump();
        assert_eq!(dump.counted(), expected, "{matching}: {:?}", dump.interactions);
        for (path, bytes) in place.files() {
            let database = path.to_string_lossy().contains("kw.db");
            let found = bytes.windows(12).any(|w| w == b"firm.example");
            assert!(!(database && found), "{matching}: in {}", path.display());
        }
    }
}
