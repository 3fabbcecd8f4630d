//! Printing data as a table for people, as JSON or CSV for programs.
//!
//! Guarantees that nothing a stranger wrote into a name can steer a terminal or become a formula,
//! that a table fits the terminal, and that a reader who closes the pipe ends the printing
//! quietly. What is printed, and under which keys, is left to the commands.

mod progress;
mod table;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use clap::ValueEnum;
use console::Term;
use serde::Serialize;

pub use progress::Progress;
pub use table::{Align, Cell, Column, Table, Tone};

/// The value of `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON document, indented.
    Json,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
}

/// Whether text may be set in colours and bold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// With escape sequences.
    On,
    /// Plain text.
    Off,
}

/// What the place that is printed to can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The columns of the terminal; `None` for no limit, as in a file or a pipe.
    pub width: Option<usize>,
    /// Whether it shows colours.
    pub colour: Colour,
}

impl Look {
    /// No limit and no colours: what a file or a pipe gets.
    pub const PLAIN: Self = Self { width: None, colour: Colour::Off };

    /// What standard output can show at the moment.
    #[must_use]
    pub fn of_stdout() -> Self {
        let terminal = Term::stdout();
        let width = terminal.is_term().then(|| terminal.size().1);
        let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
        Self::decide(width, no_color.as_deref(), term.as_deref())
    }

    /// Colours only on a terminal that is not dumb, and not where `NO_COLOR` is set to anything
    /// (no-color.org: an empty value does not count).
    fn decide(terminal: Option<u16>, no_color: Option<&OsStr>, term: Option<&OsStr>) -> Self {
        let unwanted = no_color.is_some_and(|value| !value.is_empty());
        let dumb = term.is_some_and(|value| value == "dumb");
        match terminal {
            None => Self::PLAIN,
            Some(width) => Self {
                width: Some(usize::from(width)),
                colour: if unwanted || dumb { Colour::Off } else { Colour::On },
            },
        }
    }
}

/// Prints `table`, or `data` where JSON is wanted, to `out`.
///
/// # Errors
/// What `out` says; see [`to_stdout`] for a closed pipe.
pub fn print(
    out: &mut dyn Write,
    format: Format,
    look: Look,
    table: &Table,
    data: &impl Serialize,
) -> io::Result<()> {
    match format {
        Format::Table => table.write_text(out, look),
        Format::Csv => table.write_csv(out),
        Format::Json => write_json(out, data),
    }
}

/// Lets `write` print to standard output; a pipe that its reader has closed is no error.
///
/// # Errors
/// What standard output says.
pub fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    quietly(write(&mut out).and_then(|()| out.flush()))
}

/// Says something in passing, on standard error. Somebody who has closed it does not want to know.
pub fn note(text: &str) {
    _ = writeln!(io::stderr(), "note: {}", clean(text));
}

/// Takes a broken pipe for the end: `keepwarm relationships | head` has seen enough.
///
/// # Errors
/// Any other error of `result`.
pub fn quietly(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The text as it may stand in one line of a terminal: without control, bidirectional and
/// zero-width characters, line ends and tabs being blanks.
#[must_use]
pub fn clean(text: &str) -> String {
    let spaced = text.chars().map(|letter| if breaks(letter) { ' ' } else { letter });
    spaced.filter(|letter| !steers(*letter)).collect::<String>().trim().to_owned()
}

fn write_json(out: &mut dyn Write, data: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(data)?;
    let mut safe = String::with_capacity(text.len() + 1);
    let odd =
        |letter: char| !matches!(letter, ' '..='~' | '\n') && (steers(letter) || breaks(letter));
    for run in text.split_inclusive(odd) {
        let letter = run.chars().next_back().filter(|letter| odd(*letter));
        safe.push_str(letter.and_then(|letter| run.strip_suffix(letter)).unwrap_or(run));
        // Such a letter can only be part of a string, where an escape means the same.
        for unit in letter.iter().flat_map(|letter| letter.encode_utf16(&mut [0; 2]).to_vec()) {
            _ = write!(safe, "\\u{unit:04x}");
        }
    }
    safe.push('\n');
    out.write_all(safe.as_bytes())
}

/// Ends a line or jumps in it.
fn breaks(letter: char) -> bool {
    matches!(letter, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Is obeyed by a terminal, or changes what is seen without being seen.
fn steers(letter: char) -> bool {
    let invisible = matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}');
    letter.is_control() || invisible
}
