//! What to write instead: advice for mistakes that people make who come from other programs and
//! other languages of configuration.
//!
//! Pure. Advice never repeats a value that may be a secret: what a parser could not read is told
//! by its form alone.

use super::schema::{Key, Shape, nearest};

/// What other programs call a key, by the section in which it stands.
const OTHER_WORDS: &[(&str, &str, &[&str])] = &[
    ("rep", "addresses", &["email", "emails", "mail", "address", "alias", "aliases"]),
    ("source", "kind", &["type", "protocol", "driver"]),
    ("source", "host", &["server", "hostname", "address", "imap_host", "imap_server"]),
    ("source", "username", &["user", "login", "email", "account"]),
    ("source", "password", &["pass", "pw"]),
    ("source", "tls", &["ssl", "security", "encryption", "starttls"]),
    ("source", "ca_file", &["ca", "cacert", "ca_certificate", "cert"]),
    ("source", "poll_seconds", &["interval", "refresh", "poll_interval"]),
    ("source", "exclude_mailboxes", &["exclude", "ignore", "exclude_folders", "ignore_folders"]),
    ("source", "path", &["directory", "folder", "maildir"]),
    ("endpoint", "url", &["webhook", "webhook_url", "address", "target"]),
    ("endpoint", "format", &["type", "kind"]),
    ("serve", "listen", &["address", "bind", "port", "host"]),
    ("store", "path", &["database", "db", "file", "url"]),
    ("organization", "domains", &["domain", "name"]),
];

/// Advice for a key that there is not, where another program's word for one was meant.
pub(super) fn other_word(section: &str, name: &str) -> Option<String> {
    if (section, name) == ("source", "token") {
        let ways = "token_file, token_credential or token_command";
        return Some(format!("write {ways}: a token in this file would expire"));
    }
    let name = name.to_lowercase().replace('-', "_");
    let row = OTHER_WORDS
        .iter()
        .find(|(of, _, words)| *of == section && words.contains(&name.as_str()))?;
    Some(format!("it is called `{}` here", row.1))
}

/// Advice for a line that is not TOML, by what the parser says of it.
pub(super) fn not_toml(message: &str, line: &str) -> Option<&'static str> {
    let line = line.trim();
    let value = line.split_once('=').map(|(_, value)| value.trim()).unwrap_or_default();
    let says = |words: &str| message.contains(words);
    Some(if line.starts_with("//") || line.starts_with(';') {
        "a comment begins with #"
    } else if says("must be quoted") {
        unquoted(value)
    } else if says("key with no value") {
        "write key = value, or [section]"
    } else if says("escaped value") || says("escape") {
        "write it in single quotes, in which a backslash is a backslash"
    } else if says("unclosed array table") || line.starts_with("[[") && says("unclosed") {
        "close it with two brackets: [[rep]]"
    } else if says("unclosed table") {
        "close it with a bracket: [sync]"
    } else if says("array") {
        "put a comma between two values, and a bracket ] after the last"
    } else if says("duplicate key") && line.starts_with("[[source]]") {
        "write [source.oauth] below its [[source]]"
    } else if says("duplicate key") && line.starts_with('[') {
        "write what belongs to one section below one header"
    } else if says("duplicate key") {
        "keep one of them"
    } else if says("boolean") {
        "write true or false, in lower case"
    } else if says("leading zero") {
        "write it without the zero"
    } else if says("invalid basic string") || says("invalid literal string") {
        "close it with the quote that it begins with, on the same line"
    } else {
        return None;
    })
}

/// Advice for a value that lacks its quotes.
fn unquoted(value: &str) -> &'static str {
    let word = value.to_lowercase();
    if value.is_empty() {
        "write a value after the ="
    } else if value.starts_with(['“', '”', '„', '‘', '’', '«', '`']) {
        "write it in straight quotes: \"...\""
    } else if ["yes", "no", "on", "off"].contains(&word.as_str()) {
        "write true or false"
    } else if value.starts_with(|c: char| c.is_ascii_digit()) && unit(value).is_some() {
        "write the number alone: its unit is in the key"
    } else {
        "write it in quotes: \"...\""
    }
}

/// The number of something like `60s` or `5 %`, and what stands after it.
fn unit(value: &str) -> Option<(&str, &str)> {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = value.split_at(end);
    let unit = unit.trim();
    let short = unit == "%" || unit.len() <= 8 && unit.chars().all(|c| c.is_ascii_alphabetic());
    (short && number.parse::<f64>().is_ok()).then_some((number, unit))
}

/// Advice for a string where a number or a flag is asked for.
pub(super) fn number_as_text(text: &str) -> Option<String> {
    if text.parse::<f64>().is_ok() {
        return Some("write it without quotes".to_owned());
    }
    match unit(text.trim())? {
        (number, "%") => {
            let share = number.parse::<f64>().ok()? / 100.0;
            Some(format!("write it as a share, without quotes: {share}"))
        }
        (number, _) => Some(format!("write the number alone, without quotes: {number}")),
    }
}

