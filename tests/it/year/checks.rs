//! What must hold of every nudge of a year.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{Datelike, Timelike};
use keepwarm::model::{Interaction, NudgeKind, NudgeState, Span, Timestamp};
use keepwarm::score::{Parameters, Zone, rebuild};
use keepwarm::store::nudge::Listed;

use super::{OUTAGE, SILENCE, START, Year, day};

/// A silence of so long must not have come unannounced.
const LAPSE: Span = Span::from_days(60);

pub(super) fn all(year: &Year) {
    assert!(!year.nudges.is_empty());
    within_budget(year);
    at_good_moments(year);
    not_resolved(year);
    not_from_stale_data(year);
    not_within_silences(year);
    every_lapse_is_accounted_for(year);
}

/// Whether a nudge was sent, or would have been but for the comparison.
fn said(listed: &Listed) -> bool {
    matches!(listed.nudge.state, NudgeState::Released | NudgeState::HeldBack)
}

fn within_budget(year: &Year) {
    let mut by_rep: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
    for listed in year.nudges.iter().filter(|listed| said(listed)) {
        by_rep.entry(&listed.rep).or_default().push(listed.nudge.release_at);
    }
    for (rep, mut at) in by_rep {
        at.sort_unstable();
        for (n, first) in at.iter().enumerate() {
            let week = at[n..].iter().take_while(|then| **then - *first < Span::from_days(7));
            assert!(
                week.count() <= year.restraint.per_week as usize,
                "{rep} in the week of {first}"
            );
            let zone = year.zones[rep];
            let day = at[n..].iter().filter(|then| then.local_day(zone) == first.local_day(zone));
            assert!(day.count() <= year.restraint.per_day as usize, "{rep} on {first}");
        }
    }
}

/// By a calendar of our own: Monday to Friday, from seven to nineteen, at half past eight or, where
/// the clock was quiet or there was no room, later.
fn at_good_moments(year: &Year) {
    for (rep, at) in &year.owed_at {
        let local = at.to_utc().unwrap().with_timezone(&year.zones[rep]);
        assert!(local.weekday().num_days_from_monday() < 5, "{rep} at {local}");
        assert!((7..19).contains(&local.hour()), "{rep} at {local}");
        assert!(*at >= START + Span::from_days(14), "{rep} at {at}: the first days are watched");
    }
    let observed = year.nudges.iter().filter(|one| one.nudge.state == NudgeState::Observed);
    assert!(observed.clone().all(|one| one.nudge.created_at < START + Span::from_days(14)));
}

fn not_resolved(year: &Year) {
    for listed in year.nudges.iter().filter(|listed| said(listed)) {
        if let Some((at, _)) = &listed.resolved {
            assert!(
                listed.nudge.release_at <= *at,
                "{} was said when it had passed",
                listed.nudge.id
            );
        }
    }
    assert!(year.nudges.iter().any(|one| one.nudge.state == NudgeState::Cancelled), "none passed");
}

fn not_from_stale_data(year: &Year) {
    let (from, to) = (day(OUTAGE.0) + Span::from_hours(24), day(OUTAGE.1));
    let during = |at: Timestamp| from < at && at < to;
    for (rep, at) in &year.owed_at {
        assert!(rep != "rep0" || !during(*at), "{rep} at {at}: nothing has been read for days");
    }
    let made = |listed: &&Listed| listed.rep == "rep0" && during(listed.nudge.created_at);
    assert_eq!(year.nudges.iter().filter(made).count(), 0);
}

fn not_within_silences(year: &Year) {
    let (from, to) = (day(SILENCE.0), day(SILENCE.1));
    let of = |listed: &&Listed| year.silenced.contains(&listed.nudge.relationship);
    let mut told = [0, 0, 0];
    for listed in year.nudges.iter().filter(|listed| said(listed)).filter(of) {
        let at = listed.nudge.release_at;
        told[usize::from(at >= from) + usize::from(at >= to)] += 1;
    }
    let [before, within, after] = told;
    assert_eq!(within, 0, "said of those of whom nothing may be said");
    assert!(before > 0 && after > 0, "{told:?}: nothing would have been said anyway");
}

