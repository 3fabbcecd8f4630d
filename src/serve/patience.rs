//! Connections that are not waited for without end: a peer that sends nothing is let go, and there
//! are only so many at a time.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// How long a peer may send nothing, or take nothing: programs that ask every minute keep their
/// connection.
const SILENCE: Duration = Duration::from_secs(75);
/// Connections at a time; others wait until one ends.
const AT_ONCE: usize = 256;

/// A listener whose connections are let go when their peers are silent.
#[derive(Debug)]
pub(super) struct Patient {
    listener: TcpListener,
    silence: Duration,
    places: Arc<Semaphore>,
}

impl Patient {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, silence: SILENCE, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl axum::serve::Listener for Patient {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, from) = axum::serve::Listener::accept(&mut self.listener).await;
        let (silence, until) = (self.silence, Box::pin(sleep(self.silence)));
        (Connection { stream, silence, until, _place: place }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that fails when nothing has moved for too long.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    silence: Duration,
    until: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Passes on what was done; what has to wait waits only so long.
    fn unless_silent<T>(
        &mut self,
        done: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.until.as_mut().reset(Instant::now() + self.silence);
            return done;
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
        let done = Pin::new(&mut self.stream).poll_read(cx, into);
        self.unless_silent(done, cx)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.unless_silent(done, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::serve::Listener as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn pair(silence: Duration, at_once: usize) -> (Patient, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Patient { listener, silence, places: Arc::new(Semaphore::new(at_once)) }, address)
    }

    #[tokio::test]
    async fn a_silent_peer_is_let_go_and_one_that_speaks_is_not() {
        let (mut patient, address) = pair(Duration::from_millis(300), 9).await;
        let mut peer = TcpStream::connect(address).await.unwrap();
        let (mut connection, _) = patient.accept().await;
        let mut byte = [0; 1];
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            peer.write_all(b"x").await.unwrap();
            connection.read_exact(&mut byte).await.unwrap();
        }
        let error = connection.read_exact(&mut byte).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn there_are_only_so_many_at_a_time() {
        let (mut patient, address) = pair(SILENCE, 1).await;
        let _peers = [TcpStream::connect(address).await, TcpStream::connect(address).await];
        let (first, _) = patient.accept().await;
        let wait = Duration::from_millis(100);
        assert!(tokio::time::timeout(wait, patient.accept()).await.is_err(), "the place is taken");
        drop(first);
        assert!(tokio::time::timeout(SILENCE, patient.accept()).await.is_ok());
    }
}
