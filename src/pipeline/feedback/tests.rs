//! Whatever is answered, taken back, silenced and ended, in whatever order: what holds is what a list
//! of it on paper says, and to say the last thing again changes nothing.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::model::feedback::{Given, Outcome};
use crate::model::{Address, Key, Nudge, NudgeState, Span};
use crate::pipeline::request::Answer;
use crate::store::{Store, endpoint, silence};

const START: Timestamp = Timestamp::from_seconds(1_000_000);

/// The two nudges: of the decay under way, and of a letter that waits for an answer.
const NUDGES: [(&str, &str, NudgeKind); 2] =
    [("ndg_a", "eps_a", NudgeKind::Decay), ("ndg_b", "eps_b", NudgeKind::OwedReply)];

#[derive(Clone, Debug)]
enum Deed {
    Answer(usize, Feedback),
    TakeBack(usize),
    Begin(Option<u32>),
    End(i64),
}

/// What a list on paper says.
#[derive(Clone, Debug, Default)]
struct Paper {
    given: [Option<Feedback>; 2],
    /// By their numbers: until when, of which nudge, and whether it was ended.
    silences: Vec<(Option<Timestamp>, Option<usize>, bool)>,
}

impl Paper {
    fn note(&mut self, deed: &Deed, now: Timestamp) {
        match *deed {
            Deed::Answer(which, feedback) if self.given[which].is_none() => {
                self.given[which] = Some(feedback);
                let until = feedback.silent_until(now, Rules::default().policy.between_episodes);
                self.silences.push((until, Some(which), false));
            }
            Deed::Answer(..) => {}
            Deed::TakeBack(which) => {
                self.given[which] = None;
                for (_, of, ended) in &mut self.silences {
                    *ended |= *of == Some(which);
                }
            }
            Deed::Begin(days) => {
                let until = days.map(|days| now + Span::from_days(i64::from(days)));
                self.silences.push((until, None, false));
            }
            Deed::End(number) => {
                let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
                if let Some((until, _, ended)) = self.silences.get_mut(place) {
                    *ended |= until.is_none_or(|until| until > now);
                }
            }
        }
    }

