//! One copy of a message: the first, or one more; its names, its thread and its touches.
//!
//! What is stored is what all copies together say, by rules that do not ask which came first. Two
//! copies are of one message if they share a name: Message-ID, another id it was sent under, or
//! what it looks like (writer, people, second, subject), for copies that were given another
//! Message-ID on their way. A copy that shares names with two messages shows that they are one.

use crate::model::{Automated, Direction, Envelope, Interaction, Key, Kind, Standing, Turn};
use crate::normalise::address::address_key;
use crate::normalise::colleague::{Between, between};
use crate::normalise::{Directed, LeftOut, Own, Touch, Who, directed};
use crate::store::colleague::Sent;
use crate::store::interaction::{MessageTouch, New, Origin};
use crate::store::line::Line;
use crate::store::message::{Message, ThreadMessage};
use crate::store::thread::From;
use crate::store::{StoreError, bounce, colleague, interaction, message, thread};

use super::{Work, link};

/// Recipients of one report that are looked at.
const MOST_FAILED: usize = 20;

/// One copy of a message, or one stored message that has turned out to be a copy of another.
struct Sighting {
    says: Message,
    /// The thread in which its server keeps it, which joins what has no other reference.
    thread: Option<Key>,
    touches: Vec<Touching>,
    /// Which reps it went between.
    sent: Vec<Sent>,
}

/// A touch that a copy makes.
#[derive(Clone, Copy)]
struct Touching {
    line: i64,
    relationship: i64,
    direction: Direction,
    audience: u32,
    standing: Standing,
}

/// A copy of a message as it was met: all that can be told of it before the store is asked.
pub(super) struct Met<'a> {
    envelope: &'a Envelope,
    /// Whether it was met where only the rep puts messages, so that what says it is the rep's is.
    proven: bool,
    pub(super) makes: Directed,
    /// Which reps it went between.
    pub(super) sent: Vec<Sent>,
    /// All keys that name it.
    pub(super) keys: Vec<Key>,
}

impl<'a> Met<'a> {
    pub(super) fn new(envelope: &'a Envelope, proven: bool, own: &Own) -> Self {
        let makes = directed(envelope, own);
        let between = between(envelope, own);
        let sent: Vec<Sent> = between
            .into_iter()
            .map(|Between { from, to, audience }| {
                let (at, dated) = (envelope.at, envelope.dated);
                Sent { from, to, at, dated, audience, proven }
            })
            .collect();
        let mut keys = names(envelope);
        keys.extend(looks(envelope, &makes, &sent));
        Self { envelope, proven, makes, sent, keys }
    }

    /// The keys that storing it asks for.
    pub(super) fn asks_for(&self) -> impl Iterator<Item = Key> {
        let refers = matches!(self.makes, Directed::Touches(_));
        let references = self.envelope.references.iter().chain(&self.envelope.thread);
        self.keys.iter().chain(references.filter(move |_| refers)).copied()
    }
}

/// Stores a copy of a message.
pub(super) fn store(work: &mut Work<'_>, met: Met<'_>) -> Result<(), StoreError> {
    let mut sighting = match met.makes {
        Directed::Excluded => {
            work.outcome.excluded += 1;
            return Ok(());
        }
        Directed::LeftOut(reason) => {
            note_bounce(work, met.envelope)?;
            left_out(met.envelope, met.keys, reason.code())
        }
        Directed::Touches(touches) => touching(work, met.envelope, met.keys, &touches, met.proven)?,
    };
    sighting.sent = met.sent;
    let known = work.keys.messages(work.db, &sighting.says.keys)?;
    let Some((first, others)) = known.split_first() else {
        return insert(work, sighting);
    };
    work.outcome.copies += 1;
    for other in others {
        absorb(work, *first, *other)?;
    }
    merge(work, *first, &sighting)
}

/// Keeps of a report that a message was not delivered whom it did not reach, as hashes: addresses
/// that were never met are not written down.
fn note_bounce(work: &Work<'_>, envelope: &Envelope) -> Result<(), StoreError> {
    let Some(failed) = &envelope.undelivered else { return Ok(()) };
    let failed: Vec<Key> = failed
        .iter()
        .filter(|address| work.rules.own.who(address) != Who::Excluded)
        .take(MOST_FAILED)
        .map(address_key)
        .collect();
    bounce::insert(work.db, envelope.key, envelope.at, &failed, &envelope.references)
}

