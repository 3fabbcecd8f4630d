//! Why a rep is nudged, in codes for programs and in sentences for people.

use crate::model::{Direction, Interaction, Kind, Reason, Relationship, Timestamp};
use crate::score::hazard::{AHEAD_DAYS, probability};
use crate::score::{Strength, Trigger, usual_gap_days};

/// Somebody else who is close to the contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    /// The rep's name.
    pub name: String,
}

/// What is said about.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The contact's first name or name, as it may stand in a sentence.
    pub contact: &'a str,
    /// The state.
    pub state: &'a Relationship,
    /// Its counted interactions by time, none later than now.
    pub log: &'a [Interaction],
    /// The strength now.
    pub strength: Strength,
    /// The score at its best, remembered.
    pub baseline_score: f64,
    /// What made it fall.
    pub trigger: &'a Trigger,
    /// The rep's time zone.
    pub zone: chrono_tz::Tz,
    /// The colleague who is closest to the contact, if one is close.
    pub colleague: Option<&'a Colleague>,
}

/// The reasons, the weightiest first; never empty.
#[must_use]
pub fn reasons(evidence: &Evidence<'_>, now: Timestamp) -> Vec<Reason> {
    let mut reasons = vec![silence(evidence, now)];
    reasons.extend(unanswered(evidence, now));
    reasons.extend(hazard(evidence, now));
    reasons.push(Reason {
        code: "drop".into(),
        days: None,
        usual_gap_days: None,
        text: format!(
            "Strength {:.0}, down from {:.0} at its best.",
            evidence.strength.score, evidence.baseline_score
        ),
    });
    reasons
}

/// What the rep might do, from who spoke last and how, and who else could open the door.
#[must_use]
pub fn suggestion(evidence: &Evidence<'_>, now: Timestamp) -> String {
    let next = next_step(evidence, now);
    match evidence.colleague {
        Some(Colleague { name }) => {
            format!("{next} {name} is in touch with {}, and could help.", evidence.contact)
        }
        None => next,
    }
}

fn next_step(evidence: &Evidence<'_>, now: Timestamp) -> String {
    let name = evidence.contact;
    let Some(last) = evidence.log.last() else { return format!("Write to {name}.") };
    let day = date(last.at, evidence.zone);
    match (last.kind, last.direction) {
        (Kind::Meeting, _) => format!("Follow up on your meeting with {name} of {day}."),
        (_, Direction::Inbound) if last.linked => {
            format!("Pick up the thread with {name}, who had the last word on {day}.")
        }
        (_, Direction::Inbound) => format!("Answer {name}'s message of {day}."),
        _ if trailing_outbound(evidence.log) >= 2 => {
            format!("Your last messages to {name} got no answer: try a call or another person.")
        }
        _ => format!(
            "Pick up the thread with {name}: your message of {day}, {} ago, was the last word.",
            days_of(whole_days(now, last.at))
        ),
    }
}

/// How long nothing has gone both ways, and what is usual.
fn silence(evidence: &Evidence<'_>, now: Timestamp) -> Reason {
    let days = whole_days(now, evidence.state.both_ways_at().unwrap_or(now));
    let gap = usual_gap_days(&evidence.state.cadence).map(rounded);
    let usual = match gap {
        Some(1) => "; usually every day".to_owned(),
        Some(gap) => format!("; usually every {gap} days"),
        None => String::new(),
    };
    Reason {
        code: "silence".into(),
        days: Some(days),
        usual_gap_days: gap,
        text: format!("No two-way contact for {}{usual}.", days_of(days)),
    }
}

/// How likely the silence is to go on, if that is what made it fall: a deep fall of S may come first,
/// and then says so itself. What the installation's own relationships have shown is in the number.
fn hazard(evidence: &Evidence<'_>, now: Timestamp) -> Option<Reason> {
    let Trigger::Hazard { coefficients, probability: least } = evidence.trigger else {
        return None;
    };
    let p = probability(evidence.state, coefficients, now).filter(|p| p >= least)?;
    let cases = match (p * 10.0).round() {
        tenths if tenths < 1.0 => "fewer than 1 of 10".to_owned(),
        tenths if tenths >= 10.0 => "nearly all".to_owned(),
        tenths => format!("{tenths:.0} of 10"),
    };
    Some(Reason {
        code: "hazard".into(),
        days: Some(AHEAD_DAYS),
        usual_gap_days: None,
        text: format!(
            "At this rhythm such a silence goes on for {AHEAD_DAYS} more days in {cases} cases."
        ),
    })
}

