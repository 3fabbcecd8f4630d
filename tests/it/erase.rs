//! Twenty people are erased, and no byte of them is left anywhere: not in the database, its log, the
//! copies beside it and the backups, in none of the ways in which text is written down.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::support::dovecot::{make_maildir, put};
use crate::support::dump::values;
use crate::support::process::Place;

/// Midnight of 2026-01-01.
const START_S: u64 = 1_767_225_600;

fn name(n: u64) -> String {
    format!("Gérard{n} Quxley{n}")
}

fn address(n: u64) -> String {
    format!("person{n}@acme{n}.example")
}

/// Letters to people and from them; of every second one an invitation too.
fn fill(place: &Place, people: std::ops::Range<u64>) {
    for n in people {
        for day in 0..4 {
            let at = START_S + (day * 30 + n) * 3_600;
            let date = chrono::DateTime::from_timestamp(i64::try_from(at).unwrap(), 0).unwrap();
            let (them, date) = (format!("{} <{}>", name(n), address(n)), date.to_rfc2822());
            for (k, from, to) in [(0, "ann@us.example", &*them), (1, &*them, "ann@us.example")] {
                let letter = format!(
                    "From: {from}\r\nTo: {to}\r\nDate: {date}\r\nSubject: for {}\r\n\
                     Message-ID: <{day}.{k}.{}>\r\n\r\n",
                    name(n),
                    address(n)
                );
                let mailbox = if k == 0 { place.path("mail/.Sent") } else { place.path("mail") };
                put(&mailbox, at, letter.as_bytes());
            }
        }
    }
}

/// An event whose name holds its organiser, in the address book's spelling, in a calendar of two.
fn calendar(place: &Place, people: std::ops::Range<u64>) {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n".to_owned();
    for n in people {
        let spelled = address(n).replace("person", "Person");
        text += &format!(
            "BEGIN:VEVENT\r\nUID:4711-{spelled}\r\nDTSTART:20260110T1{}0000Z\r\n\
             DURATION:PT1H\r\nORGANIZER;CN={}:mailto:{}\r\n\
             ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@us.example\r\n\
             ATTENDEE;PARTSTAT=ACCEPTED:mailto:zoe@other.example\r\nEND:VEVENT\r\n",
            n % 10,
            name(n),
            address(n)
        );
    }
    std::fs::write(place.path("cal.ics"), text + "END:VCALENDAR\r\n").unwrap();
}

/// What may be found of a text: as it is, in UTF-16, base64 at any offset, and quoted-printable.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    let mut all = vec![text.as_bytes().to_vec()];
    all.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    all.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    for offset in 0..3 {
        let padded = [&b"xxx"[..offset], text.as_bytes()].concat();
        let whole = STANDARD_NO_PAD.encode(padded);
        // Without the letters that what stands before and after would change.
        let inner = &whole.as_bytes()[(offset * 8).div_ceil(6)..whole.len() - 2];
        all.push(inner.to_vec());
    }
    let quoted: String = text
        .bytes()
        .map(|b| match b {
            b if b.is_ascii_alphanumeric() || b"@.".contains(&b) => char::from(b).to_string(),
            b => format!("={b:02X}"),
        })
        .collect();
    all.push(quoted.into_bytes());
    all
}

fn hits(place: &Place, n: u64) -> Vec<String> {
    let mut found = Vec::new();
    for text in [address(n), name(n)] {
        for spelling in spellings(&text) {
            for (path, bytes) in place.files() {
                let file = path.to_string_lossy().into_owned();
                if file.contains(".db") && contains(&bytes, &spelling) {
                    found.push(format!(
                        "{text} in {file} as {:?}",
                        String::from_utf8_lossy(&spelling)
                    ));
                }
            }
        }
    }
    found
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn twenty_people_are_erased_beside_a_daemon_and_do_not_come_back() {
    let place = Place::new()
        .maildir("mail")
        .with("[[source]]\nname = \"cal\"\nrep = \"ann\"\nkind = \"ics\"\npath = \"cal.ics\"");
    make_maildir(&place.path("mail").join(".Sent"));
    fill(&place, 0..25);
    calendar(&place, 0..25);
    place.once(&[]);
    let backups = place.path("backups");
    std::fs::create_dir(&backups).unwrap();
    let (backups, file) = (backups.to_str().unwrap().to_owned(), backups.join("a.db"));
    let copied = place.keepwarm(&["backup", file.to_str().unwrap()]);
    assert!(copied.status.success(), "{}", copied.stderr);
    std::fs::copy(&file, place.path("kw.db.before-restore")).unwrap();
    for n in 0..20 {
        assert!(hits(&place, n).len() >= 6, "the search finds who is there");
    }

    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", Duration::from_secs(20));
    for n in 0..20 {
        let ran = place.keepwarm(&["erase", &address(n), "--backups", &backups]);
        assert!(ran.status.success(), "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.starts_with("certificate of erasure"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("person"), "it names nobody: {}", ran.stdout);
        assert!(ran.stdout.contains("9 interactions"), "{}", ran.stdout);
    }
    let left: Vec<String> = (0..20).flat_map(|n| hits(&place, n)).collect();
    assert_eq!(left, Vec::<String>::new());
    assert!(hits(&place, 20).len() >= 6, "others are still there");
    let uids =
        values(&place.database(), "SELECT uid FROM meeting WHERE uid LIKE '%@erased.invalid'");
    assert_eq!(uids.len(), 20, "their events are others' too");
    for n in 0..20 {
        let canonical = keepwarm::normalise::address::canonical(&address(n)).unwrap();
        let guessed = format!("{:x}", keepwarm::normalise::address::address_key(&canonical).0);
        assert!(!uids.iter().any(|uid| uid.contains(&guessed)), "a hash that anybody can make");
    }
    daemon.terminate(Duration::from_secs(20));

    // Their mail is still in the mailbox, and more of it comes.
    spoil(&place);
    fill(&place, 0..25);
    calendar(&place, 0..26);
    place.once(&[]);
    let left: Vec<String> = (0..20).flat_map(|n| hits(&place, n)).collect();
    assert_eq!(left, Vec::<String>::new(), "read again");
    let same =
        values(&place.database(), "SELECT uid FROM meeting WHERE uid LIKE '%@erased.invalid'");
    assert_eq!(same, uids, "an event is known by what stands in its name now");
    let restored = place.keepwarm(&["restore", file.to_str().unwrap()]);
    assert!(restored.status.success(), "{}", restored.stderr);
    place.once(&[]);
    let left: Vec<String> = (0..20).flat_map(|n| hits(&place, n)).collect();
    assert_eq!(left, Vec::<String>::new(), "put back");
    // And zoe, whom they all met.
    assert_eq!(place.json(&["contacts"]).as_array().unwrap().len(), 7);
}

/// Has every mailbox read from its beginning.
#[expect(clippy::disallowed_methods, reason = "what no command does")]
fn spoil(place: &Place) {
    let connection = rusqlite::Connection::open(place.database()).unwrap();
    connection.execute_batch("DELETE FROM seen; UPDATE mailbox SET seen_count = 0").unwrap();
}
