//! The invariants of the model that the ingest holds (G6, G7, G8, G11), over random histories: what
//! shall not count changes nothing of what does. `score::properties` has the list of all thirteen.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::story::Found;
use super::world::{Mailbox, World, answering, day, differ, envelope, key, person};
use crate::model::{
    Attendee, Automated, Envelope, Meeting, MeetingStatus, Participation, Relationship, Span,
    Version,
};
use crate::pipeline::ingest::Calendar;

/// When all of it is over.
const END: f64 = 60.0;
const REPS: [&str; 2] = ["ann", "bob"];
const CONTACTS: [&str; 3] = ["bo", "cy", "di@beta.example"];
/// Own addresses: the reps', an alias of the second, and a colleague's.
const OWN: [&str; 4] = ["ann", "bob", "bob@old.example", "carl"];
const MAILBOXES: [Mailbox; 3] = [Mailbox::Inbox, Mailbox::Sent, Mailbox::Archive];

/// A message of `kind` and number, in the second of that number so that no two look alike; it
/// answers messages of either kind.
fn letter(kind: char, n: usize, who: &str, hour: u32, answers: &[(char, usize)]) -> Envelope {
    let seconds = f64::from(hour) * 3600.0 + f64::from(u32::try_from(n).unwrap());
    let ids: Vec<String> = answers.iter().map(|(kind, n)| format!("{kind}{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    answering(envelope(&format!("{kind}{n}"), who, seconds / 86_400.0), &ids)
}

/// What a message answers: talk (`t`) and noise (`x`), be it there or not.
fn answers() -> impl Strategy<Value = Answers> {
    prop::collection::vec((prop::sample::select(vec!['t', 'x']), 0usize..20), 0..3)
}

/// What a message answers, by kind and number.
type Answers = Vec<(char, usize)>;
/// Rep, contact, whether the rep sends it, a choice, and the hour.
type Plan<T> = (usize, usize, bool, T, u32);

/// Letters between reps and contacts, each where it is found first: what a rep has sent in Sent.
fn talk() -> impl Strategy<Value = Vec<Found>> {
    let one = (0usize..2, 0usize..3, any::<bool>(), any::<bool>(), 0u32..50 * 24);
    prop::collection::vec((one, answers()), 1..16).prop_map(|letters| {
        let found = |(n, (of, answers)): (usize, (Plan<bool>, Answers))| {
            let (rep, contact, sends, copied, hour) = of;
            let (me, them) = (REPS[rep], CONTACTS[contact]);
            let copied = if copied { ",carl" } else { "" };
            let (who, mailbox) = match sends {
                true => (format!("{me}>{them}{copied}"), Mailbox::Sent),
                false => (format!("{them}>{me}{copied}"), Mailbox::Inbox),
            };
            let answers: Answers = answers.into_iter().filter(|a| *a != ('t', n)).collect();
            Found { rep, mailbox, envelope: letter('t', n, &who, hour, &answers) }
        };
        letters.into_iter().enumerate().map(found).collect()
    })
}

/// Mail that somebody wrote to many or that a machine wrote: by its header, or with no rep in To
/// and Cc.
fn machines() -> impl Strategy<Value = Vec<Found>> {
    let one = (0usize..2, 0usize..3, any::<bool>(), 0..Automated::ALL.len() + 2, 0u32..50 * 24);
    prop::collection::vec((one, 0..3usize, answers()), 1..16).prop_map(|letters| {
        let found = |(n, (of, mailbox, answers)): (usize, (Plan<usize>, usize, Answers))| {
            let (rep, contact, sends, why, hour) = of;
            let (me, them) = (REPS[rep], CONTACTS[contact]);
            let who = match (Automated::ALL.get(why), why - why.min(Automated::ALL.len())) {
                (Some(_), _) if sends => format!("{me}>{them}"),
                (Some(_), _) => format!("{them}>{me}"),
                // A blind copy: it names somebody else, or nobody.
                (None, 0) => format!("{them}>ed@gamma.example"),
                (None, _) => format!("{them}>"),
            };
            let mut envelope = letter('x', n, &who, hour, &answers);
            envelope.automated = Automated::ALL.get(why).copied();
            Found { rep, mailbox: MAILBOXES[mailbox], envelope }
        };
        letters.into_iter().enumerate().map(found).collect()
    })
}

/// Mail among the own people, oneself included.
fn own() -> impl Strategy<Value = Vec<Found>> {
    let one = (0..OWN.len(), prop::collection::vec(0..OWN.len(), 1..4), 0u32..50 * 24);
    prop::collection::vec((one, 0usize..2, 0..3usize, answers()), 1..16).prop_map(|letters| {
        type Own = ((usize, Vec<usize>, u32), usize, usize, Answers);
        let found = |(n, ((from, to, hour), rep, mailbox, answers)): (usize, Own)| {
            let to: Vec<&str> = to.into_iter().map(|who| OWN[who]).collect();
            let who = format!("{}>{}", OWN[from], to.join(","));
            let envelope = letter('x', n, &who, hour, &answers);
            Found { rep, mailbox: MAILBOXES[mailbox], envelope }
        };
        letters.into_iter().enumerate().map(found).collect()
    })
}

/// A database into which mail has come, one message at a time.
fn read(mail: &[Found]) -> World {
    let world = World::new();
    for found in mail {
        world.mail(found.rep, found.mailbox, std::slice::from_ref(&found.envelope), day(END));
    }
    world.settle(day(END));
    world
}

/// Talk with noise, in an order of their own.
fn mixed(noise: impl Strategy<Value = Vec<Found>>) -> impl Strategy<Value = [Vec<Found>; 2]> {
    (talk(), noise).prop_flat_map(|(talk, noise)| {
        let all = talk.iter().chain(&noise).cloned().collect::<Vec<_>>();
        (Just(talk), Just(all).prop_shuffle()).prop_map(|(talk, all)| [talk, all])
    })
}

/// Two worlds say the same of every relationship, and it is what a rebuild says.
fn same(one: &World, other: &World) -> Result<(), TestCaseError> {
    let none = BTreeSet::new();
    prop_assert_eq!(one.view(&none).counted, other.view(&none).counted);
    let (a, b) = (one.states(day(END)), other.states(day(END)));
    prop_assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (pair, state) in &a {
        let differs = differ(state, &b[pair]);
        prop_assert!(differs.is_none(), "{}: {:?}", pair, differs);
    }
    for world in [one, other] {
        let differences = world.differences();
        prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
    Ok(())
}

/// A meeting of the first rep with a contact: series or not, which occurrence, the quarter of an
/// hour after noon of which day, and what has become of it.
fn meeting() -> impl Strategy<Value = (usize, u8, i64, i64, i64, u8)> {
    (0usize..3, 0u8..4, 0i64..8, 0i64..6, 0i64..12, 0u8..8)
}

fn asked(
    (contact, uid, occurrence, days, quarter, fate): (usize, u8, i64, i64, i64, u8),
) -> Meeting {
    use Participation::{Accepted, Declined, NeedsAction, Tentative};
    let answer = [Declined, NeedsAction, Tentative].into_iter().nth(usize::from(fate));
    let starts_at = day(0.0) + Span::from_days(days) + Span::from_seconds(61_200 + 900 * quarter);
    let attendee =
        |who, participation, organizer| Attendee { person: person(who), participation, organizer };
    Meeting {
        uid: format!("{contact}-{uid}"),
        recurrence_at: (uid > 0).then(|| day(0.0) + Span::from_days(occurrence)),
        starts_at,
        ends_at: starts_at + Span::from_seconds(900),
        status: if fate == 3 { MeetingStatus::Cancelled } else { MeetingStatus::Confirmed },
        attendees: vec![
            attendee("ann", Accepted, true),
            attendee(CONTACTS[contact], answer.unwrap_or(Accepted), false),
        ],
        version: Version::default(),
    }
}

/// How many meetings count with each contact, by rep and contact.
fn held(states: BTreeMap<String, Relationship>) -> BTreeMap<String, usize> {
    let count = |state: Relationship| usize::try_from(state.counts.meetings).unwrap();
    let all = states.into_iter().map(|(pair, state)| (pair, count(state)));
    all.filter(|(_, held)| *held > 0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn g6_automated_and_blind_mail_has_no_mass([talk, all] in mixed(machines())) {
        same(&read(&all), &read(&talk))?;
    }

    #[test]
    fn g7_own_aliases_and_colleagues_make_no_relationship([talk, all] in mixed(own())) {
        same(&read(&all), &read(&talk))?;
    }

    #[test]
    fn g8_a_message_counts_once_however_many_copies_there_are(
        (talk, copies) in talk().prop_flat_map(|talk| {
            let copy = (0..talk.len(), 0usize..2, 0usize..3, any::<bool>());
            (Just(talk), prop::collection::vec(copy, 1..24))
        }),
        first in any::<prop::sample::Index>(),
    ) {
        let mut all = talk.clone();
        for (n, (which, rep, mailbox, delivered_again)) in copies.into_iter().enumerate() {
            let mut copy = Found { rep, mailbox: MAILBOXES[mailbox], ..talk[which].clone() };
            if delivered_again {
                // Under another id, as some gateways do.
                copy.envelope.key = key(&format!("again{n}"));
            }
            all.insert(first.index(all.len() + 1), copy);
        }
        same(&read(&all), &read(&talk))?;
    }

    #[test]
    fn g11_only_meetings_held_have_mass_and_a_series_one_a_day(
        plan in prop::collection::vec(meeting(), 1..24),
    ) {
        let mut meetings: Vec<Meeting> = plan.into_iter().map(asked).collect();
        meetings.sort_by_key(|m| (m.uid.clone(), m.recurrence_at));
        meetings.dedup_by_key(|m| (m.uid.clone(), m.recurrence_at));
        // Afternoons in New York, where a day of the rep is a day of UTC.
        let expected = meetings
            .iter()
            .filter(|m| m.status != MeetingStatus::Cancelled)
            .filter(|m| m.attendees[1].participation == Participation::Accepted)
            .map(|m| (m.attendees[1].person.address.as_str(), &m.uid, m.ends_at.local_day(chrono_tz::UTC)))
            .collect::<BTreeSet<_>>();
        let mut counts = BTreeMap::new();
        for (contact, _, _) in expected {
            *counts.entry(format!("ann/{contact}")).or_insert(0) += 1;
        }
        let world = World::new();
        let window = (day(-10.0), day(60.0));
        world.calendar(0, Calendar { item: 0, window, meetings: meetings.clone(), whole: true }, day(END));
        world.settle(day(END));
        prop_assert_eq!(held(world.states(day(END))), counts);
        let differences = world.differences();
        prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
}
