//! How one side answers the other: how often within a week, and how fast.
//!
//! A reply is a message of the other party that is the first to answer a message (by In-Reply-To,
//! else References: `normalise::thread`). How fast is told by the replies that a window holds; how
//! often by the messages of it that asked for one and have had their week.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Direction, Kind, Observed, Span, Timestamp};

use super::number;
use crate::score::{WorkingHours, Zone};

/// A message is answered if it is within so much time.
pub const REPLY_WITHIN: Span = Span::from_days(7);

/// A message to more people than this asks none of them in particular for a reply.
pub const ASKS_AT_MOST: u32 = 3;

/// How one side answers. The names of the fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answers {
    /// Messages of the other side that asked for a reply: to at most three people, at least seven
    /// days old, and not followed up by their own writer within these, unless they were answered.
    pub asked: u32,
    /// Those of them that were answered within seven days.
    pub answered: u32,
    /// The one by the other; `None` if nothing was asked.
    pub reply_rate: Option<f64>,
    /// Replies whose response time is known.
    pub replies: u32,
    /// How long they took.
    pub response_hours: Option<Hours>,
    /// How much of that was in working hours.
    pub response_working_hours: Option<Hours>,
}

/// A distribution of times, in hours; between two of them by linear interpolation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Hours {
    /// Half of them are shorter.
    pub median: f64,
    /// Nine of ten are shorter.
    pub p90: f64,
}

/// When what was written was first answered, by the direction of the answer and by what is answered.
pub(super) struct Index(BTreeMap<(Direction, Timestamp), Vec<Timestamp>>);

impl Index {
    /// Of a log by time.
    pub(super) fn new(log: &[Observed]) -> Self {
        let mut replies: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for one in log {
            if let Some(parent_at) = one.turn.parent_at {
                let key = (one.interaction.direction, parent_at);
                replies.entry(key).or_default().push(one.interaction.at);
            }
        }
        Self(replies)
    }

    /// How `side` answers in a window whose log is `log`.
    pub(super) fn window(
        &self,
        log: &[Observed],
        side: Direction,
        zone: Zone,
        hours: &WorkingHours,
        now: Timestamp,
    ) -> Answers {
        let (asked, answered) = self.rate(log, side, now);
        let times: Vec<(Timestamp, Timestamp)> = log
            .iter()
            .filter(|one| one.interaction.direction == side)
            .filter_map(|one| Some((one.turn.parent_at?, one.interaction.at)))
            // By a clock gone wrong: it tells nothing.
            .filter(|(parent_at, at)| parent_at <= at)
            .collect();
        let elapsed = times.iter().map(|(from, to)| *to - *from).collect();
        let worked = times.iter().map(|(from, to)| hours.between(*from, *to, zone)).collect();
        Answers {
            asked,
            answered,
            reply_rate: (asked > 0).then(|| f64::from(answered) / f64::from(asked)),
            replies: number(times.len()),
            response_hours: distribution(elapsed),
            response_working_hours: distribution(worked),
        }
    }

    /// How many messages asked `side` for a reply, and how many of them had one in time.
    fn rate(&self, log: &[Observed], side: Direction, now: Timestamp) -> (u32, u32) {
        let (mut asked, mut answered) = (0, 0);
        // Two messages of one instant have two first answers.
        let mut taken: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for one in log {
            let interaction = &one.interaction;
            let known = interaction.kind == Kind::Message && one.turn.opens.is_some();
            if !known || interaction.direction != side.opposite() {
                continue;
            }
            let nth = taken.entry(interaction.at).or_default();
            let replies = self.0.get(&(side, interaction.at));
            let reply = replies.and_then(|replies| replies.get(*nth));
            *nth += 1;
            let week_ends = interaction.at + REPLY_WITHIN;
            let in_time = reply.is_some_and(|at| *at <= week_ends);
            let followed = one.turn.followed_at.is_some_and(|at| at <= week_ends);
            let asks =
                interaction.audience <= ASKS_AT_MOST && week_ends <= now && (in_time || !followed);
            asked += u32::from(asks);
            answered += u32::from(asks && in_time);
        }
        (asked, answered)
    }
}

fn distribution(mut times: Vec<Span>) -> Option<Hours> {
    times.sort_unstable();
    Some(Hours { median: quantile(&times, 0.5)?, p90: quantile(&times, 0.9)? })
}

/// A quantile of sorted times in hours, interpolated between the two nearest (Hyndman and Fan 1996,
/// type 7).
fn quantile(times: &[Span], share: f64) -> Option<f64> {
    let last = u32::try_from(times.len().checked_sub(1)?).ok()?;
    let place = share * f64::from(last);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a u32")]
    let below = place.floor() as usize;
    let hours = |time: &Span| time.days() * 24.0;
    let lower = hours(times.get(below)?);
    let upper = times.get(below + 1).map_or(lower, hours);
    Some(lower + (upper - lower) * (place - place.floor()))
}