/// Advice for a string where a list is asked for.
pub(super) fn list_as_text(text: &str) -> String {
    let items: Vec<String> = text
        .split([',', ';'])
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| format!("{item:?}"))
        .collect();
    format!("write it in brackets: [{}]", items.join(", "))
}

/// Advice for a string that may be shown, and is not what its key asks for.
pub(super) fn text(key: &Key, text: &str) -> Option<String> {
    match key.name {
        "host" => host(text),
        "time_zone" => time_zone(text),
        "domains" | "exclude_domains" | "google_domains" => domain(text),
        "addresses" | "exclude_addresses" => address(text),
        "id" if matches!(key.shape, Shape::Words(_)) => id(text),
        "listen" => text.strip_prefix(':').map(|port| format!("write \"127.0.0.1:{port}\"")),
        _ if key.name.ends_with("_credential") => {
            let name = text.rsplit('/').next().filter(|name| !name.is_empty())?;
            Some(format!("write {name:?}: systemd says where it is"))
        }
        _ => None,
    }
}

/// A host that was taken from a URL, or has its port with it.
fn host(text: &str) -> Option<String> {
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = bare.split(['/', '?']).next().unwrap_or_default();
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse::<u16>().ok()?)),
        None => (authority, None),
    };
    let plain = !name.is_empty() && !name.contains(['@', ':', ' ']);
    plain.then(|| match port {
        Some(port) => format!("write host = {name:?} and port = {port}"),
        None => format!("write {name:?}"),
    })
}

/// The zone that was probably meant: mistyped, or named by its city alone.
fn time_zone(text: &str) -> Option<String> {
    let zones = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let city = |zone: &&str| zone.rsplit('/').next().is_some_and(|c| c.eq_ignore_ascii_case(text));
    let near = || nearest(text, zones()).filter(|zone| text.contains('/') || zone.contains('/'));
    match zones().find(city).or_else(near) {
        Some(zone) => Some(format!("did you mean {zone:?}?")),
        None => Some("write the name of a city's zone, which knows its summer time".to_owned()),
    }
}

/// A domain that was taken from an address, a URL or a pattern.
fn domain(text: &str) -> Option<String> {
    if let Some(domain) = text.strip_prefix("*.") {
        return Some(format!("write {domain:?}: what is below it belongs to it"));
    }
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let bare = bare.split('/').next().unwrap_or_default();
    let bare = bare.rsplit('@').next().unwrap_or_default();
    let plain = !bare.is_empty() && bare != text && !bare.contains([' ', ':', '*']);
    plain.then(|| format!("write {bare:?}"))
}

/// An address that has a name with it, or is a domain.
fn address(text: &str) -> Option<String> {
    let inside = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    match inside {
        Some((address, _)) if address.contains('@') => Some(format!("write {:?}", address.trim())),
        _ if text.starts_with('@') => Some("whole domains have keys of their own".to_owned()),
        _ => None,
    }
}

/// An id that can be made of what was written.
fn id(text: &str) -> Option<String> {
    let made: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' })
        .collect();
    let fits = text.is_ascii() && !made.trim_matches('-').is_empty();
    fits.then(|| format!("write {:?}", made.trim_matches('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_taken_out_of_what_it_was_copied_from() {
        for (text, advice) in [
            ("imaps://imap.us.example", Some("write \"imap.us.example\"")),
            ("imap.us.example:993", Some("write host = \"imap.us.example\" and port = 993")),
            ("https://dav.us.example:8443/ann/", Some("port = 8443")),
            ("ann:secret@us.example", None),
            ("", None),
        ] {
            let given = host(text);
            let fits = match (advice, &given) {
                (Some(advice), Some(given)) => given.contains(advice),
                (None, None) => true,
                _ => false,
            };
            assert!(fits, "{text}: {given:?}");
        }
    }

    #[test]
    fn a_number_is_told_from_its_unit() {
        for (text, advice) in [
            ("60", Some("write it without quotes")),
            ("60s", Some("write the number alone, without quotes: 60")),
            ("5 minutes", Some("write the number alone, without quotes: 5")),
            ("50%", Some("write it as a share, without quotes: 0.5")),
            ("soon", None),
            ("12:30", None),
        ] {
            assert_eq!(number_as_text(text).as_deref(), advice, "{text}");
        }
    }

    #[test]
    fn every_other_word_is_for_a_key_that_there_is_and_is_none_itself() {
        for (section, key, words) in OTHER_WORDS {
            let known = |name| super::super::schema::find(section, name).is_some();
            assert!(known(key), "{section}.{key}");
            for word in *words {
                assert!(!known(word), "{section}.{word} is a key");
            }
        }
    }
}
