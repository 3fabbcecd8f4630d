//! The kinds of string that a key can ask for: what each is called and what it accepts.
//!
//! Pure predicates over one string; a message is made of `what` by [`super::shape`].

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use crate::model::NudgeKind;
use crate::normalise::address::ascii_domain;
use crate::nudge::restraint::{QuietHours, time_of_day};
use crate::score::working::{DayHours, WorkingDays};

/// A kind of string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// What a value must be, after "must be" (of a list: what its items must be).
    pub(super) what: &'static str,
    /// Whether a value is one.
    pub(super) accepts: fn(&str) -> bool,
}

/// What switches off a setting that is a text otherwise.
const OFF: &str = "off";

/// Any string that is not empty.
pub(super) const ANY: Words =
    Words { what: "strings that are not empty", accepts: |text| !text.is_empty() };

/// A mail domain.
pub(super) const DOMAIN: Words = Words { what: "domains such as us.example", accepts: is_domain };

/// A domain and the one that it is another name of.
pub(super) const ALIAS: Words = Words {
    what: "pairs such as acme.co.uk = acme.example",
    accepts: |text| alias(text).is_some(),
};

/// A mail address.
pub(super) const ADDRESS: Words =
    Words { what: "addresses such as ann@us.example", accepts: is_address };

/// One mail address.
pub(super) const PERSON: Words =
    Words { what: "an address such as ann@us.example, or {address}", accepts: is_person };

fn is_person(text: &str) -> bool {
    text == "{address}" || is_address(text)
}

/// A time zone.
pub(super) const TIME_ZONE: Words = Words {
    what: "an IANA time zone such as Europe/Berlin",
    accepts: |text| text.parse::<chrono_tz::Tz>().is_ok(),
};

/// Days of the week.
pub(super) const WORKING_DAYS: Words = Words {
    what: "days and ranges of days such as mon-fri or mon,tue,thu",
    accepts: |text| text.parse::<WorkingDays>().is_ok(),
};

/// A part of a day.
pub(super) const WORKING_HOURS: Words = Words {
    what: "a part of a day such as 09:00-17:00",
    accepts: |text| text.parse::<DayHours>().is_ok(),
};

/// A time of day, or none.
pub(super) const TIME_OR_OFF: Words = Words {
    what: "a time of day such as 08:30, or \"off\"",
    accepts: |text| text == OFF || time_of_day(text).is_ok(),
};

/// A part of a day that may go over midnight, or none.
pub(super) const QUIET_HOURS: Words = Words {
    what: "a part of a day such as 19:00-07:00, or \"off\"",
    accepts: |text| text == OFF || text.parse::<QuietHours>().is_ok(),
};

/// A kind of nudge.
pub(super) const NUDGE_KIND: Words = Words {
    what: "decay, owed_reply, stopped_answering, single_threaded_account, contact_moved or \
           no_follow_up",
    accepts: |text| NudgeKind::of_code(text).is_some(),
};

/// What a body is, by its media type (RFC 9110, 8.3.1).
pub(super) const CONTENT_TYPE: Words = Words {
    what: "a content type such as application/json or text/plain; charset=utf-8",
    accepts: is_content_type,
};

/// The id of a rep.
pub(super) const ID: Words =
    Words { what: "of lower-case letters, digits, `_`, `.` and `-`", accepts: is_id };

/// A host name or an IP address.
pub(super) const HOST: Words =
    Words { what: "a host name or an IP address, without a scheme or a port", accepts: is_host };

/// The name of a systemd credential.
pub(super) const CREDENTIAL: Words = Words {
    what: "the name of a credential, without a directory",
    accepts: |text| !text.is_empty() && !text.contains('/') && text != "." && text != "..",
};

/// An absolute http or https URL without a user or password.
pub(super) const WEB_URL: Words = Words {
    what: "a URL such as https://crm.us.example/hooks, without a user or password, an address \
           written as usual",
    accepts: is_endpoint_url,
};

/// The same for a provider of tokens.
pub(super) const TOKEN_URL: Words = Words {
    what: "a URL such as https://login.us.example/oauth2/token, without a user or password",
    accepts: is_web_url,
};

/// The same for where people sign in.
pub(super) const AUTHORIZATION_URL: Words = Words {
    what: "a URL such as https://login.us.example/oauth2/authorize, without a user or password",
    accepts: is_web_url,
};

