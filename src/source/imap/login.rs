//! Capabilities and login: from a connection to a conversation in which mailboxes can be read.
//!
//! Guarantees that a password is presented once, and a token at most twice: an access token may
//! just have expired, so a refused one is tried again if its provider now has another. What a token
//! looks like on the wire is left to `bearer`, and when to come back after a refusal to the caller.

use std::collections::HashSet;

use async_imap::imap_proto::{Capability, Response, ResponseCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::bearer::{self, Challenge, Mechanism};
use super::connect::{Connected, Greeted};
use super::session::{Conversation, Failure};
use super::{Compression, Settings, said};
use crate::source::SourceError;
use crate::source::credentials::{Credentials, Secrets};
use crate::source::names::quoted;
use crate::source::probe::Probe;

/// What a server says that it can do, in upper case.
#[derive(Clone, Debug, Default)]
pub(super) struct Capabilities(HashSet<String>);

/// How the password is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// AUTHENTICATE PLAIN with the credentials on the same line (RFC 4959).
    PlainAtOnce,
    /// AUTHENTICATE PLAIN with the credentials after the server asks.
    Plain,
    /// LOGIN with quoted strings.
    Login,
}

/// Greets, logs in, introduces itself and turns on compression where that helps.
pub(super) async fn open(
    connected: Connected,
    settings: &Settings,
    found: &mut Probe,
) -> Result<(Conversation, Capabilities), SourceError> {
    let Connected { mut conversation, greeted, peer, .. } = connected;
    let mut told = Capabilities::default();
    if greeted == Greeted::NotYet {
        conversation.greeting(|response| told.learn(response)).await?;
    }
    if told.0.is_empty() {
        told = ask(&mut conversation).await?;
    }
    found.capabilities = Some(told.names());
    let mut told = match &settings.credentials {
        Credentials::Password(secrets) => {
            with_password(&mut conversation, &told, settings, secrets.as_ref()).await?
        }
        Credentials::Token(secrets) => {
            with_token(&mut conversation, &told, settings, secrets.as_ref()).await?
        }
    };
    if told.0.is_empty() {
        told = ask(&mut conversation).await?;
    }
    found.logged_in = true;
    found.capabilities = Some(told.names());
    if told.has("ID") {
        introduce(&mut conversation).await?;
    }
    let wanted = match settings.compression {
        Compression::OverNetworks => !peer.ip().is_loopback(),
        Compression::Always => true,
        Compression::Never => false,
    };
    if wanted && told.has("COMPRESS=DEFLATE") {
        conversation = conversation.compress().await?;
    }
    Ok((conversation, told))
}

impl Capabilities {
    /// Whether the server names this capability, given in upper case.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// All of them, sorted.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.iter().cloned().collect();
        names.sort();
        names
    }

    /// A server that says this, for tests: names in upper case, separated by spaces.
    #[cfg(test)]
    pub(super) fn of(names: &str) -> Self {
        Self(names.split(' ').map(str::to_owned).collect())
    }

    /// Takes over a capability list, wherever a response carries one.
    fn learn(&mut self, response: &Response<'_>) {
        let list = match response {
            Response::Capabilities(list) => list,
            Response::Done { outcome, .. } | Response::Data { outcome, .. } => {
                let Some(ResponseCode::Capabilities(list)) = &outcome.code else { return };
                list
            }
            _ => return,
        };
        self.0 = list.iter().map(name).collect();
    }
}

fn name(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_uppercase()),
        Capability::Atom(atom) => atom.to_uppercase(),
    }
}

async fn ask(conversation: &mut Conversation) -> Result<Capabilities, SourceError> {
    let mut told = Capabilities::default();
    conversation
        .exec("CAPABILITY", |response| {
            told.learn(response);
            Ok(())
        })
        .await?;
    Ok(told)
}

async fn with_password(
    conversation: &mut Conversation,
    told: &Capabilities,
    settings: &Settings,
    secrets: &dyn Secrets,
) -> Result<Capabilities, SourceError> {
    let username = &settings.username;
    let password = secrets.secret().await?;
    let method = method(told, username, &password)?;
    let exposed = password.expose_secret();
    let plain = || STANDARD.encode(format!("\0{username}\0{exposed}"));
    let (command, reply) = match method {
        Method::PlainAtOnce => (format!("AUTHENTICATE PLAIN {}", plain()), None),
        Method::Plain => ("AUTHENTICATE PLAIN".to_owned(), Some(plain())),
        Method::Login => (format!("LOGIN {} {}", quoted(username), quoted(exposed)), None),
    };
    let mut after = Capabilities::default();
    let done = conversation
        .exec_replying(&command, reply.as_deref().as_slice(), |response| {
            after.learn(response);
            Ok(())
        })
        .await;
    match done {
        Ok(()) => Ok(after),
        Err(Failure::No(text)) => {
            secrets.refused(&password);
            Err(said::login_refused(&text))
        }
        Err(Failure::Over(error)) => Err(error),
    }
}

