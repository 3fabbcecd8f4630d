//! Makes a stranger's text inert: it is read in a chat, and does nothing there.
//!
//! Contacts choose their names, and a chat takes a name for markup: bold, links, mentions of a whole
//! channel, emoji, dates. Slack's mrkdwn has no escape for most of these, and the backslash of
//! Markdown is not honoured by every client of Teams (microsoft/AdaptiveCards issue 5590). So a
//! character that could open markup is replaced by one that looks alike and means nothing; what
//! cannot be seen, or turns the direction of writing, is left out. Whoever needs the text as it
//! is finds it in the standard format.

use crate::normalise::text::shown;

/// How many marks may be stacked on one letter: enough for every orthography, too few to cover lines.
const MARKS: usize = 3;

/// The text in one line of at most so many characters, without what cannot be seen; an ellipsis is
/// the last of them where something was cut off.
pub(super) fn plain(text: &str, most: usize) -> String {
    let mut line = String::new();
    let (mut count, mut marks, mut gap) = (0, 0, false);
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            (gap, marks) = (count > 0, 0);
            continue;
        }
        if !shown(c) || is_filler(c) {
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS {
            continue;
        }
        let room = if gap { 2 } else { 1 };
        if count + room > most {
            // Only now is it certain that something is missing.
            while count >= most.max(1) {
                line.pop();
                count -= 1;
            }
            line.truncate(line.trim_end().len());
            line.push('…');
            return line;
        }
        if gap {
            line.push(' ');
        }
        line.push(c);
        count += room;
        gap = false;
    }
    line
}

/// A name as [`inert`] text; never empty.
pub(super) fn name(text: &str, most: usize) -> String {
    let name = inert(text, most);
    if name.is_empty() { "Somebody".to_owned() } else { name }
}

/// The same as [`plain`], and nothing in it is markup, a link, a mention or a template of any chat. `<`, `>` and
/// `&` are left to the format, which knows how to escape them.
pub(super) fn inert(text: &str, most: usize) -> String {
    let plain = plain(text, most);
    let mut safe = String::with_capacity(plain.len());
    let mut before = None;
    let mut letters = plain.chars().peekable();
    while let Some(c) = letters.next() {
        safe.push(lookalike(c, before, letters.peek().copied()).unwrap_or(c));
        before = Some(c);
    }
    begun(safe)
}

/// What stands for a character that would mean something where it is.
fn lookalike(c: char, before: Option<char>, after: Option<char>) -> Option<char> {
    let inside = before.is_some_and(char::is_alphanumeric);
    match c {
        '*' => Some('∗'),
        '_' => Some('＿'),
        '~' => Some('∼'),
        '`' => Some('‵'),
        // Of an emoji's name, of a scheme: `:siren:`, `https://`.
        ':' => Some('∶'),
        '[' => Some('［'),
        ']' => Some('］'),
        '{' => Some('｛'),
        '}' => Some('｝'),
        '\\' => Some('＼'),
        // A mention begins at a boundary; an address has a letter before it.
        '@' if !inside => Some('＠'),
        '#' if !inside => Some('＃'),
        // Of a host's name, which chats make a link even without a scheme.
        '.' if inside && after.is_some_and(char::is_alphanumeric) => Some('․'),
        // What domain names may have instead (UTS 46, 2.3).
        '。' | '．' | '｡' if inside && after.is_some_and(|c| c.is_ascii_alphanumeric()) => {
            Some('․')
        }
        _ => None,
    }
}

/// The line, without what makes a quotation or an item of a list where a line begins with it.
fn begun(line: String) -> String {
    let number = line.chars().take_while(char::is_ascii_digit).count();
    let (first, rest) = line.split_at_checked(number).unwrap_or(("", &line));
    let mut rest = rest.chars();
    let other = match rest.next() {
        Some('.') if number > 0 => '․',
        Some(')') if number > 0 => '﹚',
        Some('-') if number == 0 => '‐',
        Some('+') if number == 0 => '＋',
        Some('>') if number == 0 => '›',
        Some('=') if number == 0 => '＝',
        Some('|') if number == 0 => '｜',
        _ => return line,
    };
    format!("{first}{other}{}", rest.as_str())
}

/// Whether a character is stacked on the one before it.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether a character has no shape of its own, beside those that are never stored
/// (Unicode: `Default_Ignorable_Code_Point`), or is none.
fn is_filler(c: char) -> bool {
    let nobody = u32::from(c) & 0xfffe == 0xfffe;
    nobody
        || matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2065}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    #[test]
    fn what_is_written_plainly_stays() {
        for name in [
            "Bo Li",
            "José Núñez-Ortega",
            "O'Brien & Sons",
            "李博",
            "Ngọc Ánh",
            "ศักดิ์",
            "Müller (Einkauf)",
            "J. R. Smith, Jr.",
            "bo+crm@acme",
        ] {
            assert_eq!(inert(name, 80), name);
        }
    }

    #[test]
    fn what_would_mean_something_looks_as_if_it_did() {
        for (text, safe) in [
            ("*bold* _it_ ~no~ `code`", "∗bold∗ ＿it＿ ∼no∼ ‵code‵"),
            ("@here @channel bo@acme", "＠here ＠channel bo@acme"),
            ("[x](https://evil.example/a)", "［x］(https∶//evil․example/a)"),
            ("{{DATE(2017-02-14T06:00:00Z)}}", "｛｛DATE(2017-02-14T06∶00∶00Z)｝｝"),
            ("#general c#", "＃general c#"),
            ("www.evil.example", "www․evil․example"),
            ("- a", "‐ a"),
            ("1. a", "1․ a"),
            ("12) a", "12﹚ a"),
            ("> a", "› a"),
            ("1 - a", "1 - a"),
            ("a\nb\r\n\tc\u{2028}d", "a b c d"),
            ("a\u{202e}b\u{200b}c\u{0}d\u{fe0f}", "abc d"),
            ("e\u{301}\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}\u{301}"),
            (" \u{3164} ", ""),
        ] {
            assert_eq!(inert(text, 80), safe, "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        for (text, most, cut) in [
            ("abcd", 4, "abcd"),
            ("abcde", 4, "abc…"),
            ("abc d", 4, "abc…"),
            ("abc ", 4, "abc"),
            ("ab cd", 4, "ab…"),
            ("日本語日本", 4, "日本語…"),
            ("abc\u{200b}d", 4, "abcd"),
        ] {
            assert_eq!(plain(text, most), cut, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_inert_and_short(text in any::<String>(), most in 1_usize..60) {
            let safe = inert(&text, most);
            prop_assert!(safe.chars().count() <= most);
            let markup = ['*', '_', '~', '`', ':', '[', ']', '{', '}', '\\', '\n'];
            prop_assert!(!safe.contains(markup));
            prop_assert!(!safe.starts_with(['@', '#', '-', '>', '+']));
            // Nothing becomes active by being made inert once more.
            prop_assert!(inert(&safe, most) == safe);
        }
    }
}
