//! The strength from what `explain` tells, by the formula of the README and with arithmetic of its
//! own: only from when, which way, what and to how many.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// An interaction as far as the formula asks.
struct One<'a> {
    told: &'a Value,
    at: DateTime<Utc>,
    mass: f64,
}

/// Checks every number that `explain` tells of the strength, and what it tells of silence.
pub(super) fn strength(explained: &Value) {
    let now = instant(&explained["at"]);
    let (out, into) = (side(explained, "outbound", now), side(explained, "inbound", now));
    let terms = &explained["terms"];
    same("O", out, &terms["outbound"]);
    same("I", into, &terms["inbound"]);
    let s = s_of(out, into);
    same("S", s, &terms["s"]);
    same(
        "S of balance and surplus",
        number(&terms["balanced"]) + number(&terms["surplus"]),
        &terms["s"],
    );
    let first =
        interactions(explained).filter(|i| i["linked"] == true).map(|i| instant(&i["at"])).min();
    let reciprocated =
        explained["reciprocated_at"].as_str().map(|_| instant(&explained["reciprocated_at"]));
    assert_eq!(first, reciprocated);
    same("the strength", score(s, first.is_some()), &explained["strength"]);
    for (days, key) in [(30, "in_30_days"), (60, "in_60_days"), (90, "in_90_days")] {
        let then = now + chrono::Duration::days(days);
        let s = s_of(side(explained, "outbound", then), side(explained, "inbound", then));
        same(key, s, &explained["outlook"][key]["s"]);
        same(key, score(s, first.is_some()), &explained["outlook"][key]["strength"]);
    }
    for (kind, direction, key) in [
        ("message", "outbound", "outbound"),
        ("message", "inbound", "inbound"),
        ("meeting", "mutual", "meetings"),
    ] {
        let found =
            interactions(explained).filter(|i| i["kind"] == kind && i["direction"] == direction);
        assert_eq!(
            u64::try_from(found.count()).unwrap(),
            explained[key].as_u64().unwrap(),
            "{key}"
        );
    }
    assert!(number(&explained["outlook"]["after_exchange"]["s"]) > s);
    assert!(number(&explained["outlook"]["after_unanswered"]["s"]) <= s + 0.5);
}

fn interactions(explained: &Value) -> impl Iterator<Item = &Value> {
    explained["interactions"].as_array().unwrap().iter()
}

/// O or I at an instant; and, as of now, every mass, rank and weight that is told.
fn side(explained: &Value, side: &str, at: DateTime<Utc>) -> f64 {
    let zone: chrono_tz::Tz = explained["zone"].as_str().unwrap().parse().unwrap();
    let parameters = &explained["parameters"];
    let mut days: BTreeMap<String, Vec<One<'_>>> = BTreeMap::new();
    let touches = |i: &&Value| i["direction"] == side || i["direction"] == "mutual";
    for told in interactions(explained).filter(touches) {
        let when = instant(&told["at"]);
        let day = when.with_timezone(&zone).format("%Y-%m-%d").to_string();
        assert_eq!(told["day"].as_str().unwrap(), day);
        let kind = match told["kind"].as_str().unwrap() {
            "meeting" => number(&parameters["meeting_mass"]) / 2.0,
            _ => 1.0,
        };
        let audience = number(&told["audience"]).powf(-number(&parameters["audience_exponent"]));
        days.entry(day).or_default().push(One { told, at: when, mass: kind * audience });
    }
    let mut sum = 0.0;
    for mut day in days.into_values() {
        day.sort_by(|a, b| b.mass.partial_cmp(&a.mass).unwrap().then(a.at.cmp(&b.at)));
        for (rank, one) in (1u32..).zip(day) {
            let left = one.mass / f64::from(rank * rank) * weighted(explained, one.at, at);
            sum += left;
            if at == instant(&explained["at"]) {
                same("a mass", one.mass, &one.told["mass"]);
                same("a weight", left, &one.told[format!("weight_{side}")]);
                assert_eq!(one.told[format!("rank_{side}")].as_u64().unwrap(), u64::from(rank));
            }
        }
    }
    sum
}

/// Σ w_k 2^(-age/h_k), w_k = h_k^-0.75.
fn weighted(explained: &Value, from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    let age = (to - from).num_milliseconds() as f64 / 86_400_000.0;
    let half_lives = explained["half_lives_days"].as_array().unwrap();
    half_lives.iter().map(number).map(|h| h.powf(-0.75) * 2.0_f64.powf(-age / h)).sum()
}

fn s_of(out: f64, into: f64) -> f64 {
    2.0 * out.min(into) + 0.5 * (into - out).clamp(0.0, 1.0) + 0.25 * (out - into).clamp(0.0, 0.35)
}

fn score(s: f64, reciprocated: bool) -> f64 {
    if reciprocated { 100.0 * s / (s + 2.0) } else { 0.0 }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn same(what: &str, computed: f64, told: &Value) {
    assert!((computed - number(told)).abs() < 1e-9, "{what}: {computed}, and explain tells {told}");
}