fn days_of(count: i64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// That the rep has written without an answer, if so.
fn unanswered(evidence: &Evidence<'_>, now: Timestamp) -> Option<Reason> {
    let count = trailing_outbound(evidence.log);
    let first = evidence.log.get(evidence.log.len().saturating_sub(count))?.at;
    let since = date(first, evidence.zone);
    let text = if count == 1 {
        format!("Your message of {since} has had no answer.")
    } else {
        format!("Your {count} messages since {since} have had no answer.")
    };
    let days = Some(whole_days(now, first));
    Some(Reason { code: "unanswered".into(), days, usual_gap_days: None, text })
}

/// How many messages of the rep stand at the end of the log that could have been answered; an answer of
/// the rep's own need not be.
fn trailing_outbound(log: &[Interaction]) -> usize {
    log.iter().rev().take_while(|i| i.direction == Direction::Outbound && !i.linked).count()
}

pub(super) fn whole_days(now: Timestamp, then: Timestamp) -> i64 {
    (now - then).millis().max(0) / crate::model::time::DAY_MS
}

fn rounded(days: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a gap of days is far below 2^63")]
    let whole = days.round().max(1.0) as i64;
    whole
}

/// The day on the rep's calendar, such as `3 October 2026`.
#[must_use]
pub fn date(at: Timestamp, zone: chrono_tz::Tz) -> String {
    at.to_utc()
        .map_or_else(String::new, |utc| utc.with_timezone(&zone).format("%-d %B %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::{Evidence, reasons, suggestion};
    use crate::model::{Direction, Interaction, Kind, Span, Timestamp};
    use crate::score::hazard::SHIPPED;
    use crate::score::{Parameters, Trigger, rebuild, strength_at};

    /// Days before now, with `o`utbound, `i`nbound or `m`eeting.
    fn told(history: &str) -> (Vec<String>, String) {
        told_by(history, &Trigger::Drop(0.5))
    }

    fn told_by(history: &str, trigger: &Trigger) -> (Vec<String>, String) {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let log: Vec<Interaction> = history
            .split_whitespace()
            .map(|entry| {
                let (days, what) = entry.split_at(entry.len() - 1);
                let (direction, kind) = match what {
                    "o" => (Direction::Outbound, Kind::Message),
                    "i" => (Direction::Inbound, Kind::Message),
                    _ => (Direction::Mutual, Kind::Meeting),
                };
                let at = now - Span::from_days(days.parse().unwrap());
                Interaction { at, direction, kind, audience: 1, linked: what != "o" }
            })
            .collect();
        let state = rebuild(&log, chrono_tz::UTC, &Parameters::default(), now);
        let evidence = Evidence {
            contact: "Bo",
            state: &state,
            log: &log,
            strength: strength_at(&state, now),
            baseline_score: 60.0,
            trigger,
            zone: chrono_tz::UTC,
            colleague: None,
        };
        let texts = reasons(&evidence, now).into_iter().map(|r| r.text).collect();
        (texts, suggestion(&evidence, now))
    }

    #[test]
    fn sentences_say_what_happened() {
        let (texts, suggestion) = told("62o 62i 52o 52i 41o 41i");
        assert_eq!(texts[0], "No two-way contact for 41 days; usually every 10 days.");
        assert_eq!(texts.len(), 2);
        let last_word = "Pick up the thread with Bo, who had the last word on 11 October 2026.";
        assert_eq!(suggestion, last_word);

        let (texts, suggestion) = told("62o 62i 52o 51i 20o 10o");
        assert_eq!(texts[0], "No two-way contact for 51 days; usually every 12 days.");
        assert_eq!(texts[1], "Your 2 messages since 1 November 2026 have had no answer.");
        assert_eq!(
            suggestion,
            "Your last messages to Bo got no answer: try a call or another person."
        );

        assert_eq!(told("40o 40i 30m").1, "Follow up on your meeting with Bo of 22 October 2026.");
    }

    #[test]
    fn the_hazard_is_a_reason_only_where_it_has_made_it_fall() {
        let says = "At this rhythm such a silence goes on for 30 more days in ";
        for (intercept, least, cases) in [
            (9.0, 0.6, Some("nearly all cases.")),
            (-9.0, 1e-9, Some("fewer than 1 of 10 cases.")),
            // S has fallen so deep that there is a nudge although it will probably not go on.
            (-9.0, 0.6, None),
        ] {
            let coefficients = SHIPPED.through(1.0, intercept);
            let trigger = Trigger::Hazard { coefficients, probability: least };
            let (texts, _) = told_by("62o 62i 52o 51i 20o 10o", &trigger);
            let told = texts.iter().find_map(|text| text.strip_prefix(says));
            assert_eq!(told, cases, "{intercept} {least}");
            let last = texts.last().unwrap();
            assert!(last.starts_with("Strength ") && last.ends_with(" at its best."), "{last}");
        }
    }
}
