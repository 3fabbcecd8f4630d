//! The configuration as the program uses it: validated, typed, complete.
//!
//! Plain data. Secrets are kept as the way to them, and neither they nor the parts of a URL that
//! may hold one appear in `Debug`. Durations of machines are [`Duration`], of people [`Span`].

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use reqwest::Url;

use super::provider::SignIn;
use super::secret::SecretSource;
use super::words;
use super::written::Written;
use crate::model::{NudgeKind, Span};
use crate::normalise::Accounts;
use crate::nudge::{Matters, Policy, Restraint};
use crate::score::{Parameters, WorkingHours};

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The files that were read, in their order; absolute.
    pub files: Vec<PathBuf>,
    /// What they and the environment say, for comparing.
    pub written: Written,
    /// The own organisation.
    pub organization: Organization,
    /// The database.
    pub store: Store,
    /// Whose sources are read; ids and addresses are unique.
    pub reps: Vec<Rep>,
    /// What is read; names are unique, and every `rep` is the id of one of `reps`.
    pub sources: Vec<Source>,
    /// Where nudges go; names are unique.
    pub endpoints: Vec<Endpoint>,
    /// Whom the reps sell to; no organisation is in two.
    pub accounts: Accounts,
    /// How sources are read.
    pub sync: Sync,
    /// Parameters of the strength.
    pub strength: Parameters,
    /// When to nudge.
    pub nudge: Policy,
    /// How much is said, and when.
    pub restraint: Restraint,
    /// What is said beside decays.
    pub matters: Matters,
    /// What is left out.
    pub privacy: Privacy,
    /// Which addresses are one person's.
    pub identity: Identity,
    /// What is served.
    pub serve: Serve,
}

/// Which addresses are one person's, as far as the admin knows it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// A file of people; absolute.
    pub file: Option<PathBuf>,
    /// Domains at which dots in the local part do not count, beside Google's own.
    pub google_domains: Vec<String>,
    /// Domains (ASCII), each with the one that stands for both.
    pub alias_domains: Vec<(String, String)>,
}

/// The own organisation.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its mail domains, as written.
    pub domains: Vec<String>,
    /// The time zone of reps who have none of their own.
    pub time_zone: Tz,
    /// When reps work, each in their own zone.
    pub working_hours: WorkingHours,
}

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    /// Its file; absolute.
    pub path: PathBuf,
    /// The way to the key that seals refresh tokens in it; `None` is one that is made beside it.
    pub token_key: Option<SecretSource>,
}

/// A person whose sources are read.
#[derive(Clone, Debug)]
pub struct Rep {
    /// The short name: `[a-z0-9_.-]+`.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// At least one; as written, to be made canonical by `normalise`.
    pub addresses: Vec<String>,
    /// The rep's own zone, else the organisation's.
    pub time_zone: Tz,
}

/// One place read for one rep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its unique name.
    pub name: String,
    /// The id of the rep.
    pub rep: String,
    /// What it is and how it is reached.
    pub kind: SourceKind,
    /// How often it is read: its own setting, else that of [`Sync`].
    pub poll: Duration,
    /// Mailboxes that are never read, by name.
    pub exclude_mailboxes: Vec<String>,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A login on an IMAP server.
    Imap(Imap),
    /// A login on a CalDAV server.
    Caldav(Caldav),
    /// A Maildir or a Maildir++ tree.
    Maildir {
        /// Its directory; absolute.
        path: PathBuf,
        /// The server whose Authentication-Results are believed.
        authserv_id: Option<String>,
    },
    /// An iCalendar file.
    Ics {
        /// The file; absolute.
        path: PathBuf,
    },
    /// An iCalendar feed.
    Feed(Feed),
    /// Calendars of Google.
    GoogleCalendar(CalendarApi),
    /// Calendars of Microsoft 365.
    GraphCalendar(CalendarApi),
}

