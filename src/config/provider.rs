//! What is known of Google and Microsoft, so that it need not be written: where tokens are asked for,
//! where somebody signs in, and for which rights.
//!
//! Sources: Google, "Using OAuth 2.0 for desktop apps" and "… for TV and limited-input devices";
//! Microsoft identity platform, "authorization code flow" and "device authorization grant".

use std::fmt;

use reqwest::Url;

/// Where Google gives tokens.
const GOOGLE_TOKENS: &str = "https://oauth2.googleapis.com/token";
/// Where one signs in at Google.
const GOOGLE_SIGN_IN: &str = "https://accounts.google.com/o/oauth2/v2/auth";
/// Where Microsoft's endpoints are, below which each organisation has its own.
const MICROSOFT: &str = "https://login.microsoftonline.com";
/// Where all organisations sign in whose app is for all.
const ANY_TENANT: &str = "common";

/// Whose endpoints they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Google, Gmail and Google Workspace.
    Google,
    /// Microsoft 365, Entra.
    Microsoft,
}

/// How somebody signs in, as far as it is known.
#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Whose endpoints they are, if they are somebody's who is known here.
    pub provider: Option<Provider>,
    /// Where a browser goes (RFC 6749, 3.1).
    pub authorization_url: Option<Url>,
    /// Where a device asks for a code (RFC 8628, 3.1).
    pub device_url: Option<Url>,
    /// The rights to ask for.
    pub scope: Option<String>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// What a provider's endpoints are.
pub(super) struct Endpoints {
    pub(super) token: String,
    pub(super) authorization: String,
    pub(super) device: Option<String>,
}

impl Provider {
    /// Of that word.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word {
            "google" => Some(Self::Google),
            "microsoft" => Some(Self::Microsoft),
            _ => None,
        }
    }

    /// Whose token endpoint it is.
    pub(super) fn of_token_url(url: &Url) -> Option<Self> {
        match url.host_str()? {
            "oauth2.googleapis.com" | "accounts.google.com" | "www.googleapis.com" => {
                Some(Self::Google)
            }
            "login.microsoftonline.com"
            | "login.microsoftonline.us"
            | "login.partner.microsoftonline.cn"
            | "login.chinacloudapi.cn" => Some(Self::Microsoft),
            _ => None,
        }
    }

    /// Whose a source of that kind is, on that host if it names one.
    pub(super) fn of_source(kind: &str, host: Option<&str>) -> Option<Self> {
        match (kind, host) {
            ("google_calendar", _) => return Some(Self::Google),
            ("graph_calendar", _) => return Some(Self::Microsoft),
            _ => {}
        }
        let host = host?.to_ascii_lowercase();
        match host.trim_end_matches('.') {
            "imap.gmail.com" | "imap.googlemail.com" | "apidata.googleusercontent.com" => {
                Some(Self::Google)
            }
            "outlook.office365.com" | "outlook.office.com" | "imap-mail.outlook.com" => {
                Some(Self::Microsoft)
            }
            _ => None,
        }
    }

    /// Its endpoints; those of Microsoft are `tenant`'s.
    pub(super) fn endpoints(self, tenant: Option<&str>) -> Endpoints {
        match self {
            Self::Google => Endpoints {
                token: GOOGLE_TOKENS.to_owned(),
                authorization: GOOGLE_SIGN_IN.to_owned(),
                // There is one, which gives no rights to mail or calendars.
                device: None,
            },
            Self::Microsoft => {
                let tenant = tenant.unwrap_or(ANY_TENANT);
                microsoft(&format!("{MICROSOFT}/{tenant}/oauth2/v2.0"))
            }
        }
    }

    /// Its endpoints where that of tokens is written.
    pub(super) fn beside(self, token_url: &Url) -> Option<Endpoints> {
        match self {
            Self::Google => Some(self.endpoints(None)),
            Self::Microsoft => token_url.as_str().strip_suffix("/token").map(microsoft),
        }
    }

    /// What it takes to read a source of that kind in the name of whoever signs in.
    pub(super) fn scope(self, kind: &str) -> Option<&'static str> {
        Some(match (self, kind) {
            (Self::Google, "imap") => "https://mail.google.com/",
            (Self::Google, "google_calendar") => {
                "https://www.googleapis.com/auth/calendar.events.readonly"
            }
            (Self::Google, "caldav") => "https://www.googleapis.com/auth/calendar",
            (Self::Microsoft, "imap") => {
                "https://outlook.office.com/IMAP.AccessAsUser.All offline_access"
            }
            (Self::Microsoft, "graph_calendar") => {
                "https://graph.microsoft.com/Calendars.Read offline_access"
            }
            _ => return None,
        })
    }
}

fn microsoft(base: &str) -> Endpoints {
    Endpoints {
        token: format!("{base}/token"),
        authorization: format!("{base}/authorize"),
        device: Some(format!("{base}/devicecode")),
    }
}
