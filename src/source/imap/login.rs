//! Capabilities and login: from a connection to a conversation in which mailboxes can be read.

use std::collections::HashSet;

use async_imap::imap_proto::{Capability, Response, ResponseCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::connect::{Connected, Greeted};
use super::session::{Conversation, Failure};
use super::{Compression, Settings, said};
use crate::source::SourceError;
use crate::source::names::quoted;

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
) -> Result<(Conversation, Capabilities), SourceError> {
    let Connected { mut conversation, greeted, peer } = connected;
    let mut told = Capabilities::default();
    if greeted == Greeted::NotYet {
        conversation.greeting(|response| told.learn(response)).await?;
    }
    if told.0.is_empty() {
        told = ask(&mut conversation).await?;
    }
    let method = method(&told, &settings.username, &settings.password)?;
    let mut told = authenticate(&mut conversation, method, settings).await?;
    if told.0.is_empty() {
        told = ask(&mut conversation).await?;
    }
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

    /// Those in a line of words, in upper case.
    #[cfg(test)]
    pub(super) fn of(words: &str) -> Self {
        Self(words.split(' ').map(str::to_owned).collect())
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

async fn authenticate(
    conversation: &mut Conversation,
    method: Method,
    settings: &Settings,
) -> Result<Capabilities, SourceError> {
    let (username, password) = (&settings.username, settings.password.expose_secret());
    let plain = || STANDARD.encode(format!("\0{username}\0{password}"));
    let (command, reply) = match method {
        Method::PlainAtOnce => (format!("AUTHENTICATE PLAIN {}", plain()), None),
        Method::Plain => ("AUTHENTICATE PLAIN".to_owned(), Some(plain())),
        Method::Login => (format!("LOGIN {} {}", quoted(username), quoted(password)), None),
    };
    let mut told = Capabilities::default();
    let done = conversation
        .exec_replying(&command, reply.as_deref(), |response| {
            told.learn(response);
            Ok(())
        })
        .await;
    match done {
        Ok(()) => Ok(told),
        Err(Failure::No(text)) => Err(said::login_refused(&text)),
        Err(Failure::Over(error)) => Err(error),
    }
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
            let told = Capabilities(told.split(' ').map(str::to_owned).collect());
            let found = method(&told, "ann", &password.into()).map_err(|e| e.code());
            assert_eq!(found, expected, "{told:?} {password:?}");
        }
    }
}
