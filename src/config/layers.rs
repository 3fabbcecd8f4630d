//! Lays the layers of a configuration over each other and remembers where each setting stands.
//!
//! Guarantees that the settings it hands on are known and of the right shape: others are reported
//! and left out. Tables are merged and lists appended over the files; a variable replaces.
//! Defaults come first, by the `config` crate, in [`Layers::read`].

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use config::{Config as Stack, File, FileFormat};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::advice;
use super::problem::{Place, Problem};
use super::raw::Raw;
use super::schema::{self, Key, LISTS};
use super::shape;
use super::written::Written;

/// The first layer: every key with its default, and its documentation.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// What the layers hold so far; secrets among it, so there is no `Debug`.
#[derive(Default)]
pub(super) struct Layers {
    files: Table,
    variables: Table,
    places: BTreeMap<String, Place>,
    /// Whether a file could not be read as TOML, so that what is missing may stand there.
    pub(super) broken: bool,
    /// The files added so far.
    pub(super) added: Vec<PathBuf>,
    /// What is wrong so far.
    pub(super) problems: Vec<Problem>,
}

/// A file while it is read.
struct Source<'a> {
    path: &'a Path,
    directory: PathBuf,
    text: &'a str,
}

impl Layers {
    /// Adds a file as it was read. TOML is UTF-8: what is not has been saved by an editor that is
    /// set otherwise.
    pub(super) fn add_bytes(&mut self, path: &Path, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.add_file(path, text),
            Err(error) => {
                self.broken = true;
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let before = String::from_utf8_lossy(before);
                let place = Place::of(path, &before, &(before.len()..before.len()));
                let problem = Problem::error("not TOML: this character is not UTF-8");
                self.problems.push(problem.at(Some(place)).hint("save the file as UTF-8"));
            }
        }
    }

    /// Adds a file.
    pub(super) fn add_file(&mut self, path: &Path, text: &str) {
        self.added.push(path.to_owned());
        let directory = path.parent().map(Path::to_owned).unwrap_or_default();
        let source = Source { path, directory, text };
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                self.broken = true;
                let span = error.span().unwrap_or_default();
                let message = format!("not TOML: {}", error.message().replace('\n', ", "));
                let hint = advice::not_toml(error.message(), source.line(&span)).map(str::to_owned);
                let problem = Problem { hint, ..Problem::error(message) };
                self.problems.push(problem.at(Some(source.place(&span))));
                return;
            }
        };
        for (name, value) in table.get_ref() {
            self.add_section(&source, name, value);
        }
    }

    /// Reports a file that cannot be read.
    pub(super) fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.broken = true;
        let problem = Problem::error(format!("the file cannot be read: {error}"));
        self.problems.push(problem.at(Some(Place::File(path.to_owned()))));
    }

    /// Adds a variable `KEEPWARM__SECTION__KEY`; others are not asked for here.
    pub(super) fn add_variable(&mut self, variable: &str, text: &str, directory: &Path) {
        let place = Some(Place::Variable(variable.to_owned()));
        match variable_key(variable)
            .and_then(|key| Ok((key, shape::judge_variable(key, text, directory)?)))
        {
            Err(problem) => self.problems.push(problem.at(place)),
            Ok((key, value)) => {
                self.places.extend(place.map(|place| (shape::name(key).replace('.', "/"), place)));
                let section = self.variables.entry(key.section);
                if let Value::Table(section) = section.or_insert_with(|| Table::new().into()) {
                    section.insert(key.name.to_owned(), value);
                }
            }
        }
    }

    /// Everything laid over the defaults.
    ///
    /// # Errors
    /// Only where the table of keys and [`Raw`] disagree.
    pub(super) fn read(&self) -> Result<Raw, Problem> {
        let layer = |table: &Table| File::from_str(&table.to_string(), FileFormat::Toml);
        Stack::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .add_source(layer(&self.files))
            .add_source(layer(&self.variables))
            .build()
            .and_then(Stack::try_deserialize)
            .map_err(|_| Problem::error("the settings do not fit each other"))
    }

    /// What was set, without the defaults.
    pub(super) fn written(&self) -> Written {
        Written::of([&self.files, &self.variables])
    }

    /// Where a setting stands, by its path: `nudge/drop_ratio`, `source/0` or `source/0/port`.
    pub(super) fn place(&self, path: &str) -> Option<Place> {
        self.places.get(path).cloned()
    }

    /// Whether a setting was given at all, be it wrongly.
    pub(super) fn given(&self, path: &str) -> bool {
        self.places.contains_key(path)
    }

    fn add_section(
        &mut self,
        source: &Source<'_>,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) {
        let Some(section) = schema::section(name.get_ref()) else {
            self.problems
                .push(unknown_section(name.get_ref()).at(Some(source.place(&name.span()))));
            return;
        };
        match value.get_ref() {
            DeValue::Table(table) if !LISTS.contains(&section) => {
                let known = self.read_table(source, section, section, table);
                let merged = self.files.entry(section).or_insert_with(|| Table::new().into());
                merge(merged, known);
            }
            DeValue::Array(items) if LISTS.contains(&section) => {
                for item in items {
                    self.add_item(source, section, item);
                }
            }
            other => {
                let place = source.place(&name.span());
                self.problems.push(wrong_section(section, other).at(Some(place)));
            }
        }
    }

    /// Adds one `[[rep]]`, `[[source]]` or `[[endpoint]]`.
    fn add_item(
        &mut self,
        source: &Source<'_>,
        section: &'static str,
        item: &Spanned<DeValue<'_>>,
    ) {
        let place = source.place(&item.span());
        let DeValue::Table(table) = item.get_ref() else {
            self.problems.push(wrong_section(section, item.get_ref()).at(Some(place)));
            return;
        };
        let count = self.files.get(section).and_then(Value::as_array).map_or(0, Vec::len);
        let path = format!("{section}/{count}");
        self.places.insert(path.clone(), place);
        let known = self.read_table(source, section, &path, table);
        let items = self.files.entry(section).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(items) = items {
            items.push(known.into());
        }
    }

    /// The known and well-shaped part of a table; the rest is reported.
    fn read_table(
        &mut self,
        source: &Source<'_>,
        section: &'static str,
        path: &str,
        table: &DeTable<'_>,
    ) -> Table {
        let mut known = Table::new();
        for (name, value) in table {
            if let Some(inner) = schema::inside(section, name.get_ref()) {
                let path = format!("{path}/{}", name.get_ref());
                let inner = self.read_inner(source, inner, &path, value);
                known.extend(inner.map(|inner| (name.get_ref().to_string(), inner.into())));
                continue;
            }
            let Some(key) = schema::find(section, name.get_ref()) else {
                let place = source.place(&name.span());
                self.problems.push(unknown_key(section, name.get_ref()).at(Some(place)));
                continue;
            };
            let place = source.place(&value.span());
            self.places.insert(format!("{path}/{}", key.name), place.clone());
            match shape::judge(key, value.get_ref(), &source.directory) {
                Ok(value) => drop(known.insert(key.name.to_owned(), value)),
                Err(problem) => self.problems.push(problem.at(Some(place))),
            }
        }
        known
    }

    /// A table inside an item, such as `[source.oauth]`.
    fn read_inner(
        &mut self,
        source: &Source<'_>,
        section: &'static str,
        path: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Table> {
        let place = source.place(&value.span());
        self.places.insert(path.to_owned(), place.clone());
        let DeValue::Table(table) = value.get_ref() else {
            self.problems.push(wrong_section(section, value.get_ref()).at(Some(place)));
            return None;
        };
        Some(self.read_table(source, section, path, table))
    }
}

