//! Threads as small drawings.

mod turns;

use crate::model::{Direction, Key, Span, Standing, Timestamp};

use super::{Loose, Node, NodeTouch, SUBJECT_WINDOW, answered_from, answers_by_subject, link};

/// `id:refs:touches`, touches as `>1` (outbound to relationship 1) or `<1`, `?` unverified,
/// `!` unproven, `/9` addressed to nine people rather than one; the second rep's relationship with
/// address 1 is written 1'. The answer marks each touch `L` linked, `C` counted, `-` neither.
fn told(thread: &str) -> String {
    let nodes = nodes(thread);
    let marks = |touches: Vec<super::Linked>| -> String {
        touches
            .iter()
            .map(|l| match (l.linked, l.counted) {
                (true, true) => "LC",
                (true, false) => "L",
                (false, true) => "C",
                (false, false) => "-",
            })
            .collect::<Vec<_>>()
            .join(",")
    };
    link(&nodes).into_iter().map(marks).collect::<Vec<_>>().join(" ")
}

fn nodes(thread: &str) -> Vec<Node> {
    thread
        .split_whitespace()
        .map(|message| {
            let mut parts = message.split(':');
            let key = |c: char| Key(i64::from(u32::from(c)));
            let keys = parts.next().unwrap().chars().map(key).collect();
            let references = parts.next().unwrap().chars().map(key).collect();
            let touches = parts.next().unwrap().split(',').map(touch).collect();
            let at = Timestamp::from_seconds(0);
            let (parent, guesses) = (None, Vec::new());
            Node { keys, at, thread: 1, references, parent, guesses, touches }
        })
        .collect()
}

fn touch(text: &str) -> NodeTouch {
    let direction = if text.starts_with('>') { Direction::Outbound } else { Direction::Inbound };
    let standing = match text.chars().last() {
        Some('?') => Standing::Unverified,
        Some('!') => Standing::Unproven,
        _ => Standing::Sound,
    };
    let relationship = i64::from(text.chars().nth(1).unwrap().to_digit(10).unwrap());
    // The relationships of the second rep are others, with the same addresses.
    let rep = if text.contains('\'') { 10 } else { 0 };
    let audience = text.trim_end_matches(['?', '!', '\'']).split_once('/').map_or("1", |(_, n)| n);
    NodeTouch {
        address: relationship,
        relationship: relationship + rep,
        direction,
        audience: audience.parse().unwrap(),
        standing,
    }
}

#[test]
fn an_answer_is_linked_to_the_other_party_only() {
    for (thread, expected) in [
        ("a::>1 b:a:<1", "C LC"),
        ("b:a:<1 a::>1", "LC C"),
        ("a::<1 b:a:>1", "C LC"),
        ("a::>1 b:a:>1", "C C"),
        ("a::>1,>2 b:a:<1", "C,C LC"),
        ("a::>1,>2 b:a:<1 c:a:<2", "C,C LC LC"),
        ("a::<3 b:a:<1 c:a:>1", "C C C"),
        ("a::>1 b:x:<1", "C C"),
        ("ax::>1 b:x:<1", "C LC"),
        ("a:a:>1", "C"),
        ("a:b:>1 b:a:<1", "LC LC"),
    ] {
        assert_eq!(told(thread), expected, "{thread}");
    }
}

#[test]
fn a_message_to_two_addresses_of_a_contact_counts_once() {
    for (thread, expected) in [
        ("a::>1,>1", "C,-"),
        ("a::>1,<1", "C,C"),
        ("a::>1,>2,>1", "C,C,-"),
        ("a::>1,>1/3", "-,C"),
        ("a::>1/3,>1,>1/4", "-,-,C"),
        ("a::>1!,>1", "-,C"),
        ("a::>1/3!,>1", "-,C"),
        ("a::>1 b:a:<1?,<1", "C LC,L"),
        ("a::>1,>1 b:a:<1", "C,- LC"),
    ] {
        assert_eq!(told(thread), expected, "{thread}");
    }
}

#[test]
fn an_answer_from_an_address_that_was_not_written_to_is_found() {
    for (thread, expected) in [
        ("a::>1 b:a:<2", vec![(1, 2)]),
        ("b:a:<2 a::>1", vec![(1, 2)]),
        ("a::>1 b:a:<1", vec![]),
        ("a::>1,>2 b:a:<2", vec![]),
        ("a::>1,>3 b:a:<2", vec![(1, 2), (3, 2)]),
        ("a::>1 b:a:<2?", vec![]),
        ("a::>1! b:a:<2", vec![]),
        ("a::<1 b:a:<2", vec![]),
        ("a::>1 b::<2", vec![]),
        // The answer goes to another rep too, who had not written.
        ("a::>1 b:a:<1,<1'", vec![]),
        ("a::>1,>2 b:a:<2,<2'", vec![]),
        ("a::>1 b:a:<2'", vec![(1, 2)]),
        ("a::>1,>2! b:a:<2,<2'", vec![]),
        ("a::>1 b:a:>2 c:ab:<2,<2'", vec![]),
        ("a::>1 b:a:>2' c:ab:<2,<2'", vec![]),
    ] {
        let nodes = nodes(thread);
        assert_eq!(answered_from(&nodes, &link(&nodes)), expected, "{thread}");
    }
}

#[test]
fn doubtful_messages_count_on_evidence_only() {
    for (thread, expected) in [
        ("a::<1?", "-"),
        ("a::>1 b:a:<1?", "C LC"),
        ("a::>1! b:a:<1?", "- -"),
        ("a::>1! b:a:<1", "- C"),
        ("a::<1? b:a:>1", "- C"),
        ("a::>1 b:a:<1? c:b:>1!", "C LC L"),
        ("a::>1 b:a:<1? c:b:>1", "C LC LC"),
    ] {
        assert_eq!(told(thread), expected, "{thread}");
    }
}

#[test]
fn the_subject_links_only_what_it_safely_can() {
    let start = Timestamp::from_seconds(900_000_000);
    let original = Loose {
        at: start,
        direction: Direction::Outbound,
        subject: Some(Key(7)),
        reply_subject: false,
        has_references: false,
    };
    let reply = Loose {
        at: start + Span::from_days(1),
        direction: Direction::Inbound,
        reply_subject: true,
        ..original
    };
    for (what, reply, original, expected) in [
        ("a plain reply", reply, original, true),
        ("an answer to an answer", reply, Loose { reply_subject: true, ..original }, true),
        ("an original with references", reply, Loose { has_references: true, ..original }, true),
        ("no prefix", Loose { reply_subject: false, ..reply }, original, false),
        ("references of its own", Loose { has_references: true, ..reply }, original, false),
        ("another subject", Loose { subject: Some(Key(8)), ..reply }, original, false),
        (
            "no subject",
            Loose { subject: None, ..reply },
            Loose { subject: None, ..original },
            false,
        ),
        ("the same direction", Loose { direction: Direction::Outbound, ..reply }, original, false),
        ("before the original", Loose { at: start, ..reply }, original, false),
        ("on the last day", Loose { at: start + SUBJECT_WINDOW, ..reply }, original, true),
        (
            "too late",
            Loose { at: start + SUBJECT_WINDOW + Span::from_seconds(1), ..reply },
            original,
            false,
        ),
    ] {
        assert_eq!(answers_by_subject(&reply, &original), expected, "{what}");
    }
}
