//! Canonical addresses: two spellings of one address become one value.
//!
//! The local part is lower-cased and loses its plus-tag; the domain becomes its IDNA ASCII form
//! (UTS #46). What is not an address (no `@`, an empty side, white space inside) gives `None`.

use std::borrow::Cow;

use foldhash::{HashMap, HashSet};

use crate::model::{Address, Key, Person};

use super::text::{clean_name, shown};

/// The longest address that RFC 5321 lets be used.
const MAX_LEN: usize = 254;

/// Reads an address as it stands in a header or calendar, with the name beside it.
#[must_use]
pub fn parse(raw: &str, name: Option<&str>) -> Option<Person> {
    let address = canonical(raw)?;
    let name = name.map(clean_name).unwrap_or_default();
    let name = if name.eq_ignore_ascii_case(address.as_str()) { String::new() } else { name };
    Some(Person { address, name })
}

/// The canonical form of an address, without a name.
#[must_use]
pub fn canonical(raw: &str) -> Option<Address> {
    let trimmed =
        raw.trim().trim_matches(|c: char| matches!(c, '<' | '>' | '"' | '\'') || c.is_whitespace());
    let bare = match trimmed.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => trimmed.get(7..)?,
        _ => trimmed,
    };
    let (local, domain) = bare.rsplit_once('@')?;
    let lower = local.trim_matches(|c| c == '"' || c == '\'').to_lowercase();
    let local = match lower.split_once('+') {
        Some((before, _)) if !before.is_empty() => before,
        _ => &lower,
    };
    let domain = ascii_domain(domain)?;
    let visible = |c: char| match c.is_ascii() {
        true => c.is_ascii_graphic(),
        false => !c.is_whitespace() && shown(c),
    };
    let plain = |c: char| visible(c) && !matches!(c, '<' | '>' | ',' | ';' | '@');
    if local.is_empty() || !local.chars().all(plain) || local.len() + domain.len() + 1 > MAX_LEN {
        return None;
    }
    Some(Address::from_canonical([local, "@", &domain].concat()))
}

/// Further rules by which two spellings are one address, beside those of [`canonical`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aliases {
    google: HashSet<String>,
    domains: HashMap<String, String>,
}

/// The domain that stands for both of Google's, at which dots in the local part do not count
/// (support.google.com/mail/answer/7436150).
const GMAIL: &str = "gmail.com";
/// The other one.
const GOOGLEMAIL: &str = "googlemail.com";

impl Aliases {
    /// Domains (ASCII) at which dots do not count, beside Google's own, and domains that are another
    /// one: the same local part at either is one address.
    #[must_use]
    pub fn new(
        google: impl IntoIterator<Item = String>,
        domains: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let one = |domain: String| if domain == GOOGLEMAIL { GMAIL.to_owned() } else { domain };
        let domains = domains.into_iter().map(|(other, domain)| (other, one(domain)));
        Self { google: google.into_iter().collect(), domains: domains.collect() }
    }

    /// The one spelling of an address.
    #[must_use]
    pub fn fold<'a>(&self, address: &'a Address) -> Cow<'a, Address> {
        let written = address.domain();
        let domain = match written {
            GOOGLEMAIL => GMAIL,
            other => self.domains.get(other).map_or(other, String::as_str),
        };
        let dotless = domain == GMAIL || self.google.contains(domain);
        if domain == written && !(dotless && address.local().contains('.')) {
            return Cow::Borrowed(address);
        }
        let local = address.local();
        let plain = if dotless { local.replace('.', "") } else { local.to_owned() };
        // Nothing but dots is no address, at Google neither.
        let local = if plain.is_empty() { local } else { &plain };
        Cow::Owned(Address::from_canonical(format!("{local}@{domain}")))
    }
}

/// The key of an address, for what is kept of addresses that were perhaps never met.
#[must_use]
pub fn address_key(address: &Address) -> Key {
    Key::of("address", &[address.as_str().as_bytes()])
}

/// The domain in lower-case ASCII, `None` if it cannot be one.
#[must_use]
pub fn ascii_domain(raw: &str) -> Option<String> {
    let raw = raw.trim().trim_end_matches('.');
    if is_plain(raw) {
        return Some(raw.to_owned());
    }
    let ascii = idna::domain_to_ascii(raw).ok()?;
    let fits =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '[' | ']' | ':');
    (!ascii.is_empty() && ascii.chars().all(fits)).then_some(ascii)
}