/// A copy that makes no interaction: it says why, and no more.
fn left_out(envelope: &Envelope, keys: Vec<Key>, reason: &str) -> Sighting {
    let says = Message {
        thread: None,
        at: envelope.at,
        dated: envelope.dated,
        left_out: Some(reason.to_owned()),
        subject: None,
        reply_subject: false,
        keys,
        references: Vec::new(),
    };
    Sighting { says, thread: None, touches: Vec::new(), sent: Vec::new() }
}

fn touching(
    work: &mut Work<'_>,
    envelope: &Envelope,
    keys: Vec<Key>,
    found: &[Touch],
    proven: bool,
) -> Result<Sighting, StoreError> {
    let mut touches = Vec::with_capacity(found.len());
    for touch in found {
        let standing = standing(envelope, touch, proven);
        let Line { id: line, relationship, address } =
            work.line(touch.rep, &touch.contact.address)?;
        if standing == Standing::Sound {
            work.named(address, &touch.contact.name, envelope.at);
        }
        let (direction, audience) = (touch.direction, touch.audience);
        touches.push(Touching { line, relationship, direction, audience, standing });
    }
    let says = Message {
        thread: None,
        at: envelope.at,
        dated: envelope.dated,
        left_out: None,
        subject: envelope.subject,
        reply_subject: envelope.reply_subject,
        keys,
        references: envelope.references.clone(),
    };
    Ok(Sighting { says, thread: envelope.thread, touches, sent: Vec::new() })
}

/// The ids under which it was sent.
fn names(envelope: &Envelope) -> Vec<Key> {
    let mut keys = vec![envelope.key];
    union(&mut keys, &envelope.aliases);
    keys
}

/// What a message looks like: the same writer to the same people in the same second with the same
/// subject; of one without date, or that is between nobody of whom it is kept, there is nothing.
fn looks(envelope: &Envelope, makes: &Directed, sent: &[Sent]) -> Option<Key> {
    let mut people: Vec<String> = match makes {
        Directed::Touches(touches) => touches
            .iter()
            .map(|t| format!("{} {} {}", t.rep, t.direction.code(), t.contact.address))
            .collect(),
        Directed::LeftOut(LeftOut::Internal) => {
            sent.iter().map(|sent| format!("{} {}", sent.from, sent.to)).collect()
        }
        Directed::LeftOut(_) | Directed::Excluded => Vec::new(),
    };
    if people.is_empty() || !envelope.dated {
        return None;
    }
    people.sort_unstable();
    let subject = envelope.subject.map_or(0, |subject| subject.0);
    let at = envelope.at.millis().to_be_bytes();
    Some(Key::of("looks", &[people.join("\n").as_bytes(), &at, &subject.to_be_bytes()]))
}

/// What speaks for a touch of a copy.
fn standing(envelope: &Envelope, touch: &Touch, proven: bool) -> Standing {
    match touch.direction {
        Direction::Outbound if !proven => Standing::Unproven,
        Direction::Inbound if envelope.authenticated == Some(false) => Standing::Unverified,
        _ => Standing::Sound,
    }
}

fn insert(work: &mut Work<'_>, sighting: Sighting) -> Result<(), StoreError> {
    let Sighting { mut says, thread, touches, sent } = sighting;
    let (mut from, mut waits) = (From::Nothing, false);
    if says.left_out.is_none() {
        let joined = join(work, &says.keys, says.references.iter().chain(&thread))?;
        says.thread = Some(joined.thread);
        from = joined.from;
        waits = link::recall(work, joined.thread, from)?;
    }
    let id = message::insert(work.db, &says)?;
    work.keys.name(work.db, &says.keys, id)?;
    note_sent(work, id, &sent)?;
    work.outcome.messages += 1;
    let mut kept = Vec::with_capacity(touches.len());
    for touch in &touches {
        if !waits {
            add(work, id, &says, touch)?;
        } else if !kept.iter().any(|known| is_same(known, touch)) {
            kept.push(keep(work, id, &says, touch, from)?);
        }
    }
    note_loose(work, &says, touches.iter().map(|t| t.relationship));
    let mut alone = from == From::Nothing && !reaches_twice(&touches);
    for touch in &touches {
        alone &= says.subject.is_none() || !work.is_loose(touch.relationship)?;
    }
    work.threads.extend(says.thread.filter(|_| !alone));
    if let Some(thread) = says.thread.filter(|_| waits) {
        link::remember(work, thread, ThreadMessage { id, message: says, touches: kept });
    }
    Ok(())
}

/// Whether it goes to two addresses of one contact: once it counts.
fn reaches_twice(touches: &[Touching]) -> bool {
    let way = |touch: &Touching| (touch.relationship, touch.direction);
    let mut known = touches.iter().enumerate();
    known.any(|(n, touch)| touches.iter().take(n).any(|other| way(other) == way(touch)))
}

