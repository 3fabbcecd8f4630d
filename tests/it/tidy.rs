//! The architecture as a test: who may name whom, what pure modules may not say, how long a file
//! may be, and that configuration, migrations and metrics are documented.
//!
//! Textual, over the sources as rustfmt writes them. Each rule is a function over paths and texts
//! in [`rules`], and is proven here by a fault that it must report.

mod rules;

use std::path::{Path, PathBuf};

/// The files under a directory of the repository with that extension: path from the root, text.
fn files(directory: &str, extension: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join(directory)];
    while let Some(directory) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push((relative(root, &path), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn relative(root: &Path, path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root).unwrap().to_owned();
    path.to_str().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

#[test]
fn the_sources_are_tidy() {
    let sources = files("src", "rs");
    assert!(sources.len() > 10, "the sources are found");
    let faults: Vec<String> =
        sources.iter().flat_map(|(path, text)| rules::source(path, text)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_tests_are_tidy() {
    let faults: Vec<String> =
        files("tests", "rs").iter().flat_map(|(path, text)| rules::form(path, text)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn settings_are_documented_and_used() {
    let code: Vec<(String, String)> = files("src/config", "rs");
    let documentation = read("config/default.toml");
    let faults = rules::settings(&documentation, &code);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(rules::keys(&documentation).len() > 40, "the keys are found");
}

#[test]
fn migrations_are_numbered_without_gap() {
    let names: Vec<String> = files("migrations", "sql").into_iter().map(|(path, _)| path).collect();
    let faults = rules::migrations(&names);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn metrics_are_in_the_readme() {
    let mut code = files("src/serve", "rs");
    code.push(("src/serve.rs".to_owned(), read("src/serve.rs")));
    let faults = rules::metrics(&code, &read("README.md"));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Alert rules and the dashboard ask for metrics that there are.
#[test]
fn alerts_and_the_dashboard_name_metrics_that_there_are() {
    let readme = read("README.md");
    let dashboard = read("config/grafana/keepwarm.json");
    let parsed: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(parsed["panels"].as_array().unwrap().len() > 10);
    let rules = read("config/prometheus/keepwarm.rules.yml");
    assert!(rules.matches("- alert: ").count() >= 10);
    for text in [dashboard, rules] {
        let word = |c: char| c.is_ascii_lowercase() || c == '_';
        let named = text.split(|c| !word(c)).filter(|name| name.starts_with("keepwarm_"));
        for name in named {
            assert!(readme.contains(&format!("`{name}")), "{name} is not in README.md");
        }
    }
}

/// Sources with a fault, and words of the report that each must get.
const FAULTY: &[(&str, &str, &str)] = &[
    ("src/model/key.rs", "use crate::store::Store;", "`model` may not name `store`"),
    ("src/model/key.rs", "use super::super::store;", "`model` may not name `store`"),
    ("src/model.rs", "use super::score::S;", "`model` may not name `score`"),
    ("src/score.rs", "use crate::{model::Key, source};", "`score` may not name `source`"),
    (
        "src/score.rs",
        "use crate::{\n    model::{Key, time::Span},\n    deliver,\n};",
        "name `deliver`",
    ),
    ("src/score.rs", "fn f() -> crate::store::Row {}", "`score` may not name `store`"),
    ("src/store/rep.rs", "use crate::normalise::address;", "`store` may not name `normalise`"),
    ("src/source/imap.rs", "use crate::store::Store;", "`source` may not name `store`"),
    ("src/source/imap.rs", "use crate::clock::Clock;", "`source` may not name `clock`"),
    ("src/deliver/post.rs", "use crate::source::Source;", "`deliver` may not name `source`"),
    ("src/http.rs", "use crate::deliver::Post;", "`http` may not name `deliver`"),
    ("src/oauth.rs", "use crate::store::Store;", "`oauth` may not name `store`"),
    ("src/source/imap.rs", "use crate::oauth::Refresher;", "`source` may not name `oauth`"),
    ("src/oauth/answer.rs", "tracing::info!(\"x\");", "`tracing` is"),
    ("src/serve/api.rs", "use crate::http::client;", "`serve` may not name `http`"),
    ("src/pipeline.rs", "use crate::config::Config;", "`pipeline` may not name `config`"),
    ("src/telemetry.rs", "use crate::config::Config;", "`telemetry` may not name `config`"),
    ("src/main.rs", "use keepwarm::nonsense;", "`main` may not name `nonsense`"),
    ("src/stuff.rs", "", "`stuff` is in no row of the table"),
    ("src/normalise/a.rs", "pub async fn f() {}", "`async ` is"),
    ("src/normalise/a.rs", "f().await;", "`.await` is"),
    ("src/score/a.rs", "tokio::spawn(f);", "`tokio` is"),
    ("src/score/a.rs", "let now = Utc::now();", "`::now(` is"),
    ("src/nudge/a.rs", "use rusqlite::Row;", "`rusqlite` is"),
    ("src/nudge/a.rs", "tracing::info!(\"x\");", "`tracing` is"),
    ("src/model/a.rs", "std::fs::read(path);", "`std::fs` is"),
    ("src/model/a.rs", "use std::net::IpAddr;", "`std::net` is"),
    ("src/normalise/a.rs", "use reqwest::Url;", "`reqwest` is"),
    ("src/deliver/verdict.rs", "pub async fn f() {}", "`async ` is"),
    ("src/source/imap/plan.rs", "tracing::info!(\"x\");", "`tracing` is"),
    ("src/score/a.rs", "fn f() {}\n#[cfg(test)]\nuse std::fs;\nuse tokio::task;", "`tokio` is"),
    (
        "src/score/a.rs",
        "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n\nasync fn after_the_tests() {}",
        "`async ` is",
    ),
    ("src/cli.rs", "const P: &str = \"/root/x\";", "`/root/` is a path of one machine"),
];

#[test]
fn every_fault_of_a_source_is_reported() {
    for (path, text, report) in FAULTY {
        let faults = rules::source(path, &format!("//! A header.\n\n{text}\n"));
        let found = faults.iter().any(|fault| fault.starts_with(path) && fault.contains(report));
        assert!(found, "{path}: {text}\nis reported as {faults:?}");
        assert_eq!(faults.len(), 1, "{path}: {text}\nis reported as {faults:?}");
    }
}

/// Sources without a fault that look as if they had one.
const SOUND: &[(&str, &str)] = &[
    ("src/model/key.rs", "use super::{Person, Timestamp};"),
    ("src/model.rs", "pub use key::Key;\n// store, tokio and ::now( in a comment"),
    ("src/normalise/a.rs", "/// Never `.await`s.\nfn f() {}"),
    ("src/normalise/a/b.rs", "use super::c;\nuse super::super::d;\nuse crate::normalise::e;"),
    ("src/score/a.rs", "#[cfg(test)]\nmod tests {\n    use tokio::test;\n    fn f() {}\n}"),
    ("src/score/a.rs", "#[cfg(test)]\nmod tests;\n\nfn f() {}"),
    ("src/score/tests.rs", "use crate::store::Store;\nasync fn f() {}"),
    ("src/deliver/post.rs", "use crate::http::client;\nuse crate::model::Key;\nasync fn f() {}"),
    ("src/daemon.rs", "use crate::{config, pipeline, store};"),
    ("src/store.rs", "let my_crate::config = 1;"),
];

#[test]
fn what_is_sound_is_not_reported() {
    for (path, text) in SOUND {
        let faults = rules::source(path, &format!("//! A header.\n\n{text}\n"));
        assert!(faults.is_empty(), "{path}: {text}\nis reported as {faults:?}");
    }
}

#[test]
fn a_file_begins_with_what_it_is_for_and_ends_before_the_wall() {
    let lines = |count: usize| format!("//! A header.\n{}", "\n".repeat(count - 1));
    for (text, report) in
        [("fn f() {}\n".to_owned(), "begins with"), (lines(501), "501 lines, more than 500")]
    {
        let faults = rules::form("src/cli.rs", &text);
        assert!(faults.len() == 1 && faults[0].contains(report), "{report}: {faults:?}");
    }
    assert_eq!(rules::form("src/cli.rs", &lines(500)), Vec::<String>::new());
}

#[test]
fn every_fault_of_the_settings_is_reported() {
    let code = |text: &str| vec![("src/config/raw.rs".to_owned(), text.to_owned())];
    let schema = ("src/config/schema.rs".to_owned(), "key(\"sync\", \"poll\")".to_owned());
    for (toml, used, report) in [
        ("[sync]\n# How often.\npoll = 1\n", "", "sync.poll is not used"),
        ("[sync]\npoll = 1\n", "raw.poll", "sync.poll has no comment"),
        ("#[[sync]]\n#poll = 1\n", "raw.poll", "sync.poll has no comment"),
        ("[sync]\n# How often.\npoll = 1\n", "raw.polls", "sync.poll is not used"),
    ] {
        let mut all = code(used);
        all.push(schema.clone());
        let faults = rules::settings(toml, &all);
        assert!(faults.iter().any(|fault| fault.contains(report)), "{toml}{used}: {faults:?}");
    }
    let sound = "[sync]\n# How often.\npoll = 1\n\n#[[sync]]\n#poll = 2\n";
    let mut all = code("raw.poll");
    all.push(schema);
    assert_eq!(rules::settings(sound, &all), Vec::<String>::new());
    assert!(!rules::settings(sound, &code("raw.poll")).is_empty(), "not in the table of keys");
}

#[test]
fn every_fault_of_the_migrations_is_reported() {
    for (names, faulty) in [
        (vec!["migrations/0001-first.sql", "migrations/0002-second-step.sql"], false),
        (vec![], false),
        (vec!["migrations/0002-first.sql"], true),
        (vec!["migrations/0001-a.sql", "migrations/0003-b.sql"], true),
        (vec!["migrations/0001-a.sql", "migrations/0001-b.sql"], true),
        (vec!["migrations/1-a.sql"], true),
        (vec!["migrations/0001.sql"], true),
    ] {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        assert_eq!(!rules::migrations(&names).is_empty(), faulty, "{names:?}");
    }
}

#[test]
fn a_metric_without_documentation_is_reported() {
    let code = vec![(
        "src/serve/metrics.rs".to_owned(),
        "register(\"keepwarm_nudges_total\"); register(\"keepwarm_rows\");".to_owned(),
    )];
    let faults = rules::metrics(&code, "| `keepwarm_rows_total` | `keepwarm_nudges_total` |");
    assert_eq!(faults, ["src/serve/metrics.rs: keepwarm_rows is not in README.md"]);
}
