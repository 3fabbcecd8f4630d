//! What a feed says of itself beside its events: whether it is a calendar at all, how often it
//! wants to be asked for, and by what it is known again. Pure.

use std::time::Duration;

use calcard::common::IanaParse as _;
use calcard::icalendar::ICalendarDuration;
use serde::{Deserialize, Serialize};

/// No feed is left alone for longer, whatever it says.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Where the properties of the calendar itself stand: before its events.
const HEAD_LINES: usize = 64;

/// By what a feed is known again: goes with the cursor, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validators {
    /// A hash of the URL that answered: what it said means nothing at another one.
    pub(super) url: i64,
    /// Its `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    /// Its `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) modified: Option<String>,
    /// How long it wants to be left alone, in seconds.
    #[serde(default)]
    pub(super) refresh_s: u64,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A calendar from its beginning to its end.
    Calendar,
    /// One that breaks off, or has something after its end.
    Unfinished,
    /// A page for people, such as a login page.
    WebPage,
    /// Something else.
    Other,
}

/// What the body of an answer is, by its ends.
pub(super) fn form(body: &[u8]) -> Form {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    let starts = |word: &[u8]| text.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word));
    let end: &[u8] = b"END:VCALENDAR";
    let tail = text.len().checked_sub(end.len()).and_then(|from| text.get(from..));
    if !starts(b"BEGIN:VCALENDAR") {
        return if starts(b"<") { Form::WebPage } else { Form::Other };
    }
    let ends = tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end));
    if ends { Form::Calendar } else { Form::Unfinished }
}

/// How long a feed wants to be left alone: the longest that its `REFRESH-INTERVAL` (RFC 7986, 5.7),
/// its `X-PUBLISHED-TTL` (Outlook's) or its `Cache-Control` says; a day at most.
pub(super) fn interval(body: &[u8], cache_control: Option<&str>) -> Duration {
    let lines = body.split(|byte| *byte == b'\n').take(HEAD_LINES).skip(1);
    let head = lines.map(<[u8]>::trim_ascii).take_while(|line| !is(line, b"BEGIN"));
    let properties =
        head.filter(|line| is(line, b"REFRESH-INTERVAL") || is(line, b"X-PUBLISHED-TTL"));
    let written = properties.filter_map(|line| duration(line.rsplit(|byte| *byte == b':').next()?));
    written.chain(cache_control.and_then(max_age)).max().unwrap_or_default().min(LONGEST)
}

/// How long an answer may be kept (RFC 9111, 5.2.2.1).
pub(super) fn max_age(cache_control: &str) -> Option<Duration> {
    let mut directives = cache_control.split(',').map(str::trim);
    let seconds = directives.find_map(|one| {
        let (name, value) = one.split_once('=')?;
        name.trim().eq_ignore_ascii_case("max-age").then(|| value.trim().trim_matches('"'))
    })?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// Whether a line of a calendar has that property.
fn is(line: &[u8], name: &[u8]) -> bool {
    let end = line.iter().position(|byte| b":;".contains(byte)).unwrap_or(line.len());
    line.get(..end).is_some_and(|found| found.eq_ignore_ascii_case(name))
}

/// A duration as iCalendar writes it (RFC 5545, 3.3.6).
fn duration(text: &[u8]) -> Option<Duration> {
    let ICalendarDuration { neg, weeks, days, hours, minutes, seconds } =
        ICalendarDuration::parse(text)?;
    let days = u64::from(weeks) * 7 + u64::from(days);
    let minutes = (days * 24 + u64::from(hours)) * 60 + u64::from(minutes);
    (!neg).then(|| Duration::from_secs(minutes * 60 + u64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wish_counts_up_to_a_day() {
        for (lines, cache_control, seconds) in [
            ("REFRESH-INTERVAL;VALUE=DURATION:PT1H", None, 3600),
            ("X-PUBLISHED-TTL:PT15M|refresh-interval;value=duration:PT20M", None, 1200),
            ("X-WR-CALNAME:REFRESH-INTERVAL:PT9H", None, 0),
            ("BEGIN:VEVENT|X-PUBLISHED-TTL:PT9H", None, 0),
            ("X-PUBLISHED-TTL:P1W", None, 86_400),
            ("X-PUBLISHED-TTL:-PT1H", None, 0),
            ("X-PUBLISHED-TTL:soon", None, 0),
            ("X-PUBLISHED-TTL:P99999999999999999999W", None, 86_400),
            ("", Some("private, max-age=900"), 900),
            ("", Some("MAX-AGE=\"60\", no-transform"), 60),
            ("X-PUBLISHED-TTL:PT15M", Some("max-age=60"), 900),
            ("", Some("no-cache, s-maxage=900"), 0),
            ("", Some("max-age=99999999999999999999999"), 0),
        ] {
            let body = format!("BEGIN:VCALENDAR|{lines}|END:VCALENDAR").replace('|', "\r\n");
            let wait = interval(body.as_bytes(), cache_control);
            assert_eq!(wait.as_secs(), seconds, "{lines:?} {cache_control:?}");
        }
    }

    #[test]
    fn a_calendar_is_told_from_what_is_none() {
        for (body, expected) in [
            ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", Form::Calendar),
            ("\u{feff}\n begin:vcalendar\nend:vcalendar\n\n", Form::Calendar),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1", Form::Unfinished),
            ("BEGIN:VCALENDAR\nEND:VCALENDAR\n<!-- 3 ms -->", Form::Unfinished),
            ("<!DOCTYPE html><title>Sign in</title>", Form::WebPage),
            ("\n\n<html>", Form::WebPage),
            ("{\"error\":1}", Form::Other),
            ("", Form::Other),
        ] {
            assert_eq!(form(body.as_bytes()), expected, "{body:?}");
        }
    }
}