/// Adds what one more copy says to what is stored of a message.
fn merge(work: &mut Work<'_>, id: i64, copy: &Sighting) -> Result<(), StoreError> {
    note_sent(work, id, &copy.sent)?;
    let before = message::get(work.db, id)?;
    link::forget(work, before.thread)?;
    let mut after = before.clone();
    let fresh = union(&mut after.keys, &copy.says.keys);
    work.keys.name(work.db, &fresh, id)?;
    let threaded = before.thread.or(copy.says.thread).is_some();
    let mut joins = false;
    if copy.says.left_out.is_none() || threaded && !fresh.is_empty() {
        let references = copy.says.references.iter().chain(&copy.thread);
        let joined = join(work, &after.keys, references)?;
        after.thread = Some(joined.thread);
        joins = joined.from == From::Several;
        link::forget(work, after.thread)?;
    }
    let weighed = weigh(before.left_out.as_deref(), copy.says.left_out.as_deref());
    match weighed {
        Weighed::Nothing => {}
        Weighed::LeaveOut => after.left_out.clone_from(&copy.says.left_out),
        Weighed::Touch => {
            after.left_out = None;
            after.at = copy.says.at;
            after.dated = copy.says.dated;
            add_content(&mut after, &copy.says);
        }
        Weighed::Both => {
            let earlier = |m: &Message| (!m.dated, m.at);
            if earlier(&copy.says) < earlier(&after) {
                after.at = copy.says.at;
                after.dated = copy.says.dated;
            }
            add_content(&mut after, &copy.says);
        }
    }
    let touches = interaction::of_message(work.db, id)?;
    if after != before {
        link::unsettle(work, id, &before, &touches)?;
        message::update(work.db, id, &after)?;
    }
    if weighed == Weighed::LeaveOut {
        take_back(work, id, &touches)?;
    }
    if after.left_out.is_none() {
        if after.at != before.at {
            interaction::redate(work.db, id, after.at)?;
            touches.iter().for_each(|touch| work.refold(touch.relationship));
        }
        for touch in &copy.touches {
            add_or_revise(work, id, &after, &touches, touch)?;
        }
        let all = touches.iter().map(|t| t.relationship);
        note_loose(work, &after, all.chain(copy.touches.iter().map(|t| t.relationship)));
    }
    // What is left out may join threads of others though nothing of it changes.
    if joins || after != before {
        work.threads.extend(after.thread);
    }
    Ok(())
}

/// Makes two stored messages one that a copy has shown to be one.
fn absorb(work: &mut Work<'_>, into: i64, from: i64) -> Result<(), StoreError> {
    let says = message::get(work.db, from)?;
    link::forget(work, says.thread)?;
    let found = interaction::of_message(work.db, from)?;
    link::unsettle(work, from, &says, &found)?;
    take_back(work, from, &found)?;
    work.keys.name(work.db, &says.keys, into)?;
    colleague::absorb(work.db, into, from)?;
    message::delete(work.db, from)?;
    let touches = found
        .iter()
        .map(|t| Touching {
            line: t.line,
            relationship: t.relationship,
            direction: t.interaction.direction,
            audience: t.interaction.audience,
            standing: t.standing,
        })
        .collect();
    work.threads.extend(says.thread);
    merge(work, into, &Sighting { says, thread: None, touches, sent: Vec::new() })
}

/// What a further copy does to whether a message makes interactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weighed {
    /// Nothing: what is stored weighs more.
    Nothing,
    /// It makes none, for the copy's reason.
    LeaveOut,
    /// It makes those of the copy; nothing so far did.
    Touch,
    /// It makes those of all copies.
    Both,
}

/// Weighs two copies. That a message was written by a machine is true of all its copies; that one
/// came by a list is not, and says nothing of one that was sent to a person too.
fn weigh(stored: Option<&str>, copy: Option<&str>) -> Weighed {
    let weight = |reason: Option<&str>| match reason.map(|r| (r, Automated::from_code(r))) {
        None => 1,
        Some((_, Some(Automated::List | Automated::Bulk))) => 2,
        Some((_, Some(_))) => 0,
        Some((_, None)) => 3,
    };
    match (stored, copy) {
        (None, None) => Weighed::Both,
        _ if (weight(copy), copy) >= (weight(stored), stored) => Weighed::Nothing,
        (_, None) => Weighed::Touch,
        (_, Some(_)) => Weighed::LeaveOut,
    }
}

