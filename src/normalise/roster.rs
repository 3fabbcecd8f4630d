//! The admin's file of people: which addresses are one person's.
//!
//! Either CSV with a header that names the columns `person` and `address`, one row for each address
//! (what stands under `person` is any name that tells people apart), or vCards (RFC 6350 and earlier)
//! with one EMAIL for each. What cannot be read is said with its line and column.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use calcard::vcard::{VCard, VCardProperty};
use calcard::{Entry, Parser};
use csv::ReaderBuilder;

use crate::model::Address;

use super::address::canonical;

/// What is wrong with a file, and where; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: usize,
    /// What is wrong: a fragment without a full stop.
    pub what: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.what)
    }
}

/// People with two addresses or more, as they stand in a file of that name.
///
/// # Errors
/// The first flaw.
pub fn read(name: &str, text: &str) -> Result<Vec<BTreeSet<Address>>, Flaw> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let cards = [".vcf", ".vcard"].iter().any(|end| name.to_lowercase().ends_with(end));
    let found = if cards { vcards(text) } else { table(text) }?;
    Ok(found.into_iter().filter(|addresses| addresses.len() > 1).collect())
}

/// What was found so far: whose each address is.
#[derive(Default)]
struct People {
    found: BTreeMap<String, BTreeSet<Address>>,
    whose: BTreeMap<Address, (String, u64)>,
}

impl People {
    fn add(&mut self, person: &str, written: &str, text: &str, line: u64) -> Result<(), Flaw> {
        let flaw = |what: String| Err(flaw_at(text, line, written, what));
        let Some(address) = canonical(written) else {
            return flaw(format!("{written:?} is no address"));
        };
        if let Some((other, at)) = self.whose.get(&address)
            && other != person
        {
            return flaw(format!("{written} is another person's: {other:?}, in line {at}"));
        }
        self.whose.insert(address.clone(), (person.to_owned(), line));
        self.found.entry(person.to_owned()).or_default().insert(address);
        Ok(())
    }
}

fn flaw_at(text: &str, line: u64, written: &str, what: String) -> Flaw {
    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let of_line = text.lines().nth(index).unwrap_or_default();
    let before = of_line.find(written).and_then(|at| of_line.get(..at));
    Flaw { line, column: before.map_or(1, |before| before.chars().count() + 1), what }
}

fn table(text: &str) -> Result<Vec<BTreeSet<Address>>, Flaw> {
    let mut reader =
        ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(Flaw { line: 1, column: 1, what: error.to_string() }),
    };
    let column = |name: &str| {
        header.iter().position(|found| found.eq_ignore_ascii_case(name)).ok_or_else(|| Flaw {
            line: 1,
            column: 1,
            what: format!("the header has no column `{name}`: it must be `person,address`"),
        })
    };
    let (person, address) = (column("person")?, column("address")?);
    let mut people = People::default();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            Flaw { line, column: 1, what: error.to_string() }
        })?;
        let line = written_at(text, record.position().map_or(1, csv::Position::line));
        let field = |n: usize, name: &str| match record.get(n).filter(|text| !text.is_empty()) {
            Some(text) => Ok(text),
            None => Err(Flaw { line, column: 1, what: format!("`{name}` is missing") }),
        };
        people.add(field(person, "person")?, field(address, "address")?, text, line)?;
    }
    Ok(people.found.into_values().collect())
}

/// The line in which a record begins: blank lines before it are counted to it.
fn written_at(text: &str, line: u64) -> u64 {
    let before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let blank = text.lines().skip(before).take_while(|line| line.trim().is_empty()).count();
    line.saturating_add(u64::try_from(blank).unwrap_or_default())
}

fn vcards(text: &str) -> Result<Vec<BTreeSet<Address>>, Flaw> {
    let begins: Vec<u64> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| line.trim().eq_ignore_ascii_case("BEGIN:VCARD"))
        .map(|(number, _)| number)
        .collect();
    let (mut parser, mut people) = (Parser::new(text), People::default());
    let mut number = 0;
    loop {
        let line = begins.get(number).copied().unwrap_or(1);
        let what = match parser.entry() {
            Entry::Eof => return Ok(people.found.into_values().collect()),
            Entry::VCard(card) => {
                number += 1;
                add_card(&mut people, &card, number, text, line)?;
                continue;
            }
            Entry::InvalidLine(line) if line.trim().is_empty() => continue,
            Entry::InvalidLine(_) => "a line that is no vCard's".to_owned(),
            Entry::UnterminatedComponent(_) => "a vCard without END:VCARD".to_owned(),
            _ => "something else than a vCard".to_owned(),
        };
        return Err(Flaw { line, column: 1, what });
    }
}

