//! Silences: which hold for whom, when, and for what; and answers, of which one holds at most.

use super::{directory, write};
use crate::model::feedback::{Feedback, Given, LinkKey, Quiet, Way};
use crate::model::{Address, Key, NudgeKind, Span, Timestamp};
use crate::store::silence::{FOREVER, New};
use crate::store::{Db, Store, StoreError, contact, erase, feedback, rep, silence};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn at(days: i64) -> Timestamp {
    NOW + Span::from_days(days)
}

fn person(db: &Db, address: &str) -> Result<i64, StoreError> {
    contact::ensure(db, &Address::from_canonical(address.to_owned()), |_| "acme.example".to_owned())
}

fn new(rep: i64, contact: i64, until: Option<Timestamp>) -> New<'static> {
    New { rep, contact, kind: None, until, reason: "command", feedback: None }
}

#[test]
fn the_longest_silence_in_force_counts() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let found = write(&store, |db| {
        let ann = rep::ensure(db, "ann", "Ann", "ann@us.example")?;
        let bob = rep::ensure(db, "bob", "Bob", "bob@us.example")?;
        let (bo, other) = (person(db, "bo@acme.example")?, person(db, "bo@beta.example")?);
        let until = |rep, contact, now| silence::until(db, (rep, contact), NudgeKind::Decay, now);
        let mut found = vec![until(ann, bo, at(0))?];
        silence::begin(db, &new(ann, bo, Some(at(30))), at(0))?;
        let longer = silence::begin(db, &new(ann, bo, Some(at(90))), at(1))?;
        found.extend([until(ann, bo, at(0))?, until(ann, bo, at(1))?, until(bob, bo, at(1))?]);
        // The other address becomes one of the same person's.
        contact::assign(db, other, bo)?;
        let good = silence::begin(db, &new(ann, other, None), at(2))?;
        found.extend([until(ann, bo, at(1))?, until(ann, bo, at(2))?]);
        silence::end(db, good, at(3))?;
        silence::end(db, longer, at(4))?;
        found.extend([until(ann, bo, at(2))?, until(ann, bo, at(3))?, until(ann, bo, at(4))?]);
        Ok(found)
    });
    let days = |days| Some(at(days));
    assert_eq!(
        found.unwrap(),
        [
            None,
            days(30),
            days(90),
            None,
            days(90),
            Some(FOREVER),
            Some(FOREVER),
            days(90),
            days(30)
        ]
    );
}

#[test]
fn a_silence_about_one_kind_is_none_about_others() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let found = write(&store, |db| {
        let ann = rep::ensure(db, "ann", "Ann", "ann@us.example")?;
        let bo = person(db, "bo@acme.example")?;
        let kind = Some(NudgeKind::SingleThreaded);
        silence::begin(db, &New { kind, ..new(ann, bo, None) }, at(0))?;
        let silent = NudgeKind::ALL.map(|kind| silence::until(db, (ann, bo), kind, at(0)));
        silent.into_iter().collect::<Result<Vec<_>, _>>()
    });
    let silent = found.unwrap().into_iter().zip(NudgeKind::ALL);
    let silent: Vec<_> =
        silent.filter(|(until, _)| until.is_some()).map(|(_, kind)| kind).collect();
    assert_eq!(silent, [NudgeKind::SingleThreaded]);
}

#[test]
fn lists_hold_what_is_in_force_at_an_instant() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let found = write(&store, |db| {
        let ann = rep::ensure(db, "ann", "Ann", "ann@us.example")?;
        let bo = person(db, "bo@acme.example")?;
        for until in [Some(at(7)), None, Some(at(30))] {
            silence::begin(db, &new(ann, bo, until), at(0))?;
        }
        silence::end(db, 3, at(2))?;
        let mut found = Vec::new();
        for day in [-1, 0, 1, 2, 7, 100] {
            let ids: Vec<i64> =
                silence::in_force(db, at(day))?.into_iter().map(|one| one.id).collect();
            for id in 1..=3 {
                let one = silence::find(db, id, at(day))?;
                assert_eq!(one.is_some(), ids.contains(&id), "{id} on day {day}");
            }
            found.push(ids);
        }
        Ok(found)
    });
    assert_eq!(
        found.unwrap(),
        [vec![], vec![1, 2, 3], vec![1, 2, 3], vec![1, 2], vec![2], vec![2]]
    );
}

#[test]
fn the_first_key_is_kept() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    for fresh in [[1; 32], [2; 32]] {
        let kept = write(&store, move |db| feedback::link_key(db, &LinkKey(fresh), NOW));
        assert_eq!(kept.unwrap(), LinkKey([1; 32]));
    }
}

/// Of a nudge that is made by hand: answers know nothing else of it.
#[test]
fn one_answer_holds_until_it_is_taken_back() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let found = write(&store, |db| {
        let ann = rep::ensure(db, "ann", "Ann", "ann@us.example")?;
        let bo = person(db, "bo@acme.example")?;
        db.connection.execute_batch(&format!(
            "INSERT INTO relationship (id, rep_id, contact_id) VALUES (1, {ann}, {bo});
             INSERT INTO nudge (id, public_id, episode_id, kind, reminder, relationship_id,
                                created_at, reasons, body, stake, state, release_at)
             VALUES (1, 'ndg_1', 'eps_1', 'decay', 0, 1, 0, '[]', '{{}}', 0, 'released', 0);"
        ))?;
        let mut found = vec![feedback::in_force(db, 1)?];
        let first = feedback::insert(db, 1, Feedback::Snooze30, Way::Api, at(0))?;
        let new = New { feedback: Some(first), ..new(ann, bo, Some(at(30))) };
        let silence = silence::begin(db, &new, at(0))?;
        found.push(feedback::in_force(db, 1)?);
        silence::end(db, silence, at(1))?;
        found.push(feedback::in_force(db, 1)?);
        let twice = feedback::insert(db, 1, Feedback::WrongPerson, Way::Cli, at(1));
        assert!(twice.is_err(), "the schema itself allows one");
        feedback::take_back(db, first, at(2))?;
        found.push(feedback::in_force(db, 1)?);
        feedback::insert(db, 1, Feedback::WrongPerson, Way::Cli, at(3))?;
        assert_eq!(feedback::wrong_persons(db, at(2))?, []);
        assert_eq!(feedback::wrong_persons(db, at(3))?, [(bo, at(3))]);
        // What is erased takes what was answered about it along.
        db.connection.pragma_update(None, "foreign_keys", true)?;
        erase::addresses(db, &[(bo, Key(0))])?;
        assert_eq!(feedback::wrong_persons(db, at(3))?, []);
        assert_eq!(silence::find(db, silence, at(0))?, None);
        Ok(found)
    });
    let snoozed = |quiet| Some(Given { feedback: Feedback::Snooze30, at: at(0), quiet });
    let given: Vec<_> = found.unwrap().into_iter().map(|one| one.map(|one| one.given)).collect();
    assert_eq!(given, [None, snoozed(Quiet::Until(at(30))), snoozed(Quiet::Ended), None]);
}