/// Calendars that are read by a service's own interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarApi {
    /// Where the interface is; http only where the host is loopback.
    pub api_url: Url,
    /// Whose calendars, where the token does not say.
    pub username: Option<String>,
    /// Which of them, by their ids.
    pub calendars: Vec<String>,
    /// What to log in with: a token.
    pub login: Login,
}

impl CalendarApi {
    /// Whether the interface is named as this machine itself: then it may be connected to.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        self.api_url.host_str().is_some_and(words::is_loopback)
    }
}

/// An iCalendar feed.
#[derive(Clone, PartialEq, Eq)]
pub struct Feed {
    /// Where it is; http only where the host is loopback or the admin allowed it, and never
    /// `webcal`.
    pub url: Url,
    /// Whether its address may be in a private range.
    pub allow_private: bool,
    /// Certificates (PEM) to trust beside the system's; absolute.
    pub ca_file: Option<PathBuf>,
}

impl Feed {
    /// Whether its URL names this machine itself: then it may be connected to.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        self.url.host_str().is_some_and(words::is_loopback)
    }
}

/// A login on an IMAP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imap {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Certificates (PEM) to trust beside the system's; absolute.
    pub ca_file: Option<PathBuf>,
    /// The login.
    pub username: String,
    /// What to log in with.
    pub login: Login,
    /// The server whose Authentication-Results are believed.
    pub authserv_id: Option<String>,
}

/// A login on a CalDAV server.
#[derive(Clone, PartialEq, Eq)]
pub struct Caldav {
    /// Where to begin; http only where the host is loopback or the admin allowed it by name.
    pub url: Url,
    /// Certificates (PEM) to trust beside the system's; absolute.
    pub ca_file: Option<PathBuf>,
    /// The login.
    pub username: String,
    /// What to log in with.
    pub login: Login,
}

/// What a login is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// The way to a password.
    Password(SecretSource),
    /// The way to an access token, which somebody else keeps fresh.
    Token(SecretSource),
    /// Access tokens that are asked for as they are needed.
    Oauth(Box<Oauth>),
}

/// Where access tokens come from (RFC 6749).
#[derive(Clone, PartialEq, Eq)]
pub struct Oauth {
    /// The token endpoint; http only where the host is loopback.
    pub token_url: Url,
    /// The rights to ask for; `None` only with a refresh token: those that it was given for.
    pub scope: Option<String>,
    /// By what right.
    pub grant: Grant,
}

/// By what right access tokens are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Somebody has signed in.
    RefreshToken {
        /// The client's id at the provider.
        client_id: String,
        /// The way to the client's secret, if it has one.
        client_secret: Option<SecretSource>,
        /// The way to the refresh token; `None` goes on with what is kept.
        refresh_token: Option<SecretSource>,
        /// How somebody signs in.
        sign_in: Box<SignIn>,
    },
    /// The client acts in its own right.
    ClientCredentials {
        /// The client's id at the provider.
        client_id: String,
        /// The way to the client's secret.
        client_secret: SecretSource,
    },
    /// A service account acts in somebody's name.
    ServiceAccount {
        /// The file of its key; absolute.
        key_file: PathBuf,
        /// In whose name; `None` is its own.
        subject: Option<String>,
    },
}

impl Oauth {
    /// Whether the token endpoint is named as this machine itself: then it may be connected to.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        self.token_url.host_str().is_some_and(words::is_loopback)
    }
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte.
    Implicit,
    /// Plain until STARTTLS, which is required.
    StartTls,
    /// Not at all: the host is this machine, or the admin allowed it by name.
    None,
}

/// A webhook receiver.
#[derive(Clone)]
pub struct Endpoint {
    /// Its unique name.
    pub name: String,
    /// Where to post; http only where the host is loopback or the admin allowed it.
    pub url: Url,
    /// Whether its address may be in a private range.
    pub allow_private: bool,
    /// The way to the `whsec_` or `whsk_` secret; always there for the standard format.
    pub secret: Option<SecretSource>,
    /// The way to the one before it, by which is signed as well.
    pub previous_secret: Option<SecretSource>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Requests a second that its host is to get at most.
    pub requests_per_second: NonZeroU32,
    /// What it is sent.
    pub format: Format,
    /// Whether the nudges of one moment to one rep are one message.
    pub digest: bool,
    /// Which kinds of nudges go there; empty is all.
    pub kinds: Vec<NudgeKind>,
    /// Whose, by ids of reps; empty is everybody's.
    pub reps: Vec<String>,
    /// About which organisations, by their registrable domains; empty is all.
    pub organisations: Vec<String>,
}

