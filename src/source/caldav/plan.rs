//! What is read of a calendar, and which of its objects are taken as gone: decisions, pure.
//!
//! A name in a calendar is a hash of the path of its URL, in whichever way that is escaped; a state
//! is a hash of the ETag, without quotes and weakness, which servers add and leave out as they like.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::select::Calendar;
use super::xml::{Kind, Multistatus, Properties, Response};
use crate::model::{Cursor, Key, KnownMailbox, Object, RawItem, window};

/// The largest object that is taken, in bytes.
const MAX_OBJECT: usize = 1 << 20;

/// How a calendar is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Approach<'k> {
    /// Not at all: nothing is new.
    Unchanged,
    /// By what has changed since this token.
    Changes(&'k str),
    /// By a listing of all its objects.
    Everything(Tags),
}

/// What is made of an object that is known in the very state in which it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tags {
    /// It is left alone.
    Trusted,
    /// It is read again: the window has moved on.
    Ignored,
}

/// How much of a calendar a listing speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// What is not listed is not there.
    Everything,
    /// What is not listed has not changed.
    Changes,
}

/// Objects of a calendar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing {
    extent: Extent,
    /// Those that are there: href and, if the server tells, the hash of the ETag.
    there: BTreeMap<i64, (String, Option<i64>)>,
    /// Those that are said to be gone.
    gone: BTreeSet<i64>,
    /// Those of which nothing can be said.
    doubtful: BTreeSet<i64>,
    /// What names the state that is listed.
    pub(super) token: Option<String>,
}

impl Listing {
    /// Whether it tells of no object.
    pub(super) fn is_empty(&self) -> bool {
        self.there.is_empty() && self.doubtful.is_empty()
    }
}

/// An object that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// As the server wrote it.
    pub(super) href: String,
    item: i64,
    tag: Option<i64>,
}

/// What follows from a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Todo {
    pub(super) fetch: Vec<Wanted>,
    pub(super) vanished: Vec<i64>,
    /// Items that were to be asked for again and are not there any more.
    pub(super) released: Vec<i64>,
    /// How many objects the calendar holds.
    pub(super) total: u64,
}

/// What a fetch has brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) items: Vec<RawItem>,
    /// Objects that are not there any more.
    pub(super) gone: Vec<i64>,
    /// Objects of which the answer says nothing.
    pub(super) lacking: Vec<Wanted>,
    /// How many are in another state than they were listed in.
    pub(super) moved_on: usize,
}

/// How a calendar is read on a day, by what is known of it.
pub(super) fn approach<'k>(
    calendar: &Calendar,
    known: Option<&'k KnownMailbox>,
    today: i64,
) -> Approach<'k> {
    let Some(known) = known else { return Approach::Everything(Tags::Trusted) };
    let Some(Cursor::Calendar { token, day }) = &known.cursor else {
        return Approach::Everything(Tags::Trusted);
    };
    // A day to come is that of a clock which has been put right since.
    if today - day >= window::ROLL_DAYS || *day > today + 1 {
        return Approach::Everything(Tags::Ignored);
    }
    match token {
        Some(_) if !known.retry.is_empty() => Approach::Everything(Tags::Trusted),
        Some(token) if calendar.token.as_ref() == Some(token) => Approach::Unchanged,
        Some(token) if calendar.report.is_some() => Approach::Changes(token),
        _ => Approach::Everything(Tags::Trusted),
    }
}

/// The day on which the oldest of a calendar's objects was read: of a cursor on the way, and of the
/// last one.
pub(super) fn days(known: Option<&KnownMailbox>, tags: Tags, today: i64) -> (i64, i64) {
    let before = match known.and_then(|known| known.cursor.as_ref()) {
        Some(Cursor::Calendar { day, .. }) => *day,
        _ => today,
    };
    match tags {
        Tags::Trusted => (before, before),
        // Until all of it has been read again, what has not is as old as it was.
        Tags::Ignored => (before, today),
    }
}

/// Whether a server says that it has left something out (RFC 6578, 3.6).
pub(super) fn is_cut(answer: &Multistatus) -> bool {
    answer.responses.iter().any(|response| response.status == Some(507))
}

/// The objects in an answer about the calendar at `url`.
pub(super) fn listing(answer: &Multistatus, url: &Url, extent: Extent) -> Listing {
    let mut listing = Listing {
        extent,
        there: BTreeMap::new(),
        gone: BTreeSet::new(),
        doubtful: BTreeSet::new(),
        token: answer.token.clone(),
    };
    for response in &answer.responses {
        let Some(item) = name_key(url, &response.href) else { continue };
        if item == key(url) {
            let own = state(&response.found);
            listing.token = listing.token.take().or(own);
            continue;
        }
        match response.status {
            _ if response.found.kinds.contains(&Kind::Collection) => {}
            Some(404 | 410) => {
                listing.gone.insert(item);
            }
            Some(400..) => {
                listing.doubtful.insert(item);
            }
            _ => {
                let tag = response.found.etag.as_deref().map(tag);
                listing.there.insert(item, (response.href.clone(), tag));
            }
        }
    }
    listing
}

