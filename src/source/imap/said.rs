//! What a server's words mean for the caller.
//!
//! Pure. The parser knows only the response codes of RFC 3501; those of RFC 5530 (`[LIMIT]`,
//! `[AUTHENTICATIONFAILED]` …) and the habits of Exchange and Gmail stay in the text and are read
//! here. Also makes a server's words fit for a log: they may hold anything, addresses included.

use std::time::Duration;

use crate::source::SourceError;
use crate::source::names::decoded;

/// The longest pause taken from a server's words: they are not trusted to silence a source for
/// good.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// How many characters of a server's words are kept.
const WORDS: usize = 160;

/// The server's words without control characters and without anything that may be an address,
/// cut to a length fit for a log line.
pub(super) fn harmless(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| if word.contains('@') { "…" } else { word })
        .collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

/// As [`harmless`], of a refusal that is about a mailbox: its name, which may be a customer's, is
/// left out, unless it is the one that everybody has.
pub(super) fn about_mailbox(text: &str, name: &str) -> String {
    if name.eq_ignore_ascii_case("INBOX") || name.is_empty() {
        return harmless(text);
    }
    harmless(&text.replace(name, "…").replace(&decoded(name), "…"))
}

/// The error for words that ask for a pause, whatever the command was; `None` for other words.
pub(super) fn throttled(text: &str) -> Option<SourceError> {
    let lower = text.to_lowercase();
    let asks = [
        "[limit]",
        "[overquota]",
        // `[THROTTLED]`, "Request is throttled", "throttling in effect".
        "throttl",
        "too many simultaneous",
        "too many connections",
        "too many login",
        "too many requests",
        "frequency limited",
        "maximum number of connections",
        "exceeded command or bandwidth limits",
        "rate limit",
        "backoff time",
    ];
    asks.iter()
        .any(|words| lower.contains(words))
        .then(|| SourceError::Throttled { after: pause(&lower), said: harmless(text) })
}

/// The error for a password that was answered by NO with these words (RFC 5530).
pub(super) fn login_refused(text: &str) -> SourceError {
    if let Some(error) = not_about_credentials(text) {
        return error;
    }
    let lower = text.to_lowercase();
    let said = harmless(text);
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let hint = if has(&["application-specific", "app password", "app-specific"]) {
        "make an app password at the provider and use it here"
    } else if has(&["[expired]"]) {
        "the password has expired"
    } else {
        "check username and password; some providers need an app password or IMAP switched on"
    };
    SourceError::Unauthorized(format!("{said}; hint: {hint}"))
}

/// The error for a login that was refused for another reason than who logs in by what: `None` if
/// the words name no such reason.
pub(super) fn not_about_credentials(text: &str) -> Option<SourceError> {
    if let Some(error) = throttled(text) {
        return Some(error);
    }
    let lower = text.to_lowercase();
    let said = harmless(text);
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["[unavailable]", "[serverbug]", "[inuse]", "temporary", "try again later"]) {
        let told = format!("the server cannot check the login now: {said}");
        return Some(SourceError::Unreachable(told));
    }
    if has(&["authenticated but not connected"]) {
        return Some(SourceError::Unreachable(format!(
            "{said}; hint: IMAP may be disabled for this mailbox, its licence be missing, or the \
             app lack permission for it"
        )));
    }
    if has(&["[privacyrequired]"]) {
        let told = format!("{said}; hint: set tls = \"implicit\" or \"starttls\"");
        return Some(SourceError::Misconfigured(told));
    }
    None
}

/// Whether a refusal is about the state of the mailbox at this moment (RFC 5530), so that nothing
/// is learned about its messages.
pub(super) fn is_about_now(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["[unavailable]", "[inuse]", "[noperm]", "[nonexistent]", "[expungeissued]", "[closed]"]
        .iter()
        .any(|code| lower.contains(code))
}

/// The error for a BYE that was not asked for.
pub(super) fn bye(text: &str) -> SourceError {
    throttled(text).unwrap_or_else(|| {
        SourceError::Unreachable(format!("the server ended the session: {}", harmless(text)))
    })
}

/// `Suggested Backoff Time: 299961 milliseconds` (Exchange), capped.
fn pause(lower: &str) -> Option<Duration> {
    let (_, rest) = lower.split_once("backoff time:")?;
    let number: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    Some(Duration::from_millis(number.parse().ok()?).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_classified_by_what_to_do_next() {
        for (text, code) in [
            ("[AUTHENTICATIONFAILED] Authentication failed.", "unauthorized"),
            ("LOGIN failed.", "unauthorized"),
            ("[ALERT] Application-specific password required", "unauthorized"),
            ("[UNAVAILABLE] Temporary authentication failure.", "unreachable"),
            ("User is authenticated but not connected.", "unreachable"),
            ("[PRIVACYREQUIRED] Plaintext disallowed", "misconfigured"),
            ("[LIMIT] Maximum number of connections from user+IP exceeded", "throttled"),
            ("[UNAVAILABLE] Maximum number of connections from user+IP exceeded", "throttled"),
            ("[OVERQUOTA] Account exceeded command or bandwidth limits.", "throttled"),
            ("[AUTHENTICATIONFAILED] Too many login attempts", "throttled"),
            ("Login fail. Login frequency limited.", "throttled"),
            ("[UNAVAILABLE] Throttling in effect", "throttled"),
        ] {
            assert_eq!(login_refused(text).code(), code, "{text}");
        }
    }

    #[test]
    fn the_pause_is_read_and_capped() {
        for (text, after) in [
            ("Request is throttled. Suggested Backoff Time: 299961 milliseconds", Some(299_961)),
            (
                "Request is throttled. Suggested Backoff Time: 999999999 milliseconds",
                Some(3_600_000),
            ),
            ("Request is throttled. Suggested Backoff Time: soon", None),
            ("[THROTTLED]", None),
        ] {
            let Some(SourceError::Throttled { after: found, .. }) = throttled(text) else {
                panic!("not throttled: {text}")
            };
            assert_eq!(found, after.map(Duration::from_millis), "{text}");
        }
        assert_eq!(throttled("[NONEXISTENT] Mailbox doesn't exist"), None);
    }

    #[test]
    fn words_fit_for_a_log_carry_no_address_and_no_control_characters() {
        let text = "too\u{1b}[31m many\r\nfor ann@us.example, <bo@acme.example>";
        assert_eq!(harmless(text), "too [31m many for … …");
        assert_eq!(harmless(&"x".repeat(1000)).len(), WORDS);
        for (text, name, said) in [
            ("[NONEXISTENT] Mailbox doesn't exist: Acme & Co/Bo", "Acme &- Co/Bo", "…"),
            ("[NONEXISTENT] Mailbox doesn't exist: Acme &- Co/Bo", "Acme &- Co/Bo", "…"),
            ("[NONEXISTENT] Mailbox doesn't exist: INBOX", "INBOX", "INBOX"),
        ] {
            let expected = format!("[NONEXISTENT] Mailbox doesn't exist: {said}");
            assert_eq!(about_mailbox(text, name), expected);
        }
    }
}