/// Of differing subjects the greater, that of a reply before others; every reference, and last of
/// them the one that names the parent, of differing ones the greater.
fn add_content(message: &mut Message, copy: &Message) {
    let subject = |m: &Message| (m.reply_subject, m.subject);
    if subject(copy) > subject(message) {
        message.subject = copy.subject;
        message.reply_subject = copy.reply_subject;
    }
    let parent = message.references.last().max(copy.references.last()).copied();
    union(&mut message.references, &copy.references);
    message.references.retain(|key| Some(*key) != parent);
    message.references.extend(parent);
}

/// Has a touch of a new message, whose thread was made `from` others, wait to be stored.
fn keep(
    work: &mut Work<'_>,
    id: i64,
    message: &Message,
    touch: &Touching,
    from: From,
) -> Result<MessageTouch, StoreError> {
    let mut new = new(id, message, touch);
    new.turn.opens = Some(new.counted && from == From::Nothing);
    let New { line, interaction, standing, counted, turn, .. } = new;
    let (id, relationship) = (work.unstored.row(work.db)?, touch.relationship);
    let kept = MessageTouch { id, line, relationship, interaction, standing, counted, turn };
    work.unstored.keep(&kept, new);
    work.added(relationship, id, interaction, counted);
    Ok(kept)
}

/// Adds a touch to a message that is stored.
fn add(
    work: &mut Work<'_>,
    id: i64,
    message: &Message,
    touch: &Touching,
) -> Result<(), StoreError> {
    let new = new(id, message, touch);
    let row = work.unstored.row(work.db)?;
    if interaction::insert(work.db, row, &new)? {
        work.added(touch.relationship, row, new.interaction, new.counted);
    }
    Ok(())
}

fn new(id: i64, message: &Message, touch: &Touching) -> New {
    let interaction = Interaction {
        at: message.at,
        direction: touch.direction,
        kind: Kind::Message,
        audience: touch.audience,
        linked: false,
    };
    New {
        line: touch.line,
        interaction,
        origin: Origin::Message(id),
        standing: touch.standing,
        counted: touch.standing == Standing::Sound,
        turn: Turn { opens: Some(false), ..Turn::default() },
    }
}

fn is_same(known: &MessageTouch, touch: &Touching) -> bool {
    known.line == touch.line && known.interaction.direction == touch.direction
}

/// Of one touch in two copies counts the better standing and the larger audience.
fn add_or_revise(
    work: &mut Work<'_>,
    id: i64,
    message: &Message,
    known: &[MessageTouch],
    touch: &Touching,
) -> Result<(), StoreError> {
    let Some(stored) = known.iter().find(|known| is_same(known, touch)) else {
        work.threads.extend(message.thread);
        return add(work, id, message, touch);
    };
    let standing = stored.standing.min(touch.standing);
    let audience = stored.interaction.audience.max(touch.audience);
    if standing == stored.standing && audience == stored.interaction.audience {
        return Ok(());
    }
    interaction::revise(work.db, stored.id, standing, audience)?;
    work.threads.extend(message.thread);
    if audience != stored.interaction.audience {
        work.refold(stored.relationship);
    }
    Ok(())
}

fn take_back(work: &mut Work<'_>, id: i64, touches: &[MessageTouch]) -> Result<(), StoreError> {
    for touch in touches {
        work.refold(touch.relationship);
        work.touched.entry(touch.relationship).or_default().added.remove(&touch.id);
    }
    interaction::delete_of_message(work.db, id)
}

/// Notes which reps a message went between.
fn note_sent(work: &Work<'_>, id: i64, sent: &[Sent]) -> Result<(), StoreError> {
    sent.iter().try_for_each(|sent| colleague::add(work.db, id, sent))
}

/// Notes that relationships hold an answer that only its subject can link.
fn note_loose(work: &mut Work<'_>, message: &Message, relationships: impl Iterator<Item = i64>) {
    if message.reply_subject && message.subject.is_some() && message.references.is_empty() {
        relationships.for_each(|row| work.note_loose(row));
    }
}

fn join<'k>(
    work: &mut Work<'_>,
    keys: &[Key],
    references: impl Iterator<Item = &'k Key>,
) -> Result<thread::Joined, StoreError> {
    let mut all = keys.to_vec();
    union(&mut all, references);
    let joined = work.keys.join(work.db, &all)?;
    joined.several.iter().try_for_each(|thread| link::forget(work, Some(*thread)))?;
    Ok(joined)
}

/// Adds the keys that are missing; gives those.
fn union<'k>(keys: &mut Vec<Key>, more: impl IntoIterator<Item = &'k Key>) -> Vec<Key> {
    let mut fresh = Vec::new();
    for key in more {
        if !keys.contains(key) {
            keys.push(*key);
            fresh.push(*key);
        }
    }
    fresh
}
