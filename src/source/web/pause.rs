//! How long a server asks to be left alone: pure.

use std::time::Duration;

use chrono::DateTime;

/// The longest pause taken from an answer.
const LONGEST: Duration = Duration::from_secs(3600);

/// The meaning of `Retry-After` (RFC 9110, 10.2.3): seconds, or an instant, which is compared with
/// the server's own clock, its `Date`. An hour at most.
#[must_use]
pub(crate) fn asked(retry_after: &str, date: Option<&str>) -> Option<Duration> {
    let text = retry_after.trim();
    let pause = if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let until = DateTime::parse_from_rfc2822(text).ok()?;
        (until - DateTime::parse_from_rfc2822(date?).ok()?).to_std().unwrap_or_default()
    };
    Some(pause.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_honoured_within_bounds() {
        let date = Some("Sat, 21 Nov 2026 08:00:00 GMT");
        for (retry_after, date, seconds) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("99999999999999999999999", None, Some(3600)),
            ("Sat, 21 Nov 2026 08:10:00 GMT", date, Some(600)),
            ("Sat, 21 Nov 2026 07:00:00 GMT", date, Some(0)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", date, Some(3600)),
            ("Sat, 21 Nov 2026 08:10:00 GMT", None, None),
            ("soon", date, None),
            ("", date, None),
        ] {
            let pause = asked(retry_after, date).map(|pause| pause.as_secs());
            assert_eq!(pause, seconds, "{retry_after:?} {date:?}");
        }
    }
}
