//! Reads a log of interactions from comma-separated values (RFC 4180, with a header).
//!
//! Guarantees bounded memory whatever the bytes are: a row is at most 64 KiB, and of what is wrong
//! only the first ten places are kept, though all are counted. A log with anything wrong in it is
//! not used at all. Opening files and decompressing is left to the caller.

mod field;
mod rows;

use std::fmt;
use std::io::{self, BufRead};

use super::log::{Builder, Log};
use crate::model::Interaction;
use rows::{Row, Rows};

/// How many problems are told; the rest is counted.
pub const TOLD: usize = 10;

/// The columns, found by these names in any order; others are passed over.
pub const COLUMNS: [&str; 7] = ["rep", "contact", "at", "direction", "audience", "kind", "linked"];

/// What some programs put before the first column's name.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Something wrong in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// The column by its name; `None` for the line as a whole.
    pub column: Option<&'static str>,
    /// What it must be and what it is: a fragment without a full stop.
    pub message: String,
}

/// Why there is no log.
#[derive(Debug)]
pub enum ReadError {
    /// What is being read broke off.
    Io(io::Error),
    /// What was read is no log of interactions.
    Wrong {
        /// At most [`TOLD`] of them, from top to bottom.
        problems: Vec<Problem>,
        /// How many there are.
        count: u64,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "{}: {column}: {}", self.line, self.message),
            None => write!(f, "{}: {}", self.line, self.message),
        }
    }
}

/// Reads a log.
///
/// # Errors
/// What `input` says, or everything wrong with what it gave.
pub fn read(input: impl BufRead) -> Result<Log, ReadError> {
    let mut rows = Rows::new(input);
    let mut wrong = Wrong::default();
    let mut builder = Builder::default();
    let places = match rows.next().map_err(ReadError::Io)? {
        Some(header) => places(&header).map_err(|problem| wrong.only(problem))?,
        None => return Err(wrong.only(whole(1, "the header is missing: the file is empty"))),
    };
    while let Some(row) = rows.next().map_err(ReadError::Io)? {
        if let Err(problems) = take(&row, &places, &mut builder) {
            wrong.add(problems);
        }
        if row.fault.is_some() {
            break;
        }
    }
    if wrong.count == 0 {
        return Ok(builder.finish());
    }
    Err(ReadError::Wrong { problems: wrong.problems, count: wrong.count })
}

#[derive(Default)]
struct Wrong {
    problems: Vec<Problem>,
    count: u64,
}

impl Wrong {
    fn add(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            self.count += 1;
            if self.problems.len() < TOLD {
                self.problems.push(problem);
            }
        }
    }

    fn only(&mut self, problem: Problem) -> ReadError {
        ReadError::Wrong { problems: vec![problem], count: 1 }
    }
}

fn whole(line: u64, message: impl Into<String>) -> Problem {
    Problem { line, column: None, message: message.into() }
}

/// Where each of [`COLUMNS`] stands in a row, and how many fields a row has.
struct Places {
    at: [usize; COLUMNS.len()],
    width: usize,
}

fn places(header: &Row<'_>) -> Result<Places, Problem> {
    if let Some(fault) = header.fault {
        return Err(whole(header.line, fault));
    }
    let name = |index: usize| {
        let name = header.field(index).trim_ascii();
        if index == 0 { name.strip_prefix(BYTE_ORDER_MARK).unwrap_or(name) } else { name }
    };
    let mut at = [0; COLUMNS.len()];
    for (column, at) in COLUMNS.into_iter().zip(&mut at) {
        let named = |index: &usize| name(*index) == column.as_bytes();
        let mut found = (0..header.width()).filter(named);
        let problem =
            |message: String| Problem { line: header.line, column: Some(column), message };
        match (found.next(), found.next()) {
            (Some(index), None) => *at = index,
            (None, _) => {
                let wanted = COLUMNS.join(",");
                return Err(problem(format!(
                    "the header must name this column, with {wanted} in any order"
                )));
            }
            (Some(_), Some(_)) => {
                return Err(problem("the header must name this column once".to_owned()));
            }
        }
    }
    Ok(Places { at, width: header.width() })
}

/// Adds a row to the log, or tells everything wrong with it.
fn take(row: &Row<'_>, places: &Places, builder: &mut Builder) -> Result<(), Vec<Problem>> {
    if let Some(fault) = row.fault {
        return Err(vec![whole(row.line, fault)]);
    }
    if row.width() != places.width {
        let (is, must) = (row.width(), places.width);
        let message = format!("must have {must} fields as the header has, has {is}");
        return Err(vec![whole(row.line, message)]);
    }
    let mut problems = Vec::new();
    let mut texts = [""; COLUMNS.len()];
    for ((text, place), column) in texts.iter_mut().zip(places.at).zip(COLUMNS) {
        match std::str::from_utf8(row.field(place)) {
            Ok(read) => *text = read.trim(),
            Err(_) => problems.push((column, "must be UTF-8".to_owned())),
        }
    }
    let [rep, contact, at, direction, audience, kind, linked] = texts;
    let mut value = |column, message| problems.push((column, message));
    let rep = field::name(rep).map_err(|m| value("rep", m)).ok();
    let contact = field::name(contact).map_err(|m| value("contact", m)).ok();
    let at = field::instant(at).map_err(|m| value("at", m)).ok();
    let direction = field::direction(direction).map_err(|m| value("direction", m)).ok();
    let audience = field::audience(audience).map_err(|m| value("audience", m)).ok();
    let kind = field::kind(kind).map_err(|m| value("kind", m)).ok();
    let linked = field::linked(linked).map_err(|m| value("linked", m)).ok();
    if let (true, Some(rep), Some(contact), Some(at), Some(direction), Some(audience)) =
        (problems.is_empty(), rep, contact, at, direction, audience)
        && let (Some(kind), Some(linked)) = (kind, linked)
    {
        let interaction = Interaction { at, direction, kind, audience, linked: false };
        builder.push(rep, contact, interaction, linked);
        return Ok(());
    }
    problems.sort_by_key(|(column, _)| COLUMNS.iter().position(|known| known == column));
    problems.dedup_by_key(|(column, _)| *column);
    Err(problems
        .into_iter()
        .map(|(column, message)| Problem { line: row.line, column: Some(column), message })
        .collect())
}

#[cfg(test)]
mod tests;
