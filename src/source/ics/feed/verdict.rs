//! What the status of a feed's answer means: pure.

use std::time::Duration;

use crate::source::SourceError;

/// What follows from an answer, before its body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its body is the calendar.
    Calendar,
    /// The calendar is what it was.
    Unchanged,
    /// It is at another address.
    Elsewhere,
    /// It is not there.
    Failed(SourceError),
}

/// How it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Whatever it is.
    Plainly,
    /// Only if it has changed.
    IfChanged,
}

/// The meaning of a status. `host` is who answered, for people.
pub(super) fn verdict(
    status: u16,
    asked: Asked,
    retry_after: Option<Duration>,
    host: &str,
) -> Verdict {
    let says = format!("{host} answers {status}");
    Verdict::Failed(match status {
        200 => return Verdict::Calendar,
        304 if asked == Asked::IfChanged => return Verdict::Unchanged,
        301 | 302 | 303 | 307 | 308 => return Verdict::Elsewhere,
        401 | 403 => SourceError::Unauthorized(format!(
            "{says}; hint: the url is no longer allowed to read the calendar: publish it again and \
             configure the new url"
        )),
        404 | 410 => SourceError::Misconfigured(format!(
            "{says}; hint: the calendar is no longer at this url: configure the new one"
        )),
        429 => SourceError::Throttled { after: retry_after, said: says },
        503 if retry_after.is_some() => SourceError::Throttled { after: retry_after, said: says },
        408 | 500..=599 => SourceError::Unreachable(says),
        _ => SourceError::Protocol(says),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_status_means() {
        let minute = Some(Duration::from_secs(60));
        for (status, asked, retry_after, expected) in [
            (200, Asked::IfChanged, None, "calendar"),
            (204, Asked::Plainly, None, "protocol"),
            (304, Asked::IfChanged, None, "unchanged"),
            (304, Asked::Plainly, None, "protocol"),
            (302, Asked::Plainly, None, "elsewhere"),
            (308, Asked::IfChanged, None, "elsewhere"),
            (300, Asked::Plainly, None, "protocol"),
            (400, Asked::Plainly, None, "protocol"),
            (401, Asked::Plainly, None, "unauthorized"),
            (403, Asked::Plainly, None, "unauthorized"),
            (404, Asked::Plainly, None, "misconfigured"),
            (410, Asked::Plainly, None, "misconfigured"),
            (429, Asked::Plainly, None, "throttled"),
            (500, Asked::Plainly, minute, "unreachable"),
            (503, Asked::Plainly, None, "unreachable"),
            (503, Asked::Plainly, minute, "throttled"),
        ] {
            let found = match verdict(status, asked, retry_after, "us.example") {
                Verdict::Calendar => "calendar",
                Verdict::Unchanged => "unchanged",
                Verdict::Elsewhere => "elsewhere",
                Verdict::Failed(error) => error.code(),
            };
            assert_eq!(found, expected, "{status} {asked:?} {retry_after:?}");
        }
    }
}
