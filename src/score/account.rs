//! How well an account is covered: by how many people, over all reps, and how evenly.
//!
//! A person counts with the rep who is closest to them, and with nobody before anybody has answered:
//! S of the gated strength, so that cold mail and newsletters cover nothing.
//!
//! ```text
//! coverage  number of strong people, against a target
//! breadth   exp(-Σ p ln p), p = S of a person / Σ S: so many people if all were equally close
//! S         Σ of the eight largest S, the n-th divided by √n
//! ```

use std::collections::BTreeMap;

use super::strength::{Band, score_of};

/// People whose S adds up to that of an account.
const WEIGHED: usize = 8;
/// With fewer strong people an account hangs by a thread, if its target is not lower.
const FEW: usize = 5;
/// One person with more than this share of all S is a thread by which it hangs.
const LARGEST_SHARE: f64 = 0.7;

/// A relationship with somebody of an account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tie {
    /// The rep's row.
    pub rep: i64,
    /// The contact's row.
    pub contact: i64,
    /// S if one has answered the other, else 0.
    pub s: f64,
}

/// Somebody of an account, and the rep who is closest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    /// The contact's row.
    pub contact: i64,
    /// The rep's row.
    pub rep: i64,
    /// S with that rep, more than 0.
    pub s: f64,
}

/// Why an account depends on too few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thread {
    /// Fewer than five people are strong, and fewer than the target.
    FewStrong,
    /// One person holds more than 70 % of S.
    OnePerson,
}

/// What the people of an account come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// Everybody who counts, the closest first.
    pub people: Vec<Person>,
    /// How many of them are strong: the first ones of `people`.
    pub strong: usize,
    /// How many of them should be.
    pub target: usize,
    /// How many more that is.
    pub missing: usize,
    /// So many people if all were equally close; 0 without any.
    pub breadth: f64,
    /// Σ of the eight largest S, the n-th divided by √n.
    pub s: f64,
    /// The same on the scale of a strength, 0 to 100.
    pub strength: f64,
    /// The closest person's share of all S; 0 without any.
    pub largest_share: f64,
    /// Why the account depends on too few, if it does.
    pub single_threaded: Option<Thread>,
}

impl Person {
    /// The strength with the rep who is closest.
    #[must_use]
    pub fn strength(&self) -> f64 {
        score_of(self.s)
    }

    fn is_strong(&self) -> bool {
        Band::of(self.strength()) == Band::Strong
    }
}

impl Thread {
    /// The word for it in JSON and CSV.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FewStrong => "few_strong",
            Self::OnePerson => "one_person",
        }
    }
}

impl Coverage {
    /// The people who are not strong, the closest first: who could fill what is missing.
    pub fn closest(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().skip(self.strong)
    }
}

/// What an account comes to by all relationships with its people, in any order.
#[must_use]
pub fn coverage(ties: &[Tie], target: usize) -> Coverage {
    let people = people(ties);
    let all: f64 = people.iter().map(|person| person.s).sum();
    let shares = || people.iter().map(|person| person.s / all);
    let entropy: f64 = shares().map(|share| -share * share.ln()).sum();
    let largest_share = shares().next().unwrap_or(0.0);
    let ranks = (1u32..).map(|rank| f64::from(rank).sqrt());
    let s = people.iter().take(WEIGHED).zip(ranks).map(|(person, root)| person.s / root).sum();
    let strong = people.iter().take_while(|person| person.is_strong()).count();
    let single_threaded = if strong < FEW.min(target) {
        Some(Thread::FewStrong)
    } else if largest_share > LARGEST_SHARE {
        Some(Thread::OnePerson)
    } else {
        None
    };
    Coverage {
        strong,
        target,
        missing: target.saturating_sub(strong),
        breadth: if people.is_empty() { 0.0 } else { entropy.exp() },
        s,
        strength: score_of(s),
        largest_share,
        single_threaded,
        people,
    }
}

