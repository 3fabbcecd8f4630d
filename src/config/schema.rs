//! Every key that a configuration may hold, and the shape of its value: one table.
//!
//! Guarantees that a file and an environment variable are judged alike, and that whatever passes
//! fits [`super::raw`]. What needs a second key to be judged is left to [`super::validate`]; the
//! defaults and the documentation of each key are `config/default.toml`.

use super::words::{self, Words};

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A string that is not empty.
    Text,
    /// A string that a predicate accepts.
    Words(Words),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of the first words; the others are known, and this version cannot do them yet.
    OneOfSoFar(&'static [&'static str], &'static [&'static str]),
    /// A path, taken from the directory of the file that names it.
    Path,
    /// A string that is never shown.
    Secret,
    /// True or false.
    Flag,
    /// A whole number in a range, both ends included.
    Whole(i64, i64),
    /// A number in a range, both ends included.
    Real(f64, f64),
    /// A list of strings that a predicate accepts, at least so many.
    List(Words, usize),
    /// A program and its arguments.
    Command,
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// The section in which it stands.
    pub(super) section: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What its value must be.
    pub(super) shape: Shape,
}

/// The sections that are written `[[…]]`, one for each item.
pub(super) const LISTS: [&str; 4] = ["rep", "source", "endpoint", "account"];

/// The four keys by which a password can be given.
pub(super) const PASSWORD: [&str; 4] =
    ["password", "password_file", "password_credential", "password_command"];

/// The four keys by which the API's token can be given; a source's access token by the last three, as
/// it would not last in the file itself.
pub(super) const API_TOKEN: [&str; 4] =
    ["token", "token_file", "token_credential", "token_command"];

/// The keys of which a login needs exactly one; the last is a table.
pub(super) const LOGIN: [&str; 8] = [
    "password",
    "password_file",
    "password_credential",
    "password_command",
    "token_file",
    "token_credential",
    "token_command",
    "oauth",
];

/// The keys of which one says where a CalDAV server is.
pub(super) const PLACE: [&str; 2] = ["url", "host"];
/// The keys of which a service that takes tokens only needs exactly one; the last is a table.
pub(super) const BEARER: [&str; 4] = ["token_file", "token_credential", "token_command", "oauth"];

/// The keys of which one may say whose token endpoint it is.
pub(super) const TOKEN_PLACE: [&str; 2] = ["token_url", "tenant"];

/// The four keys by which an OAuth client's secret can be given.
pub(super) const CLIENT_SECRET: [&str; 4] =
    ["client_secret", "client_secret_file", "client_secret_credential", "client_secret_command"];

/// The four keys by which a refresh token can be given.
pub(super) const REFRESH_TOKEN: [&str; 4] =
    ["refresh_token", "refresh_token_file", "refresh_token_credential", "refresh_token_command"];

/// The four keys by which the key that seals refresh tokens can be given.
pub(super) const TOKEN_KEY: [&str; 4] =
    ["token_key", "token_key_file", "token_key_credential", "token_key_command"];

/// The fewest characters of that key, which `oauth` asks for too.
pub(super) const TOKEN_KEY_CHARACTERS: usize = 32;

/// The four keys by which a webhook secret can be given.
pub(super) const SECRET: [&str; 4] =
    ["secret", "secret_file", "secret_credential", "secret_command"];

/// The four keys by which the secret before it can be given.
pub(super) const PREVIOUS_SECRET: [&str; 4] = [
    "previous_secret",
    "previous_secret_file",
    "previous_secret_credential",
    "previous_secret_command",
];

/// The keys by which a template can be given.
pub(super) const TEMPLATE: [&str; 2] = ["template", "template_file"];

