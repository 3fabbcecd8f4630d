//! The recomputation: plain loops over the messages as they were planned, working hours minute by
//! minute, and nothing of the program's.

use chrono::{Datelike, TimeZone, Timelike};
use keepwarm::model::Timestamp;

use super::plan::Mail;
use crate::support::generate::REP;

const DAY: u64 = 86_400;
const ZONE: chrono_tz::Tz = chrono_tz::America::New_York;

/// The numbers of a window, in this order.
pub(super) const NAMES: [&str; 20] = [
    "outbound",
    "inbound",
    "active_days",
    "threads_opened",
    "threads_opened_by_contact",
    "initiative_of_contact",
    "answers_of_rep.asked",
    "answers_of_rep.answered",
    "answers_of_rep.reply_rate",
    "answers_of_rep.replies",
    "answers_of_rep.response_hours.median",
    "answers_of_rep.response_hours.p90",
    "answers_of_rep.response_working_hours.median",
    "answers_of_rep.response_working_hours.p90",
    "answers_of_contact.asked",
    "answers_of_contact.answered",
    "answers_of_contact.reply_rate",
    "answers_of_contact.replies",
    "answers_of_contact.response_hours.median",
    "answers_of_contact.response_working_hours.p90",
];

/// Whether two numbers are the same, or neither is there.
pub(super) fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// A window's days and numbers; `None` if nothing was exchanged with the contact by then.
pub(super) type Numbers = Vec<(u64, Vec<Option<f64>>)>;

pub(super) fn engagement(mails: &[Mail], contact: &str, now: Timestamp) -> Option<Numbers> {
    let now = u64::try_from(now.seconds()).unwrap();
    let of = Talk { mails, contact };
    let any = (0..mails.len()).any(|n| mails[n].at <= now && of.way(n).is_some());
    any.then(|| [30, 90, 365].map(|days| (days, of.window(now - days * DAY, now))).to_vec())
}

/// All mail, seen from ann and one contact.
struct Talk<'a> {
    mails: &'a [Mail],
    contact: &'a str,
}

