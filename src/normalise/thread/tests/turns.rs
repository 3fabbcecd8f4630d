//! What threads say of their messages: tables, each read in every rotation.

use super::super::{Node, link};
use super::touch;
use crate::model::{Key, Timestamp};

/// `id:hour:refs:touches`, all of one thread but for an id that is a capital letter. Of each message
/// then, touch by touch: `o` opens, `fN` first followed up at
/// hour N, `aN` the first to answer what was written at
/// hour N, `-` nothing.
fn told(thread: &str, rotated: usize) -> String {
    let messages: Vec<&str> = thread.split_whitespace().collect();
    let mut order: Vec<usize> = (0..messages.len()).collect();
    order.rotate_left(rotated % messages.len());
    let nodes: Vec<Node> = order.iter().map(|n| node(messages[*n])).collect();
    let mut told: Vec<(usize, String)> = link(&nodes)
        .into_iter()
        .zip(&order)
        .map(|(touches, n)| {
            let one = |linked: &super::super::Linked| {
                let turn = linked.turn;
                let mut marks = String::new();
                if turn.opens == Some(true) {
                    marks.push('o');
                }
                let hour = |at: Timestamp| at.seconds() / 3600;
                marks.extend(turn.followed_at.map(|at| format!("f{}", hour(at))));
                marks.extend(turn.parent_at.map(|at| format!("a{}", hour(at))));
                if marks.is_empty() { "-".to_owned() } else { marks }
            };
            (*n, touches.iter().map(one).collect::<Vec<_>>().join(","))
        })
        .collect();
    told.sort();
    told.into_iter().map(|(_, marks)| marks).collect::<Vec<_>>().join(" ")
}

fn node(text: &str) -> Node {
    let parts: Vec<&str> = text.split(':').collect();
    let key = |c: char| Key(i64::from(u32::from(c.to_ascii_lowercase())));
    let (guesses, references) = parts[2].chars().partition::<String, _>(char::is_ascii_uppercase);
    Node {
        keys: parts[0].chars().map(key).collect(),
        at: Timestamp::from_seconds(3600 * parts[1].parse::<i64>().unwrap()),
        thread: i64::from(parts[0].starts_with(char::is_uppercase)),
        references: references.chars().map(key).collect(),
        parent: references.chars().map(key).next_back(),
        guesses: guesses.chars().map(key).collect(),
        touches: parts[3].split(',').map(touch).collect(),
    }
}

#[test]
fn a_thread_tells_who_began_it_and_who_was_first_to_answer() {
    for (what, thread, expected) in [
        ("alone", "a:1::>1", "o"),
        ("answered", "a:1::>1 b:3:a:<1", "o a1"),
        ("answered twice", "a:1::>1 b:3:a:<1 c:5:a:<1", "o a1 -"),
        ("at once, by the least key", "a:1::>1 c:3:a:<1 b:3:a:<1", "o - a1"),
        ("to and fro", "a:1::<1 b:3:a:>1 c:7:ab:<1", "o a1 a3"),
        ("the last reference is the parent", "a:1::<1 b:3:a:>1 c:7:ba:<1", "of7 a1 -"),
        ("the latest that is known", "a:1::>1 b:3:a:>1 c:7:bax:<1", "of3 - a3"),
        ("nothing is known", "c:7:xy:<1", "o"),
        ("followed up", "a:1::>1 b:3:a:>1 c:4:ab:<1 d:9:a:>1", "of3 - a3 -"),
        ("clocks that differ", "a:5::>1 b:3:a:<1", "o a5"),
        ("two contacts", "a:1::>1,>2 b:3:a:<1 c:9:a:<2", "o,o a1 a1"),
        ("another joins", "a:1::>1 b:3:a:<1,<2 c:4:b:>2", "o a1,o a3"),
        ("to itself", "a:1:a:>1", "o"),
        ("forged", "a:1::>1 b:2:a:>1! c:3:b:<1", "o - -"),
        ("doubtful and answering", "a:1::>1 b:2:a:<1?", "o a1"),
        ("by subject", "a:1::>1 B:2:A:<1", "o -"),
        ("by subject, and then", "a:1::>1 B:2:A:<1 C:3:b:>1", "o - a2"),
    ] {
        for rotated in 0..thread.split_whitespace().count() {
            assert_eq!(told(thread, rotated), expected, "{what}, rotated by {rotated}");
        }
    }
}