/// The keys that belong to one kind of source or to some; all others belong to every kind.
pub(super) const OF_KIND: &[(&str, &[&str])] = &[
    ("host", &["imap", "caldav"]),
    ("port", &["imap"]),
    ("tls", &["imap"]),
    ("allow_plaintext", &["imap", "caldav", "ics"]),
    ("ca_file", &["imap", "caldav", "ics"]),
    ("username", &["imap", "caldav", "graph_calendar"]),
    ("password", &["imap", "caldav"]),
    ("password_file", &["imap", "caldav"]),
    ("password_credential", &["imap", "caldav"]),
    ("password_command", &["imap", "caldav"]),
    ("token_file", WITH_TOKENS),
    ("token_credential", WITH_TOKENS),
    ("token_command", WITH_TOKENS),
    ("oauth", WITH_TOKENS),
    ("authserv_id", &["imap", "maildir"]),
    ("exclude_mailboxes", &["imap", "maildir", "caldav"]),
    ("path", &["maildir", "ics"]),
    ("url", &["caldav", "ics"]),
    ("allow_private", &["ics"]),
    ("calendars", &["google_calendar", "graph_calendar"]),
    ("api_url", &["google_calendar", "graph_calendar"]),
];

/// The kinds of source to which one can log in with a token.
const WITH_TOKENS: &[&str] = &["imap", "caldav", "google_calendar", "graph_calendar"];

/// The keys that belong to some grants only; all others of [source.oauth] belong to each.
pub(super) const OF_GRANT: &[(&str, &[&str])] = &[
    ("provider", &["refresh_token", "client_credentials"]),
    ("tenant", &["refresh_token", "client_credentials"]),
    ("authorization_url", &["refresh_token"]),
    ("device_url", &["refresh_token"]),
    ("client_id", &["refresh_token", "client_credentials"]),
    ("client_secret", &["refresh_token", "client_credentials"]),
    ("client_secret_file", &["refresh_token", "client_credentials"]),
    ("client_secret_credential", &["refresh_token", "client_credentials"]),
    ("client_secret_command", &["refresh_token", "client_credentials"]),
    ("refresh_token", &["refresh_token"]),
    ("refresh_token_file", &["refresh_token"]),
    ("refresh_token_credential", &["refresh_token"]),
    ("refresh_token_command", &["refresh_token"]),
    ("key_file", &["service_account"]),
    ("subject", &["service_account"]),
];

/// A hundred years in days: no key that counts days means more.
const CENTURY_DAYS: i64 = 36_525;

