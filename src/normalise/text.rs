//! Names that strangers chose, made fit to be stored and shown.

/// No display name is longer than this, in characters.
const NAME_CHARS: usize = 120;

/// The name without control, bidirectional and zero-width characters, white space folded, without
/// surrounding quotes, at most 120 characters.
#[must_use]
pub fn clean_name(raw: &str) -> String {
    let visible =
        raw.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| shown(*c));
    let folded = visible.take(4 * NAME_CHARS).collect::<String>();
    let folded = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    let unquoted = folded.trim_matches(|c| c == '"' || c == '\'').trim();
    unquoted.chars().take(NAME_CHARS).collect()
}

/// Whether a character may stand in a stored text: no control, format or bidirectional ones.
#[must_use]
pub fn shown(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'))
}

#[cfg(test)]
mod tests {
    use super::clean_name;

    #[test]
    fn names_lose_what_cannot_be_seen() {
        for (raw, clean) in [
            ("Bo Li", "Bo Li"),
            ("  'Bo \t Li' ", "Bo Li"),
            ("\"Li, Bo\"", "Li, Bo"),
            ("Bo\u{202e}iL\u{200b}", "BoiL"),
            ("Bo\r\nBcc: x", "Bo Bcc: x"),
            ("\u{1b}[31mred", "[31mred"),
            ("", ""),
        ] {
            assert_eq!(clean_name(raw), clean, "{raw:?}");
        }
        assert_eq!(clean_name(&"é".repeat(1000)).chars().count(), 120);
    }
}