/// Whether a domain has that form as it stands, as nearly all have: of letters, digits and hyphens, which
/// encode no others.
fn is_plain(domain: &str) -> bool {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    domain.split('.').all(|label| {
        !label.is_empty() && label.bytes().all(fits) && label.as_bytes().get(2..4) != Some(b"--")
    })
}

#[cfg(test)]
mod tests {
    use super::{Aliases, ascii_domain, canonical, is_plain, parse};

    #[test]
    fn domains_that_are_taken_as_they_stand_are_what_idna_makes_of_them() {
        let taken =
            ["acme.example", "mail-1.acme.co.uk", "a.b.c.d", "localhost", "1and1.de", "-x-.de"];
        for domain in taken {
            assert!(is_plain(domain), "{domain}");
            assert_eq!(idna::domain_to_ascii(domain).ok().as_deref(), Some(domain));
        }
        for domain in
            ["", "a..b", "xn--bcher-kva.example", "Acme.example", "bücher.example", "a_b.de"]
        {
            assert!(!is_plain(domain), "{domain}");
            assert_eq!(
                ascii_domain(domain).is_some(),
                idna::domain_to_ascii(domain).is_ok_and(|d| !d.is_empty())
            );
        }
    }

    #[test]
    fn spellings_of_one_address_are_one() {
        for (raw, expected) in [
            ("Bo.Li@Acme.Example", Some("bo.li@acme.example")),
            ("mailto:bo@acme.example", Some("bo@acme.example")),
            ("MAILTO:bo@acme.example", Some("bo@acme.example")),
            ("<bo@acme.example>", Some("bo@acme.example")),
            ("'bo@acme.example'", Some("bo@acme.example")),
            ("bo+crm@acme.example", Some("bo@acme.example")),
            ("+49301234@fax.example", Some("+49301234@fax.example")),
            ("bo@bücher.example", Some("bo@xn--bcher-kva.example")),
            ("bo@XN--BCHER-KVA.example", Some("bo@xn--bcher-kva.example")),
            ("bo@acme.example.", Some("bo@acme.example")),
            ("José@acme.example", Some("josé@acme.example")),
            ("MAILER-DAEMON", None),
            ("@acme.example", None),
            ("bo@", None),
            ("b o@acme.example", None),
            ("bo@ac me.example", None),
            ("a@b@acme.example", None),
            ("bo\u{202e}@acme.example", None),
        ] {
            let found = canonical(raw);
            assert_eq!(found.as_ref().map(|a| a.as_str()), expected, "{raw:?}");
        }
        assert_eq!(canonical(&format!("{}@acme.example", "x".repeat(300))), None);
    }

    #[test]
    fn aliases_are_one_address() {
        let domain = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let aliases = Aliases::new(
            ["acme.example".to_owned()],
            [
                domain("acme.co.uk", "acme.example"),
                domain("old.example", "new.example"),
                domain("our.example", "googlemail.com"),
            ],
        );
        for (raw, expected) in [
            ("b.o.li@gmail.com", "boli@gmail.com"),
            ("bo.li+x@googlemail.com", "boli@gmail.com"),
            ("bo.li@acme.example", "boli@acme.example"),
            ("bo.li@acme.co.uk", "boli@acme.example"),
            ("bo.li@old.example", "bo.li@new.example"),
            ("bo.li@new.example", "bo.li@new.example"),
            ("bo.li@our.example", "boli@gmail.com"),
            ("bo.li@mail.gmail.com", "bo.li@mail.gmail.com"),
            ("...@gmail.com", "...@gmail.com"),
        ] {
            let address = canonical(raw).unwrap();
            let folded = aliases.fold(&address).into_owned();
            assert_eq!(folded.as_str(), expected, "{raw}");
            assert_eq!(aliases.fold(&folded).as_str(), expected, "{raw}, folded again");
        }
    }

    #[test]
    fn a_name_that_only_repeats_the_address_is_none() {
        assert_eq!(parse("bo@acme.example", Some("BO@acme.example")).unwrap().name, "");
        assert_eq!(parse("bo@acme.example", Some("\"Bo Li\"")).unwrap().name, "Bo Li");
    }
}
