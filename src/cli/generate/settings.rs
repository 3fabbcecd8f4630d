//! keepwarm.toml(5): every setting with its meaning and default, from `config/default.toml`, whose
//! comments are the documentation of the settings.
//!
//! Takes the file by its form: blocks between empty lines, in a block prose (`# …`), then a section's
//! line, then keys, each below its prose; a key behind `#` is an example without a default.

use std::io::{self, Write};

use clap_mangen::roff::{Roff, roman};

use super::{head, section, term};

/// A line of the file, for what it says.
enum Line<'a> {
    /// A line of a comment; without words between paragraphs.
    Prose(&'a str),
    /// `[section]` or `[[section]]`, as an example or not.
    Section(&'a str),
    /// `key = value`, with its `#` if it is an example.
    Key(&'a str),
    /// Nothing.
    Empty,
}

/// Writes the page of settings as they stand in a documented configuration.
pub(super) fn page(documentation: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut roff = Roff::default();
    head(&mut roff, "keepwarm.toml", "5", "the configuration of keepwarm");
    section(&mut roff, "SYNOPSIS", &["/etc/keepwarm/keepwarm.toml, /etc/keepwarm/conf.d/*.toml"]);
    roff.control("SH", ["DESCRIPTION"]);
    let mut prose: Vec<&str> = Vec::new();
    let mut begun = false;
    for line in documentation.lines().map(read) {
        match line {
            Line::Prose(text) => prose.push(text),
            Line::Section(name) => {
                if !begun {
                    begun = true;
                    reading(&mut roff);
                }
                roff.control("SS", [name]);
                paragraphs(&mut roff, &prose);
                prose.clear();
            }
            Line::Key(key) => {
                term(&mut roff, key, &prose.join(" "));
                prose.clear();
            }
            Line::Empty => {
                paragraphs(&mut roff, &prose);
                prose.clear();
            }
        }
    }
    section(&mut roff, "SEE ALSO", &["keepwarm(8), systemd.exec(5)"]);
    roff.to_writer(out)
}

/// How the settings below are to be read.
fn reading(roff: &mut Roff) {
    section(
        roff,
        "SETTINGS",
        &[
            "Each with its default, as TOML. What stands behind a # has no default: it is an example. \
           A list of tables, such as [[source]], is told in parts, one for each kind.",
        ],
    );
}

fn read(line: &str) -> Line<'_> {
    match line.strip_prefix('#') {
        _ if line.is_empty() => Line::Empty,
        Some("") => Line::Prose(""),
        Some(prose) if prose.starts_with(' ') => Line::Prose(prose.trim_start()),
        Some(example) if example.starts_with('[') => Line::Section(example),
        None if line.starts_with('[') => Line::Section(line),
        _ => Line::Key(line),
    }
}

/// Prose with its paragraphs, which are parted by a line without words.
fn paragraphs(roff: &mut Roff, prose: &[&str]) {
    for paragraph in prose.split(|line| line.is_empty()).filter(|lines| !lines.is_empty()) {
        roff.control("PP", []);
        roff.text([roman(paragraph.join(" "))]);
    }
}