/// Every key, section by section.
#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("organization", "domains", Shape::List(words::DOMAIN, 0)),
    key("organization", "time_zone", Shape::Words(words::TIME_ZONE)),
    key("organization", "working_days", Shape::Words(words::WORKING_DAYS)),
    key("organization", "working_hours", Shape::Words(words::WORKING_HOURS)),
    key("store", "path", Shape::Path),
    key("store", "token_key", Shape::Secret),
    key("store", "token_key_file", Shape::Path),
    key("store", "token_key_credential", Shape::Words(words::CREDENTIAL)),
    key("store", "token_key_command", Shape::Command),

    key("rep", "id", Shape::Words(words::ID)),
    key("rep", "name", Shape::Text),
    key("rep", "addresses", Shape::List(words::ADDRESS, 1)),
    key("rep", "time_zone", Shape::Words(words::TIME_ZONE)),

    key("source", "name", Shape::Text),
    key("source", "rep", Shape::Text),
    key("source", "reps", Shape::OneOf(&["*"])),
    key("source", "kind", Shape::OneOf(
        &["imap", "maildir", "ics", "caldav", "google_calendar", "graph_calendar"])),
    key("source", "host", Shape::Words(words::HOST)),
    key("source", "port", Shape::Whole(1, 65_535)),
    key("source", "tls", Shape::OneOf(&["implicit", "starttls", "none"])),
    key("source", "allow_plaintext", Shape::Flag),
    key("source", "ca_file", Shape::Path),
    key("source", "username", Shape::Text),
    key("source", "password", Shape::Secret),
    key("source", "password_file", Shape::Path),
    key("source", "password_credential", Shape::Words(words::CREDENTIAL)),
    key("source", "password_command", Shape::Command),
    key("source", "token_file", Shape::Path),
    key("source", "token_credential", Shape::Words(words::CREDENTIAL)),
    key("source", "token_command", Shape::Command),
    key("source", "authserv_id", Shape::Text),
    key("source", "path", Shape::Path),
    key("source", "url", Shape::Words(words::CALENDAR_URL)),
    key("source", "allow_private", Shape::Flag),
    key("source", "poll_seconds", Shape::Whole(1, 86_400)),
    key("source", "exclude_mailboxes", Shape::List(words::ANY, 0)),

    key("source", "calendars", Shape::List(words::ANY, 1)),
    key("source", "api_url", Shape::Words(words::API_URL)),

    key("source.oauth", "grant", Shape::OneOf(
        &["refresh_token", "client_credentials", "service_account"])),
    key("source.oauth", "provider", Shape::OneOf(&["google", "microsoft"])),
    key("source.oauth", "tenant", Shape::Words(words::TENANT)),
    key("source.oauth", "token_url", Shape::Words(words::TOKEN_URL)),
    key("source.oauth", "authorization_url", Shape::Words(words::AUTHORIZATION_URL)),
    key("source.oauth", "device_url", Shape::Words(words::DEVICE_URL)),
    key("source.oauth", "client_id", Shape::Text),
    key("source.oauth", "client_secret", Shape::Secret),
    key("source.oauth", "client_secret_file", Shape::Path),
    key("source.oauth", "client_secret_credential", Shape::Words(words::CREDENTIAL)),
    key("source.oauth", "client_secret_command", Shape::Command),
    key("source.oauth", "refresh_token", Shape::Secret),
    key("source.oauth", "refresh_token_file", Shape::Path),
    key("source.oauth", "refresh_token_credential", Shape::Words(words::CREDENTIAL)),
    key("source.oauth", "refresh_token_command", Shape::Command),
    key("source.oauth", "key_file", Shape::Path),
    key("source.oauth", "subject", Shape::Words(words::PERSON)),
    key("source.oauth", "scope", Shape::Text),

    key("endpoint", "name", Shape::Text),
    key("endpoint", "url", Shape::Words(words::WEB_URL)),
    key("endpoint", "allow_http", Shape::Flag),
    key("endpoint", "allow_private", Shape::Flag),
    key("endpoint", "secret", Shape::Secret),
    key("endpoint", "secret_file", Shape::Path),
    key("endpoint", "secret_credential", Shape::Words(words::CREDENTIAL)),
    key("endpoint", "secret_command", Shape::Command),
    key("endpoint", "previous_secret", Shape::Secret),
    key("endpoint", "previous_secret_file", Shape::Path),
    key("endpoint", "previous_secret_credential", Shape::Words(words::CREDENTIAL)),
    key("endpoint", "previous_secret_command", Shape::Command),
    key("endpoint", "format", Shape::OneOf(&["standard", "slack", "teams", "template"])),
    key("endpoint", "template", Shape::Text),
    key("endpoint", "template_file", Shape::Path),
    key("endpoint", "content_type", Shape::Words(words::CONTENT_TYPE)),
    key("endpoint", "digest", Shape::Flag),
    key("endpoint", "kinds", Shape::List(words::NUDGE_KIND, 1)),
    key("endpoint", "reps", Shape::List(words::ANY, 1)),
    key("endpoint", "accounts", Shape::List(words::ANY, 1)),
    key("endpoint", "timeout_seconds", Shape::Whole(1, 300)),
    key("endpoint", "requests_per_second", Shape::Whole(1, 1_000)),

    key("account", "name", Shape::Text),
    key("account", "domains", Shape::List(words::DOMAIN, 1)),
    key("account", "target", Shape::Whole(1, 1_000)),

    key("accounts", "target", Shape::Whole(1, 1_000)),

    key("sync", "poll_seconds", Shape::Whole(1, 86_400)),
    key("sync", "connections_per_host", Shape::Whole(1, 50)),
    key("sync", "connect_seconds", Shape::Whole(1, 600)),
    key("sync", "command_seconds", Shape::Whole(1, 3_600)),
    key("sync", "stuck_seconds", Shape::Whole(10, 86_400)),
    key("sync", "days_back", Shape::Whole(0, CENTURY_DAYS)),

    key("strength", "meeting_mass", Shape::Real(0.0, 100.0)),
    key("strength", "audience_exponent", Shape::Real(0.0, 2.0)),
    key("strength", "baseline_half_life_days", Shape::Real(1.0, 36_525.0)),

    key("nudge", "trigger", Shape::OneOf(&["hazard", "drop", "fixed"])),
    key("nudge", "hazard_probability", Shape::Real(0.01, 0.99)),
    key("nudge", "drop_ratio", Shape::Real(0.01, 0.99)),
    key("nudge", "recovery_ratio", Shape::Real(0.01, 1.0)),
    key("nudge", "fixed_days", Shape::Whole(1, 730)),
    key("nudge", "min_baseline", Shape::Real(0.0, 1_000.0)),
    key("nudge", "min_silence_days", Shape::Whole(0, CENTURY_DAYS)),
    key("nudge", "min_reciprocations", Shape::Whole(1, 1_000_000)),
    key("nudge", "min_active_days", Shape::Whole(1, CENTURY_DAYS)),
    key("nudge", "days_between_episodes", Shape::Whole(0, CENTURY_DAYS)),
    key("nudge", "max_age_days", Shape::Whole(1, CENTURY_DAYS)),
    key("nudge", "kinds", Shape::List(words::NUDGE_KIND, 1)),
    key("nudge", "owed_reply_days", Shape::Whole(0, 60)),
    key("nudge", "unanswered_days", Shape::Whole(1, 100)),
    key("nudge", "follow_up_days", Shape::Whole(0, 60)),
    key("nudge", "days_between_accounts", Shape::Whole(1, CENTURY_DAYS)),
    key("nudge", "observe_days", Shape::Whole(0, CENTURY_DAYS)),
    key("nudge", "digest_at", Shape::Words(words::TIME_OR_OFF)),
    key("nudge", "quiet_hours", Shape::Words(words::QUIET_HOURS)),
    key("nudge", "holidays_file", Shape::Path),
    key("nudge", "immediate", Shape::List(words::NUDGE_KIND, 0)),
    key("nudge", "per_rep_per_day", Shape::Whole(0, 10_000)),
    key("nudge", "per_rep_per_week", Shape::Whole(0, 10_000)),
    key("nudge", "patience_days", Shape::Whole(0, CENTURY_DAYS)),
    key("nudge", "held_back_percent", Shape::Whole(0, 50)),
    key("nudge", "reminder_days", Shape::Whole(0, CENTURY_DAYS)),
    key("nudge", "reminders", Shape::Whole(0, 10)),
    key("nudge", "mass_decay_share", Shape::Real(0.01, 1.0)),
    key("nudge", "mass_decay_least", Shape::Whole(1, 1_000_000)),
    key("nudge", "fresh_hours", Shape::Whole(1, 8_760)),
    key("nudge", "meeting_ahead_days", Shape::Whole(0, CENTURY_DAYS)),

    key("privacy", "subject", Shape::OneOfSoFar(&["none"], &["store"])),
    key("privacy", "exclude_domains", Shape::List(words::DOMAIN, 0)),
    key("privacy", "exclude_addresses", Shape::List(words::ADDRESS, 0)),
    key("privacy", "match", Shape::OneOf(&["only", "any"])),
    key("privacy", "private_mailboxes", Shape::List(words::ANY, 0)),
    key("privacy", "keep_interactions_days", Shape::Whole(0, CENTURY_DAYS)),
    key("privacy", "keep_nudges_days", Shape::Whole(0, CENTURY_DAYS)),
    key("privacy", "keep_deliveries_days", Shape::Whole(0, CENTURY_DAYS)),
    key("privacy", "keep_quarantine_days", Shape::Whole(0, CENTURY_DAYS)),

    key("identity", "file", Shape::Path),
    key("identity", "google_domains", Shape::List(words::DOMAIN, 0)),
    key("identity", "alias_domains", Shape::List(words::ALIAS, 0)),

    key("serve", "listen", Shape::Words(words::LISTEN)),
    key("serve", "public_url", Shape::Words(words::PUBLIC_URL)),
    key("serve", "link_days", Shape::Whole(1, 365)),
    key("serve", "token", Shape::Secret),
    key("serve", "token_file", Shape::Path),
    key("serve", "token_credential", Shape::Words(words::CREDENTIAL)),
    key("serve", "token_command", Shape::Command),
];