/// What is to be done after a listing, by what is known of the calendar's objects.
pub(super) fn todo(listing: &Listing, known: Option<&KnownMailbox>, tags: Tags) -> Todo {
    let (objects, retry) = known.map_or((&[][..], &[][..]), |known| (&known.objects, &known.retry));
    let before: BTreeMap<i64, i64> = objects.iter().map(|o| (o.item, o.tag)).collect();
    // What could not be given when all was read again is known in the state in which it is listed.
    let stays = |item: &i64, tag: &Option<i64>| {
        let same = tag.is_some() && before.get(item) == tag.as_ref();
        tags == Tags::Trusted && same && !retry.contains(item)
    };
    let there = listing.there.iter().filter(|(item, (_, tag))| !stays(item, tag));
    let fetch =
        there.map(|(item, (href, tag))| Wanted { href: href.clone(), item: *item, tag: *tag });
    let is_gone = |item: &i64| match listing.extent {
        Extent::Everything => !listing.there.contains_key(item) && !listing.doubtful.contains(item),
        Extent::Changes => listing.gone.contains(item) && !listing.there.contains_key(item),
    };
    let vanished: Vec<i64> = before.keys().copied().filter(is_gone).collect();
    let more = listing.there.keys().filter(|item| !before.contains_key(item)).count();
    let total = match listing.extent {
        Extent::Everything => listing.there.len() + listing.doubtful.len(),
        Extent::Changes => before.len() + more - vanished.len(),
    };
    Todo {
        fetch: fetch.collect(),
        vanished,
        released: retry.iter().copied().filter(is_gone).collect(),
        total: total as u64,
    }
}

/// What an answer says of the objects that were asked for.
pub(super) fn fetched(wanted: &[Wanted], answer: Multistatus, url: &Url) -> Fetched {
    let said = answer.responses.into_iter();
    let mut said: BTreeMap<i64, Response> =
        said.filter_map(|response| Some((name_key(url, &response.href)?, response))).collect();
    let mut fetched = Fetched::default();
    for wanted in wanted {
        let Some(response) = said.remove(&wanted.item) else {
            fetched.lacking.push(wanted.clone());
            continue;
        };
        let tag = response.found.etag.as_deref().map(tag);
        fetched.moved_on += usize::from(tag.is_some() && tag != wanted.tag);
        let tag = tag.or(wanted.tag).unwrap_or_default();
        let object = Object { item: wanted.item, tag };
        match (response.status, response.found.data) {
            (Some(404 | 410), _) => {
                fetched.gone.push(wanted.item);
                fetched.moved_on += 1;
            }
            (Some(status @ 400..), _) => {
                fetched.items.push(wanted.unreadable(&format!("the server refuses it ({status})")));
            }
            (_, None) => fetched.items.push(wanted.unreadable("the server gives no data of it")),
            (_, Some(data)) if data.len() > MAX_OBJECT => {
                fetched.items.push(wanted.unreadable(TOO_LARGE));
            }
            (_, Some(data)) => {
                fetched.items.push(RawItem::Calendar { object, bytes: data.into_bytes() });
            }
        }
    }
    fetched
}

/// Why an object is not taken that fills an answer alone, or is larger than one may be.
pub(super) const TOO_LARGE: &str = "the object is larger than 1 MiB";

impl Wanted {
    /// The object, as one that is passed over.
    pub(super) fn unreadable(&self, why: &str) -> RawItem {
        RawItem::Unreadable { item: self.item, why: why.to_owned() }
    }
}

/// What tells a calendar's state.
pub(super) fn state(found: &Properties) -> Option<String> {
    found.token.clone().or_else(|| found.ctag.clone())
}

/// The key of what an href names, if it is on the same host.
pub(super) fn name_key(base: &Url, href: &str) -> Option<i64> {
    let url = base.join(href).ok()?;
    (url.host() == base.host()).then(|| key(&url))
}

/// The key of a URL: a hash of the segments of its path.
pub(super) fn key(url: &Url) -> i64 {
    let path = url.path().trim_end_matches('/');
    let segments: Vec<Vec<u8>> =
        path.split('/').map(|segment| percent_decode_str(segment).collect()).collect();
    let segments: Vec<&[u8]> = segments.iter().map(Vec::as_slice).collect();
    Key::of("dav-path", &segments).0
}

/// The key of an ETag.
fn tag(etag: &str) -> i64 {
    let etag = etag.trim();
    let etag = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
    Key::of("etag", &[etag.as_bytes()]).0
}

#[cfg(test)]
mod tests;
