//! Invitations of a window's messages, fetched before the window is sent.
//!
//! Nothing is asked where no header announces one. What cannot be had leaves a message without it,
//! and never stops or repeats a pass: those in trouble are halved until one is left, which stands
//! without its calendar part. Only a server that is gone, or asks for a pause, ends the pass, as it
//! would for headers.

use std::collections::VecDeque;

use super::super::fetch::{Flight, Parts, Trouble, announcing};
use super::super::session::Failure;
use super::{Open, RECONNECTS, Reader};
use crate::model::RawItem;
use crate::source::SourceError;

/// How often one window may be in trouble before the rest of it stands as it is: enough to find two
/// messages among a hundred.
const TROUBLES: u32 = 16;

impl Reader<'_> {
    /// The items with the calendar parts that they announce.
    pub(super) async fn with_calendars(
        &mut self,
        mut items: Vec<RawItem>,
        flight: &mut Flight,
        open: Open<'_>,
    ) -> Result<Vec<RawItem>, Failure> {
        let mut todo = VecDeque::from(announcing(&items));
        let (mut parts, mut troubles) = (Parts::default(), 0);
        while let Some(asked) = todo.pop_front() {
            let conversation = &mut self.line.conversation;
            let done = flight.calendars(conversation, &asked, &self.labels, &mut parts).await;
            let Err(trouble) = done else { continue };
            tracing::debug!(messages = asked.len(), "calendar parts cannot be had at once");
            self.get_over(trouble, flight, open).await?;
            troubles += 1;
            // Connections are left for messages that cannot be read at all.
            if troubles >= TROUBLES || self.reconnects < RECONNECTS / 2 {
                break;
            }
            if asked.len() > 1 {
                let (first, second) = asked.split_at(asked.len() / 2);
                todo.push_front(second.to_vec());
                todo.push_front(first.to_vec());
            }
        }
        parts.give_to(&mut items);
        Ok(items)
    }

    /// Makes the conversation usable again. Where it is over, what was asked ahead is over with it,
    /// and its turn comes again.
    async fn get_over(
        &mut self,
        trouble: Trouble,
        flight: &mut Flight,
        open: Open<'_>,
    ) -> Result<(), Failure> {
        let over = match trouble {
            Trouble::TooMuch | Trouble::Refused(_) => return Ok(()),
            Trouble::Garbled(error) | Trouble::Over(error @ SourceError::Unreachable(_)) => error,
            Trouble::Over(error) => return Err(Failure::Over(error)),
        };
        *flight = Flight::default();
        self.resume(&Trouble::Garbled(over), open).await
    }
}
