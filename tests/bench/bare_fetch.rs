//! The named reference for the time of a first sync: a client that does nothing with what it gets.
//!
//! Logs in over TLS, opens one mailbox after the other and fetches the same header fields as
//! keepwarm, of all messages by one command, into a buffer that is overwritten. Prints messages,
//! bytes and seconds from the commands to their tagged answers.
//!
//! ```text
//! cargo run --release --example bare_fetch -- \
//!     [--compress] HOST PORT USER PASSWORD CA_FILE [MAILBOX...]
//! ```
//!
//! With `--compress`, all after the login is packed by COMPRESS=DEFLATE (RFC 4978).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use keepwarm::http::tls_config;
use keepwarm::source::imap::FIELDS;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

/// What is kept of an answer: its last bytes, in which the tagged line must end.
const TAIL: usize = 4096;

type Tls = StreamOwned<ClientConnection, TcpStream>;

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

fn main() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let packed = arguments.first().is_some_and(|first| first == "--compress");
    arguments.drain(..usize::from(packed));
    let [host, port, user, password, ca_file, rest @ ..] = arguments.as_slice() else {
        bail!("usage: bare_fetch [--compress] HOST PORT USER PASSWORD CA_FILE [MAILBOX...]");
    };
    let config = tls_config(Some(&std::fs::read(ca_file).context("reading CA_FILE")?))?;
    let connection =
        ClientConnection::new(Arc::clone(&config), ServerName::try_from(host.clone())?)?;
    let socket = TcpStream::connect((host.as_str(), port.parse()?))?;
    socket.set_nodelay(true)?;
    let mut stream = StreamOwned::new(connection, socket);
    let login = format!("LOGIN {} {}", quoted(user), quoted(password));
    command(&mut stream, "a1", &login)?;
    let mut stream: Box<dyn Stream> = if packed {
        command(&mut stream, "a2", "COMPRESS DEFLATE")?;
        Box::new(Packed::over(stream))
    } else {
        Box::new(stream)
    };
    let fetch =
        format!("UID FETCH 1:* (UID INTERNALDATE BODY.PEEK[HEADER.FIELDS ({FIELDS})]<0.65536>)");
    let (mut messages, mut bytes, mut seconds) = (0, 0, 0.0);
    let inbox = ["INBOX".to_owned()];
    for mailbox in if rest.is_empty() { &inbox } else { rest } {
        let (_, opened) = command(&mut *stream, "a3", &format!("EXAMINE {}", quoted(mailbox)))?;
        messages += exists(&opened).context("no EXISTS")?;
        let began = Instant::now();
        let (fetched, _) = command(&mut *stream, "a4", &fetch)?;
        bytes += fetched;
        seconds += began.elapsed().as_secs_f64();
    }
    writeln!(std::io::stdout(), "messages={messages} bytes={bytes} seconds={seconds:.3}")?;
    Ok(())
}

/// Sends a command and reads to its tagged OK; answers with the count and the last of the bytes.
fn command(stream: &mut dyn Stream, tag: &str, command: &str) -> Result<(u64, String)> {
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

/// A stream whose bytes are packed, both ways.
struct Packed {
    inner: Tls,
    inflate: Decompress,
    deflate: Compress,
    /// What has come and is not unpacked yet.
    waiting: Vec<u8>,
}

impl Packed {
    fn over(inner: Tls) -> Self {
        let (inflate, deflate) =
            (Decompress::new(false), Compress::new(Compression::fast(), false));
        Self { inner, inflate, deflate, waiting: Vec::new() }
    }
}

impl Read for Packed {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let [taken, given] = [self.inflate.total_in(), self.inflate.total_out()];
            self.inflate.decompress(&self.waiting, into, FlushDecompress::Sync)?;
            let [taken, given] =
                [self.inflate.total_in() - taken, self.inflate.total_out() - given];
            self.waiting.drain(..usize::try_from(taken).unwrap_or(usize::MAX));
            if given > 0 {
                return Ok(usize::try_from(given).unwrap_or(usize::MAX));
            }
            let mut buffer = vec![0; 64 << 10];
            let read = self.inner.read(&mut buffer)?;
            if read == 0 {
                return Ok(0);
            }
            self.waiting.extend_from_slice(buffer.get(..read).unwrap_or_default());
        }
    }
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut packed = Vec::with_capacity(bytes.len() + 64);
        self.deflate.compress_vec(bytes, &mut packed, FlushCompress::Sync)?;
        self.inner.write_all(&packed)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
