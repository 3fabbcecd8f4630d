//! Which addresses are one person's, from all that was said of them.
//!
//! A function of what was said and of nothing else: it does not matter in which order it was learnt
//! (but for the admin's own words, of which the later one counts). The admin's words come first, then
//! the file of people, then what the mail shows; what comes later in this order joins nobody whom
//! something before it keeps apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::identity::{Said, SaidBy, Saying};

/// The groups that `people` fall into, each a person; those of whom nothing was said are alone.
#[must_use]
pub fn groups<T: Ord + Clone>(people: &BTreeSet<T>, said: &[Said<T>]) -> Vec<BTreeSet<T>> {
    let mut groups = Groups {
        of: people.iter().enumerate().map(|(n, one)| (one.clone(), n)).collect(),
        members: people.iter().map(|one| BTreeSet::from([one.clone()])).collect(),
        apart: BTreeSet::new(),
    };
    let mut in_order: Vec<&Said<T>> = said.iter().collect();
    in_order.sort_by(|a, b| weight(a).cmp(&weight(b)));
    for word in in_order {
        match word.saying {
            Saying::Merge => groups.join(&word.a, &word.b),
            Saying::Split => groups.keep_apart(&word.a, &word.b),
        }
    }
    groups.members.retain(|group| !group.is_empty());
    groups.members
}

/// What weighs more comes first: of an admin's words the last, of others by their addresses.
fn weight<T: Ord>(said: &Said<T>) -> impl Ord + '_ {
    let newest = match said.by {
        SaidBy::Admin => said.change.saturating_neg(),
        SaidBy::File | SaidBy::Evidence => 0,
    };
    let (first, second) = if said.a <= said.b { (&said.a, &said.b) } else { (&said.b, &said.a) };
    (std::cmp::Reverse(said.by), newest, first, second, said.saying)
}

struct Groups<T> {
    /// The number of everybody's group.
    of: BTreeMap<T, usize>,
    members: Vec<BTreeSet<T>>,
    /// Pairs that are two people's.
    apart: BTreeSet<(T, T)>,
}

impl<T: Ord + Clone> Groups<T> {
    fn join(&mut self, a: &T, b: &T) {
        let (Some(&into), Some(&from)) = (self.of.get(a), self.of.get(b)) else { return };
        if into == from || self.is_apart(into, from) {
            return;
        }
        let moved = self.members.get_mut(from).map(std::mem::take).unwrap_or_default();
        for one in &moved {
            self.of.insert(one.clone(), into);
        }
        if let Some(group) = self.members.get_mut(into) {
            group.extend(moved);
        }
    }

    /// Whether anybody of one group is kept apart from anybody of another.
    fn is_apart(&self, one: usize, other: usize) -> bool {
        let number = |person: &T| self.of.get(person).copied();
        self.apart.iter().any(|(a, b)| {
            let pair = (number(a), number(b));
            pair == (Some(one), Some(other)) || pair == (Some(other), Some(one))
        })
    }

    /// Too late for those whom a weightier word has joined.
    fn keep_apart(&mut self, a: &T, b: &T) {
        if self.of.get(a) != self.of.get(b) {
            self.apart.insert((a.clone(), b.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Said, SaidBy, Saying, groups};

    /// `a1=bc`: the admin's change 1 says that b and c are one; `/` two; `f` the file, `e` the mail.
    fn said(words: &str) -> Vec<Said<char>> {
        words
            .split_whitespace()
            .map(|word| {
                let letters: Vec<char> = word.chars().collect();
                Said {
                    by: match letters[0] {
                        'a' => SaidBy::Admin,
                        'f' => SaidBy::File,
                        _ => SaidBy::Evidence,
                    },
                    change: i64::from(letters[1].to_digit(10).unwrap()),
                    saying: if letters[2] == '=' { Saying::Merge } else { Saying::Split },
                    a: letters[3],
                    b: letters[4],
                }
            })
            .collect()
    }

    fn drawn(words: &str) -> String {
        let found = groups(&"wxyz".chars().collect(), &said(words));
        found.into_iter().map(String::from_iter).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn of_two_words_the_weightier_counts() {
        for (words, expected) in [
            ("", "w x y z"),
            ("e1=wx", "wx y z"),
            ("e1=xw", "wx y z"),
            ("e1=wx e2=xy", "wxy z"),
            ("e1=wx f2=yz", "wx yz"),
            ("e1=wx a2/wx", "w x y z"),
            ("a1=wx a2/wx", "w x y z"),
            ("a1/wx a2=wx", "wx y z"),
            ("a1=wx a2/wx a3=wx", "wx y z"),
            ("f2=wx a1/wx", "w x y z"),
            ("e1=wx e2=xy a3/wy", "wx y z"),
            ("f1=xy e2=wx a3/wy", "w xy z"),
            ("e1=wx e1=xy e1=yz a2/xw a2/xy a2/xz", "w x yz"),
        ] {
            assert_eq!(drawn(words), expected, "{words:?}");
        }
    }

    fn word() -> impl Strategy<Value = Said<u8>> {
        (0u8..3, 0i64..4, any::<bool>(), 0u8..7, 0u8..7).prop_map(|(by, change, merge, a, b)| {
            Said {
                by: [SaidBy::Evidence, SaidBy::File, SaidBy::Admin][usize::from(by)],
                change,
                // Only an admin keeps people apart.
                saying: if merge || by < 2 { Saying::Merge } else { Saying::Split },
                a,
                b,
            }
        })
    }

    proptest! {
        #[test]
        fn the_order_in_which_it_was_learnt_decides_nothing(
            (words, shuffled) in prop::collection::vec(word(), 0..12)
                .prop_flat_map(|words| (Just(words.clone()), Just(words).prop_shuffle())),
        ) {
            let people: BTreeSet<u8> = (0..7).collect();
            let sorted = |words: &[Said<u8>]| {
                let mut found = groups(&people, words);
                found.sort();
                found
            };
            let found = sorted(&words);
            // Words of one change are said at once: which of them is heard first is by address.
            let mut all: Vec<u8> = found.iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..7).collect::<Vec<_>>(), "everybody is in one group");
            prop_assert_eq!(found, sorted(&shuffled));
        }
    }
}
