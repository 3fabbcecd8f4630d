//! What is old enough goes, and nothing else: what is left is as if nothing else had ever been read.

use std::time::Duration;

use crate::support::dovecot::put;
use crate::support::dump::{execute, values};
use crate::support::process::Place;

const DAY_S: u64 = 86_400;

fn now_s() -> u64 {
    u64::try_from(keepwarm::clock::Clock::System.now().seconds()).unwrap()
}

/// A letter so many days ago; `thread` and `n` make its Message-ID, and what it answers.
struct Letter {
    days: u64,
    thread: &'static str,
    n: u32,
    from: &'static str,
    to: &'static str,
    more: &'static str,
}

const ANN: &str = "ann@us.example";
const BO: &str = "Bo Li <bo@acme.example>";
const CAT: &str = "Cat Day <cat@acme.example>";
const OLD: &str = "Otto Alt <otto@gone.example>";

/// What is two years old and older, by whole threads.
fn goes() -> Vec<Letter> {
    let letter = |days, thread, n, from, to| Letter { days, thread, n, from, to, more: "" };
    vec![
        letter(1500, "a", 0, ANN, BO),
        letter(1499, "a", 1, BO, ANN),
        letter(1300, "b", 0, ANN, OLD),
        letter(1290, "b", 1, OLD, ANN),
        letter(900, "c", 0, BO, ANN),
        Letter { more: "List-Id: <news.example>\r\n", ..letter(800, "l", 0, OLD, ANN) },
        letter(750, "i", 0, ANN, "carl@us.example"),
    ]
}

/// What is not, and a thread that began before and goes on after.
fn stays() -> Vec<Letter> {
    let letter = |days, thread, n, from, to| Letter { days, thread, n, from, to, more: "" };
    vec![
        letter(900, "d", 0, ANN, CAT),
        letter(700, "d", 1, CAT, ANN),
        letter(400, "e", 0, ANN, BO),
        letter(399, "e", 1, BO, ANN),
        Letter { more: "List-Id: <news.example>\r\n", ..letter(300, "m", 0, BO, ANN) },
        letter(20, "f", 0, CAT, ANN),
    ]
}

fn fill(place: &Place, letters: &[Letter], now: u64) {
    for Letter { days, thread, n, from, to, more } in letters {
        let at = now - days * DAY_S;
        let date = chrono::DateTime::from_timestamp(i64::try_from(at).unwrap(), 0).unwrap();
        let answers = match n {
            0 => String::new(),
            n => format!("In-Reply-To: <{thread}.{}@x.example>\r\n", n - 1),
        };
        let text = format!(
            "From: {from}\r\nTo: {to}\r\nDate: {}\r\nMessage-ID: <{thread}.{n}@x.example>\r\n\
             {answers}{more}\r\n",
            date.to_rfc2822()
        );
        put(&place.path("mail"), at, text.as_bytes());
    }
}

fn keeping_two_years(place: Place) -> Place {
    place.with("[privacy]\nkeep_interactions_days = 730")
}

fn rows(told: &serde_json::Value, table: &str) -> i64 {
    let all = told.as_array().unwrap();
    all.iter().find(|one| one["table"] == table).unwrap()["rows"].as_i64().unwrap()
}