impl Source<'_> {
    fn place(&self, span: &Range<usize>) -> Place {
        Place::of(self.path, self.text, span)
    }

    /// The line in which `span` begins.
    fn line(&self, span: &Range<usize>) -> &str {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default()
    }
}

/// Lays a table over another: a list is appended, anything else replaced.
fn merge(below: &mut Value, above: Table) {
    let Value::Table(below) = below else { return };
    for (name, value) in above {
        match (below.get_mut(&name), value) {
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (_, value) => drop(below.insert(name, value)),
        }
    }
}

/// The key that a variable means.
fn variable_key(variable: &str) -> Result<&'static Key, Problem> {
    let path = variable.strip_prefix(super::VARIABLE_PREFIX).unwrap_or(variable).to_lowercase();
    let (section, name) = path.split_once("__").unwrap_or((path.as_str(), ""));
    if let Some(list) = LISTS.iter().find(|list| **list == section) {
        let message = format!("`{list}` cannot be set from the environment");
        return Err(Problem::error(message).hint(format!("write [[{list}]] into a file")));
    }
    schema::find(section, name).ok_or_else(|| {
        let known = schema::KEYS.iter().filter(|key| !schema::is_listed(key.section));
        let known: Vec<String> = known.map(variable_of).collect();
        let named = if name.is_empty() { path.clone() } else { format!("{section}.{name}") };
        let problem = Problem::error(format!("no setting is called `{named}`"));
        match schema::nearest(variable, known.iter().map(String::as_str)) {
            Some(near) => problem.hint(format!("did you mean {near}?")),
            None => problem.hint("the form is KEEPWARM__SECTION__KEY"),
        }
    })
}

