//! Until when a certificate is valid. Reads that one field of X.509 (RFC 5280, 4.1) and nothing else:
//! whether a certificate is to be trusted is rustls's to say.

use chrono::NaiveDateTime;

use crate::model::Timestamp;

/// Tags of DER (X.690, 8).
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of the validity of a certificate in DER; `None` if it cannot be read.
#[must_use]
pub fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (whole, _) = inside(certificate, SEQUENCE)?;
    let (mut fields, _) = inside(whole, SEQUENCE)?;
    // An optional version, then serial number, algorithm and issuer.
    if fields.first() == Some(&VERSION) {
        fields = element(fields)?.2;
    }
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (validity, _) = inside(fields, SEQUENCE)?;
    let (_, _, rest) = element(validity)?;
    let (tag, text, _) = element(rest)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// The content of the first element, which must have this tag, and what follows it.
fn inside(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// Tag and content of the first element, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let digits = Some(digits).filter(|digits| (1..=4).contains(&digits.len()))?;
        (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `YYMMDDHHMMSSZ`, of 1950 to 2049, or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let whole = match tag {
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let parsed = NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%SZ").ok()?;
    Some(Timestamp::from_seconds(parsed.and_utc().timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_until_when_it_is_valid() {
        for (year, seconds) in [(2027, 1_798_761_600), (2049, 2_493_072_000), (2050, 2_524_608_000)]
        {
            let mut wanted = rcgen::CertificateParams::new(vec!["us.example".to_owned()]).unwrap();
            wanted.not_after = rcgen::date_time_ymd(year, 1, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            let made = wanted.self_signed(&key).unwrap();
            assert_eq!(not_after(made.der()), Some(Timestamp::from_seconds(seconds)), "{year}");
            for end in 0..made.der().len() {
                assert_eq!(not_after(&made.der()[..end]), None, "{year}, cut at {end}");
            }
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for bytes in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 5, 1]]
        {
            assert_eq!(not_after(bytes), None, "{bytes:?}");
        }
    }
}