/// The same for where a device asks for a code.
pub(super) const DEVICE_URL: Words = Words {
    what: "a URL such as https://login.us.example/oauth2/devicecode, without a user or password",
    accepts: is_web_url,
};

/// An organisation at Microsoft: a part of a path.
pub(super) const TENANT: Words = Words {
    what: "the id or a domain of an organisation at Microsoft, such as us.example",
    accepts: |text| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        !text.starts_with('.') && !text.is_empty() && text.bytes().all(plain)
    },
};

/// The same for a service's interface.
pub(super) const API_URL: Words = Words {
    what: "a URL such as https://graph.microsoft.com/v1.0, without a user or password",
    accepts: is_web_url,
};

/// The same for where browsers reach what is served, below any path.
pub(super) const PUBLIC_URL: Words = Words {
    what: "a URL such as https://keepwarm.us.example, without a user, password or query",
    accepts: |text| {
        let plain = Url::parse(text).is_ok_and(|u| u.query().is_none() && u.fragment().is_none());
        is_web_url(text) && plain
    },
};

/// The same for a calendar, also as calendars subscribe to it.
pub(super) const CALENDAR_URL: Words = Words {
    what: "a URL such as https://dav.us.example/ or https://calendar.us.example/ann.ics, without a \
           user or password",
    accepts: is_calendar_url,
};

/// Where to listen, or nowhere.
pub(super) const LISTEN: Words = Words {
    what: "an IP address and a port such as 127.0.0.1:8025, or \"off\"",
    accepts: |text| is_off(text) || text.parse::<SocketAddr>().is_ok(),
};

/// Whether a place to listen means nowhere.
pub(super) fn is_off(listen: &str) -> bool {
    listen.is_empty() || listen == "off"
}

/// Whether a host is this machine by its very name or address.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let named = host.eq_ignore_ascii_case("localhost");
    named || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a string is a Standard Webhooks secret: `whsec_` and base64 of 24 to 64 bytes.
pub(super) fn is_webhook_secret(text: &str) -> bool {
    let bytes = |prefix| Some(STANDARD.decode(text.strip_prefix(prefix)?).ok()?.len());
    let shared = bytes("whsec_").is_some_and(|bytes| (24..=64).contains(&bytes));
    shared || matches!(bytes("whsk_"), Some(32 | 64))
}

/// Whether a string can be the API's token: what a header can carry, and nobody guesses.
#[must_use]
pub fn is_api_token(text: &str) -> bool {
    text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The two domains of an alias, ASCII: the other name, and the one that stands for both.
pub(super) fn alias(text: &str) -> Option<(String, String)> {
    let (other, one) = text.split_once('=')?;
    let domain =
        |text: &str| Some(text.trim()).filter(|text| is_domain(text)).and_then(ascii_domain);
    let (other, one) = (domain(other)?, domain(one)?);
    (other != one).then_some((other, one))
}

fn is_domain(text: &str) -> bool {
    let plain = !text.contains(|c: char| c.is_whitespace() || "@/:*".contains(c));
    plain && text.split('.').all(|label| !label.is_empty()) && idna::domain_to_ascii(text).is_ok()
}

fn is_address(text: &str) -> bool {
    let spaced = text.contains(|c: char| c.is_whitespace() || "<>,;".contains(c));
    let parts = text.split_once('@');
    !spaced && parts.is_some_and(|(local, domain)| !local.is_empty() && is_domain(domain))
}

fn is_content_type(text: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$&^_.+-".contains(c);
    let word = |text: &str| !text.is_empty() && text.chars().all(token);
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let printable = text.chars().all(|c| matches!(c, ' '..='~'));
    printable && essence.split_once('/').is_some_and(|(kind, form)| word(kind) && word(form))
}

fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
    !text.is_empty() && text.chars().all(fits)
}

fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || is_domain(text)
}

fn is_web_url(text: &str) -> bool {
    is_url(text, &["http", "https"])
}

fn is_endpoint_url(text: &str) -> bool {
    is_web_url(text) && Url::parse(text).is_ok_and(|url| is_plain(text, &url))
}

