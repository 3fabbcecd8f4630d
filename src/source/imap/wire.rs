//! The byte stream below the IMAP parser: meters what one response may cost.
//!
//! The parser keeps a whole response in memory and would take half a gigabyte before it gives up;
//! here a response that passes its budget is an error, as is one that `guard` stops for its form.
//! Hands on whole lines only: the parser takes the first half of some for garbage, and parses half
//! a line anew with every piece that comes. Sits above decompression, so that a deflate bomb is
//! metered by what it unpacks to.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_imap::{Client, Session};
use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};

use super::guard::{Excess, Guard};

/// What a response may cost, in bytes. The largest that is asked for is a calendar part of 256 KiB;
/// the rest is room for servers that ignore the limit in the request.
pub(super) const RESPONSE_BYTES: u64 = 4 << 20;

/// Room for a command. Thousands of sessions wait for news, each with its buffers: small ones.
const COMMAND_BYTES: usize = 1 << 10;

/// Anything that carries bytes both ways.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Sync + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + fmt::Debug> Wire for T {}

/// What the parser reads and writes. The buffer is outermost because a command is written in four
/// pieces, each of which would be a TLS record.
pub(super) type Pipe = BufWriter<Metered>;

/// A stream that fails once more bytes are read than the budget allows.
#[derive(Debug)]
pub(super) struct Metered {
    inner: Box<dyn Wire>,
    left: u64,
    guard: Guard,
    /// Why nothing more is read.
    excess: Option<Excess>,
    /// What was read and not handed on: a line that has not ended, or what did not fit.
    held: Vec<u8>,
    /// How much of it may be handed on.
    whole: usize,
    mode: Mode,
}

#[derive(Debug)]
enum Mode {
    /// Nothing passes; the command written is answered by `OK` under its own tag.
    Rehearsal(Vec<u8>),
    Live,
}

/// A session over a stream on which nothing has been said yet.
///
/// The library hands out a `Session`, on which any command can be run, only for a login of its own
/// making. This one logs in to an answer given here, so that greeting, capabilities and the real
/// login go through the one `exec` that checks every answer.
pub(super) async fn session(wire: Box<dyn Wire>) -> io::Result<Session<Pipe>> {
    let closed = Metered { mode: Mode::Rehearsal(Vec::new()), ..Metered::over(wire) };
    let client = Client::new(BufWriter::with_capacity(COMMAND_BYTES, closed));
    let mut session = client
        .login("", "")
        .await
        .map_err(|(error, _)| io::Error::other(format!("the parser does not start: {error}")))?;
    session.get_mut().get_mut().mode = Mode::Live;
    Ok(session)
}

/// The stream for a session whose bytes are unpacked by `wire`.
pub(super) fn pipe(wire: impl Wire + 'static) -> Pipe {
    BufWriter::with_capacity(COMMAND_BYTES, Metered::over(Box::new(wire)))
}

impl Metered {
    fn over(inner: Box<dyn Wire>) -> Self {
        Self {
            inner,
            left: RESPONSE_BYTES,
            guard: Guard::default(),
            excess: None,
            held: Vec::new(),
            whole: 0,
            mode: Mode::Live,
        }
    }

    fn stopped(&mut self, excess: Excess) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::other(match excess {
            Excess::Depth => "nested too deep",
            Excess::Length => {
                self.left = 0;
                "line or literal too long"
            }
        })))
    }

    /// Counts what was read: how much of it may be handed on, all lines of it being whole. Where its
    /// form is stopped, that is everything before.
    fn watch(&mut self, read: &[u8]) -> usize {
        self.left = self.left.saturating_sub(read.len() as u64);
        match self.guard.watch(read) {
            Ok(whole) => whole,
            Err((passing, excess)) => {
                self.excess = Some(excess);
                passing
            }
        }
    }

    /// Hands on what may be of what is held.
    fn hand_on(&mut self, buf: &mut ReadBuf<'_>) {
        let length = self.whole.min(buf.remaining());
        buf.put_slice(self.held.get(..length).unwrap_or_default());
        self.held.drain(..length);
        self.whole = self.whole.saturating_sub(length);
        if self.held.is_empty() {
            // Thousands of sessions wait for news, each with what it has held.
            self.held = Vec::new();
        }
    }

    /// Begins a new response, with the whole budget.
    pub(super) fn refill(&mut self) {
        self.left = RESPONSE_BYTES;
    }

    /// Lifts the limit: for the compressed stream below a metered one.
    pub(super) fn unmeter(&mut self) {
        self.left = u64::MAX;
    }

    /// Whether the last error was that the budget ran out.
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Mode::Rehearsal(answer) = &mut this.mode {
            let length = answer.len().min(buf.remaining());
            buf.put_slice(&answer.drain(..length).collect::<Vec<u8>>());
            return Poll::Ready(Ok(()));
        }
        loop {
            if this.whole > 0 {
                this.hand_on(buf);
                return Poll::Ready(Ok(()));
            }
            if this.left == 0 {
                return Poll::Ready(Err(io::Error::other("response too long")));
            }
            if let Some(excess) = this.excess {
                return this.stopped(excess);
            }
            let before = buf.filled().len();
            match Pin::new(&mut this.inner).poll_read(cx, buf) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
            if this.left == u64::MAX {
                return Poll::Ready(Ok(()));
            }
            if buf.filled().len() == before {
                // The end. What is left of a line is for the parser to judge.
                this.whole = this.held.len();
                if this.whole == 0 {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            let passing = this.watch(buf.filled().get(before..).unwrap_or_default());
            if this.held.is_empty() {
                // The usual case: no copy but of the beginning of a line.
                let rest = buf.filled().get(before.saturating_add(passing)..).unwrap_or_default();
                this.held.extend_from_slice(if this.excess.is_none() { rest } else { &[] });
                buf.set_filled(before.saturating_add(passing));
                if passing > 0 {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            let read = buf.filled().get(before..).unwrap_or_default();
            let kept = if this.excess.is_none() { read.len() } else { passing };
            if passing > 0 {
                this.whole = this.held.len().saturating_add(passing);
            }
            this.held.extend_from_slice(read.get(..kept).unwrap_or_default());
            buf.set_filled(before);
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Mode::Rehearsal(answer) = &mut this.mode {
            answer.extend(buf.iter().copied().take_while(|byte| *byte != b' '));
            answer.extend_from_slice(b" OK done\r\n");
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut this.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