#[test]
fn what_is_left_is_as_if_nothing_else_had_been_read() {
    let now = now_s();
    let place = Place::new().maildir("mail");
    fill(&place, &goes(), now);
    fill(&place, &stays(), now);
    place.once(&[]);
    let all = place.dump();
    let kept = Place::new().maildir("mail");
    fill(&kept, &stays(), now);
    kept.once(&[]);
    let kept = kept.dump().without_cursors();

    let told = place.json(&["retention", "--dry-run"]);
    assert!(["message", "interaction", "contact"].iter().all(|t| rows(&told, t) == 0), "{told}");
    let place = keeping_two_years(place);
    let told = place.json(&["retention", "--dry-run"]);
    let counts = ["message", "interaction", "contact"].map(|table| rows(&told, table));
    assert_eq!(counts, [7, 5, 1], "{told}");
    place.dump().assert_same(&all, "a dry run changes nothing");
    let later = place.keepwarm(&["retention", "--now", "2090-01-01T00:00:00Z"]);
    assert_eq!(later.status.code(), Some(2), "{}", later.stdout);

    let mut daemon = place.start(&["run"]);
    daemon.wait_for("keepwarm runs", Duration::from_secs(60));
    let gone = place.json(&["retention"]);
    let counts = ["message", "interaction", "contact"].map(|table| rows(&gone, table));
    assert_eq!(counts, [7, 5, 1], "{gone}");
    daemon.terminate(Duration::from_secs(60));
    place.dump().without_cursors().assert_same(&kept, "taken out beside a daemon");
    let ran = place.keepwarm(&["rebuild"]);
    assert!(ran.stdout.contains("all of them were right"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(rows(&place.json(&["retention"]), "message"), 0, "and once");

    // The letters are still in the mailbox.
    execute(&place.database(), "DELETE FROM seen; UPDATE mailbox SET seen_count = 0");
    place.once(&[]);
    // Of the thread that goes on, what is older is not read again either; it is here already.
    place.dump().without_cursors().assert_same(&kept, "read again");
    let texts = place.files().into_iter().filter(|(path, _)| path.ends_with("kw.db"));
    for (path, bytes) in texts {
        let found = bytes.windows(4).any(|w| w == b"otto" || w == b"Otto");
        assert!(!found, "nothing is left of who is gone: {}", path.display());
    }
}

#[test]
fn nothing_goes_by_a_clock_that_has_jumped() {
    let place = Place::new().maildir("mail");
    fill(&place, &stays(), now_s());
    place.once(&[]);
    execute(&place.database(), "UPDATE nudging SET trusted_at = trusted_at - 864000000");
    let before = place.dump();
    let place = keeping_two_years(place);
    let ran = place.keepwarm(&["retention"]);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stdout);
    assert!(ran.stderr.contains("the clock is not believed"), "{}", ran.stderr);
    place.dump().assert_same(&before, "refused");
}

/// A nudge of `created` days ago, and what is so of it.
struct Case {
    name: &'static str,
    created: u64,
    state: &'static str,
    /// Days ago.
    resolved: Option<u64>,
    more: &'static str,
    stays: bool,
}

/// `{id}` is the nudge's row, `{d}` the milliseconds of a day, `{now}` the present.
const OWED: &str = "INSERT INTO outbox (id, endpoint_id, webhook_id, rep_id, made_at, state,
        next_attempt_at, settled_at)
    VALUES ({id}, 1, 'w{id}', 1, 0, 'pending', 0, NULL);
    INSERT INTO outbox_nudge VALUES ({id}, {id});";
const SENT: &str = "INSERT INTO outbox (id, endpoint_id, webhook_id, rep_id, body, made_at, state,
        next_attempt_at, settled_at)
    VALUES ({id}, 1, 'w{id}', 1, 'x', 0, 'delivered', 0, {now} - 200 * {d});
    INSERT INTO outbox_nudge VALUES ({id}, {id});
    INSERT INTO attempt (outbox_id, at, verdict, took_ms) VALUES ({id}, 0, 'delivered', 1);";
const SENT_AGAIN: &str = "INSERT INTO outbox (id, endpoint_id, webhook_id, rep_id, body, made_at,
        state, next_attempt_at, settled_at)
    VALUES ({id}, 1, 'w{id}', 1, 'x', 0, 'dead', 0, {now} - 3 * {d});
    INSERT INTO outbox_nudge VALUES ({id}, {id});";
const SILENT: &str = "INSERT INTO feedback (id, nudge_id, at, action, way)
    VALUES ({id}, {id}, 0, 'not_relevant', 'cli');
    INSERT INTO silence (rep_id, contact_id, made_at, until_at, reason, feedback_id)
    VALUES (1, 1, 0, NULL, 'not_relevant', {id});";
const SILENT_NO_MORE: &str = "INSERT INTO feedback (id, nudge_id, at, action, days, way)
    VALUES ({id}, {id}, 0, 'snooze', 30, 'cli');
    INSERT INTO silence (rep_id, contact_id, made_at, until_at, reason, feedback_id)
    VALUES (1, 1, 0, {now} - 900 * {d}, 'snooze', {id});";
const WRONG_PERSON: &str = "INSERT INTO feedback (id, nudge_id, at, action, way)
    VALUES ({id}, {id}, 0, 'wrong_person', 'link');";
const OPEN: &str = "UPDATE relationship SET episode_id = 'eps_{id}';";

