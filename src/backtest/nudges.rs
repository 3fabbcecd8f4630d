//! Triggers played along a log: how often each would have nudged, how early, and how rightly.
//!
//! Silence, here, is the time since the last interaction of any kind, and a nudge was right if it
//! lasted 30 days more. Thresholds are swept by one number alone: the hazard by its probability,
//! whatever S, and all of them by that silence. What is configured is played as it is live ([`live`]).
//! Everything that depends on the world beside the log (budget, silences asked
//! for, meetings planned) is left out, so that triggers are compared and nothing else.

mod live;
mod tally;

use super::log::{History, Log};
use super::metric::real;
use crate::model::{Relationship, Span, Timestamp};
use crate::nudge::decide::RECOVERED_SHARE;
use crate::nudge::{Policy, established};
use crate::score::fold::walk;
use crate::score::hazard::probability;
use crate::score::{Parameters, strength_at};
use tally::Tally;

/// A nudge is right if so much more silence follows.
const FORWARD: Span = Span::from_days(30);
/// A silence of so long is a lapse, which should not have come unannounced.
const LAPSE: Span = Span::from_days(60);
/// Precisions at which triggers are compared.
pub const EQUAL_PRECISIONS: [f64; 2] = [0.6, 0.7];
/// With fewer nudges a precision is chance.
const LEAST_NUDGES: u64 = 50;
/// Instants of crossing are found to ten minutes.
const EXACT: Span = Span::from_seconds(600);

/// What makes a nudge due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The probability of 30 more silent days.
    Hazard,
    /// S at or below a share of the baseline.
    Drop,
    /// So many days without an interaction.
    Fixed,
}

/// A trigger at one threshold: a probability, a share of the baseline, or days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Which.
    pub trigger: Trigger,
    /// From where on it is due.
    pub threshold: f64,
}

/// How a setting was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chosen {
    /// It is the configured one.
    Configured,
    /// It is the most eager one that reaches this forward precision.
    AtPrecision(f64),
}

/// What a setting would have done along the log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Played {
    /// How it was chosen.
    pub chosen: Chosen,
    /// The trigger and its threshold; `None` if no threshold reaches the precision.
    pub setting: Option<Setting>,
    /// Which trigger.
    pub trigger: Trigger,
    /// Nudges along the whole log.
    pub nudges: u64,
    /// Those followed by 30 days of log or more, by which precision and silence are told.
    pub judged: u64,
    /// The share of them after which 30 more silent days followed.
    pub precision: Option<f64>,
    /// The median silence at the nudge, in days.
    pub silence_days: Option<f64>,
    /// Nudges for each rep and week of the rep's interactions.
    pub per_rep_week: Option<f64>,
    /// The share of the lapses during which there was a nudge.
    pub recall: Option<f64>,
}

/// What all triggers would have done, and how much there was to foresee.
#[derive(Clone, Debug, PartialEq)]
pub struct Nudges {
    /// Silences of 60 days and more in relationships that mattered.
    pub lapses: u64,
    /// By trigger, as configured and at each of [`EQUAL_PRECISIONS`].
    pub played: Vec<Played>,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hazard, Self::Drop, Self::Fixed];

    /// The word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hazard => "hazard",
            Self::Drop => "drop",
            Self::Fixed => "fixed",
        }
    }

    /// Thresholds from the most eager to the most patient.
    fn thresholds(self) -> Vec<f64> {
        match self {
            Self::Hazard => (5..=98).map(|percent| f64::from(percent) / 100.0).collect(),
            Self::Drop => (5..=95).rev().map(|percent| f64::from(percent) / 100.0).collect(),
            Self::Fixed => (7..=180).map(f64::from).collect(),
        }
    }
}

