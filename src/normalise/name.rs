//! When two display names are one person's full name.

use crate::model::Key;

use super::organisation::is_role_word;

/// A full name in a form in which its spellings are one: in lower case, `Li, Bo` as `bo li`, without
/// what stands in brackets; accents are kept, for they tell names apart. `None` if it is no full name
/// of a person: fewer than two words of at least two letters, or words of a function.
#[must_use]
pub fn full_name(display: &str) -> Option<String> {
    let lower = composed(&without_brackets(display).to_lowercase());
    let ordered = match lower.split_once(',') {
        Some((_, rest)) if rest.contains(',') => return None,
        Some((last, first)) => format!("{first} {last}"),
        None => lower,
    };
    let words: Vec<&str> = ordered.split_whitespace().collect();
    let odd = |c: char| !(c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '’'));
    let no_person = |word: &&str| word.chars().any(odd) || is_role_word(word);
    if words.len() > 6 || words.iter().any(no_person) {
        return None;
    }
    let long = words.iter().filter(|word| letters(word) >= 2).count();
    (long >= 2).then(|| words.join(" "))
}

/// The key of a full name, by which it is kept beside an address.
#[must_use]
pub fn name_key(display: &str) -> Option<Key> {
    full_name(display).map(|name| Key::of("name", &[name.as_bytes()]))
}

/// Letters and accents in one way: composed where Unicode has a letter for both.
fn composed(text: &str) -> String {
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// How many letters a word has; one that is a word by itself in some scripts counts for two.
fn letters(word: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}');
    word.chars().filter(|c| c.is_alphabetic()).map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::full_name;

    #[test]
    fn spellings_of_one_name_are_one_and_others_are_not() {
        for (display, expected) in [
            ("Bo Li", Some("bo li")),
            ("Li, Bo", Some("bo li")),
            ("BO  LI", Some("bo li")),
            ("Bo Li (Acme)", Some("bo li")),
            ("Bo Li [External]", Some("bo li")),
            ("van der Berg, Jan", Some("jan van der berg")),
            ("Jan van der Berg", Some("jan van der berg")),
            ("José Ruiz", Some("josé ruiz")),
            ("Jose\u{301} Ruiz", Some("josé ruiz")),
            ("Jose Ruiz", Some("jose ruiz")),
            ("Mary-Ann O'Neil", Some("mary-ann o'neil")),
            ("J. R. Ewing", None),
            ("John R. Ewing", Some("john r. ewing")),
            ("李 波", Some("李 波")),
            ("Bo", None),
            ("B. Li", None),
            ("", None),
            ("bo@acme.example", None),
            ("bo li@acme", None),
            ("Sales Team", None),
            ("Acme Support", None),
            ("Li, Bo, PhD", None),
            ("Agent 47", None),
            ("Bo Li via Docs and Sheets by Acme", None),
        ] {
            assert_eq!(full_name(display).as_deref(), expected, "{display:?}");
        }
    }
}
