//! The formula of the strength over the story's own interactions, written down a second time.

use std::collections::BTreeMap;

use super::super::appointments::{Event, Standing, When};
use super::super::cast::Contact;
use super::super::days::Days;
use super::super::story::{Folder, Genre, Story, Who};
use crate::model::{Span, Timestamp};

/// Half-lives in days, and their weights `h^-0.75`.
const TERMS: [(f64, f64); 4] = [(7.0, 0.2324), (30.0, 0.0780), (120.0, 0.0276), (480.0, 0.00975)];

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
            mail.genre == Genre::Letter
                && mail.answers.iter().any(|id| senders.get(id) == Some(&who))
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
            occurrences
                .push((pair, Touch { at, day, outbound: 1.25, inbound: 1.25, linked: true }));
        }
        day -= step;
    }
    occurrences
}

fn fold(touches: &[Touch], now: Timestamp) -> State {
    let mut state = State::default();
    let mut sums = Sums::default();
    let mut ahead = touches.iter().map(|touch| touch.at).skip(1).chain([now]);
    for touch in touches {
        state.active_days += usize::from(sums.add(*touch) == 1);
        state.reciprocations += usize::from(touch.linked);
        state.baseline *= 0.5_f64.powf(touch.at.days_since(state.last_at) / 365.0);
        state.last_at = touch.at;
        state.s = sums.strength(touch.at);
        state.baseline = state.baseline.max(state.s);
        if state.s > 0.7 * state.baseline {
            state.fell_at = None;
        }
        let (half, next) = (0.5 * state.baseline, ahead.next().unwrap());
        if state.fell_at.is_none() && sums.strength(next) <= half {
            state.fell_at = Some(sums.crossing(touch.at, next, half));
        }
    }
    state.s = sums.strength(now);
    state
}

/// Decayed mass of both directions: days gone by summed up, the present day message by message.
#[derive(Default)]
struct Sums {
    past: [[f64; 4]; 2],
    at: Timestamp,
    today: Vec<Touch>,
}

impl Sums {
    /// How many there are on that day so far.
    fn add(&mut self, touch: Touch) -> usize {
        if self.today.first().is_some_and(|first| first.day != touch.day) {
            self.past = [self.sum(0, touch.at), self.sum(1, touch.at)];
            self.at = touch.at;
            self.today.clear();
        }
        self.today.push(touch);
        self.today.len()
    }

    /// One direction by half-life, the day's messages largest first, each of its own age.
    fn sum(&self, direction: usize, at: Timestamp) -> [f64; 4] {
        let mass = |t: &Touch| [t.outbound, t.inbound][direction];
        let mut day: Vec<_> = self.today.iter().filter(|t| mass(t) > 0.0).collect();
        day.sort_by(|a, b| mass(b).total_cmp(&mass(a)));
        std::array::from_fn(|term| {
            let fade = |since| (-at.days_since(since) / TERMS[term].0).exp2();
            let past = self.past[direction][term] * fade(self.at);
            day.iter().zip(1_u32..).fold(past, |sum, (touch, rank)| {
                sum + mass(touch) / f64::from(rank * rank) * fade(touch.at)
            })
        })
    }

    /// S: 2 min(O,I) + 0.5 min((I-O)+, 1) + 0.25 min((O-I)+, 0.35)
    fn strength(&self, at: Timestamp) -> f64 {
        let [o, i] = [0, 1].map(|direction| -> f64 {
            self.sum(direction, at).iter().zip(TERMS).map(|(sum, (_, weight))| sum * weight).sum()
        });
        2.0 * o.min(i) + 0.5 * (i - o).clamp(0.0, 1.0) + 0.25 * (o - i).clamp(0.0, 0.35)
    }

    fn crossing(&self, mut above: Timestamp, mut below: Timestamp, half: f64) -> Timestamp {
        while (below - above).millis() > 60_000 {
            let middle = above + Span::from_millis((below - above).millis() / 2);
            if self.strength(middle) <= half { below = middle } else { above = middle }
        }
        below
    }
}
