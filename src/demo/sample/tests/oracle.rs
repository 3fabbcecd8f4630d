//! The formula of the strength over the story's own interactions, the slow and obvious way: every
//! value is summed up from the whole log.

use std::collections::BTreeMap;

use super::super::appointments::{Event, Standing, When};
use super::super::cast::Contact;
use super::super::days::Days;
use super::super::story::{Folder, Genre, Story, Who};
use crate::model::{Span, Timestamp};

const HALF_LIVES: [f64; 4] = [7.0, 30.0, 120.0, 480.0];

/// A relationship as it stands now.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) s: f64,
    pub(super) baseline: f64,
    fell_at: Option<Timestamp>,
    reciprocations: usize,
    active_days: usize,
    last_at: Timestamp,
    planned: usize,
}

/// What a rep should hear of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Standing,
    Weak,
    Planned,
    Fell { days_ago: f64, silent: f64 },
}

#[derive(Clone, Copy, Debug)]
struct Touch {
    at: Timestamp,
    day: i64,
    outbound: f64,
    inbound: f64,
    linked: bool,
}

impl State {
    pub(super) fn score(&self) -> f64 {
        if self.reciprocations == 0 { 0.0 } else { 100.0 * self.s / (self.s + 2.0) }
    }

    pub(super) fn silence_days(&self, now: Timestamp) -> f64 {
        now.days_since(self.last_at)
    }

    pub(super) fn verdict(&self, now: Timestamp) -> Verdict {
        let silent = self.silence_days(now);
        match self.fell_at {
            None => Verdict::Standing,
            Some(_) if self.reciprocations < 3 || self.active_days < 5 => Verdict::Weak,
            Some(_) if self.baseline < 0.6 => Verdict::Weak,
            Some(_) if self.planned > 0 => Verdict::Planned,
            Some(at) => Verdict::Fell { days_ago: now.days_since(at), silent },
        }
    }
}

impl Verdict {
    pub(super) fn is_due(self) -> bool {
        matches!(self, Self::Fell { days_ago, silent } if days_ago <= 21.0 && silent >= 7.0)
    }
}

/// Every relationship of the story, by rep and contact.
pub(super) fn relationships(
    cast: &[Contact],
    days: &Days,
    story: &Story,
) -> BTreeMap<(usize, usize), State> {
    let mut touches: BTreeMap<(usize, usize), Vec<Touch>> = BTreeMap::new();
    let mut planned: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    letters(days, story, &mut touches);
    for event in &story.events {
        for (pair, touch) in meetings(event, days) {
            let ahead = touch.at.days_since(days.now);
            if ahead <= 0.0 {
                touches.entry(pair).or_default().push(touch);
            } else if ahead <= 14.0 {
                *planned.entry(pair).or_default() += 1;
            }
        }
    }
    assert!(touches.len() >= cast.len());
    touches
        .into_iter()
        .map(|(pair, mut touches)| {
            touches.sort_by_key(|touch| touch.at);
            let planned = planned.get(&pair).copied().unwrap_or(0);
            (pair, State { planned, ..fold(&touches, days.now) })
        })
        .collect()
}

fn letters(days: &Days, story: &Story, touches: &mut BTreeMap<(usize, usize), Vec<Touch>>) {
    let senders: BTreeMap<_, _> = story.mails.iter().map(|m| (&m.id, m.from.who)).collect();
    for mail in &story.mails {
        if !matches!(mail.genre, Genre::Letter | Genre::BareReply) {
            continue;
        }
        let everyone: Vec<_> = mail.to.iter().chain(&mail.cc).map(|party| party.who).collect();
        let mass = (everyone.len() as f64).powf(-0.25);
        let (at, day) = (mail.at, days.wall(mail.at).0);
        let answered = |who| {
            mail.genre == Genre::Letter && mail.answers.iter().any(|id| senders.get(id) == Some(&who))
        };
        for who in everyone {
            let (pair, linked, outbound, inbound) = match (mail.from.who, who) {
                (Who::Rep(rep), Who::Contact(contact)) if mail.copies[0].1 == Folder::Sent => {
                    ((rep, contact), answered(who), mass, 0.0)
                }
                (Who::Contact(contact), Who::Rep(rep)) => {
                    ((rep, contact), answered(who), 0.0, mass)
                }
                _ => continue,
            };
            touches.entry(pair).or_default().push(Touch { at, day, outbound, inbound, linked });
        }
    }
}