const CASES: [Case; 12] = {
    const fn case(name: &'static str, created: u64, stays: bool) -> Case {
        let (state, resolved) = ("released", Some(created));
        Case { name, created, state, resolved, more: "", stays }
    }
    [
        case("old", 1000, false),
        Case { state: "held_back", ..case("old and held back", 1001, false) },
        Case { state: "observed", ..case("old and never sent", 1002, false) },
        case("young", 100, true),
        Case { resolved: None, ..case("still holds", 1003, true) },
        Case { resolved: Some(10), ..case("held until lately", 1004, true) },
        Case { more: OWED, ..case("owed", 1005, true) },
        Case { more: SENT, ..case("sent long ago", 1006, false) },
        Case { more: SENT_AGAIN, ..case("sent lately", 1007, true) },
        Case { more: SILENT, ..case("keeps somebody silent", 1008, true) },
        Case { more: SILENT_NO_MORE, ..case("kept somebody silent", 1009, false) },
        Case { more: WRONG_PERSON, ..case("the wrong person", 1010, true) },
    ]
};

#[test]
fn of_nudges_goes_what_nothing_hangs_on_and_the_report_stays() {
    let place = Place::new().maildir("mail");
    fill(&place, &stays(), now_s());
    place.once(&[]);
    let now = i64::try_from(now_s()).unwrap() * 1000;
    let mut sql = "INSERT INTO endpoint (id, name) VALUES (1, 'crm');".to_owned();
    let open = Case { more: OPEN, stays: true, ..CASES[0] };
    let open = Case { name: "of an open episode", ..open };
    let cases: Vec<&Case> = CASES.iter().chain([&open]).collect();
    for (id, case) in (1..).zip(&cases) {
        let ago = |days: u64| now - i64::try_from(days * DAY_S * 1000).unwrap();
        let (created, state) = (ago(case.created), case.state);
        let resolved = case
            .resolved
            .map_or("NULL, NULL".to_owned(), |days| format!("{}, 'recovered'", ago(days)));
        let more = case.more.replace("{id}", &id.to_string()).replace("{d}", "86400000");
        sql += &format!(
            "INSERT INTO nudge (id, public_id, episode_id, kind, reminder, relationship_id, created_at,
                 reasons, body, stake, state, release_at, resolved_at, resolved_by)
             VALUES ({id}, '{}', 'eps_{id}', 'decay', 0, 1, {created}, '[]', '{{}}', 1, '{state}',
                     {created}, {resolved});\n{}",
            case.name,
            more.replace("{now}", &now.to_string())
        );
    }
    // One that is over, and one that lasts; rows that commands and sources left.
    sql += &format!(
        "INSERT INTO silence (rep_id, contact_id, made_at, until_at, reason)
         VALUES (1, 1, 0, 5, 'command'), (1, 1, 0, NULL, 'command');
         INSERT INTO request (asked_at, what) VALUES (5, 'x'), ({now}, 'y');
         INSERT INTO quarantine (mailbox_id, item, reason, at, tries)
         VALUES (1, 101, 'old', 5, NULL), (1, 102, 'asked for again', 5, 2),
                (1, 103, 'to be read again', 0, 1), (1, 104, 'young', {now}, NULL);"
    );
    execute(&place.database(), &sql);
    let told = |told: serde_json::Value| {
        let mut told = told;
        told.as_object_mut().unwrap().remove("at");
        told
    };
    let before = told(place.json(&["nudges", "report"]));
    let due = place.json(&["retention", "--dry-run"]);
    let ran = place.json(&["retention"]);
    assert!(rows(&due, "outbox") == 1 && rows(&ran, "outbox") == 1, "{due}");
    let left = values(&place.database(), "SELECT public_id FROM nudge ORDER BY id");
    let stay: Vec<&str> = cases.iter().filter(|case| case.stays).map(|case| case.name).collect();
    assert_eq!(left, stay);
    assert_eq!(told(place.json(&["nudges", "report"])), before);
    let of = |sql: &str| values(&place.database(), sql).join(" ");
    assert_eq!(of("SELECT count(*) FROM attempt"), "0");
    assert_eq!(of("SELECT count(*) FROM silence"), "2", "for an answer and by a command");
    assert_eq!(of("SELECT what FROM request"), "y");
    assert_eq!(of("SELECT item FROM quarantine ORDER BY item"), "102 103 104");
}
