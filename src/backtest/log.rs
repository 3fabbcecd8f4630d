//! A log of interactions: every relationship's history, by time.
//!
//! Guarantees an order that does not depend on that of the rows: histories by the names of rep and
//! contact, interactions by time. Names are kept once, whoever's they are.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::model::{Direction, Interaction, Kind, Span, Timestamp};
use crate::score::Zone;

/// Where a log has no threads, a message answers what the other party wrote no longer ago.
const ALTERNATION: Span = Span::from_days(30);

/// How it is known what answers the other party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The log says so, of some message at least.
    Threads,
    /// It says so of none: alternation within 30 days stands for it.
    Alternation,
}

/// The interactions of one rep with one contact.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The rep, for [`Log::name`].
    pub rep: u32,
    /// The contact, for [`Log::name`].
    pub contact: u32,
    /// The calendar by which days are told apart.
    pub zone: Zone,
    /// By time; never empty.
    pub interactions: Vec<Interaction>,
}

/// The histories of many relationships.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    names: Vec<Box<str>>,
    /// By the names of rep and contact.
    pub histories: Vec<History>,
    /// How it is known what answers the other party.
    pub answers: Answers,
    /// Rows that were the same as another in every column; each counts once (G8).
    pub repeated: usize,
}

impl Log {
    /// The name of a rep or a contact; empty if there is none.
    #[must_use]
    pub fn name(&self, id: u32) -> &str {
        usize::try_from(id).ok().and_then(|id| self.names.get(id)).map_or("", |name| name)
    }

    /// The first and the last instant; `None` without interactions.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.histories.iter().filter_map(|h| h.interactions.first()).map(|i| i.at);
        let last = self.histories.iter().filter_map(|h| h.interactions.last()).map(|i| i.at);
        Some((first.min()?, last.max()?))
    }

    /// The log without what is dated later than `now`.
    #[must_use]
    pub fn until(mut self, now: Timestamp) -> Self {
        for history in &mut self.histories {
            history.interactions.retain(|interaction| interaction.at <= now);
        }
        self.histories.retain(|history| !history.interactions.is_empty());
        self
    }

    /// How many interactions.
    #[must_use]
    pub fn interactions(&self) -> usize {
        self.histories.iter().map(|history| history.interactions.len()).sum()
    }

    /// How many reps have any.
    #[must_use]
    pub fn reps(&self) -> usize {
        self.histories.chunk_by(|a, b| a.rep == b.rep).count()
    }
}

/// Takes the rows of a log as they come, in any order.
#[derive(Debug, Default)]
pub struct Builder {
    names: Vec<Box<str>>,
    ids: HashMap<Box<str>, u32>,
    pairs: HashMap<(u32, u32), usize>,
    histories: Vec<History>,
    threads: bool,
}

impl Builder {
    /// Adds an interaction; `linked` is `None` where it is not known whether it answers the other
    /// party. A meeting that both held is a reciprocation of its own unless the log denies it.
    pub fn push(
        &mut self,
        rep: &str,
        contact: &str,
        interaction: Interaction,
        linked: Option<bool>,
    ) {
        self.threads |= linked.is_some() && interaction.kind == Kind::Message;
        let met = interaction.kind == Kind::Meeting && interaction.direction == Direction::Mutual;
        let interaction = Interaction { linked: linked.unwrap_or(met), ..interaction };
        let pair = (self.id(rep), self.id(contact));
        let at = *self.pairs.entry(pair).or_insert(self.histories.len());
        match self.histories.get_mut(at) {
            Some(history) => history.interactions.push(interaction),
            None => self.histories.push(History {
                rep: pair.0,
                contact: pair.1,
                zone: chrono_tz::UTC,
                interactions: vec![interaction],
            }),
        }
    }

    /// The log in its order, every row once, and with alternation where there are no threads.
    #[must_use]
    pub fn finish(mut self) -> Log {
        let mut repeated = 0;
        for history in &mut self.histories {
            let rows = &mut history.interactions;
            rows.sort_by_key(|i| (i.at, i.direction, i.kind, i.audience, i.linked));
            let before = rows.len();
            rows.dedup();
            repeated += before - rows.len();
            rows.shrink_to_fit();
            if !self.threads {
                alternate(rows);
            }
        }
        let answers = if self.threads { Answers::Threads } else { Answers::Alternation };
        Log::of(self.names, self.histories, answers, repeated)
    }

    fn id(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.into());
        if let Entry::Vacant(vacant) = self.ids.entry(name.into()) {
            vacant.insert(id);
        }
        id
    }
}

impl Log {
    /// A log of histories as they are stored, each of a rep and a contact by name: every interaction
    /// is known to answer or not, and none is a copy of another.
    #[must_use]
    pub fn known(of: impl IntoIterator<Item = (String, String, Zone, Vec<Interaction>)>) -> Self {
        let mut builder = Builder::default();
        for (rep, contact, zone, mut interactions) in of {
            if !interactions.is_empty() {
                interactions.sort_by_key(|interaction| interaction.at);
                let (rep, contact) = (builder.id(&rep), builder.id(&contact));
                builder.histories.push(History { rep, contact, zone, interactions });
            }
        }
        Self::of(builder.names, builder.histories, Answers::Threads, 0)
    }

    /// Histories brought into the order of their names.
    fn of(
        names: Vec<Box<str>>,
        histories: Vec<History>,
        answers: Answers,
        repeated: usize,
    ) -> Self {
        let mut log = Self { names, histories: Vec::new(), answers, repeated };
        let mut histories = histories;
        histories.sort_by(|a, b| {
            let names = |h: &History| (log.name(h.rep), log.name(h.contact));
            names(a).cmp(&names(b))
        });
        log.histories = histories;
        log
    }
}

/// Takes for an answer a message of whom the other party wrote last, no longer than 30 days ago.
///
/// Messages of one instant do not answer each other.
fn alternate(rows: &mut [Interaction]) {
    let (mut outbound, mut inbound): (Option<Timestamp>, Option<Timestamp>) = (None, None);
    for together in rows.chunk_by_mut(|a, b| a.at == b.at) {
        let messages = |direction| {
            move |i: &&mut Interaction| i.kind == Kind::Message && i.direction == direction
        };
        let answers = |theirs: Option<Timestamp>, own: Option<Timestamp>, at| {
            theirs
                .is_some_and(|theirs| theirs >= own.unwrap_or(theirs) && at - theirs <= ALTERNATION)
        };
        let (said, heard) = (outbound, inbound);
        for one in together.iter_mut().filter(messages(Direction::Outbound)) {
            one.linked = answers(heard, said, one.at);
            outbound = Some(one.at);
        }
        for one in together.iter_mut().filter(messages(Direction::Inbound)) {
            one.linked = answers(said, heard, one.at);
            inbound = Some(one.at);
        }
    }
}
