//! What is wrong with a configuration, told the way a compiler does.
//!
//! A problem says which key, what it must be and what it is, where that stands (file, line, column
//! with a caret, or variable) and, where it helps, what to do. It guarantees that the line shown
//! holds no secret: whatever may follow a secret's key is cut off.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use super::schema;

/// The most characters of a line that are shown.
const SHOWN_CHARS: usize = 120;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can, but something is likely not as meant.
    Warning,
}

/// Where a setting stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file; line and column count from 1, columns in characters.
    Line {
        /// The file.
        path: PathBuf,
        /// Its line.
        line: usize,
        /// The column at which the carets begin.
        column: usize,
        /// How many carets.
        width: usize,
        /// The line's text as far as it may be shown; `None` where nothing of it may be.
        shown: Option<String>,
    },
    /// The file as a whole.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A setting by its name, after loading.
    Setting(String),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// What: a fragment without a full stop.
    pub message: String,
    /// Where; boxed, so that a problem is a light error.
    pub place: Option<Box<Place>>,
    /// What to do.
    pub hint: Option<String>,
}

/// Everything wrong that could be found in one go, in the order of its places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problem {
    /// An error without a place.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), place: None, hint: None }
    }

    /// A warning without a place.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// The same, at a place.
    #[must_use]
    pub fn at(self, place: Option<Place>) -> Self {
        Self { place: place.map(Box::new), ..self }
    }

    /// The same, with advice.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl Problems {
    /// Sorts by place: file by file, from top to bottom; what has no line comes last.
    pub(super) fn sort(&mut self) {
        self.0.sort_by_key(|problem| match problem.place.as_deref() {
            Some(Place::Line { path, line, column, .. }) => (0, path.clone(), *line, *column),
            Some(Place::File(path)) => (1, path.clone(), 0, 0),
            Some(Place::Variable(name) | Place::Setting(name)) => (2, PathBuf::from(name), 0, 0),
            None => (3, PathBuf::new(), 0, 0),
        });
    }
}

impl Place {
    /// The place of `span` (bytes) in the text of a file.
    pub(super) fn of(path: &Path, text: &str, span: &std::ops::Range<usize>) -> Self {
        let before = text.get(..span.start.min(text.len())).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_text = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let indent = before.get(start..).unwrap_or_default().chars().count();
        let marked = text.get(span.clone()).unwrap_or_default();
        let width = marked.lines().next().unwrap_or_default().chars().count().max(1);
        Self::Line {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: indent + 1,
            width,
            shown: showable(line_text),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}: {}", self.message)?;
        if let Some(place) = &self.place {
            write!(f, "{place}")?;
        }
        self.hint.as_ref().map_or(Ok(()), |hint| writeln!(f, "hint: {hint}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { path, line, column, width, shown } => {
                writeln!(f, "  --> {}:{line}:{column}", path.display())?;
                let Some(shown) = shown else { return Ok(()) };
                let margin = " ".repeat(line.to_string().len());
                // A line that was cut has its carets under the end of what is shown.
                let length = shown.chars().count();
                let indent = column.saturating_sub(1).min(length);
                let carets = "^".repeat((*width).clamp(1, (length - indent).max(1)));
                let indent = " ".repeat(indent);
                writeln!(f, "{margin} |\n{line} | {shown}\n{margin} | {indent}{carets}")
            }
            Self::File(path) => writeln!(f, "  --> {}", path.display()),
            Self::Variable(name) => writeln!(f, "  --> environment variable {name}"),
            Self::Setting(name) => writeln!(f, "  --> {name}"),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// As much of a line as certainly holds no secret, with tabs as single spaces.
///
/// Shown whole is a plain table's header and a key of the schema that is no secret. What follows the `=`
/// of any other key may be a secret under a mistyped name; a line that is not `key = value` may be
/// the rest of one; and in an inline table a secret may follow anywhere.
fn showable(line: &str) -> Option<String> {
    let line = line.trim_end().replace('\t', " ");
    let key = line.split(['=', ' ']).find(|word| !word.is_empty()).unwrap_or_default();
    let name = key.rsplit('.').next().unwrap_or_default();
    let header = line.starts_with('[') && line.chars().all(|c| is_bare_key(c) || "[] ".contains(c));
    let safe = header || schema::is_public(name);
    let end = if safe {
        secret_begins(&line)
    } else {
        let equals = line.find('=').filter(|_| key.chars().all(is_bare_key))?;
        let plain = schema::is_secret(name) || line.contains(" = ");
        if !plain {
            return None;
        }
        Some(equals + 1)
    };
    let mut shown = String::new();
    match end.filter(|end| *end < line.len()) {
        Some(end) => {
            let _ = write!(shown, "{} ...", line.get(..end)?.trim_end());
        }
        None => shown.push_str(&line),
    }
    Some(match shown.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", shown.get(..end)?),
        None => shown,
    })
}

fn is_bare_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.".contains(c)
}

/// Where in a line the value of a secret may begin: after a word that begins a secret's key, and
/// in any inline table.
fn secret_begins(line: &str) -> Option<usize> {
    let word = ["password", "secret", "token"].iter().filter_map(|word| {
        let at = line.find(word)?;
        Some(at + line.get(at..)?.find('=').map_or(word.len(), |equals| equals + 1))
    });
    word.chain(line.find('{').map(|brace| brace + 1)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_secret_is_cut_before_it() {
        for (line, shown) in [
            ("port = 99", Some("port = 99")),
            ("[[source]]", Some("[[source]]")),
            ("[sync", Some("[sync")),
            ("[password = \"hunter2\"", None),
            ("[\"hunter2\"]", None),
            ("password = \"hunter2\"", Some("password = ...")),
            ("pasword = \"hunter2\"", Some("pasword = ...")),
            ("  secret=\"hunter2\"", Some("  secret= ...")),
            ("secret \"hunter2\"", None),
            ("hunter2", None),
            ("\"hunter2\", \"x\"", None),
            ("\"hunter2=\", \"x\"", None),
            ("hunter2=", None),
            ("host = \"a\", password = \"hunter2\"", Some("host = \"a\", password = ...")),
            ("source = [{ pasword = \"hunter2\"", Some("source = ...")),
            ("host = { p = \"hunter2\" }", Some("host = { ...")),
            ("password_command = [\"x\", \"hunter2\"]", Some("password_command = ...")),
            ("source.password = \"hunter2\"", Some("source.password = ...")),
        ] {
            assert_eq!(showable(line).as_deref(), shown, "{line}");
        }
    }

    #[test]
    fn a_column_counts_characters_and_survives_odd_spans() {
        let text = "name = \"Zoë\" # ü\nport = 1\n";
        for (span, line, column) in [(7..13, 1, 8), (16..17, 1, 16), (26..27, 2, 8), (28..28, 3, 1)]
        {
            let place = Place::of(Path::new("k.toml"), text, &span);
            let Place::Line { line: found_line, column: found_column, .. } = place else {
                panic!("{span:?} is a line")
            };
            assert_eq!((found_line, found_column), (line, column), "{span:?}");
        }
    }
}