/// Whatever its rep has not heard of for two months: it was said, or had no room, or was held back,
/// or watched, or is being waited for.
fn every_lapse_is_accounted_for(year: &Year) {
    let (mut lapses, mut untold) = (0, String::new());
    for (row, (rep, contact, log, state)) in &year.relationships {
        let of: Vec<&Listed> =
            year.nudges.iter().filter(|listed| listed.nudge.relationship == *row).collect();
        for (from, to) in silences(log, year.zones[rep], day(365)) {
            let unread = rep == "rep0" && from < day(OUTAGE.1) && to > day(OUTAGE.0);
            let hushed =
                year.silenced.contains(row) && from < day(SILENCE.1) && to > day(SILENCE.0);
            if unread || hushed {
                continue;
            }
            lapses += 1;
            let told = of.iter().any(|listed| {
                let open = listed.resolved.as_ref().is_none_or(|(at, _)| *at > from);
                listed.nudge.created_at <= to && open
            });
            if !told {
                let _ = writeln!(untold, "{rep} {contact}: from {from} to {to}, {state:?}");
            }
        }
    }
    assert!(untold.is_empty(), "nothing was said of\n{untold}");
    assert!(lapses > year.zones.len(), "only {lapses} lapses");
}

/// The silences of 60 days and more of a relationship that was established when they began.
fn silences(log: &[Interaction], zone: Zone, end: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let ends = log.iter().skip(1).map(|one| one.at).chain([end]);
    let mut found = Vec::new();
    for (n, to) in ends.enumerate() {
        let Some(from) = log.get(n).map(|one| one.at).filter(|from| to - *from >= LAPSE) else {
            continue;
        };
        let state = rebuild(&log[..=n], zone, &Parameters::default(), from);
        let known = state.counts.reciprocations >= 3 && state.counts.active_days >= 5;
        if known && state.baseline >= 0.6 {
            found.push((from, to));
        }
    }
    found
}

/// Every nudge in a line.
pub(super) fn told(year: &Year) -> String {
    let mut text = String::new();
    for listed in &year.nudges {
        let nudge = &listed.nudge;
        let (_, contact, ..) = &year.relationships[&nudge.relationship];
        let unwritten = matches!(nudge.state, NudgeState::Waiting | NudgeState::Cancelled)
            && nudge.kind == NudgeKind::Decay;
        let body: serde_json::Value = match nudge.body.as_str() {
            "" if unwritten => serde_json::Value::Null,
            body => serde_json::from_str(body).unwrap(),
        };
        assert!(body.is_null() || body["type"] == nudge.kind.event_type());
        let reasons: Vec<&str> = nudge.reasons.iter().map(|one| one.text.as_str()).collect();
        let resolved = listed.resolved.as_ref().map_or("", |(_, why)| why.as_str());
        let again =
            if nudge.reminder > 0 { format!(" again {}", nudge.reminder) } else { String::new() };
        let _ = writeln!(
            text,
            "{} {} {contact}: {}{again}, {} {} {resolved}\n    {} {}",
            nudge.created_at,
            listed.rep,
            nudge.kind.code(),
            nudge.state.code(),
            nudge.release_at,
            reasons.join(" "),
            body["data"]["suggestion"].as_str().unwrap_or("not written"),
        );
    }
    text
}

/// How many there were of each kind and state.
pub(super) fn summary(year: &Year) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for listed in &year.nudges {
        let key = (listed.nudge.kind.code(), listed.nudge.state.code());
        *counts.entry(key).or_default() += 1;
    }
    let messages: usize = year.relationships.values().map(|(_, _, log, _)| log.len()).sum();
    let lapses: usize = year
        .relationships
        .values()
        .map(|(rep, _, log, _)| silences(log, year.zones[rep], day(365)).len())
        .sum();
    let mut text = format!("{messages} interactions, {lapses} lapses\n");
    for ((kind, state), count) in counts {
        let _ = writeln!(text, "{kind:<24} {state:<12} {count:>6}");
    }
    text
}
