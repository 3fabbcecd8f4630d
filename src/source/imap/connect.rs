//! From a host name to a conversation: resolve, connect, secure.
//!
//! Every address of the host is tried. What happens before TLS is done on the bare socket, so that
//! nothing said in the clear can reach the parser that later reads the secured stream.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::session::{Conversation, Patience};
use super::wire::Wire;
use super::{Settings, TlsMode, said, tls};
use crate::model::Timestamp;
use crate::source::SourceError;

/// How much a server may say before TLS, in bytes.
const PREFACE_BYTES: u64 = 16 << 10;

/// A conversation at the point where the server greets.
#[derive(Debug)]
pub(super) struct Connected {
    /// On which the greeting is still to be read, unless it was read before STARTTLS.
    pub(super) conversation: Conversation,
    /// Whether the server has greeted already.
    pub(super) greeted: Greeted,
    /// The server's address.
    pub(super) peer: SocketAddr,
    /// Until when its certificate is valid, if it has shown one.
    pub(super) certificate_until: Option<Timestamp>,
}

/// Whether the server has greeted already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeted {
    /// Before TLS: there is no second greeting.
    Before,
    /// It will now.
    NotYet,
}

/// Connects to the host and secures the connection as configured.
pub(super) async fn connect(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
) -> Result<Connected, SourceError> {
    let patience =
        Patience { response: settings.response_timeout, command: settings.command_timeout };
    let (stream, peer) = dial(&settings.host, settings.port, settings.connect_timeout).await?;
    let secured = secure(stream, settings, tls);
    let (wire, greeted, certificate_until) = timeout(settings.connect_timeout, secured)
        .await
        .map_err(|_| SourceError::Unreachable("TLS handshake: no answer".to_owned()))??;
    let conversation = Conversation::over(wire, patience).await?;
    Ok(Connected { conversation, greeted, peer, certificate_until })
}

async fn secure(
    stream: TcpStream,
    settings: &Settings,
    config: &Arc<ClientConfig>,
) -> Result<(Box<dyn Wire>, Greeted, Option<Timestamp>), SourceError> {
    match settings.tls {
        TlsMode::None => Ok((Box::new(stream), Greeted::NotYet, None)),
        TlsMode::Implicit => {
            let secured = tls::handshake(stream, &settings.host, config).await?;
            let until = tls::certificate_until(&secured);
            Ok((Box::new(secured), Greeted::NotYet, until))
        }
        TlsMode::StartTls => {
            let stream = start_tls(stream).await?;
            let secured = tls::handshake(stream, &settings.host, config).await?;
            let until = tls::certificate_until(&secured);
            Ok((Box::new(secured), Greeted::Before, until))
        }
    }
}

/// Tries each address that the name stands for, in the resolver's order.
async fn dial(
    host: &str,
    port: u16,
    wait: Duration,
) -> Result<(TcpStream, SocketAddr), SourceError> {
    let addresses = timeout(wait, tokio::net::lookup_host((host, port)))
        .await
        .map_err(|_| SourceError::Unreachable(format!("no answer from DNS for `{host}`")))?
        .map_err(|e| {
            SourceError::Unreachable(format!("no address for `{host}`: {e}; hint: check host"))
        })?;
    let mut last = SourceError::Unreachable(format!("no address for `{host}`; hint: check host"));
    for address in addresses {
        match timeout(wait, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                tune(&stream).map_err(|e| SourceError::Unreachable(format!("{address}: {e}")))?;
                return Ok((stream, address));
            }
            Ok(Err(e)) => last = SourceError::Unreachable(format!("{address}: {e}")),
            Err(_) => {
                last = SourceError::Unreachable(format!("{address}: no answer to a connection"));
            }
        }
    }
    Err(last)
}

/// Small packets at once, and a dead peer noticed within two minutes, whether we wait for it or it
/// does not take what we send.
fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    SockRef::from(stream).set_tcp_user_timeout(Some(Duration::from_secs(90)))?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(20))
        .with_retries(3);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Greeting and STARTTLS in the clear (RFC 9051, 6.2.1).
///
/// Whatever follows the server's OK within the same packets was put there by somebody in between,
/// to be taken for an answer given under TLS: that is refused (CVE-2011-0411 and its kin).
async fn start_tls(stream: TcpStream) -> Result<TcpStream, SourceError> {
    let mut reader = BufReader::new(stream);
    let greeting = line(&mut reader).await?;
    if let Some(text) = after(&greeting, "* BYE") {
        return Err(said::bye(text));
    }
    if after(&greeting, "* OK").is_none() {
        return Err(SourceError::Protocol("no IMAP greeting that asks for a login".to_owned()));
    }
    reader.write_all(b"s1 STARTTLS\r\n").await.map_err(|e| broken(&e))?;
    loop {
        let answer = line(&mut reader).await?;
        if let Some(text) = after(&answer, "* BYE") {
            return Err(said::bye(text));
        }
        if after(&answer, "s1 OK").is_some() {
            break;
        }
        if after(&answer, "s1 ").is_some() {
            return Err(SourceError::Misconfigured(
                "the server has no STARTTLS; hint: set tls = \"implicit\" and its port".to_owned(),
            ));
        }
    }
    if !reader.buffer().is_empty() {
        return Err(SourceError::Protocol(
            "bytes sent in the clear after STARTTLS: somebody may be tampering with the connection"
                .to_owned(),
        ));
    }
    Ok(reader.into_inner())
}

async fn line(reader: &mut BufReader<TcpStream>) -> Result<String, SourceError> {
    let mut bytes = Vec::new();
    reader.take(PREFACE_BYTES).read_until(b'\n', &mut bytes).await.map_err(|e| broken(&e))?;
    if !bytes.ends_with(b"\n") {
        return Err(SourceError::Unreachable("the server closed the connection".to_owned()));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What stands after a prefix, whatever its case.
fn after<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = line.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn broken(error: &io::Error) -> SourceError {
    SourceError::Unreachable(format!("the connection broke: {}", error.kind()))
}
