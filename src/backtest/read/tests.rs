//! Logs that are right and logs that are wrong.

use std::io::BufReader;

use super::*;
use crate::backtest::{Answers, History};
use crate::model::{Direction, Kind, Timestamp};

const HEADER: &str = "rep,contact,at,direction,audience,kind,linked\n";

fn log(text: &str) -> Log {
    // Few bytes at a time: no row may depend on how it is cut.
    let input = BufReader::with_capacity(7, text.as_bytes());
    read(input).unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
}

fn told(text: &str) -> Vec<String> {
    match read(text.as_bytes()) {
        Err(ReadError::Wrong { problems, count }) => {
            assert_eq!(problems.len(), usize::try_from(count).unwrap().min(TOLD), "{text:?}");
            problems.iter().map(Problem::to_string).collect()
        }
        other => panic!("{text:?}: {other:?}"),
    }
}

fn row(at_ms: i64, direction: Direction, kind: Kind, audience: u32, linked: bool) -> Interaction {
    Interaction { at: Timestamp::from_millis(at_ms), direction, kind, audience, linked }
}

#[test]
fn columns_come_in_any_order_with_others_between_them() {
    let text = "\u{feff}linked, kind ,\"at\",note,audience,direction,contact,rep\r\n\
        1,message,2026-11-21T08:00:00Z,\"a \"\"b\"\",\nc\",3,inbound,bo,ann\r\n\
        \r\n\
        ,meeting,1795248000.2504,,1,mutual,bo,ann\r\n\
        0, message ,1.7952480e9,,1, outbound,\"li, bo\",ann";
    let log = log(text);
    assert_eq!(log.answers, Answers::Threads);
    let names: Vec<_> =
        log.histories.iter().map(|h| (log.name(h.rep), log.name(h.contact))).collect();
    assert_eq!(names, [("ann", "bo"), ("ann", "li, bo")]);
    let expected = [
        row(1_795_248_000_000, Direction::Inbound, Kind::Message, 3, true),
        row(1_795_248_000_250, Direction::Mutual, Kind::Meeting, 1, true),
    ];
    assert_eq!(log.histories[0].interactions, expected);
    let outbound = row(1_795_248_000_000, Direction::Outbound, Kind::Message, 1, false);
    assert_eq!(log.histories[1].interactions, [outbound]);
}

#[test]
fn the_order_of_rows_and_their_copies_change_nothing() {
    let mut rows = Vec::new();
    for at in 0..50 {
        let (rep, contact) = (at % 3, at % 4);
        let direction = if at % 5 < 2 { "inbound" } else { "outbound" };
        rows.push(format!("r{rep},c{contact},{},{direction},1,message,\n", at * 100_000));
    }
    let forwards = log(&(HEADER.to_owned() + &rows.concat()));
    rows.reverse();
    let backwards = log(&(HEADER.to_owned() + &rows.concat()));
    let stripped = |log: &Log| -> Vec<(String, String, Vec<Interaction>)> {
        let name = |id| log.name(id).to_owned();
        let parts = |h: &History| (name(h.rep), name(h.contact), h.interactions.clone());
        log.histories.iter().map(parts).collect()
    };
    assert_eq!(stripped(&forwards), stripped(&backwards));
    assert_eq!((forwards.interactions(), forwards.reps(), forwards.repeated), (50, 3, 0));
    let twice = log(&(HEADER.to_owned() + &rows.concat() + &rows.concat()));
    assert_eq!(stripped(&twice), stripped(&backwards));
    assert_eq!(twice.repeated, 50);
}