    fn silent_until(&self) -> Option<Timestamp> {
        let holding = self.silences.iter().filter(|(_, _, ended)| !ended);
        holding.map(|(until, ..)| until.unwrap_or(silence::FOREVER)).max()
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let which = 0..2_usize;
    prop_oneof![
        4 => (which.clone(), prop::sample::select(&Feedback::ALL[..]))
            .prop_map(|(which, feedback)| Deed::Answer(which, feedback)),
        2 => which.prop_map(Deed::TakeBack),
        1 => prop::option::of(1..100_u32).prop_map(Deed::Begin),
        1 => (1..6_i64).prop_map(Deed::End),
    ]
}

/// A rep, a contact and the nudges.
fn enter(db: &Db) -> Result<(i64, i64), StoreError> {
    let ann = rep::ensure(db, "ann", "Ann", "ann@us.example")?;
    let address = Address::from_canonical("bo@acme.example".to_owned());
    let bo = contact::ensure(db, &address, |_| "acme.example".to_owned())?;
    let id = relationship::ensure(db, ann, bo)?;
    let mut row = relationship::get(db, id)?;
    row.episode_id = Some("eps_a".to_owned());
    relationship::save(db, &row)?;
    for (nudge, episode, kind) in NUDGES {
        let made = Nudge {
            id: nudge.to_owned(),
            episode_id: episode.to_owned(),
            kind,
            reminder: 0,
            relationship: id,
            created_at: START,
            reasons: Vec::new(),
            body: "{}".to_owned(),
            stake: 0.0,
            state: NudgeState::Released,
            release_at: START,
        };
        nudge::insert(db, &made)?;
    }
    Ok((ann, bo))
}

fn perform(db: &Db, rules: &Rules, deed: &Deed, now: Timestamp) -> Result<String, StoreError> {
    Ok(match deed {
        Deed::Answer(which, feedback) => {
            let told = answer(db, rules, NUDGES[*which].0, (*feedback, Way::Api), now)?;
            format!("{:?}", matches!(told, Outcome::Otherwise(_)))
        }
        Deed::TakeBack(which) => format!("{}", take_back(db, NUDGES[*which].0, now)?),
        Deed::Begin(days) => {
            let told = crate::pipeline::silence::begin(db, "ann", "bo@acme.example", *days, now)?;
            format!("{}", matches!(told, Answer::Done { .. }))
        }
        Deed::End(number) => {
            format!("{:?}", crate::pipeline::silence::end(db, *number, now)?)
        }
    })
}

/// What holds: answers, reasons of resolution, and until when there is silence.
type Holding = (Vec<Option<Given>>, Vec<Option<String>>, Option<Timestamp>);

fn holding(db: &Db, (ann, bo): (i64, i64), now: Timestamp) -> Result<Holding, StoreError> {
    let mut given = Vec::new();
    for (nudge, ..) in NUDGES {
        let open = nudge::find(db, nudge)?;
        let found = open.map(|open| feedback::in_force(db, open.id)).transpose()?.flatten();
        given.push(found.map(|found| found.given));
    }
    let mut listed = nudge::list(db, now, 9)?;
    listed.sort_by(|a, b| a.nudge.id.cmp(&b.nudge.id));
    let resolved = listed.into_iter().map(|one| one.resolved.map(|(_, why)| why)).collect();
    Ok((given, resolved, silence::until(db, (ann, bo), NudgeKind::Decay, now)?))
}

fn follow(db: &Db, deeds: &[Deed]) -> Result<Vec<(Deed, Paper, Holding, Holding)>, StoreError> {
    let (rules, mut paper) = (Rules::default(), Paper::default());
    let parties = enter(db)?;
    let mut seen = Vec::new();
    for (day, deed) in (1..).zip(deeds) {
        let now = START + Span::from_days(day);
        perform(db, &rules, deed, now)?;
        paper.note(deed, now);
        let once = holding(db, parties, now)?;
        let twice = match deed {
            // To begin another silence is another silence.
            Deed::Begin(_) => once.clone(),
            _ => {
                perform(db, &rules, deed, now + Span::from_seconds(1))?;
                holding(db, parties, now + Span::from_seconds(1))?
            }
        };
        seen.push((deed.clone(), paper.clone(), once, twice));
    }
    Ok(seen)
}

/// A message of each nudge, and a digest of both, owed to an endpoint.
fn owe(db: &Db, rep: i64) -> Result<(), StoreError> {
    let (crm, _) = endpoint::ensure(db, "crm", Key(1))?;
    let mut rows = Vec::new();
    for (nudge, ..) in NUDGES {
        let row = nudge::find(db, nudge)?.unwrap().id;
        outbox::insert(db, crm, (nudge, rep), &[row], START)?;
        rows.push(row);
    }
    outbox::insert(db, crm, ("dig", rep), &rows, START)
}

/// What has become of the digest, of the first nudge's message and of the second's.
fn states(db: &Db) -> Result<Vec<String>, StoreError> {
    let mut listed = outbox::list(db, &[], None, 9, START + Span::from_days(9))?;
    listed.sort_by(|a, b| a.webhook_id.cmp(&b.webhook_id));
    Ok(listed.into_iter().map(|one| one.state).collect())
}

/// As the step of delivery does with what a silence holds back.
fn hold_back(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    while let Some(due) = outbox::due(db, 1, now)? {
        outbox::cancel(db, due.id, now)?;
    }
    Ok(())
}

/// An answer, or a silence, and its end so many hours later.
fn there_and_back(db: &Db, deed: &str, hours: i64) -> Result<Vec<String>, StoreError> {
    let rules = Rules::default();
    let (ann, _) = enter(db)?;
    owe(db, ann)?;
    let (then, back) = (START + Span::from_hours(1), START + Span::from_hours(1 + hours));
    let done = (Feedback::Done, Way::Link);
    match deed {
        "answer" => {
            answer(db, &rules, "ndg_a", done, then)?;
        }
        "answer, and what it keeps silent" => {
            answer(db, &rules, "ndg_a", done, then)?;
            hold_back(db, then + Span::from_seconds(1))?;
        }
        "answer, and dropped" => {
            answer(db, &rules, "ndg_a", done, then)?;
            outbox::drop(db, &outbox::Chosen::default(), then + Span::from_seconds(1))?;
        }
        "answer to what has arrived" => {
            let due = outbox::due(db, 1, then)?.unwrap();
            let (outbox, verdict) = (due.id, "delivered");
            let tried = outbox::Attempt { outbox, at: then, verdict, status: None, took_ms: 1 };
            outbox::record(db, &tried, &outbox::Settled::Delivered)?;
            let chosen = outbox::Chosen { webhook_id: Some(due.webhook_id), endpoint: None };
            outbox::replay(db, &chosen, false, then)?;
            answer(db, &rules, "ndg_a", done, then)?;
        }
        _ => {
            crate::pipeline::silence::begin(db, "ann", "bo@acme.example", None, then)?;
            hold_back(db, then + Span::from_seconds(1))?;
        }
    }
    let before = states(db)?;
    for second in 0..2 {
        let now = back + Span::from_seconds(second);
        take_back(db, "ndg_a", now)?;
        crate::pipeline::silence::end(db, 1, now)?;
    }
    Ok([before, states(db)?].concat())
}

#[test]
fn what_was_not_delivered_for_an_answer_is_owed_again_when_that_is_taken_back() {
    const NONE: [&str; 3] = ["cancelled"; 3];
    const ALL: [&str; 3] = ["pending"; 3];
    // The digest, whose other nudge holds, and the message of the other one.
    const FIRST: [&str; 3] = ["pending", "cancelled", "pending"];
    for (deed, hours, before, after) in [
        ("answer", 1, FIRST, ALL),
        ("answer", 25, FIRST, FIRST),
        ("answer, and what it keeps silent", 1, NONE, ALL),
        ("answer, and what it keeps silent", 25, NONE, NONE),
        ("answer, and dropped", 1, NONE, ["cancelled", "pending", "cancelled"]),
        ("answer to what has arrived", 1, FIRST, FIRST),
        ("silence", 1, NONE, ALL),
        ("silence", 25, NONE, NONE),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("kw.db")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(store.write(move |db| there_and_back(db, deed, hours)));
        assert_eq!(found.unwrap(), [before, after].concat(), "{deed}, {hours} h");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_holds_is_what_was_said_last(deeds in prop::collection::vec(deed(), 1..14)) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("kw.db")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let done = runtime.block_on(store.write(move |db| follow(db, &deeds)));
        for (deed, paper, once, twice) in done.map_err(|e| TestCaseError::fail(e.to_string()))? {
            let (given, resolved, silent_until) = &once;
            let said: Vec<_> = given.iter().map(|one| one.map(|one| one.feedback)).collect();
            prop_assert_eq!(&said[..], &paper.given[..], "{:?}", deed);
            let why: Vec<_> = paper.given.iter()
                .map(|one| one.map(|one| resolution(one).code().to_owned()))
                .collect();
            prop_assert_eq!(resolved, &why, "{:?}", deed);
            prop_assert_eq!(silent_until, &paper.silent_until(), "{:?}", deed);
            prop_assert_eq!(&twice, &once, "a second time: {:?}", deed);
        }
    }
}