/// Presents the token, and if it is refused another one, if there is another.
async fn with_token(
    conversation: &mut Conversation,
    told: &Capabilities,
    settings: &Settings,
    secrets: &dyn Secrets,
) -> Result<Capabilities, SourceError> {
    let mechanism = Mechanism::choose(told)?;
    let token = secrets.secret().await?;
    let refusal = match present(conversation, told, mechanism, settings, &token).await {
        Err(SourceError::Unauthorized(why)) => SourceError::Unauthorized(why),
        done => return done,
    };
    secrets.refused(&token);
    let another = secrets.secret().await?;
    if another.expose_secret() == token.expose_secret() {
        return Err(refusal);
    }
    let done = present(conversation, told, mechanism, settings, &another).await;
    if matches!(done, Err(SourceError::Unauthorized(_))) {
        secrets.refused(&another);
    }
    done
}

/// Presents one token once.
async fn present(
    conversation: &mut Conversation,
    told: &Capabilities,
    mechanism: Mechanism,
    settings: &Settings,
    token: &SecretString,
) -> Result<Capabilities, SourceError> {
    let response = mechanism.response(settings, token)?;
    let (name, resignation) = (mechanism.name(), mechanism.resignation());
    let at_once = told.has("SASL-IR");
    let (command, replies) = if at_once {
        (format!("AUTHENTICATE {name} {response}"), vec![resignation])
    } else {
        (format!("AUTHENTICATE {name}"), vec![response.as_str(), resignation])
    };
    let (mut after, mut challenge) = (Capabilities::default(), Challenge::None);
    let done = conversation
        .exec_replying(&command, &replies, |response| {
            after.learn(response);
            if let Response::Continue(asked) = response {
                challenge = Challenge::read(asked.information.as_deref().unwrap_or_default());
            }
            Ok(())
        })
        .await;
    match done {
        Ok(()) => Ok(after),
        Err(Failure::No(text)) => Err(bearer::refused(&text, challenge)),
        Err(Failure::Over(error)) => Err(error),
    }
}

/// How to send this password to a server that can do this.
fn method(
    told: &Capabilities,
    username: &str,
    password: &SecretString,
) -> Result<Method, SourceError> {
    let password = password.expose_secret();
    if username.contains('\0') || password.contains('\0') {
        return Err(SourceError::Misconfigured("a NUL in username or password".to_owned()));
    }
    if told.has("AUTH=PLAIN") {
        return Ok(if told.has("SASL-IR") { Method::PlainAtOnce } else { Method::Plain });
    }
    if told.has("LOGINDISABLED") {
        return Err(SourceError::Misconfigured(
            "the server accepts no password on this connection; hint: set tls = \"implicit\" or \
             \"starttls\""
                .to_owned(),
        ));
    }
    let sendable = |text: &str| text.is_ascii() && !text.contains(['\r', '\n']);
    if sendable(username) && sendable(password) {
        return Ok(Method::Login);
    }
    Err(SourceError::Misconfigured(
        "the server offers LOGIN only, which cannot carry this username or password; hint: use \
         ASCII letters, and no line break at the end of password_file"
            .to_owned(),
    ))
}

/// Says who asks (RFC 2971): some providers answer nobody else. What they answer is not used.
async fn introduce(conversation: &mut Conversation) -> Result<(), SourceError> {
    let command = concat!(r#"ID ("name" "keepwarm" "version" ""#, env!("CARGO_PKG_VERSION"), "\")");
    match conversation.exec(command, |_| Ok(())).await {
        Ok(()) | Err(Failure::No(_)) => Ok(()),
        Err(Failure::Over(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_goes_the_way_that_can_carry_it() {
        for (told, password, expected) in [
            ("AUTH=PLAIN SASL-IR LOGINDISABLED", "é\"", Ok(Method::PlainAtOnce)),
            ("AUTH=PLAIN", "é", Ok(Method::Plain)),
            ("", "pass \"word\"", Ok(Method::Login)),
            ("", "pässword", Err("misconfigured")),
            ("", "password\n", Err("misconfigured")),
            ("LOGINDISABLED", "password", Err("misconfigured")),
            ("AUTH=PLAIN", "pass\0word", Err("misconfigured")),
        ] {
            let told = Capabilities::of(told);
            let found = method(&told, "ann", &password.into()).map_err(|e| e.code());
            assert_eq!(found, expected, "{told:?} {password:?}");
        }
    }
}
