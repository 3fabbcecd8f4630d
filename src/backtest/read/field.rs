//! The fields of a row, each from text to what it means, or what it must be and what it is.

use crate::model::{Direction, Kind, Timestamp};

/// Instants lie between the years 0 and 10,000, as RFC 3339 can write them.
const YEARS_S: std::ops::Range<f64> = -62_167_219_200.0..253_402_300_800.0;

/// The most characters of a field that are shown.
const SHOWN_CHARS: usize = 40;

/// A rep or a contact: any text but none.
pub(super) fn name(text: &str) -> Result<&str, String> {
    if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text) }
}

/// RFC 3339, or seconds since 1970 in UTC, maybe with a fraction.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let must = "must be an instant such as 2026-11-21T08:00:00Z, or Unix seconds";
    if let Ok(seconds) = text.parse::<f64>() {
        if YEARS_S.contains(&seconds) {
            #[expect(clippy::cast_possible_truncation, reason = "in range by the line above")]
            let millis = (seconds * 1000.0).round() as i64;
            return Ok(Timestamp::from_millis(millis));
        }
        if YEARS_S.contains(&(seconds / 1000.0)) {
            let is = shown(text);
            return Err(format!("{must}, is {is}, which looks like milliseconds"));
        }
    }
    text.parse().map_err(|_| format!("{must}, is {}", shown(text)))
}

/// `outbound`, `inbound` or `mutual`.
pub(super) fn direction(text: &str) -> Result<Direction, String> {
    let all = [Direction::Outbound, Direction::Inbound, Direction::Mutual];
    let found = all.into_iter().find(|direction| direction.code() == text);
    found.ok_or_else(|| format!("must be outbound, inbound or mutual, is {}", shown(text)))
}

/// `message` or `meeting`.
pub(super) fn kind(text: &str) -> Result<Kind, String> {
    let found = [Kind::Message, Kind::Meeting].into_iter().find(|kind| kind.code() == text);
    found.ok_or_else(|| format!("must be message or meeting, is {}", shown(text)))
}

/// How many people, at least one.
pub(super) fn audience(text: &str) -> Result<u32, String> {
    let count = text.parse().ok().filter(|count| *count >= 1);
    count.ok_or_else(|| format!("must be a whole number from 1 on, is {}", shown(text)))
}

/// `1`, `0`, or nothing where it is not known.
pub(super) fn linked(text: &str) -> Result<Option<bool>, String> {
    match text {
        "" => Ok(None),
        "0" => Ok(Some(false)),
        "1" => Ok(Some(true)),
        _ => Err(format!("must be 1, 0 or empty, is {}", shown(text))),
    }
}

/// A field as it may stand in a message.
fn shown(text: &str) -> String {
    if text.is_empty() {
        return "empty".to_owned();
    }
    let short: String = text.chars().take(SHOWN_CHARS).collect();
    let end = if short.len() < text.len() { "…" } else { "" };
    format!("`{}{end}`", short.escape_debug())
}