/// Days and directions, and which of them answer by alternation.
#[test]
fn alternation_stands_for_threads_only_where_there_are_none() {
    for (rows, linked) in [
        ("0o 1i 2i 3o", "0101"),
        ("0o 30i", "01"),
        ("0o 30.01i 31o", "001"),
        ("0o 0i 1o 2i", "0011"),
        ("0i 1i 40i 41o 42o 43i", "000101"),
        ("0m 1o 2m 3i", "1011"),
    ] {
        let mut text = HEADER.to_owned();
        for row in rows.split(' ') {
            let (day, what) = row.split_at(row.len() - 1);
            let seconds = day.parse::<f64>().unwrap() * 86_400.0;
            let (direction, kind) = match what {
                "o" => ("outbound", "message"),
                "i" => ("inbound", "message"),
                _ => ("mutual", "meeting"),
            };
            text += &format!("ann,bo,{seconds},{direction},1,{kind},\n");
        }
        let all = |log: &Log| -> String {
            let of = |i: &Interaction| if i.linked { '1' } else { '0' };
            log.histories[0].interactions.iter().map(of).collect()
        };
        let read = log(&text);
        assert_eq!(all(&read), linked, "{rows}");
        assert_eq!(read.answers, Answers::Alternation);
        // One message that is known not to answer, of anybody: what is empty is no answer then.
        let known = log(&(text + "bob,cy,0,outbound,1,message,0\n"));
        let only_met = rows.split(' ').map(|row| if row.ends_with('m') { '1' } else { '0' });
        assert_eq!(all(&known), only_met.collect::<String>(), "{rows}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let good = "ann,bo,0,inbound,1,message,1\n";
    for (text, expected) in [
        ("", vec!["1: the header is missing: the file is empty"]),
        (
            "rep,contact,at,direction,audience,kind\n",
            vec![
                "1: linked: the header must name this column, with \
                  rep,contact,at,direction,audience,kind,linked in any order",
            ],
        ),
        (
            "rep,rep,contact,at,direction,audience,kind,linked\n",
            vec!["1: rep: the header must name this column once"],
        ),
        (
            &format!("{HEADER}{good}\n,,yesterday,out,0,mail,yes\n{good}ann,bo\n"),
            vec![
                "4: rep: must not be empty",
                "4: contact: must not be empty",
                "4: at: must be an instant such as 2026-11-21T08:00:00Z, or Unix seconds, is \
                 `yesterday`",
                "4: direction: must be outbound, inbound or mutual, is `out`",
                "4: audience: must be a whole number from 1 on, is `0`",
                "4: kind: must be message or meeting, is `mail`",
                "4: linked: must be 1, 0 or empty, is `yes`",
                "6: must have 7 fields as the header has, has 2",
            ],
        ),
        (
            &format!("{HEADER}ann,bo,1795248000000,inbound,1,message,1\n"),
            vec![
                "2: at: must be an instant such as 2026-11-21T08:00:00Z, or Unix seconds, is \
                  `1795248000000`, which looks like milliseconds",
            ],
        ),
        (
            &format!("{HEADER}ann,bo,NaN,\u{1b}[31m,,message,1\n"),
            vec![
                "2: at: must be an instant such as 2026-11-21T08:00:00Z, or Unix seconds, is `NaN`",
                "2: direction: must be outbound, inbound or mutual, is `\\u{1b}[31m`",
                "2: audience: must be a whole number from 1 on, is empty",
            ],
        ),
        (
            &format!("{HEADER}\"ann,bo,0,inbound,1,message,1\n{}", good.repeat(5000)),
            vec!["2: must be at most 64 KiB long, is longer: is a quote left open?"],
        ),
        (
            &format!("{HEADER}{}\n", ",".repeat(400)),
            vec!["2: must have at most 256 fields, has more"],
        ),
    ] {
        assert_eq!(told(text), expected, "{}", text.chars().take(200).collect::<String>());
    }
    let many = HEADER.to_owned() + &"ann,bo,0,inbound,1,message,2\n".repeat(25);
    let Err(ReadError::Wrong { problems, count }) = read(many.as_bytes()) else { panic!() };
    assert_eq!((problems.len(), count), (TOLD, 25));
}

#[test]
fn bytes_that_are_no_text_are_told_too() {
    let text = [HEADER.as_bytes(), b"ann,b\xff,0,inbound,1,message,1\n"].concat();
    let Err(ReadError::Wrong { problems, .. }) = read(text.as_slice()) else { panic!() };
    assert_eq!(problems[0].to_string(), "2: contact: must be UTF-8");
}

#[test]
fn a_log_may_hold_nothing() {
    let log = log(HEADER);
    assert_eq!((log.interactions(), log.span(), log.reps()), (0, None, 0));
}
