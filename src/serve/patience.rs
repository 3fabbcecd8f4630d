//! Connections that are not waited for without end: a peer that sends nothing is let go, as is one
//! that takes its time over the header of a request; no connection lasts, and there are only so many at
//! a time, the last of which are for those who ask at once.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};

/// What ends the header of a request.
const END: &[u8; 4] = b"\r\n\r\n";

/// How long, and how many.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// How long a peer may send nothing, or take nothing: programs that ask every minute keep their
    /// connection for the next time.
    silence: Duration,
    /// How long the header of a request may take: of the first one from the acceptance on, of others
    /// from their first byte.
    header: Duration,
    /// How long the first header may take where few places are left.
    hurried: Duration,
    /// How long a connection may last: no multiple of the times at which programs ask, so that it
    /// does not end under a request.
    life: Duration,
    /// Connections at a time; others wait until one ends.
    places: usize,
}

const LIMITS: Limits = Limits {
    silence: Duration::from_secs(75),
    header: Duration::from_secs(15),
    hurried: Duration::from_secs(2),
    life: Duration::from_secs(127),
    places: 256,
};

/// A listener whose connections are let go when their peers are silent or slow.
#[derive(Debug)]
pub(super) struct Patient {
    listener: TcpListener,
    limits: Limits,
    places: Arc<Semaphore>,
}

impl Patient {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self::within(listener, LIMITS)
    }

    fn within(listener: TcpListener, limits: Limits) -> Self {
        Self { listener, limits, places: Arc::new(Semaphore::new(limits.places)) }
    }
}

impl axum::serve::Listener for Patient {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, from) = axum::serve::Listener::accept(&mut self.listener).await;
        let few = self.places.available_permits() < self.limits.places / 4;
        let first = if few { self.limits.hurried } else { self.limits.header };
        (Connection::new(stream, self.limits, first, place), from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Where a connection is in what is asked on it.
#[derive(Clone, Copy, Debug)]
enum Asking {
    /// Nothing has come since the last answer.
    Not,
    /// A header is coming, which is to be whole then; so many bytes of its end have been seen. Line
    /// ends before it are no part of it.
    Header { by: Instant, seen: Option<usize> },
    /// A header has come: what follows it is limited by whoever answers.
    Asked,
}

impl Asking {
    /// After more bytes of the peer.
    fn after(self, bytes: &[u8], next_by: Instant) -> Self {
        let (by, mut seen) = match self {
            Self::Not => (next_by, None),
            Self::Header { by, seen } => (by, seen),
            Self::Asked => return self,
        };
        for byte in bytes {
            seen = match seen {
                None if matches!(*byte, b'\r' | b'\n') => None,
                None => Some(0),
                Some(seen) if END.get(seen) == Some(byte) => Some(seen + 1),
                Some(_) => Some(usize::from(*byte == b'\r')),
            };
            if seen == Some(END.len()) {
                return Self::Asked;
            }
        }
        Self::Header { by, seen }
    }
}

/// A connection that fails when nothing has moved for too long, or when it takes too long.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    limits: Limits,
    asking: Asking,
    ends_at: Instant,
    until: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// One whose first header may take as long as `first`.
    fn new(
        stream: TcpStream,
        limits: Limits,
        first: Duration,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let now = Instant::now();
        let by = now + first;
        let until = Box::pin(sleep_until(by));
        let asking = Asking::Header { by, seen: None };
        Self { stream, limits, asking, ends_at: now + limits.life, until, _place: place }
    }

    /// When it is given up, whatever moves.
    fn at_last(&self) -> Instant {
        match self.asking {
            Asking::Header { by, .. } => by.min(self.ends_at),
            Asking::Not | Asking::Asked => self.ends_at,
        }
    }

    /// Passes on what was done, unless it is too late; what has to wait waits only so long.
    fn in_time<T>(
        &mut self,
        done: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if done.is_ready() {
            let (now, at_last) = (Instant::now(), self.at_last());
            if now < at_last {
                self.until.as_mut().reset(at_last.min(now + self.limits.silence));
                return done;
            }
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        ready!(self.until.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(cx, into);
        let bytes = into.filled().get(before..).unwrap_or_default();
        if !bytes.is_empty() {
            self.asking = self.asking.after(bytes, Instant::now() + self.limits.header);
        }
        self.in_time(done, cx)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if done.is_ready() {
            self.asking = Asking::Not;
        }
        self.in_time(done, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
