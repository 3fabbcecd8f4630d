//! The byte stream below the IMAP parser: meters what one response may cost.
//!
//! The parser keeps a whole response in memory and would take half a gigabyte before it gives up;
//! here a response that passes its budget is an error, as is one that `guard` stops for its form.
//! Sits above decompression, so that a deflate bomb is metered by what it unpacks to.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_imap::{Client, Session};
use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};

use super::guard::{Excess, Guard};

/// What a response may cost, in bytes. The largest that is asked for is a header block of 64 KiB;
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
        if this.left == 0 {
            return Poll::Ready(Err(io::Error::other("response too long")));
        }
        if let Some(excess) = this.excess {
            return this.stopped(excess);
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        if this.left == u64::MAX {
            return polled;
        }
        let read = buf.filled().get(before..).unwrap_or_default();
        this.left = this.left.saturating_sub(read.len() as u64);
        if let Err((passing, excess)) = this.guard.watch(read) {
            this.excess = Some(excess);
            buf.set_filled(before.saturating_add(passing));
            if passing == 0 {
                return this.stopped(excess);
            }
        }
        polled
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
