//! A login for which somebody has signed in. Only the daemon exchanges its tokens: another exchange
//! beside it would spend one that the daemon needs. So what it has found out is told.

use super::{Checked, Verdict};
use crate::config::{self, Config, Grant, Login, SourceKind};
use crate::model::SourceState;
use crate::store::{Db, StoreError, login, open_reader, source};

/// What is known of the login, if it is one whose tokens are exchanged.
pub(super) fn check(config: &Config, found: &config::Source) -> Option<Checked> {
    let configured = exchanged(&found.kind)?;
    let subject = format!("source {}", found.name);
    let sign_in = format!("keepwarm login {}", found.name);
    let known = open_reader(&config.store.path).and_then(|db| known(&db, &found.name));
    Some(match known {
        Err(StoreError::Missing { .. }) | Ok(Known { kept: false, .. }) if !configured => {
            Checked::failed(&subject, "login", "nobody has signed in", &sign_in)
        }
        Ok(Known { refused: Some(error), .. }) => {
            let (what, hint) = error.split_once("; hint: ").unwrap_or((&error, &sign_in));
            Checked::failed(&subject, "login", what, hint)
        }
        Ok(_) | Err(_) => {
            let told =
                "the daemon exchanges its tokens, and nobody beside it: see `keepwarm status`";
            Checked::new(&subject, "login", Verdict::Skipped, told)
        }
    })
}

/// Whether a refresh token is configured for it, if tokens are exchanged.
fn exchanged(kind: &SourceKind) -> Option<bool> {
    let login = match kind {
        SourceKind::Imap(imap) => &imap.login,
        SourceKind::Caldav(dav) => &dav.login,
        SourceKind::GoogleCalendar(api) | SourceKind::GraphCalendar(api) => &api.login,
        SourceKind::Maildir { .. } | SourceKind::Ics { .. } | SourceKind::Feed(_) => return None,
    };
    let Login::Oauth(oauth) = login else { return None };
    match &oauth.grant {
        Grant::RefreshToken { refresh_token, .. } => Some(refresh_token.is_some()),
        Grant::ClientCredentials { .. } | Grant::ServiceAccount { .. } => None,
    }
}

/// What the database knows of a login.
struct Known {
    /// Whether a token is kept for it.
    kept: bool,
    /// In what words it was refused, if it waits for that to be mended.
    refused: Option<String>,
}

fn known(db: &Db, name: &str) -> Result<Known, StoreError> {
    let kept = login::find(db, name)?.is_some();
    let condition = source::find(db, name)?.map(|id| source::condition(db, id)).transpose()?;
    let refused = condition.and_then(|(condition, error)| {
        let waits = matches!(condition.state, SourceState::AuthRequired);
        // Whoever has signed in since is about to be let in.
        error.filter(|_| waits && condition.retry_at.is_some())
    });
    Ok(Known { kept, refused })
}