impl Talk<'_> {
    /// Who of the two wrote a message to the other, if that is still there: `true` is ann.
    fn way(&self, n: usize) -> Option<bool> {
        let mail = &self.mails[n];
        let to = |who: &str| mail.to.contains(&who);
        match (mail.lost, mail.from) {
            (false, REP) if to(self.contact) => Some(true),
            (false, from) if from == self.contact && to(REP) => Some(false),
            _ => None,
        }
    }

    fn parent(&self, n: usize) -> Option<usize> {
        self.mails[n].refers_to().into_iter().rev().find(|parent| self.mails[*parent].is_known())
    }

    fn first_reply(&self, n: usize) -> Option<u64> {
        let answers = |m: &usize| {
            self.way(*m).is_some() && self.way(*m) != self.way(n) && self.parent(*m) == Some(n)
        };
        (0..self.mails.len()).filter(answers).map(|m| self.mails[m].at).min()
    }

    fn follow_up(&self, n: usize) -> Option<u64> {
        let follows = |m: &usize| self.way(*m) == self.way(n) && self.parent(*m) == Some(n);
        (0..self.mails.len()).filter(follows).map(|m| self.mails[m].at).min()
    }

    /// The messages that hang together with one by what is known to refer to what.
    fn thread(&self, n: usize) -> Vec<usize> {
        let mut thread = vec![n];
        let mut done = 0;
        while let Some(one) = thread.get(done).copied() {
            done += 1;
            for other in 0..self.mails.len() {
                let refers = |a: usize, b: usize| {
                    self.mails[a].is_known() && self.mails[a].refers_to().contains(&b)
                };
                if (refers(one, other) || refers(other, one)) && !thread.contains(&other) {
                    thread.push(other);
                }
            }
        }
        thread
    }

    /// Whether it refers to a message of the other of the two.
    fn is_answer(&self, n: usize) -> bool {
        let other = |p: &usize| self.way(*p).is_some_and(|way| Some(way) != self.way(n));
        self.mails[n].refers_to().iter().any(other)
    }

    fn opens(&self, n: usize) -> bool {
        let begins = |m: &usize| self.way(*m).is_some() && !self.is_answer(*m);
        self.thread(n).into_iter().filter(begins).min_by_key(|m| self.mails[*m].at) == Some(n)
    }

    fn window(&self, from: u64, now: u64) -> Vec<Option<f64>> {
        let inside: Vec<usize> = (0..self.mails.len())
            .filter(|n| {
                self.way(*n).is_some() && from < self.mails[*n].at && self.mails[*n].at <= now
            })
            .collect();
        let count = |wanted: &dyn Fn(usize) -> bool| {
            Some(number(inside.iter().filter(|n| wanted(**n)).count()))
        };
        let by_rep = |n: usize| self.way(n) == Some(true);
        let mut days: Vec<i64> =
            inside.iter().map(|n| local(self.mails[*n].at).num_days_from_ce().into()).collect();
        days.sort_unstable();
        days.dedup();
        let opened = count(&|n| self.opens(n));
        let opened_by_contact = count(&|n| self.opens(n) && !by_rep(n));
        let mut numbers = vec![
            count(&by_rep),
            count(&|n| !by_rep(n)),
            Some(number(days.len())),
            opened,
            opened_by_contact,
            share(opened_by_contact, opened),
        ];
        for rep_answers in [true, false] {
            numbers.extend(self.answers(&inside, rep_answers, now));
        }
        numbers
    }

    /// How one of the two answers; of the contact's distributions only one number each is compared.
    fn answers(&self, inside: &[usize], rep_answers: bool, now: u64) -> Vec<Option<f64>> {
        let (mut asked, mut answered) = (0, 0);
        for n in inside.iter().copied().filter(|n| self.way(*n) == Some(!rep_answers)) {
            let ends = self.mails[n].at + 7 * DAY;
            if self.mails[n].to.len() > 3 || ends > now {
                continue;
            }
            let in_time = self.first_reply(n).is_some_and(|at| at <= ends);
            if in_time || self.follow_up(n).is_none_or(|at| at > ends) {
                asked += 1;
                answered += usize::from(in_time);
            }
        }
        let mut elapsed = Vec::new();
        let mut worked = Vec::new();
        for n in inside.iter().copied().filter(|n| self.way(*n) == Some(rep_answers)) {
            let Some(parent) = self.parent(n) else { continue };
            let (asked_at, at) = (self.mails[parent].at, self.mails[n].at);
            let flips = self.way(parent) == Some(!rep_answers);
            if flips && self.first_reply(parent) == Some(at) {
                elapsed.push((at - asked_at) as f64 / 3600.0);
                worked.push(number((asked_at / 60..at / 60).filter(|m| works(*m)).count()) / 60.0);
            }
        }
        let (asked, answered) = (Some(number(asked)), Some(number(answered)));
        let mut numbers =
            vec![asked, answered, share(answered, asked), Some(number(elapsed.len()))];
        if rep_answers {
            numbers.extend([quantile(&mut elapsed, 0.5), quantile(&mut elapsed, 0.9)]);
            numbers.extend([quantile(&mut worked, 0.5), quantile(&mut worked, 0.9)]);
        } else {
            numbers.extend([quantile(&mut elapsed, 0.5), quantile(&mut worked, 0.9)]);
        }
        numbers
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn share(part: Option<f64>, of: Option<f64>) -> Option<f64> {
    of.filter(|of| *of > 0.0).map(|of| part.unwrap() / of)
}

fn local(seconds: u64) -> chrono::DateTime<chrono_tz::Tz> {
    ZONE.timestamp_opt(i64::try_from(seconds).unwrap(), 0).unwrap()
}

/// Whether a minute since the epoch is worked: Monday to Friday, from nine to five.
fn works(minute: u64) -> bool {
    let at = local(minute * 60);
    at.weekday().number_from_monday() <= 5 && (9..17).contains(&at.hour())
}

/// As numpy's `quantile` has it.
fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let place = share * number(values.len().checked_sub(1)?);
    let below = (0..values.len()).rev().find(|n| number(*n) <= place)?;
    let next = values.get(below + 1).unwrap_or(&values[below]);
    Some(values[below] + (next - values[below]) * (place - number(below)))
}