/// Each person with the rep who is closest, the closest first; those with nothing are left out.
fn people(ties: &[Tie]) -> Vec<Person> {
    let mut best: BTreeMap<i64, Person> = BTreeMap::new();
    for Tie { rep, contact, s } in ties.iter().copied().filter(|tie| tie.s > 0.0) {
        let person = Person { contact, rep, s };
        let known = best.entry(contact).or_insert(person);
        if s > known.s || (s >= known.s && rep < known.rep) {
            *known = person;
        }
    }
    let mut people: Vec<Person> = best.into_values().collect();
    people.sort_by(|a, b| b.s.total_cmp(&a.s));
    people
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ties(of: &[(i64, i64, f64)]) -> Vec<Tie> {
        of.iter().map(|(rep, contact, s)| Tie { rep: *rep, contact: *contact, s: *s }).collect()
    }

    #[test]
    fn people_are_counted_with_their_best_rep() {
        // S = 2 is a strength of 50, S = 1 of 33.
        let one = ties(&[(1, 10, 2.0), (2, 10, 1.0), (1, 11, 1.0), (2, 11, 1.0), (2, 12, 0.0)]);
        let found = coverage(&one, 5);
        let of = |contact, rep, s| Person { contact, rep, s };
        assert_eq!(found.people, [of(10, 1, 2.0), of(11, 1, 1.0)]);
        assert_eq!((found.strong, found.missing), (1, 4));
        assert_eq!(found.closest().map(|p| p.contact).collect::<Vec<_>>(), [11]);
        assert!((found.s - (2.0 + 1.0 / 2.0_f64.sqrt())).abs() < 1e-12);
        assert!((found.largest_share - 2.0 / 3.0).abs() < 1e-12);
        // exp(-(2/3 ln 2/3 + 1/3 ln 1/3)) = 3 / 2^(2/3)
        assert!((found.breadth - 3.0 / 2.0_f64.powf(2.0 / 3.0)).abs() < 1e-12);
    }

    #[test]
    fn an_account_hangs_by_a_thread_with_few_people_or_one_who_holds_most() {
        let strong = |count: i64| (0..count).map(|n| (1, n, 2.0)).collect::<Vec<_>>();
        let one_holds_most = [strong(4), vec![(1, 9, 30.0)]].concat();
        for (what, of, target, expected) in [
            ("nobody", vec![], 5, Some(Thread::FewStrong)),
            ("four", strong(4), 5, Some(Thread::FewStrong)),
            ("five", strong(5), 5, None),
            ("five of eight", strong(5), 8, None),
            ("two of two", strong(2), 2, None),
            ("one of two", strong(1), 2, Some(Thread::FewStrong)),
            ("one holds most", one_holds_most, 5, Some(Thread::OnePerson)),
        ] {
            assert_eq!(coverage(&ties(&of), target).single_threaded, expected, "{what}");
        }
        let nobody = coverage(&[], 5);
        assert_eq!((nobody.strong, nobody.missing, nobody.people.len()), (0, 5, 0));
        let numbers = [nobody.breadth, nobody.s, nobody.strength, nobody.largest_share];
        assert!(numbers.iter().all(|number| *number <= 0.0), "{numbers:?}");
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter_and_breadth_is_between_one_and_the_people(
            (of, shuffled) in prop::collection::vec((0i64..4, 0i64..12, 0.0f64..8.0), 1..40)
                .prop_flat_map(|of| (Just(of.clone()), Just(of).prop_shuffle())),
        ) {
            let found = coverage(&ties(&of), 5);
            prop_assert_eq!(&found, &coverage(&ties(&shuffled), 5));
            let people = f64::from(u32::try_from(found.people.len()).unwrap());
            if people > 0.0 {
                prop_assert!(found.breadth >= 1.0 - 1e-12 && found.breadth <= people + 1e-9);
            }
            // One more rep for somebody never makes it worse.
            let more = [ties(&of), ties(&[(9, of[0].1, 9.0)])].concat();
            prop_assert!(coverage(&more, 5).s > found.s);
        }
    }
}