/// What an endpoint is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Events as they are.
    Standard,
    /// A message of Slack.
    Slack,
    /// A message of Microsoft Teams.
    Teams,
    /// What a template makes of it.
    Template {
        /// The template.
        text: TemplateText,
        /// What the body is, as written.
        content_type: String,
    },
}

/// Where a template is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateText {
    /// In the configuration.
    Inline(String),
    /// In a file; absolute.
    File(PathBuf),
}

impl Endpoint {
    /// Whether its URL names this machine itself: then it may be connected to.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        self.url.host_str().is_some_and(words::is_loopback)
    }
}

/// How sources are read.
#[derive(Clone, Copy, Debug)]
pub struct Sync {
    /// How often; sources may have their own.
    pub poll: Duration,
    /// Connections open to one host at a time.
    pub connections_per_host: u32,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a server may be silent during a command.
    pub command_timeout: Duration,
    /// How long a loop may work before it is heard of again.
    pub stuck_after: Duration,
    /// How much history is read at first; `None` is everything.
    pub history: Option<Span>,
}

/// What is left out.
#[derive(Clone, Debug)]
pub struct Privacy {
    /// Domains, as written.
    pub exclude_domains: Vec<String>,
    /// Addresses, as written.
    pub exclude_addresses: Vec<String>,
    /// Whether a message or meeting is left out as a whole of which one of them has part.
    pub match_any: bool,
    /// Mailboxes, by name, of which and of what is moved there nothing is kept.
    pub private_mailboxes: Vec<String>,
    /// For how long messages, meetings and what was made of them are kept; `None` is for ever.
    pub keep_interactions: Option<Span>,
    /// For how long nudges are kept of which there is no more to say.
    pub keep_nudges: Option<Span>,
    /// For how long is kept what endpoints were sent.
    pub keep_deliveries: Option<Span>,
    /// For how long items put aside are kept.
    pub keep_quarantine: Option<Span>,
}

/// What is served.
#[derive(Clone, Debug)]
pub struct Serve {
    /// Where; `None` is nowhere.
    pub listen: Option<SocketAddr>,
    /// Where browsers reach it: what links in messages begin with; `None` is no links.
    pub public_url: Option<Url>,
    /// How long a link can be used.
    pub link_lifetime: Span,
    /// The way to the token of the API; `None` is a closed API.
    pub token: Option<SecretSource>,
}

impl fmt::Debug for Caldav {
    /// Without path and query of the URL, as for an endpoint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caldav")
            .field("url", &self.url.origin().ascii_serialization())
            .field("ca_file", &self.ca_file)
            .field("username", &self.username)
            .field("login", &self.login)
            .finish()
    }
}

impl fmt::Debug for Oauth {
    /// Without path and query of the URL, as for an endpoint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oauth")
            .field("token_url", &self.token_url.origin().ascii_serialization())
            .field("scope", &self.scope)
            .field("grant", &self.grant)
            .finish()
    }
}

impl fmt::Debug for Feed {
    /// Without path and query of the URL: whoever has them can read the calendar.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("url", &self.url.origin().ascii_serialization())
            .field("allow_private", &self.allow_private)
            .field("ca_file", &self.ca_file)
            .finish()
    }
}

impl fmt::Debug for Endpoint {
    /// Without path and query of the URL: receivers put tokens there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("url", &self.url.origin().ascii_serialization())
            .field("allow_private", &self.allow_private)
            .field("secret", &self.secret)
            .field("previous_secret", &self.previous_secret)
            .field("timeout", &self.timeout)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