fn variable_of(key: &Key) -> String {
    format!("KEEPWARM__{}__{}", key.section, key.name).to_uppercase()
}

fn unknown_section(name: &str) -> Problem {
    let homes = || schema::KEYS.iter().filter(|key| key.name == name);
    let home = homes().find(|key| !schema::is_listed(key.section)).or_else(|| homes().next());
    let problem = Problem::error(format!("no section is called `{name}`"));
    let inner = LISTS.iter().find_map(|list| Some((list, schema::inside(list, name)?)));
    if let Some((list, inner)) = inner {
        return problem.hint(format!("write {} below its {}", header(inner), header(list)));
    }
    match (schema::nearest(name, schema::sections()), home) {
        (Some(near), _) => problem.hint(format!("did you mean {}?", header(near))),
        (None, Some(key)) => {
            problem.hint(format!("`{name}` belongs under {}", header(key.section)))
        }
        (None, None) => problem.hint(format!("there are {}", schema::sections().join(", "))),
    }
}

fn wrong_section(section: &str, value: &DeValue<'_>) -> Problem {
    let form = if LISTS.contains(&section) { "a list of tables" } else { "one table" };
    let message = format!("`{section}` must be {form}, but is {}", shape::type_of(value));
    Problem::error(message).hint(format!("write {}", header(section)))
}

fn unknown_key(section: &str, name: &str) -> Problem {
    let problem = Problem::error(format!("no key is called `{section}.{name}`"));
    let inner = schema::sections().into_iter().filter_map(|found| found.split_once('.'));
    let inner = inner.filter(|(outer, _)| *outer == section).map(|(_, inner)| inner);
    let siblings = schema::KEYS.iter().filter(|key| key.section == section).map(|key| key.name);
    let siblings = siblings.chain(inner);
    let home = schema::KEYS.iter().find(|key| key.name == name);
    if let Some(advice) = advice::other_word(section, name) {
        return problem.hint(advice);
    }
    match (schema::nearest(name, siblings.clone()), home) {
        (Some(near), _) => problem.hint(format!("did you mean `{near}`?")),
        (None, Some(key)) => {
            problem.hint(format!("`{name}` belongs under {}", header(key.section)))
        }
        (None, None) => {
            let siblings: Vec<&str> = siblings.collect();
            problem.hint(format!("{} has {}", header(section), siblings.join(", ")))
        }
    }
}

/// A section's header as it is written.
fn header(section: &str) -> String {
    if LISTS.contains(&section) { format!("[[{section}]]") } else { format!("[{section}]") }
}