/// Every card is a person of its own, whatever its name.
fn add_card(
    people: &mut People,
    card: &VCard,
    number: usize,
    text: &str,
    begins: u64,
) -> Result<(), Flaw> {
    let of = |wanted: VCardProperty| card.entries.iter().filter(move |entry| entry.name == wanted);
    let name = of(VCardProperty::Fn).flat_map(|entry| &entry.values).find_map(|v| v.as_text());
    let person = format!("{} (card {number})", name.unwrap_or("a card without a name"));
    for written in of(VCardProperty::Email).flat_map(|entry| &entry.values) {
        let Some(written) = written.as_text().map(str::trim).filter(|text| !text.is_empty()) else {
            continue;
        };
        let from = usize::try_from(begins.saturating_sub(1)).unwrap_or_default();
        let inside = (begins..).zip(text.lines().skip(from));
        let line = inside.into_iter().find(|(_, line)| line.contains(written));
        people.add(&person, written, text, line.map_or(begins, |(number, _)| number))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::read;

    fn told(name: &str, text: &str) -> String {
        match read(name, text) {
            Ok(people) => {
                let one = |of: std::collections::BTreeSet<crate::model::Address>| {
                    of.iter().map(|a| a.as_str().to_owned()).collect::<Vec<_>>().join("=")
                };
                people.into_iter().map(one).collect::<Vec<_>>().join(" ")
            }
            Err(flaw) => flaw.to_string(),
        }
    }

    #[test]
    fn tables_are_read_and_their_flaws_found() {
        for (text, expected) in [
            ("person,address\nBo,bo@a.example\nBo,Bo@B.example\n", "bo@a.example=bo@b.example"),
            (
                "address, person, note\nbo@a.example, 1, x\nbo@b.example, 1\n",
                "bo@a.example=bo@b.example",
            ),
            (
                "person,address\n\"Li, Bo\",bo@a.example\n\"Li, Bo\",bo@b.example\n",
                "bo@a.example=bo@b.example",
            ),
            ("person,address\nBo,bo@a.example\nCy,cy@a.example\n", ""),
            ("person,address\n", ""),
            (
                "name,address\nBo,bo@a.example\n",
                "line 1, column 1: the header has no column `person`: it must be `person,address`",
            ),
            (
                "person,address\nBo,bo@a.example\nBo,bo at b\n",
                "line 3, column 4: \"bo at b\" is no address",
            ),
            ("person,address\nBo\n", "line 2, column 1: `address` is missing"),
            (
                "person,address\nBo,bo@a.example\n\nCy, bo@a.example\n",
                "line 4, column 5: bo@a.example is another person's: \"Bo\", in line 2",
            ),
        ] {
            assert_eq!(told("people.csv", text), expected, "{text:?}");
        }
    }

    #[test]
    fn cards_are_read_and_their_flaws_found() {
        let card = |body: &str| format!("BEGIN:VCARD\r\nVERSION:4.0\r\n{body}END:VCARD\r\n");
        let bo = card("FN:Bo Li\r\nEMAIL;TYPE=work:bo@a.example\r\nEMAIL:bo@b.example\r\n");
        let namesake = card("FN:Bo Li\r\nEMAIL:other@a.example\r\n");
        let wrong = card("FN:Cy\r\nEMAIL:cy at a\r\n");
        let taken = card("FN:Cy\r\nEMAIL:bo@b.example\r\n");
        for (text, expected) in [
            (bo.clone(), "bo@a.example=bo@b.example"),
            (format!("{bo}{namesake}"), "bo@a.example=bo@b.example"),
            (String::new(), ""),
            (format!("{bo}{wrong}"), "line 10, column 7: \"cy at a\" is no address"),
            (
                format!("{bo}{taken}"),
                "line 10, column 7: bo@b.example is another person's: \"Bo Li (card 1)\", in line 5",
            ),
        ] {
            assert_eq!(told("people.vcf", &text), expected, "{text:?}");
        }
    }
}
