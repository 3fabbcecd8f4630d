//! A table of named columns: laid out for a terminal, or as comma-separated values.

use std::io::{self, Write};

use console::Style;
use csv::{ErrorKind, Terminator, WriterBuilder};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Colour, Look, clean};

/// Blanks between two columns.
const GAP: usize = 2;

/// A column of text is not made narrower than this.
const NARROWEST: usize = 8;

/// On which side a column is even.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// For text; such a column gives way when the terminal is narrow.
    Left,
    /// For numbers; such a column is never shortened.
    Right,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name for programs, in `snake_case`: the header of the CSV.
    pub key: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// On which side it is even.
    pub align: Align,
}

/// What a cell means to the reader, where colours are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// As it should be: green.
    Good,
    /// Worth a look: yellow.
    Warning,
    /// Not as it should be: red.
    Bad,
    /// Of less importance: grey.
    Faint,
}

/// A cell. Text may be anybody's; it is cleaned on the way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    text: String,
    content: Content,
    tone: Tone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Text,
    Number,
}

impl Cell {
    /// Words, which are never taken for a number or a formula.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        Self { text: clean(text.as_ref()), content: Content::Text, tone: Tone::Plain }
    }

    /// A number, as it is to be shown.
    #[must_use]
    pub fn number(number: impl AsRef<str>) -> Self {
        let text = clean(number.as_ref());
        Self { text, content: Content::Number, tone: Tone::Plain }
    }

    /// Nothing known.
    #[must_use]
    pub fn empty() -> Self {
        Self::text("")
    }

    /// The same with a meaning.
    #[must_use]
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// As spreadsheets take it for what it is: text that would begin a formula is quoted (OWASP,
    /// "CSV Injection").
    fn for_spreadsheets(&self) -> String {
        let formula = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
        match self.content {
            Content::Text if self.text.starts_with(formula) => format!("'{}", self.text),
            _ => self.text.clone(),
        }
    }
}

/// Columns and rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; cells that are missing are empty, those too many are left out.
    pub fn push(&mut self, mut row: Vec<Cell>) {
        row.resize_with(self.columns.len(), Cell::empty);
        self.rows.push(row);
    }

    /// Writes it in columns, with a header line.
    pub(super) fn write_text(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        let widths = self.widths(look.width);
        let header: Vec<Cell> =
            self.columns.iter().map(|column| Cell::text(column.title)).collect();
        self.write_line(out, &header, &widths, |_| heading(look.colour))?;
        for row in &self.rows {
            self.write_line(out, row, &widths, |cell| style(cell.tone, look.colour))?;
        }
        Ok(())
    }

    /// Writes it by RFC 4180, with a header line.
    pub(super) fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        writer.write_record(self.columns.iter().map(|column| column.key)).map_err(plain)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::for_spreadsheets)).map_err(plain)?;
        }
        writer.flush()
    }

    /// The width of each column: what its cells need, but all together no more than the limit,
    /// to which the widest columns of text give way.
    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let cells = self.rows.iter().filter_map(|row| row.get(index));
                cells.map(|cell| cell.text.width()).fold(column.title.width(), usize::max)
            })
            .collect();
        let Some(limit) = limit else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1);
        let text = |index: usize| self.columns.get(index).is_some_and(|c| c.align == Align::Left);
        loop {
            let excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(limit);
            let texts = widths.iter_mut().enumerate().filter(|(index, _)| text(*index));
            let mut texts: Vec<&mut usize> = texts.map(|(_, width)| width).collect();
            texts.sort_by(|a, b| b.cmp(a));
            let second = texts.get(1).map_or(0, |width| **width);
            match texts.into_iter().next() {
                Some(widest) if excess > 0 && *widest > NARROWEST => {
                    // Down to the next widest at once, then in turns.
                    let step = excess.min((*widest - second).max(1));
                    *widest = (*widest - step).max(NARROWEST);
                }
                _ => return widths,
            }
        }
    }

    fn write_line(
        &self,
        out: &mut dyn Write,
        cells: &[Cell],
        widths: &[usize],
        style: impl Fn(&Cell) -> Option<Style>,
    ) -> io::Result<()> {
        let mut owed = 0;
        for ((cell, column), width) in cells.iter().zip(&self.columns).zip(widths) {
            let text = shortened(&cell.text, *width);
            let padding = width.saturating_sub(text.width());
            let (before, after) = match column.align {
                Align::Left => (0, padding),
                Align::Right => (padding, 0),
            };
            if !text.is_empty() {
                write!(out, "{:1$}", "", owed + before)?;
                owed = 0;
                match style(cell) {
                    Some(style) => write!(out, "{}", style.apply_to(&text))?,
                    None => write!(out, "{text}")?,
                }
                owed += after + GAP;
            } else {
                owed += width + GAP;
            }
        }
        writeln!(out)
    }
}

/// The text in no more than `width` columns, its end replaced by `…` if there is too much of it.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |letter: &char| {
        used += letter.width().unwrap_or(0);
        used <= width
    };
    text.chars().take_while(fits).collect::<String>().trim_end().to_owned() + "…"
}

fn heading(colour: Colour) -> Option<Style> {
    (colour == Colour::On).then(|| Style::new().bold().force_styling(true))
}

fn style(tone: Tone, colour: Colour) -> Option<Style> {
    let style = Style::new().force_styling(true);
    match (colour, tone) {
        (Colour::Off, _) | (_, Tone::Plain) => None,
        (_, Tone::Good) => Some(style.green()),
        (_, Tone::Warning) => Some(style.yellow()),
        (_, Tone::Bad) => Some(style.red()),
        (_, Tone::Faint) => Some(style.dim()),
    }
}

/// The error below that of the library, so that a closed pipe is still known as one.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
