//! The named reference for the time of a first sync: a client that does nothing with what it gets.
//!
//! Logs in over TLS, opens one mailbox after the other and fetches the same header fields as
//! keepwarm, of all messages by one command, into a buffer that is overwritten. Prints messages,
//! bytes and seconds from the commands to their tagged answers.
//!
//! ```text
//! cargo run --release --example bare_fetch -- HOST PORT USER PASSWORD CA_FILE [MAILBOX...]
//! ```

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use keepwarm::http::tls_config;
use keepwarm::source::imap::FIELDS;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

/// What is kept of an answer: its last bytes, in which the tagged line must end.
const TAIL: usize = 4096;

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, user, password, ca_file, rest @ ..] = arguments.as_slice() else {
        bail!("usage: bare_fetch HOST PORT USER PASSWORD CA_FILE [MAILBOX...]");
    };
    let config = tls_config(Some(&std::fs::read(ca_file).context("reading CA_FILE")?))?;
    let connection =
        ClientConnection::new(Arc::clone(&config), ServerName::try_from(host.clone())?)?;
    let socket = TcpStream::connect((host.as_str(), port.parse()?))?;
    socket.set_nodelay(true)?;
    let mut stream = StreamOwned::new(connection, socket);
    let login = format!("LOGIN {} {}", quoted(user), quoted(password));
    command(&mut stream, "a1", &login)?;
    let fetch =
        format!("UID FETCH 1:* (UID INTERNALDATE BODY.PEEK[HEADER.FIELDS ({FIELDS})]<0.65536>)");
    let (mut messages, mut bytes, mut seconds) = (0, 0, 0.0);
    let inbox = ["INBOX".to_owned()];
    for mailbox in if rest.is_empty() { &inbox } else { rest } {
        let (_, opened) = command(&mut stream, "a2", &format!("EXAMINE {}", quoted(mailbox)))?;
        messages += exists(&opened).context("no EXISTS")?;
        let began = Instant::now();
        let (fetched, _) = command(&mut stream, "a3", &fetch)?;
        bytes += fetched;
        seconds += began.elapsed().as_secs_f64();
    }
    writeln!(std::io::stdout(), "messages={messages} bytes={bytes} seconds={seconds:.3}")?;
    Ok(())
}

/// Sends a command and reads to its tagged OK; answers with the count and the last of the bytes.
fn command(stream: &mut Tls, tag: &str, command: &str) -> Result<(u64, String)> {
    stream.write_all(format!("{tag} {command}\r\n").as_bytes())?;
    stream.flush()?;
    let ok = format!("{tag} OK");
    let mut buffer = vec![0u8; 256 << 10];
    let (mut tail, mut bytes) = (Vec::new(), 0u64);
    loop {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the server closed the connection");
        bytes = bytes.saturating_add(read as u64);
        let new = buffer.get(..read).unwrap_or_default();
        tail.extend_from_slice(new.get(read.saturating_sub(TAIL)..).unwrap_or_default());
        tail.drain(..tail.len().saturating_sub(TAIL));
        if !tail.ends_with(b"\r\n") {
            continue;
        }
        let text = String::from_utf8_lossy(&tail).into_owned();
        let last = text.trim_end().rsplit("\r\n").next().unwrap_or_default();
        if last.starts_with(tag) {
            ensure!(last.starts_with(&ok), "the server refused: {last}");
            return Ok((bytes, text));
        }
    }
}

fn exists(opened: &str) -> Option<u64> {
    let line = opened.lines().find(|line| line.ends_with(" EXISTS"))?;
    line.split(' ').nth(1)?.parse().ok()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}