/// The key of that name in a section.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

/// The section of that name at the top of a file, as a constant.
pub(super) fn section(name: &str) -> Option<&'static str> {
    sections().into_iter().find(|section| *section == name && !section.contains('.'))
}

/// The section that is the table `name` inside another section.
pub(super) fn inside(section: &str, name: &str) -> Option<&'static str> {
    sections().into_iter().find(|found| found.split_once('.') == Some((section, name)))
}

/// Whether a section, or the one that it is inside of, is written once for each item.
pub(super) fn is_listed(section: &str) -> bool {
    LISTS.iter().any(|list| section.split('.').next() == Some(list))
}

/// The names of all sections, in order, each once.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<&str> = KEYS.iter().map(|key| key.section).collect();
    sections.dedup();
    sections
}

/// Whether a key of that name exists and its value may be shown wherever it stands.
pub(super) fn is_public(name: &str) -> bool {
    KEYS.iter().any(|key| key.name == name) && !is_secret(name) && !is_url(name)
}

/// Whether a key's value is kept out of messages: a URL's path and query often hold a token.
pub(super) fn hides(key: &Key) -> bool {
    matches!(key.shape, Shape::Secret | Shape::Command) || is_url(key.name)
}

/// Whether a key of that name gives a secret or the way to one.
pub(super) fn is_secret(name: &str) -> bool {
    let ways: [&[&str]; 7] = [
        &PASSWORD,
        &API_TOKEN,
        &CLIENT_SECRET,
        &REFRESH_TOKEN,
        &TOKEN_KEY,
        &SECRET,
        &PREVIOUS_SECRET,
    ];
    ways.iter().any(|ways| ways.contains(&name))
}