/// Plays every trigger along a log; `configured` are the settings in use.
#[must_use]
pub fn play(log: &Log, configured: &[Setting], parameters: &Parameters, policy: &Policy) -> Nudges {
    let end = log.span().map_or_else(Timestamp::default, |(_, last)| last);
    let grid = Trigger::ALL.into_iter().flat_map(|trigger| {
        trigger.thresholds().into_iter().map(move |threshold| Setting { trigger, threshold })
    });
    let settings: Vec<Setting> = configured.iter().copied().chain(grid).collect();
    let mut tallies = vec![Tally::default(); settings.len()];
    let mut lapses = 0;
    let (in_use, swept) = settings.split_at(configured.len());
    for history in &log.histories {
        live::play(history, in_use, (end, parameters, policy), &mut tallies);
        let silences = silences(history, end, parameters, policy);
        lapses += silences.iter().map(|silence| u64::from(silence.is_lapse())).sum::<u64>();
        for (setting, tally) in swept.iter().zip(tallies.iter_mut().skip(configured.len())) {
            along(&silences, *setting, policy, end, tally);
        }
    }
    let rep_weeks = rep_weeks(log);
    let told = |chosen, trigger, found: Option<(Setting, &Tally)>| {
        let setting = found.map(|(setting, _)| setting);
        let none = Tally::default();
        let tally = found.map_or(&none, |(_, tally)| tally);
        Played {
            chosen,
            setting,
            trigger,
            nudges: tally.nudges,
            judged: tally.judged,
            precision: tally.precision(),
            silence_days: tally.median_silence(),
            per_rep_week: setting
                .filter(|_| rep_weeks > 0.0)
                .map(|_| real(tally.nudges) / rep_weeks),
            recall: setting.filter(|_| lapses > 0).map(|_| real(tally.lapses) / real(lapses)),
        }
    };
    let mut played = Vec::new();
    let all: Vec<(Setting, &Tally)> = settings.iter().copied().zip(&tallies).collect();
    let (in_use, swept) = all.split_at(configured.len());
    for trigger in Trigger::ALL {
        let of = |(setting, _): &&(Setting, &Tally)| setting.trigger == trigger;
        let own = in_use.iter().find(of).copied();
        played.extend(own.map(|own| told(Chosen::Configured, trigger, Some(own))));
        for least in EQUAL_PRECISIONS {
            let reaches = |(_, tally): &&(Setting, &Tally)| {
                tally.judged >= LEAST_NUDGES && tally.precision().is_some_and(|p| p >= least)
            };
            let found = swept.iter().filter(of).find(reaches).copied();
            played.push(told(Chosen::AtPrecision(least), trigger, found));
        }
    }
    Nudges { lapses, played }
}

/// A silence in a relationship that mattered: what was known when it began, and when it ended.
struct Silence {
    state: Relationship,
    /// The next interaction, or the end of the log.
    to: Timestamp,
    /// The best S in shares of the baseline at any interaction since the silence before.
    recovered_to: f64,
    /// S in shares of the baseline when it ended: no threshold below is reached.
    fell_to: f64,
    /// The least probability of 30 more silent days at any interaction since the silence before.
    calmed_to: f64,
    /// That probability when it ended: no threshold above is reached.
    rose_to: f64,
}

impl Silence {
    fn from(&self) -> Timestamp {
        self.state.masses.at
    }

    fn is_lapse(&self) -> bool {
        self.to - self.from() >= LAPSE
    }
}

/// The silences of a history in which a nudge may come at all.
fn silences(
    history: &History,
    end: Timestamp,
    parameters: &Parameters,
    policy: &Policy,
) -> Vec<Silence> {
    let mut silences: Vec<Silence> = Vec::new();
    let p = |state: &Relationship, at| probability(state, &policy.hazard, at).unwrap_or(1.0);
    let mut open: Option<(Relationship, f64, f64)> = None;
    let mut close = |open: Option<(Relationship, f64, f64)>, to: Timestamp| -> (f64, f64) {
        let Some((state, recovered_to, calmed_to)) = open else { return (0.0, 1.0) };
        if to - state.masses.at < policy.min_silence || !established(&state, policy) {
            return (recovered_to, calmed_to);
        }
        let (fell_to, rose_to) = (share(&state, to), p(&state, to));
        silences.push(Silence { state, to, recovered_to, fell_to, calmed_to, rose_to });
        (0.0, 1.0)
    };
    walk(&history.interactions, history.zone, parameters, end, |state| {
        let at = state.masses.at;
        let (best, calmest) = close(open.take(), at);
        open = Some((*state, best.max(share(state, at)), calmest.min(p(state, at))));
    });
    close(open.take(), end);
    silences
}

