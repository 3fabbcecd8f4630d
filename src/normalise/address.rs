//! Canonical addresses (a minimal stand-in).

use crate::model::{Address, Person};

/// The person named by an address as it was written and the name that stood beside it.
#[must_use]
pub fn parse(raw: &str, name: Option<&str>) -> Option<Person> {
    let trimmed = raw.trim().trim_matches(['<', '>', '"', '\'']).trim();
    let bare = match trimmed.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto") => rest,
        _ => trimmed,
    };
    let (local, domain) = bare.rsplit_once('@')?;
    let local = local.split_once('+').map_or(local, |(base, _)| base);
    if local.is_empty() || domain.is_empty() || bare.contains(char::is_whitespace) {
        return None;
    }
    let address = Address::from_canonical(format!("{local}@{domain}").to_lowercase());
    Some(Person { address, name: name.unwrap_or_default().trim().to_owned() })
}