fn is_url(name: &str) -> bool {
    name == "url" || name == "token_url"
}

/// The known word nearest to a mistyped one, if one is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let near = |known: &str| strsim::damerau_levenshtein(&word, &known.to_lowercase());
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|known| (near(known), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// A row of the table.
const fn key(section: &'static str, name: &'static str, shape: Shape) -> Key {
    Key { section, name, shape }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `section.key` of the documentation, in order, examples included, each once.
    fn documented() -> Vec<String> {
        let mut section = String::new();
        let mut keys: Vec<String> = Vec::new();
        for line in super::super::layers::DEFAULTS.lines() {
            let line = line.strip_prefix('#').unwrap_or(line);
            if line.starts_with('[') {
                section = line.trim_matches(['[', ']']).to_owned();
            } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with(' '))
            {
                keys.push(format!("{section}.{key}"));
            }
        }
        keys.sort();
        keys.dedup();
        keys
    }

    #[test]
    fn every_key_is_documented_and_every_documented_key_is_known() {
        let mut known: Vec<String> = KEYS.iter().map(super::super::shape::name).collect();
        known.sort();
        assert_eq!(documented(), known);
    }

    #[test]
    fn every_default_passes_its_own_rule() {
        let mut layers = super::super::layers::Layers::default();
        layers.add_file(std::path::Path::new("default.toml"), super::super::layers::DEFAULTS);
        assert_eq!(layers.problems, []);
        assert!(layers.read().is_ok());
    }

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["poll_seconds", "connect_seconds", "path"];
        for (word, nearest_word) in [
            ("pol_seconds", Some("poll_seconds")),
            ("poll-seconds", Some("poll_seconds")),
            ("Path", Some("path")),
            ("apth", Some("path")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), nearest_word, "{word}");
        }
    }
}