/// The occurrences of an entry up to three weeks from now.
fn meetings(event: &Event, days: &Days) -> Vec<((usize, usize), Touch)> {
    let (When::Local(first, minute, length) | When::Utc(first, minute, length)) = event.when else {
        return Vec::new();
    };
    let held = |answer: &str| event.standing == Standing::Confirmed && answer == "ACCEPTED";
    let pair = match (event.organizer.who, event.attendees.first()) {
        (Who::Rep(rep), Some((party, answer))) if held(answer) => match party.who {
            Who::Contact(contact) => (rep, contact),
            _ => return Vec::new(),
        },
        (Who::Contact(contact), Some((party, answer))) if held(answer) => match party.who {
            Who::Rep(rep) => (rep, contact),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let (step, last, except) = event.repeat.as_ref().map_or((1, first, Vec::new()), |repeat| {
        (7 * repeat.every, repeat.until.unwrap_or(-21), repeat.except.clone())
    });
    let mut occurrences = Vec::new();
    let mut day = first;
    while day >= last {
        if !except.contains(&day) {
            let at = days.at(day, minute) + Span::from_seconds(length * 60);
            occurrences.push((pair, Touch { at, day, outbound: 1.25, inbound: 1.25, linked: true }));
        }
        day -= step;
    }
    occurrences
}

fn fold(touches: &[Touch], now: Timestamp) -> State {
    let mut state = State::default();
    let mut active: Vec<i64> = touches.iter().map(|touch| touch.day).collect();
    active.dedup();
    state.active_days = active.len();
    for (count, touch) in touches.iter().enumerate().map(|(index, touch)| (index + 1, touch)) {
        let log = &touches[..count];
        let next = touches.get(count).map_or(now, |next| next.at);
        state.reciprocations += usize::from(touch.linked);
        state.baseline *= 0.5_f64.powf(touch.at.days_since(state.last_at) / 365.0);
        state.last_at = touch.at;
        state.s = strength(log, touch.at);
        state.baseline = state.baseline.max(state.s);
        if state.s > 0.7 * state.baseline {
            state.fell_at = None;
        }
        let half = 0.5 * state.baseline;
        if state.fell_at.is_none() && strength(log, next) <= half {
            state.fell_at = Some(crossing(log, touch.at, next, half));
        }
    }
    state.s = strength(touches, now);
    state
}

fn crossing(log: &[Touch], mut above: Timestamp, mut below: Timestamp, half: f64) -> Timestamp {
    while (below - above).millis() > 60_000 {
        let middle = above + Span::from_millis((below - above).millis() / 2);
        if strength(log, middle) <= half { below = middle } else { above = middle }
    }
    below
}

/// S: 2 min(O,I) + 0.5 min((I-O)+, 1) + 0.25 min((O-I)+, 0.35)
fn strength(log: &[Touch], at: Timestamp) -> f64 {
    let (o, i) = (sum(log, at, |touch| touch.outbound), sum(log, at, |touch| touch.inbound));
    2.0 * o.min(i) + 0.5 * (i - o).clamp(0.0, 1.0) + 0.25 * (o - i).clamp(0.0, 0.35)
}

/// One direction: day by day, largest first, each message at its own time.
fn sum(log: &[Touch], at: Timestamp, mass: impl Fn(&Touch) -> f64) -> f64 {
    let mut total = 0.0;
    for day in log.chunk_by(|a, b| a.day == b.day) {
        let mut day: Vec<_> = day.iter().map(|t| (mass(t), t.at)).filter(|t| t.0 > 0.0).collect();
        day.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (rank, (mass, then)) in day.into_iter().enumerate() {
            let (rank, age) = (rank as f64 + 1.0, at.days_since(then));
            let decayed = HALF_LIVES.iter().map(|h| h.powf(-0.75) * 0.5_f64.powf(age / h));
            total += mass / (rank * rank) * decayed.sum::<f64>();
        }
    }
    total
}
