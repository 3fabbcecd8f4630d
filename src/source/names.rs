//! Mailbox names as they travel and as they lie on disk: quoted strings, levels and modified UTF-7
//! (RFC 3501, 5.1.3; Maildir++ uses it too).
//!
//! Pure. A name is kept byte for byte as the source has it, for that is how it must be asked for;
//! it is decoded only to be compared.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const MUTF7: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A string as an IMAP quoted string. The caller has seen to it that it holds no CR, LF or NUL.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// Undoes the escapes of a quoted string, which the parser leaves in.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\\' | '"')) => plain.extend(chars.next()),
            _ => plain.push(c),
        }
    }
    plain
}

/// Whether a name can be put into a command.
pub(super) fn is_sendable(name: &str) -> bool {
    !name.contains(['\r', '\n', '\0'])
}

/// The levels of a name, for people; an empty delimiter means that there is but one.
pub(super) fn levels(name: &str, delimiter: &str) -> Vec<String> {
    if delimiter.is_empty() {
        return vec![decoded(name)];
    }
    name.split(delimiter).map(decoded).collect()
}

/// Whether an excluded name, as people see it or as the source has it, is this mailbox or one above
/// it.
pub(super) fn covers(excluded: &str, name: &str, delimiter: &str) -> bool {
    let excluded = excluded.to_lowercase();
    [name.to_lowercase(), decoded(name).to_lowercase()].iter().any(|name| {
        name.strip_prefix(&excluded).is_some_and(|rest| {
            rest.is_empty() || (!delimiter.is_empty() && rest.starts_with(delimiter))
        })
    })
}

/// A name for people; what is not modified UTF-7 stays as it is.
pub(super) fn decoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, shifted)) = rest.split_once('&') {
        text.push_str(before);
        let Some((code, after)) = shifted.split_once('-') else {
            text.push('&');
            rest = shifted;
            break;
        };
        match unshifted(code) {
            Some(letters) => text.push_str(&letters),
            None => text.extend(["&", code, "-"]),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// What stands between `&` and `-`: base 64 of UTF-16, or nothing for a plain `&`.
fn unshifted(code: &str) -> Option<String> {
    if code.is_empty() {
        return Some("&".to_owned());
    }
    let bytes = MUTF7.decode(code).ok()?;
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_for_people() {
        for (wire, shown) in [
            ("INBOX", "INBOX"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"),
            ("&U,BTFw-", "台北"),
            ("Tom &- Jerry", "Tom & Jerry"),
            ("&2D3eAA-", "😀"),
            ("&!!-x", "&!!-x"),
            ("A&B", "A&B"),
            ("&AP-", "&AP-"),
        ] {
            assert_eq!(decoded(wire), shown, "{wire}");
        }
    }

    #[test]
    fn quoting_and_unescaping_are_inverse() {
        for name in ["INBOX", r#"a "b" c"#, r"back\slash", r"\\", "\""] {
            let wire = quoted(name);
            let inner = wire.get(1..wire.len() - 1).unwrap();
            assert_eq!(unescaped(inner), name, "{name}");
        }
    }
}
