//! Signed links: each names one nudge, one answer to it and when it expires, and does nothing else.
//!
//! Pure. `BASE/feedback/NUDGE/WHAT/EXPIRES/SIGNATURE`, where EXPIRES is in seconds since 1970 and
//! SIGNATURE the base 64 (of URLs, without padding) of the first 128 bits of HMAC-SHA256(key,
//! `keepwarm link 1`, NUDGE, WHAT, EXPIRES), a zero byte before each of the three. Whoever has a
//! link may do what it names, and nobody can make another one of it. Source: RFC 2104, of which
//! section 5 allows half of the bits, as messages have room for few.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::model::feedback::{Feedback, LinkKey, Links};
use crate::model::{Span, Timestamp};

/// What is signed begins so: a signature for anything else is none for a link.
const DOMAIN: &[u8] = b"keepwarm link 1";

/// How much of the HMAC is a signature, in bytes.
const SIGNATURE_BYTES: usize = 16;

/// The longest id of a nudge that is looked at, in bytes: ours have 23.
const NUDGE_BYTES: usize = 64;

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Answers the nudge.
    Answer(Feedback),
    /// Takes the answer back; only our own pages have such links.
    TakeBack,
}

impl Purpose {
    /// The word for it in the link.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Answer(feedback) => feedback.code(),
            Self::TakeBack => "take_back",
        }
    }

    fn of_code(code: &str) -> Option<Self> {
        match code {
            "take_back" => Some(Self::TakeBack),
            _ => Feedback::of_code(code).map(Self::Answer),
        }
    }
}

/// A link that this installation has made and that has not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The public id of the nudge, which may have gone since.
    pub nudge: String,
    /// What it does.
    pub purpose: Purpose,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// Why a link does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not as it was made here.
    NotOurs,
    /// It was, and its time is over.
    Expired,
}

/// What links in messages are made with.
#[derive(Clone, Debug)]
pub struct Linking {
    /// Where the daemon is reached from outside.
    pub base_url: String,
    /// What they are signed with.
    pub key: LinkKey,
    /// How long they can be used.
    pub lifetime: Span,
}

impl Linking {
    /// The links for every answer to a nudge, in a message that is written at `now`.
    #[must_use]
    pub fn links(&self, nudge_id: &str, now: Timestamp) -> Links {
        links(&self.base_url, &self.key, nudge_id, now + self.lifetime)
    }
}

/// The links for every answer to a nudge. `base_url` is where the daemon is reached from outside.
#[must_use]
pub fn links(base_url: &str, key: &LinkKey, nudge_id: &str, expires_at: Timestamp) -> Links {
    let base = base_url.trim_end_matches('/');
    let url = |feedback| {
        let what = Purpose::Answer(feedback);
        format!("{base}/feedback/{nudge_id}/{}", tail(key, nudge_id, what, expires_at))
    };
    Links {
        done: url(Feedback::Done),
        snooze_7: url(Feedback::Snooze7),
        snooze_30: url(Feedback::Snooze30),
        snooze_90: url(Feedback::Snooze90),
        not_relevant: url(Feedback::NotRelevant),
        wrong_person: url(Feedback::WrongPerson),
    }
}

/// The part of a link after the nudge: `WHAT/EXPIRES/SIGNATURE`.
#[must_use]
pub fn tail(key: &LinkKey, nudge_id: &str, purpose: Purpose, expires_at: Timestamp) -> String {
    let expires = expires_at.seconds();
    let bytes = mac(key, nudge_id, purpose, expires).map(|mac| mac.finalize().into_bytes());
    let signature = bytes.as_ref().and_then(|bytes| bytes.get(..SIGNATURE_BYTES));
    let signature = URL_SAFE_NO_PAD.encode(signature.unwrap_or_default());
    format!("{}/{expires}/{signature}", purpose.code())
}

/// Reads the parts of a link as they stand in its path. The signature is looked at before anything
/// else, in a time that does not tell where it differs.
///
/// # Errors
/// Why it does nothing.
pub fn read(
    key: &LinkKey,
    [nudge, what, expires, signature]: [&str; 4],
    now: Timestamp,
) -> Result<Link, Refused> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if nudge.len() > NUDGE_BYTES || !nudge.bytes().all(plain) {
        return Err(Refused::NotOurs);
    }
    let purpose = Purpose::of_code(what).ok_or(Refused::NotOurs)?;
    // Each link is written in one way: `+1` and `01` are not ours.
    let seconds: i64 = expires.parse().map_err(|_| Refused::NotOurs)?;
    let given = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refused::NotOurs)?;
    if seconds.to_string() != expires || given.len() != SIGNATURE_BYTES {
        return Err(Refused::NotOurs);
    }
    let mac = mac(key, nudge, purpose, seconds).ok_or(Refused::NotOurs)?;
    mac.verify_truncated_left(&given).map_err(|_| Refused::NotOurs)?;
    let expires_at = Timestamp::from_seconds(seconds);
    if expires_at <= now {
        return Err(Refused::Expired);
    }
    Ok(Link { nudge: nudge.to_owned(), purpose, expires_at })
}

