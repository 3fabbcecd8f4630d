//! Names that strangers chose, made fit to be stored and shown.

/// No display name is longer than this, in characters.
const NAME_CHARS: usize = 120;

/// The name without control, bidirectional and zero-width characters, white space folded, without
/// surrounding quotes, at most 120 characters.
#[must_use]
pub fn clean_name(raw: &str) -> String {
    if is_clean(raw) {
        return raw.to_owned();
    }
    let visible =
        raw.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| shown(*c));
    let folded = visible.take(4 * NAME_CHARS).collect::<String>();
    let folded = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    let unquoted = folded.trim_matches(|c| c == '"' || c == '\'').trim();
    unquoted.chars().take(NAME_CHARS).collect()
}

/// Whether a name stays as it is, by a look that is quick and knows most of them: words of plain
/// letters, a space between them.
fn is_clean(name: &str) -> bool {
    let outer = |byte: Option<&u8>| byte.is_none_or(|byte| !matches!(byte, b' ' | b'"' | b'\''));
    let bytes = name.as_bytes();
    bytes.len() <= NAME_CHARS
        && bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
        && outer(bytes.first())
        && outer(bytes.last())
        && !bytes.windows(2).any(|pair| pair == b"  ")
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
            ("Bo  Li", "Bo Li"),
            ("Bo Li ", "Bo Li"),
            ("Bo \"B\" Li", "Bo \"B\" Li"),
            ("", ""),
        ] {
            assert_eq!(clean_name(raw), clean, "{raw:?}");
        }
        assert_eq!(clean_name(&"é".repeat(1000)).chars().count(), 120);
        assert_eq!(clean_name(&"e".repeat(1000)).chars().count(), 120);
    }
}
