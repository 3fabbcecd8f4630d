//! A source told as a story: step by step what its server is asked and answers, and which meetings
//! are stored afterwards.
//!
//! A step is `=== title`, `@ instant` at which `run --once` reads, the script of [`super::script`],
//! and then either `--- meetings` with the rows `uid recurrence starts ends status` (`-`: none) and
//! sometimes `= 3 interactions`, or `--- fails` with words of the message.

use keepwarm::model::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::process::Place;
use super::script::Scripted;

/// Plays every step of a story in order; `secrets` must be in nothing that is printed or stored.
#[track_caller]
pub(crate) fn play(place: &Place, server: &Scripted, story: &str, secrets: &[&str]) {
    let steps: Vec<&str> = story.split("\n=== ").skip(1).collect();
    assert!(!steps.is_empty(), "the steps are found");
    for step in steps {
        step_by(place, server, step, secrets);
    }
}

#[track_caller]
fn step_by(place: &Place, server: &Scripted, step: &str, secrets: &[&str]) {
    let (title, rest) = step.split_once('\n').unwrap();
    let (rest, then) = rest.split_once("\n--- ").unwrap_or_else(|| panic!("{title}: and then?"));
    let (now, script) = match rest.strip_prefix("@ ") {
        Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
        None => panic!("{title}: when?"),
    };
    server.expect(script);
    let variables = [("KEEPWARM_LOG", "trace")];
    let running = place.start_with(&["run", "--once", "--now", now], &variables);
    let ran = running.finish(std::time::Duration::from_secs(60));
    server.assert_done(title);
    for secret in secrets {
        let told = ran.stderr.contains(secret) || ran.stdout.contains(secret);
        assert!(!told, "{title}: {secret} is told:\n{}", ran.stderr);
        let bytes = secret.as_bytes();
        let stored = place.files().into_iter().find(|(path, file)| {
            let ours =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("kw.db"));
            ours && file.windows(bytes.len()).any(|window| window == bytes)
        });
        assert!(stored.is_none(), "{title}: {secret} is stored");
    }
    match then.split_once('\n').unwrap_or((then, "")) {
        ("meetings", rows) => {
            assert!(ran.status.success(), "{title}: {}", ran.stderr);
            let lines = rows.lines().filter(|line| !line.is_empty());
            let (counts, expected): (Vec<&str>, Vec<&str>) =
                lines.partition(|line| line.starts_with("= "));
            assert_eq!(meetings(place), expected, "{title}");
            for count in counts {
                assert_eq!(format!("= {} interactions", interactions(place)), count, "{title}");
            }
        }
        ("fails", words) => {
            assert!(!ran.status.success(), "{title}: {}", ran.stderr);
            for words in words.lines().filter(|line| !line.is_empty()) {
                assert!(ran.stderr.contains(words), "{title}: no {words:?} in\n{}", ran.stderr);
            }
        }
        (other, _) => panic!("{title}: what is {other:?}?"),
    }
}

/// The meetings stored, as a story writes them.
#[expect(clippy::disallowed_methods, reason = "a look from outside, not through the code in test")]
pub(crate) fn meetings(place: &Place) -> Vec<String> {
    let db =
        Connection::open_with_flags(place.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "SELECT uid, recurrence_at, starts_at, ends_at, status FROM meeting
               ORDER BY starts_at, recurrence_at, uid";
    let mut statement = db.prepare(sql).unwrap();
    let short = |millis: i64| {
        let text = Timestamp::from_millis(millis).to_string();
        if millis == 0 { "-".to_owned() } else { text.get(..16).unwrap().to_owned() }
    };
    let rows = statement.query_map([], |row| {
        let (uid, status): (String, String) = (row.get(0)?, row.get(4)?);
        let [recurrence, starts, ends] = [row.get(1)?, row.get(2)?, row.get(3)?].map(short);
        Ok(format!("{uid} {recurrence} {starts} {ends} {status}"))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// How many interactions are stored.
pub(crate) fn interactions(place: &Place) -> i64 {
    super::dump::rows(&place.database(), "interaction")
}
