//! One connection: reads commands and does what the faults say, else what is right.

use std::io;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::Pushed;
use super::answer::{Command, State, Then};
use super::fault::{Act, Moment};

/// The longest line that a client may send, in bytes.
const LINE_BYTES: u64 = 64 << 10;

/// A connected stream.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A connection on which the server speaks.
pub(super) struct Session<S> {
    stream: BufReader<S>,
    state: State,
    connection: u32,
    line: Vec<u8>,
}

/// What the acts at a moment leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Open,
    IdleEnded,
    Closed,
}

impl<S: Wire> Session<S> {
    pub(super) fn new(stream: S, state: State, connection: u32) -> Self {
        // Small: there may be thousands.
        Self { stream: BufReader::with_capacity(512, stream), state, connection, line: Vec::new() }
    }

    /// What comes before TLS; `None` if nothing comes after it.
    pub(super) async fn connected(mut self) -> Option<S> {
        let left = self.act("CONNECT", "*", |_| Vec::new()).await.ok()?;
        (left == Left::Open).then(|| self.stream.into_inner())
    }

    /// Converses to the end.
    pub(super) async fn converse(mut self) -> io::Result<()> {
        let profile = &self.state.shared.profile;
        let greeting = format!("* {}\r\n", profile.greeting.replace("CAPS", profile.before));
        let mut left = self.act("GREETING", "*", |_| greeting.into_bytes()).await?;
        let mut next = None;
        while left != Left::Closed {
            let line = match next.take() {
                Some(line) => Some(line),
                None => self.read().await?,
            };
            let Some(line) = line else { return Ok(()) };
            let command = Command::parse(&line);
            self.state.shared.heard(&command.name);
            let mut then = Then::Go;
            let answer = |state: &mut State| {
                let answered = state.answer(&command);
                then = answered.1;
                answered.0
            };
            left = self.act(&command.line(), &command.tag, answer).await?;
            match (left, then) {
                (Left::Open, Then::Credentials) => left = self.credentials(&command.tag).await?,
                (Left::Open, Then::Idle) => (left, next) = self.idle(&command.tag).await?,
                (_, Then::Close) => left = Left::Closed,
                _ => {}
            }
        }
        Ok(())
    }

    async fn credentials(&mut self, tag: &str) -> io::Result<Left> {
        let Some(line) = self.read().await? else { return Ok(Left::Closed) };
        self.act("CREDENTIALS", tag, |state| state.credentials(tag, &line).0).await
    }

    /// Tells what changes until DONE, or until another command comes, which is given back.
    async fn idle(&mut self, tag: &str) -> io::Result<(Left, Option<String>)> {
        let Some(mut changed) = self.state.account.as_ref().map(|account| account.watch()) else {
            return Ok((Left::Open, None));
        };
        loop {
            let news = self.state.news();
            if !news.is_empty() {
                let left = self.push(&news).await?;
                if left != Left::Open {
                    return Ok((left, None));
                }
            }
            tokio::select! {
                line = self.read() => {
                    return match line? {
                        Some(line) if line.eq_ignore_ascii_case("DONE") => {
                            let answer = format!("{tag} OK Idle completed.\r\n");
                            Ok((self.act("DONE", tag, |_| answer.into_bytes()).await?, None))
                        }
                        Some(line) => Ok((Left::Open, Some(line))),
                        None => Ok((Left::Closed, None)),
                    };
                }
                _ = changed.changed() => {}
            }
        }
    }

    async fn push(&mut self, news: &str) -> io::Result<Left> {
        let left = self.act("PUSH", "*", |_| news.as_bytes().to_vec()).await?;
        let at = Instant::now();
        for line in news.lines() {
            let count = line.strip_prefix("* ").and_then(|line| line.strip_suffix(" EXISTS"));
            if let Some(exists) = count.and_then(|count| count.parse().ok()) {
                let open = self.state.open.as_ref();
                let mailbox = open.map_or_else(String::new, |open| open.name.clone());
                let user = self.state.user.clone();
                self.state.shared.pushed(Pushed { at, user, mailbox, exists });
            }
        }
        Ok(if news.starts_with("* BYE") { Left::Closed } else { left })
    }

    /// Reads a line. May be dropped and called again.
    async fn read(&mut self) -> io::Result<Option<String>> {
        let room = LINE_BYTES.saturating_sub(self.line.len() as u64);
        (&mut self.stream).take(room).read_until(b'\n', &mut self.line).await?;
        if !self.line.ends_with(b"\n") {
            return Ok(None);
        }
        let line = std::mem::take(&mut self.line);
        Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
    }

    /// Does what is to be done at a moment.
    async fn act(
        &mut self,
        line: &str,
        tag: &str,
        answer: impl FnOnce(&mut State) -> Vec<u8>,
    ) -> io::Result<Left> {
        let mailbox = self.state.open.as_ref().map(|open| open.name.as_str());
        let moment = Moment { line, connection: self.connection, mailbox };
        // Asked first: the mail may be changed along with what is said of it.
        let acts = self.state.shared.acts(&moment);
        let honest = answer(&mut self.state);
        let mut left = Left::Open;
        for act in acts {
            match act {
                Act::Answer => self.send(&honest).await?,
                Act::Edit(change) => {
                    let text = String::from_utf8_lossy(&honest).into_owned();
                    self.send(change(text).as_bytes()).await?;
                }
                Act::Drip(size, apart) => {
                    for piece in honest.chunks(size) {
                        self.send(piece).await?;
                        // A sleep takes a millisecond at least.
                        match apart.is_zero() {
                            true => tokio::task::yield_now().await,
                            false => tokio::time::sleep(apart).await,
                        }
                    }
                }
                Act::Send(bytes) => self.send(&tagged(&bytes, tag)).await?,
                Act::Flood(bytes) => loop {
                    self.send(&bytes).await?;
                },
                Act::Wait(time) => tokio::time::sleep(time).await,
                Act::Hang => self.hang().await?,
                Act::Close => return self.close().await,
                Act::Reset => {
                    SockRef::from(self.stream.get_ref().socket())
                        .set_linger(Some(Duration::ZERO))?;
                    return Ok(Left::Closed);
                }
                Act::EndIdle => left = Left::IdleEnded,
            }
        }
        Ok(left)
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes).await?;
        self.stream.get_mut().flush().await
    }

    /// Hears everything and says nothing, until the client goes.
    async fn hang(&mut self) -> io::Result<()> {
        let mut heard = [0; 512];
        while self.stream.read(&mut heard).await? > 0 {}
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Ends the stream. What the client has sent meanwhile is read, or its system would throw away
    /// what it has not read yet.
    async fn close(&mut self) -> io::Result<Left> {
        self.stream.get_mut().shutdown().await?;
        let mut rest = [0; 512];
        let gone = async { while matches!(self.stream.read(&mut rest).await, Ok(1..)) {} };
        let _ = tokio::time::timeout(Duration::from_secs(5), gone).await;
        Ok(Left::Closed)
    }
}

/// With the command's tag in the place of `TAG`.
fn tagged(bytes: &[u8], tag: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(b"TAG") {
            Some(after) => {
                out.extend(tag.bytes());
                rest = after;
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}
