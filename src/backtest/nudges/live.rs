//! Triggers as they are configured, played as the service acts on them.
//!
//! Unlike a swept threshold: the hazard is down at a deep fall of S too, each trigger counts the
//! silence that it counts in the service, and an episode ends as `nudge::recovery` says. A nudge may
//! so come between two messages that the rep writes into the void.

use super::super::log::History;
use super::tally::Tally;
use super::{Setting, Trigger, first_due, nudged};
use crate::model::time::DAY_MS;
use crate::model::{Relationship, Span, Timestamp};
use crate::nudge::decide::silent_since;
use crate::nudge::{Policy, Recovery, Rule, established, recovery};
use crate::score::Parameters;
use crate::score::fold::walk;

/// Plays settings along a history, each into its tally.
pub(super) fn play(
    history: &History,
    settings: &[Setting],
    (end, parameters, policy): (Timestamp, &Parameters, &Policy),
    tallies: &mut [Tally],
) {
    let mut states: Vec<Relationship> = Vec::new();
    walk(&history.interactions, history.zone, parameters, end, |state| states.push(*state));
    for (setting, tally) in settings.iter().zip(tallies) {
        along(&states, &policy_of(*setting, policy), end, tally);
    }
}

/// The policy under which a setting is the trigger.
fn policy_of(Setting { trigger, threshold }: Setting, policy: &Policy) -> Policy {
    match trigger {
        Trigger::Hazard => Policy { rule: Rule::Hazard, hazard_probability: threshold, ..*policy },
        Trigger::Drop => Policy { rule: Rule::Drop, drop_ratio: threshold, ..*policy },
        Trigger::Fixed => Policy { rule: Rule::Fixed, fixed: span_of(threshold), ..*policy },
    }
}

fn span_of(days: f64) -> Span {
    #[expect(clippy::cast_possible_truncation, reason = "a threshold of days is far below 2^63 ms")]
    #[expect(clippy::cast_precision_loss, reason = "a day has fewer than 2^52 ms")]
    let millis = (days * DAY_MS as f64).round() as i64;
    Span::from_millis(millis)
}

/// Plays a policy's trigger along the states after each instant of a history.
fn along(states: &[Relationship], policy: &Policy, end: Timestamp, tally: &mut Tally) {
    let trigger = policy.trigger();
    let mut episode: Option<(Timestamp, bool)> = None;
    let mut following = states.iter().skip(1);
    for state in states {
        let from = state.masses.at;
        let to = following.next().map_or(end, |next| next.masses.at);
        if let Some((_, under_way)) = &mut episode
            && *under_way
        {
            *under_way = recovery(state, policy, from) == Recovery::StillDown;
            if *under_way {
                continue;
            }
        }
        let Some(since) = silent_since(state, policy) else { continue };
        if !established(state, policy) || !trigger.down(state, to) {
            continue;
        }
        let distance = episode.map_or(from, |(began, _)| began + policy.between_episodes);
        let earliest = from.max(since + policy.min_silence).max(distance);
        let Some(at) = first_due(earliest, to, |at| trigger.down(state, at)) else { continue };
        episode = Some((at, true));
        nudged(at, (from, to), end, tally);
    }
}
