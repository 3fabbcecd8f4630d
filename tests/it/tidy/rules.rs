//! The rules, each a function from paths and texts to the faults found.

/// Modules without I/O, clock, randomness, async and logging.
const PURE: [&str; 5] = ["model", "normalise", "score", "nudge", "backtest"];

/// Files of adapters that decide and do nothing else: pure as well.
const PURE_FILES: [&str; 34] = [
    "src/source/imap/plan.rs",
    "src/source/imap/guard.rs",
    "src/source/imap/form.rs",
    "src/source/imap/quirks.rs",
    "src/source/imap/bearer.rs",
    "src/source/caldav/answer.rs",
    "src/source/caldav/ask.rs",
    "src/source/caldav/xml.rs",
    "src/deliver/advice.rs",
    "src/deliver/breaker.rs",
    "src/deliver/sample.rs",
    "src/deliver/sign.rs",
    "src/deliver/format.rs",
    "src/deliver/format/fixture.rs",
    "src/deliver/format/inert.rs",
    "src/deliver/format/said.rs",
    "src/deliver/format/slack.rs",
    "src/deliver/format/teams.rs",
    "src/deliver/format/template.rs",
    "src/deliver/verdict.rs",
    "src/serve/link.rs",
    "src/serve/page.rs",
    "src/oauth/answer.rs",
    "src/oauth/device.rs",
    "src/source/web/pause.rs",
    "src/source/web/vcalendar.rs",
    "src/source/google_calendar/answer.rs",
    "src/source/google_calendar/event.rs",
    "src/source/google_calendar/plan.rs",
    "src/source/graph_calendar/answer.rs",
    "src/source/graph_calendar/event.rs",
    "src/source/graph_calendar/plan.rs",
    "src/source/ics/feed/refresh.rs",
    "src/source/ics/feed/verdict.rs",
];

/// What pure code does not say outside its tests.
const IMPURE: [&str; 9] = [
    "async ", ".await", "tokio", "::now(", "rusqlite", "tracing", "std::fs", "std::net", "reqwest",
];

/// The longest a file may be, in lines.
const WALL: usize = 500;

/// Beginnings of paths that only one machine has.
const PRIVATE: [&str; 5] = ["/root/", "/home/", "/Users/", "/work/", "/tmp/"];

/// Every module but the configuration: what the shell that does not read it may name.
const WIRING: &[&str] = &[
    "model",
    "normalise",
    "score",
    "nudge",
    "backtest",
    "source",
    "store",
    "deliver",
    "serve",
    "http",
    "oauth",
    "clock",
    "lifecycle",
    "pipeline",
    "telemetry",
];

/// Every module: what those who read the configuration may name.
const ALL: &[&str] = &[
    "model",
    "normalise",
    "score",
    "nudge",
    "backtest",
    "source",
    "store",
    "deliver",
    "serve",
    "http",
    "oauth",
    "clock",
    "lifecycle",
    "pipeline",
    "telemetry",
    "config",
    "daemon",
    "cli",
    "demo",
];

/// Which top-level module may name which others.
const MAY_NAME: &[(&str, &[&str])] = &[
    // Pure.
    ("model", &[]),
    ("normalise", &["model"]),
    ("score", &["model"]),
    ("nudge", &["model", "score"]),
    ("backtest", &["model", "score", "nudge"]),
    // Adapters: the pure modules, and not each other but for the HTTP client.
    ("store", &["model"]),
    ("source", &["model", "normalise", "score", "nudge", "http"]),
    ("deliver", &["model", "normalise", "score", "nudge", "http"]),
    ("serve", &["model", "normalise", "score", "nudge"]),
    ("http", &["model", "normalise", "score", "nudge"]),
    // Fetches what sources log in with, in the form that they ask for.
    ("oauth", &["model", "source", "http"]),
    // Shell.
    ("clock", &["model"]),
    ("config", &["model", "normalise", "score", "nudge"]),
    ("lifecycle", &["model"]),
    ("telemetry", &["model"]),
    ("pipeline", WIRING),
    ("daemon", ALL),
    ("demo", ALL),
    ("cli", ALL),
    ("main", ALL),
    ("lib", ALL),
];

/// Faults of a source: what it names, what it says and how it is formed.
pub(crate) fn source(path: &str, text: &str) -> Vec<String> {
    let mut faults = form(path, text);
    let module = module_of(path);
    if !MAY_NAME.iter().any(|(name, _)| *name == module) {
        faults.push(format!("{path}: `{module}` is in no row of the table"));
    }
    if is_test(path) {
        return faults;
    }
    let code = without_tests(text);
    faults.extend(names(path, &code));
    let pure = PURE.contains(&module) || PURE_FILES.contains(&path);
    for word in IMPURE.iter().filter(|word| pure && code.contains(**word)) {
        faults.push(format!("{path}: `{word}` is nothing for a pure module"));
    }
    for private in PRIVATE.iter().filter(|private| code.contains(**private)) {
        faults.push(format!("{path}: `{private}` is a path of one machine"));
    }
    faults
}

/// Faults of a file's form: its header and its length.
pub(crate) fn form(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push(format!("{path}: begins with something else than `//!`"));
    }
    let lines = text.lines().count();
    if lines > WALL {
        faults.push(format!("{path}: {lines} lines, more than {WALL}"));
    }
    faults
}