fn mac(key: &LinkKey, nudge: &str, purpose: Purpose, expires: i64) -> Option<Hmac<Sha256>> {
    // HMAC takes a key of any length: there is always one.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).ok()?;
    mac.update(DOMAIN);
    for part in [nudge, purpose.code(), &expires.to_string()] {
        mac.update(&[0]);
        mac.update(part.as_bytes());
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: LinkKey = LinkKey([7; 32]);
    const NUDGE: &str = "ndg_abcdefghij234567abc";

    fn parts(url: &str) -> [String; 4] {
        let path = url.strip_prefix("https://kw.us.example/x/feedback/").unwrap();
        let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        parts.try_into().unwrap()
    }

    fn read_all(parts: &[String; 4], key: &LinkKey, now: i64) -> Result<Link, Refused> {
        let [a, b, c, d] = parts;
        read(key, [a, b, c, d], Timestamp::from_seconds(now))
    }

    fn all(links: &Links) -> [&String; 6] {
        let Links { done, snooze_7, snooze_30, snooze_90, not_relevant, wrong_person } = links;
        [done, snooze_7, snooze_30, snooze_90, not_relevant, wrong_person]
    }

    #[test]
    fn every_link_does_what_it_names_until_it_expires() {
        let expires_at = Timestamp::from_seconds(1_800_000_000);
        for base in ["https://kw.us.example/x", "https://kw.us.example/x/"] {
            let links = links(base, &KEY, NUDGE, expires_at);
            for (feedback, url) in Feedback::ALL.into_iter().zip(all(&links)) {
                let parts = parts(url);
                let purpose = Purpose::Answer(feedback);
                let link = Link { nudge: NUDGE.to_owned(), purpose, expires_at };
                assert_eq!(read_all(&parts, &KEY, 1_799_999_999), Ok(link), "{url}");
                assert_eq!(read_all(&parts, &KEY, 1_800_000_000), Err(Refused::Expired), "{url}");
                let other = LinkKey([8; 32]);
                assert_eq!(read_all(&parts, &other, 0), Err(Refused::NotOurs), "{url}");
            }
        }
    }

    #[test]
    fn the_signature_is_the_documented_one() {
        // python3: hmac.new(b"\x07" * 32, b"keepwarm link 1\0ndg_abcdefghij234567abc\0done\0"
        //                   b"1800000000", "sha256").digest()[:16], base64.urlsafe_b64encode
        let links =
            links("https://kw.us.example", &KEY, NUDGE, Timestamp::from_seconds(1_800_000_000));
        assert_eq!(
            links.done,
            "https://kw.us.example/feedback/ndg_abcdefghij234567abc/done/1800000000/4UdQzkMHMOHrokfnOG9uKQ"
        );
    }

    #[test]
    fn a_link_for_one_thing_is_none_for_another() {
        let links = links("https://kw.us.example/x", &KEY, NUDGE, Timestamp::from_seconds(1_000));
        let good = parts(&links.snooze_7);
        for (place, other) in [
            (0, "ndg_abcdefghij234567abd"),
            (0, "ndg_abcdefghij234567abC"),
            (0, "%6edg_abcdefghij234567abc"),
            (0, "ndg_abcdefghij234567abc\0"),
            (0, ""),
            (1, "snooze_30"),
            (1, "snooze"),
            (1, "take_back"),
            (1, ""),
            (2, "1001"),
            (2, "+1000"),
            (2, "01000"),
            (2, "1000 "),
            (2, "99999999999999999999"),
            (2, ""),
            (3, ""),
            (3, "AAAAAAAAAAAAAAAAAAAAAA"),
            (3, "AAAA"),
        ] {
            let mut parts = good.clone();
            other.clone_into(&mut parts[place]);
            assert_eq!(read_all(&parts, &KEY, 0), Err(Refused::NotOurs), "{place}: {other:?}");
        }
        let mut longer = good.clone();
        longer[3].push('A');
        assert_eq!(read_all(&longer, &KEY, 0), Err(Refused::NotOurs));
        let mut padded = good;
        padded[3].push_str("==");
        assert_eq!(read_all(&padded, &KEY, 0), Err(Refused::NotOurs));
    }

    proptest! {
        /// Whatever byte is changed, and whatever is made up: it is none of ours.
        #[test]
        fn no_other_text_is_a_link(place in 0usize..4, at in 0usize..64, to in any::<char>()) {
            let expires_at = Timestamp::from_seconds(1_800_000_000);
            let links = links("https://kw.us.example/x", &KEY, NUDGE, expires_at);
            let good = parts(&links.done);
            let mut changed = good.clone();
            let mut letters: Vec<char> = changed[place].chars().collect();
            let at = at % letters.len();
            letters[at] = to;
            changed[place] = letters.into_iter().collect();
            prop_assume!(changed != good);
            prop_assert_eq!(read_all(&changed, &KEY, 0), Err(Refused::NotOurs));
        }
    }
}
