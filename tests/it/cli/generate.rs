//! The manual pages and completions: they tell of every command, option and setting that there is.

use super::{keepwarm, text};

fn generated(what: &str) -> String {
    let done = keepwarm(&["generate", what]);
    assert!(done.status.success(), "{what}: {}", text(&done.stderr));
    text(&done.stdout)
}

/// A page as it is read: without the escapes and marks of roff.
fn read(page: &str) -> String {
    let mut plain = page.replace("\\fB", "").replace("\\fI", "").replace("\\fR", "");
    for (escaped, meant) in [("\\-", "-"), ("\\*(Aq", "'"), ("\\&", ""), ("\\\\", "\\")] {
        plain = plain.replace(escaped, meant);
    }
    plain
}

/// The names of the commands, as `keepwarm help` lists them.
fn commands() -> Vec<String> {
    let help = text(&keepwarm(&["help"]).stdout);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| !line.is_empty());
    let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn the_manual_tells_of_every_command_with_its_options() {
    let page = read(&generated("keepwarm.8"));
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands.iter().filter(|command| *command != "help") {
        let heading = format!("\n.SS \"keepwarm {command}");
        assert!(page.contains(&heading), "no {heading:?}");
        let help = text(&keepwarm(&[command, "--help"]).stdout);
        let options = help.split_whitespace().filter(|word| word.starts_with("--"));
        for option in options.map(|word| word.trim_end_matches(|c: char| !c.is_alphanumeric())) {
            assert!(page.contains(option), "{command}: no {option}");
        }
    }
    assert!(!page.contains("generate"), "what is hidden is not told");
}

#[test]
fn the_manual_of_settings_tells_of_every_key() {
    let page = read(&generated("keepwarm.toml.5"));
    let settings = include_str!("../../../config/default.toml");
    let mut count = 0;
    for line in settings.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let line = if line.starts_with("#[") { line.trim_start_matches('#') } else { line };
        assert!(line == "#" || page.contains(line), "no {line}");
        count += 1;
    }
    assert!(count > 100);
    // Prose is joined to its paragraph, and stands below its key.
    let below =
        ".TP\npoll_seconds = 60\nHow often a source is looked at, in seconds, at least 1. An";
    assert!(page.contains(below), "{page}");
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let completions = generated(shell);
        for command in commands() {
            assert!(completions.contains(&command), "{shell}: no {command}");
        }
    }
}
