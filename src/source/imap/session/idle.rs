//! Waiting on a conversation until the server tells of something (IDLE, RFC 2177).

use std::time::Duration;

use async_imap::imap_proto::{RequestId, Response, Status};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::said;
use super::{Chatter, Conversation, Pending, closed, lost, silent, words};
use crate::source::SourceError;

/// How waiting for news ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source::imap) enum Idled {
    /// The open mailbox has grown.
    Grown,
    /// Nothing came in time; the conversation can go on.
    Quiet,
    /// The server will not do it, in these words, which are not fit for a log.
    Refused(String),
}

/// What may be said after the end of an IDLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::imap) enum After {
    /// Nothing before the server has answered.
    Answer,
    /// The next command, in the same packet.
    Word,
}

/// What a client in IDLE waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// For the server to let it wait.
    ForLeave,
    /// For the mailbox to grow.
    ForNews,
}

impl Conversation {
    /// Waits until the open mailbox grows, at most `most` (IDLE, RFC 2177). What ends it is sent
    /// along with the next command where that may be said `after` it: thousands of sources end and
    /// begin one every minute.
    ///
    /// # Errors
    /// The conversation is over: the connection was lost, or the server has ended the command by
    /// itself, which servers do that are about to go.
    pub(in crate::source::imap) async fn idle(
        &mut self,
        most: Duration,
        after: After,
    ) -> Result<Idled, SourceError> {
        if let Some(left) = self.left.take() {
            self.flush().await?;
            self.finish(left, &[], |_| Ok(())).await?;
        }
        let tag = timeout(self.patience.response, self.session.run_command("IDLE"))
            .await
            .map_err(|_| silent(self.patience.response))?
            .map_err(|_| lost())?;
        let asked = Instant::now();
        let (mut end, until) = (asked + self.patience.response, asked + most);
        let (mut waiting, mut chatter) = (Waiting::ForLeave, Chatter::default());
        while waiting != Waiting::ForNews || !self.grown {
            self.session.get_mut().get_mut().refill();
            let Ok(read) = timeout_at(end, self.session.read_response()).await else {
                if waiting == Waiting::ForNews {
                    break;
                }
                return Err(silent(self.patience.response));
            };
            let response = read.map_err(|e| self.broken(&e))?.ok_or_else(closed)?;
            self.count(response.parsed());
            chatter.hear(response.parsed())?;
            match response.parsed() {
                Response::Continue(_) => {
                    waiting = Waiting::ForNews;
                    end = until;
                }
                Response::Done { status: Status::No | Status::Bad, outcome, .. }
                    if waiting == Waiting::ForLeave =>
                {
                    return Ok(Idled::Refused(words(outcome)));
                }
                Response::Done { .. } => {
                    return Err(SourceError::Unreachable("the server ended IDLE".to_owned()));
                }
                Response::Data { status: Status::Bye, outcome } => {
                    return Err(said::bye(&words(outcome)));
                }
                _ => {}
            }
        }
        self.leave(tag, after).await?;
        Ok(if self.grown { Idled::Grown } else { Idled::Quiet })
    }

    /// Ends an IDLE.
    async fn leave(&mut self, tag: RequestId, after: After) -> Result<(), SourceError> {
        self.session.get_mut().write_all(b"DONE\r\n").await.map_err(|_| lost())?;
        if after == After::Word {
            self.pending.push((tag.clone(), None));
            self.left = Some(Pending(tag));
            return Ok(());
        }
        self.flush().await?;
        Ok(self.finish(Pending(tag), &[], |_| Ok(())).await?)
    }

    async fn flush(&mut self) -> Result<(), SourceError> {
        let wait = self.patience.response;
        let sent = timeout(wait, self.session.get_mut().flush()).await;
        sent.map_err(|_| silent(wait))?.map_err(|_| lost())
    }
}