/// Faults of the settings: a key without a comment above it where it first appears, or one that is
/// missing in the table of keys, or that no other code of the configuration uses.
pub(crate) fn settings(documentation: &str, code: &[(String, String)]) -> Vec<String> {
    let table: Vec<&str> = texts(code, |path| path.ends_with("/schema.rs"));
    let users: Vec<&str> = texts(code, |path| !path.ends_with("/schema.rs"));
    let mut faults = Vec::new();
    for (section, key, commented) in keys(documentation) {
        if !commented {
            faults.push(format!("config/default.toml: {section}.{key} has no comment"));
        }
        let row = format!("key(\"{section}\", \"{key}\"");
        if !table.iter().any(|text| text.contains(&row)) {
            faults.push(format!("config/default.toml: {section}.{key} is not in the table"));
        }
        if !users.iter().any(|text| has_word(text, &key)) {
            faults.push(format!("config/default.toml: {section}.{key} is not used"));
        }
    }
    faults
}

/// The keys of the documentation, examples included: section, name, and whether a comment stands
/// above. Only the first appearance of each.
pub(crate) fn keys(documentation: &str) -> Vec<(String, String, bool)> {
    let mut keys: Vec<(String, String, bool)> = Vec::new();
    let mut section = String::new();
    let mut above = "";
    for line in documentation.lines() {
        let setting = line.strip_prefix('#').unwrap_or(line);
        if setting.starts_with('[') {
            section = setting.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = setting.split_once(" = ") {
            let known =
                keys.iter().any(|(in_section, name, _)| *in_section == section && name == key);
            if !key.contains(' ') && !known {
                keys.push((section.clone(), key.to_owned(), above.starts_with("# ")));
            }
        }
        above = line;
    }
    keys
}

/// Faults of the migrations' names, which are `migrations/NNNN-name.sql` from 0001 without gap.
pub(crate) fn migrations(paths: &[String]) -> Vec<String> {
    let numbered = (1..).zip(paths);
    let wrong = numbered.filter(|(number, path)| {
        let rest = path.strip_prefix(&format!("migrations/{number:04}-"));
        rest.is_none_or(|name| name.len() <= ".sql".len())
    });
    wrong.map(|(number, path)| format!("{path}: is not migrations/{number:04}-name.sql")).collect()
}

/// Metrics of the code that the documentation does not name.
pub(crate) fn metrics(code: &[(String, String)], documentation: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in code {
        let text = without_tests(text);
        for quoted in text.split('"').skip(1).step_by(2) {
            let plain = quoted.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if quoted.starts_with("keepwarm_") && plain && !has_word(documentation, quoted) {
                faults.push(format!("{path}: {quoted} is not in README.md"));
            }
        }
    }
    faults
}

/// The top-level module of a file: `src/a/b.rs` and `src/a.rs` are of `a`.
fn module_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split(['/', '.']).next().unwrap_or_default()
}

/// Whether a file holds tests only.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Faults of what the code names: other modules than the table has.
fn names(path: &str, code: &str) -> Vec<String> {
    let module = module_of(path);
    let allowed = MAY_NAME.iter().find(|(name, _)| *name == module).map_or(ALL, |(_, may)| may);
    let depth = path.split('/').count() - 1;
    let mut roots = vec!["crate::".to_owned(), "super::".repeat(depth)];
    if module == "main" {
        roots = vec!["keepwarm::".to_owned()];
    }
    let mut named: Vec<&str> = roots.iter().flat_map(|root| after(code, root)).collect();
    named.sort_unstable();
    named.dedup();
    named.retain(|name| *name != module && !allowed.contains(name) && is_module(name));
    named.into_iter().map(|name| format!("{path}: `{module}` may not name `{name}`")).collect()
}

/// Whether a name can be a module: types at the crate's root begin with a capital.
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name != "super"
}

/// The names that stand directly after a path such as `crate::`, those in braces too.
fn after<'a>(code: &'a str, root: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(root) {
        let (before, found) = code.split_at(at);
        if before.ends_with(|c: char| is_word(c) || c == ':' || c == '$') {
            continue;
        }
        let (_, rest) = found.split_at(root.len());
        match rest.strip_prefix('{') {
            Some(group) => names.extend(first_names(group)),
            None => names.push(word_at(rest)),
        }
    }
    names
}

/// The first name of every item of a group `a::b, c::{d, e}, f}` up to its closing brace.
fn first_names(group: &str) -> Vec<&str> {
    let mut names = vec![word_at(group.trim_start())];
    let mut depth = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(word_at(group.split_at(at + 1).1.trim_start())),
            _ => {}
        }
    }
    names
}

fn word_at(text: &str) -> &str {
    text.split(|c| !is_word(c)).next().unwrap_or_default()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a text holds a word, with no letter beside it.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let (before, found) = text.split_at(at);
        !before.ends_with(is_word) && !found.split_at(word.len()).1.starts_with(is_word)
    })
}

/// The code without comments and without what is compiled for tests only.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        if code == "#[cfg(test)]" {
            skip_item(&mut lines, line.trim_end_matches("#[cfg(test)]"));
        } else if !code.starts_with("//") {
            kept.push_str(code.split(" // ").next().unwrap_or_default());
            kept.push('\n');
        }
    }
    kept
}

/// Passes over one item: to its `;`, or to the brace that closes it at the same indentation.
fn skip_item<'a>(lines: &mut impl Iterator<Item = &'a str>, indent: &str) {
    for line in lines {
        let code = line.trim();
        let attribute = code.starts_with("#[") || code.starts_with("//");
        let inside = line.starts_with(&format!("{indent} "));
        if !attribute && !inside && (code.ends_with(';') || code.ends_with('}')) {
            return;
        }
    }
}

/// The texts of the files whose path is wanted.
fn texts(code: &[(String, String)], wanted: impl Fn(&str) -> bool) -> Vec<&str> {
    let files = code.iter().filter(|(path, _)| wanted(path));
    files.map(|(_, text)| text.as_str()).collect()
}