/// Whether a host that is an address, or names this machine, is written as usual, and nothing in the
/// text is read over: what is written otherwise is meant to be overlooked.
fn is_plain(text: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest).to_lowercase();
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.strip_prefix(host);
    let as_usual = port.is_some_and(|port| port.is_empty() || port.starts_with(':'));
    let read_over = |c: char| c == '\\' || c.is_whitespace() || c.is_control();
    !text.contains(read_over) && (as_usual || !address && !is_loopback(host))
}

fn is_calendar_url(text: &str) -> bool {
    is_url(text, &["http", "https", "webcal", "webcals"])
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    Url::parse(text).is_ok_and(|url| {
        schemes.contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_what_looks_like_them() {
        for (words, good, bad) in [
            (
                DOMAIN,
                "us.example bücher.example localhost",
                "@us.example https://us.example . a..b",
            ),
            (ADDRESS, "ann@us.example a+b@x.example", "ann ann@ @x.example a@b@c.example <a@b.c>"),
            (TIME_ZONE, "UTC Europe/Berlin", "Berlin CEST +02:00"),
            (WORKING_DAYS, "mon-fri sun-thu mon,tue,thu", "monday 1-5 mon- mon;tue"),
            (WORKING_HOURS, "09:00-17:00 0:00-24:00", "9-17 17:00-09:00 09:00 09:00-09:00"),
            (TIME_OR_OFF, "08:30 0:00 off", "24:00 8 08:30:00 never"),
            (QUIET_HOURS, "19:00-07:00 12:00-13:00 off", "19-7 19:00 07:00-07:00"),
            (NUDGE_KIND, "decay owed_reply", "Decay owed reply"),
            (CONTENT_TYPE, "text/plain;charset=utf-8 application/vnd.x+json", "json a/b/c / é/a"),
            (ID, "ann a.b-c_1", "Ann a/b é"),
            (HOST, "imap.us.example ::1 10.0.0.1 localhost", "imaps://x.example x.example:993 a@b"),
            (CREDENTIAL, "ann imap-ann", ".. a/b"),
            (WEB_URL, "https://x.example/a?b=c http://[::1]:80", "x.example ftp://x https://u:p@x"),
            (
                PUBLIC_URL,
                "https://x.example https://x.example/a/ http://127.0.0.1:8025",
                "x.example https://x.example/?a=b https://x.example/#a https://u@x.example ftp://x",
            ),
            (
                WEB_URL,
                "http://LocalHost:80/x http://[FD00::1]?a https://bücher.example/",
                "http://127.1/",
            ),
            (
                WEB_URL,
                "http://127.0.0.1",
                "http://0x7f000001 http:127.0.0.1 http://[0::1] http://ⓛocalhost",
            ),
            (
                WEB_URL,
                "http://10.0.0.1:1#a",
                "http://x.example\\a http://127.0.0.1\\@x http://167772161/",
            ),
            (CALENDAR_URL, "webcal://x.example/a http://[::1]/", "x.ics webcal:x webcal://u@x"),
            (LISTEN, "127.0.0.1:8025 [::1]:0 off", "8025 :8025 localhost:8025 127.0.0.1"),
        ] {
            for text in good.split(' ') {
                assert!((words.accepts)(text), "{text} is {}", words.what);
            }
            for text in bad.split(' ') {
                assert!(!(words.accepts)(text), "{text} is not {}", words.what);
            }
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (host, loopback) in [
            ("localhost", true),
            ("LOCALHOST", true),
            ("127.8.9.1", true),
            ("[::1]", true),
            ("localhost.us.example", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }

    #[test]
    fn a_webhook_secret_has_its_prefix_and_its_length() {
        for (bytes, prefix, valid) in [
            (23, "whsec_", false),
            (24, "whsec_", true),
            (64, "whsec_", true),
            (65, "whsec_", false),
            (32, "", false),
            (31, "whsk_", false),
            (32, "whsk_", true),
            (63, "whsk_", false),
            (64, "whsk_", true),
            (32, "whpk_", false),
        ] {
            let secret = format!("{prefix}{}", STANDARD.encode(vec![7; bytes]));
            assert_eq!(is_webhook_secret(&secret), valid, "{bytes} bytes after {prefix:?}");
        }
        assert!(!is_webhook_secret("whsec_not base64 not base64 not base64"));
    }
}
