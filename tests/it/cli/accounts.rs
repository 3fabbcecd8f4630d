//! `keepwarm accounts`: what it says follows from what `keepwarm relationships` says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{demo, json, keepwarm, text};

/// The people of each account with their greatest S, from a list of relationships.
fn people(relationships: &Value) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut found: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    let counts = |r: &&Value| r["strength"].as_f64().unwrap() > 0.0 && !r["account"].is_null();
    for one in relationships.as_array().unwrap().iter().filter(counts) {
        let of = |key: &str| one[key].as_str().unwrap().to_owned();
        let best = found.entry(of("account")).or_default().entry(of("contact_id")).or_default();
        *best = best.max(one["s"].as_f64().unwrap());
    }
    found
}

fn near(what: &str, computed: f64, told: &Value) {
    assert!((computed - told.as_f64().unwrap()).abs() < 1e-9, "{what}: {computed} {told}");
}

/// Checks an account against its people's S.
fn check(account: &Value, people: &BTreeMap<String, f64>) {
    let mut s: Vec<f64> = people.values().copied().collect();
    s.sort_by(|a, b| b.total_cmp(a));
    let all: f64 = s.iter().sum();
    let strong = s.iter().filter(|s| 100.0 * **s / (**s + 2.0) >= 45.0).count();
    let top: f64 = s.iter().zip(1u8..=8).map(|(s, rank)| s / f64::from(rank).sqrt()).sum();
    let entropy: f64 = s.iter().map(|s| -s / all * (s / all).ln()).sum();
    assert_eq!(account["people"], s.len());
    assert_eq!(account["strong"], strong);
    near("S", top, &account["s"]);
    near("strength", 100.0 * top / (top + 2.0), &account["strength"]);
    near("breadth", if s.is_empty() { 0.0 } else { entropy.exp() }, &account["breadth"]);
    near("largest", s.first().map_or(0.0, |first| first / all), &account["largest_share"]);
    let missing = account["target"].as_u64().unwrap().saturating_sub(strong as u64);
    assert_eq!(account["missing"], missing);
    let closest = account["closest"].as_array().unwrap();
    assert!(closest.len() as u64 <= missing);
    assert!(closest.iter().all(|one| one["strength"].as_f64().unwrap() < 45.0));
}

#[test]
fn accounts_are_what_the_relationships_with_their_people_come_to() {
    let dir = tempfile::tempdir().unwrap();
    demo(&dir.path().join("demo"));
    let config = dir.path().join("demo/keepwarm.toml");
    let config = config.to_str().unwrap();

    let expected = people(&json(config, &["relationships"]));
    let accounts = json(config, &["accounts"]);
    let accounts = accounts.as_array().unwrap();
    assert_eq!(accounts.len(), expected.len());
    for account in accounts {
        check(account, &expected[account["account"].as_str().unwrap()]);
    }
    let strengths: Vec<f64> = accounts.iter().map(|a| a["s"].as_f64().unwrap()).collect();
    assert!(strengths.is_sorted_by(|a, b| a >= b));
    assert!(strengths[0] > 0.0);

    // Two of them become one, and nothing else is an account.
    let domain = |n: usize| accounts[n]["account"].as_str().unwrap().to_owned();
    let (first, second) = (domain(0), domain(1));
    std::fs::create_dir(dir.path().join("demo/conf.d")).unwrap();
    let joined = format!(
        "[[account]]\nname = \"Both\"\ndomains = [\"{second}\", \"{first}\"]\ntarget = 7\n\
         [[account]]\nname = \"Nobody yet\"\ndomains = [\"nobody.example\"]\n"
    );
    std::fs::write(dir.path().join("demo/conf.d/accounts.toml"), joined).unwrap();
    let after = json(config, &["accounts"]);
    let [both, nobody] = after.as_array().unwrap().as_slice() else { panic!("{after}") };
    assert_eq!((&both["account"], &both["name"]), (&second.clone().into(), &"Both".into()));
    assert_eq!(both["target"], 7);
    assert_eq!((&nobody["people"], &nobody["missing"]), (&0.into(), &5.into()));
    let mut union = expected[&first].clone();
    union.extend(expected[&second].clone());
    check(both, &union);

    // Either domain names it, with everybody there.
    for name in [&first, &second] {
        let of = json(config, &["relationships", "--account", name]);
        let of = of.as_array().unwrap();
        assert!(of.iter().all(|one| one["account"] == second.as_str()));
        assert!(of.iter().any(|one| one["organisation"] == first.as_str()));
        let one = json(config, &["accounts", "--account", name]);
        assert_eq!(one[0]["contacts"].as_array().unwrap().len(), union.len());
    }
    for format in ["table", "csv"] {
        let all = ["accounts", "--account", &first, "--format", format, "--config", config];
        let done = keepwarm(&[&all[..], &["--now", super::NOW]].concat());
        assert!(done.status.success(), "{}", text(&done.stderr));
        assert!(text(&done.stdout).lines().count() > union.len());
    }
    let wrong = keepwarm(&["accounts", "--account", "no domain", "--config", config]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}