/// S at `at` in shares of the baseline.
fn share(state: &Relationship, at: Timestamp) -> f64 {
    if state.baseline > 0.0 { strength_at(state, at).s / state.baseline } else { 0.0 }
}

/// Plays one setting along the silences of a history.
fn along(
    silences: &[Silence],
    setting: Setting,
    policy: &Policy,
    end: Timestamp,
    tally: &mut Tally,
) {
    let mut episode: Option<(Timestamp, bool)> = None;
    for silence in silences {
        let over = match setting.trigger {
            Trigger::Hazard => silence.calmed_to < RECOVERED_SHARE * setting.threshold,
            Trigger::Drop => silence.recovered_to >= policy.recovery_ratio.max(setting.threshold),
            Trigger::Fixed => true,
        };
        episode = episode.map(|(began, under_way)| (began, under_way && !over));
        if episode.is_some_and(|(_, under_way)| under_way) {
            continue;
        }
        let earliest = episode.map(|(began, _)| began + policy.between_episodes);
        let Some(at) = due(silence, setting, earliest, policy) else { continue };
        episode = Some((at, true));
        nudged(at, (silence.from(), silence.to), end, tally);
    }
}

/// Adds a nudge at `at`, between two interactions or one and the end of the log.
fn nudged(at: Timestamp, (from, to): (Timestamp, Timestamp), end: Timestamp, tally: &mut Tally) {
    let judged = end - at >= FORWARD;
    let quiet = to - at > FORWARD || (judged && to == end);
    tally.add(at.days_since(from), judged.then_some(quiet), to - from >= LAPSE);
}

/// When in a silence a nudge comes, if it does.
fn due(
    silence: &Silence,
    setting: Setting,
    earliest: Option<Timestamp>,
    policy: &Policy,
) -> Option<Timestamp> {
    let from = silence.from();
    let is_due = |at: Timestamp| match setting.trigger {
        Trigger::Hazard => {
            let p = probability(&silence.state, &policy.hazard, at);
            p.is_some_and(|p| p >= setting.threshold)
        }
        Trigger::Drop => share(&silence.state, at) <= setting.threshold,
        Trigger::Fixed => at.days_since(from) >= setting.threshold,
    };
    let before = (from + policy.min_silence).max(earliest.unwrap_or(from));
    let ever = match setting.trigger {
        Trigger::Hazard => silence.rose_to >= setting.threshold,
        Trigger::Drop => silence.fell_to <= setting.threshold,
        Trigger::Fixed => is_due(silence.to),
    };
    if ever { first_due(before, silence.to, is_due) } else { None }
}

/// When what is due at the end of a silence, if it is, became so; not if only with its end.
fn first_due(
    mut before: Timestamp,
    to: Timestamp,
    is_due: impl Fn(Timestamp) -> bool,
) -> Option<Timestamp> {
    let mut after = to;
    if before >= after {
        return None;
    }
    if is_due(before) {
        return Some(before);
    }
    while after - before > EXACT {
        let middle = before + Span::from_millis((after - before).millis() / 2);
        if is_due(middle) {
            after = middle;
        } else {
            before = middle;
        }
    }
    (after < to).then_some(after)
}

/// Weeks between first and last interaction, added up over the reps.
fn rep_weeks(log: &Log) -> f64 {
    let spans = log.histories.chunk_by(|a, b| a.rep == b.rep).map(|of_rep| {
        let first = of_rep.iter().filter_map(|h| h.interactions.first()).map(|i| i.at).min();
        let last = of_rep.iter().filter_map(|h| h.interactions.last()).map(|i| i.at).max();
        first.zip(last).map_or(0.0, |(first, last)| (last - first).days())
    });
    spans.sum::<f64>() / 7.0
}

#[cfg(test)]
mod tests;
