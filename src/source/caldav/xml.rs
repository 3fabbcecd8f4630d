//! Answers as XML: the `multistatus` of RFC 4918, 13, with the properties that are asked for.
//!
//! Pure. Guarantees that only properties that were found (status 2xx) are given, that an answer
//! which ends early is none, and that no entity of its own making is expanded. Names are told by
//! their namespaces, whatever prefixes a server likes.

use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

/// Elements inside each other: no answer that is asked for has half as many.
const MAX_DEPTH: usize = 32;

/// Resources in one answer: each takes some 300 bytes of memory, and may be told of in eleven.
const MAX_RESPONSES: usize = 200_000;

/// An answer of several parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Multistatus {
    /// One for each resource.
    pub(super) responses: Vec<Response>,
    /// The new sync-token.
    pub(super) token: Option<String>,
}

/// What is said of one resource.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    /// Its URL, or the path of it, as the server wrote it.
    pub(super) href: String,
    /// The status of the resource as a whole, if there is one.
    pub(super) status: Option<u16>,
    /// The properties that were found.
    pub(super) found: Properties,
}

/// Properties of one resource.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Properties {
    pub(super) name: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) ctag: Option<String>,
    pub(super) token: Option<String>,
    /// An iCalendar object.
    pub(super) data: Option<String>,
    /// URL of whoever is logged in.
    pub(super) principal: Option<String>,
    /// URLs of their collections of calendars.
    pub(super) homes: Vec<String>,
    pub(super) kinds: Vec<Kind>,
    /// Components that a calendar may hold, such as `VEVENT`; none are told where any may be.
    pub(super) components: Vec<String>,
    /// Reports that it can make, as far as they matter.
    pub(super) reports: Vec<Report>,
}

/// What a resource is; it may be several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Collection,
    Calendar,
    /// A calendar of somebody elsewhere, which the server only points to.
    Subscribed,
    Other,
}

/// What a collection can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// For changes since a token (RFC 6578).
    Changes,
}

/// The answer is not a whole `multistatus`, or none that anybody would write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads an answer.
pub(super) fn multistatus(body: &[u8]) -> Result<Multistatus, Malformed> {
    let text = String::from_utf8_lossy(body);
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let mut reading = Reading::default();
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| Malformed)?;
        match event {
            Event::Start(start) => reading.open(Element::of(&namespace, &start), &start)?,
            Event::End(_) => reading.close(),
            Event::Text(text) => reading.text.push_str(&text.xml10_content()),
            Event::CData(text) => reading.text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => reading.refer(&name)?,
            Event::Eof => return reading.end(),
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

/// The elements that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Multistatus,
    Response,
    Href,
    Status,
    Propstat,
    Prop,
    Name,
    ETag,
    CTag,
    Token,
    Data,
    Principal,
    Homes,
    Kinds,
    Kind(Kind),
    Components,
    Component,
    Reports,
    Report(Report),
    Other,
}

impl Element {
    fn of(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Self {
        let ResolveResult::Bound(Namespace(namespace)) = namespace else { return Self::Other };
        match (*namespace, start.local_name().as_ref()) {
            ("DAV:", "multistatus") => Self::Multistatus,
            ("DAV:", "response") => Self::Response,
            ("DAV:", "href") => Self::Href,
            ("DAV:", "status") => Self::Status,
            ("DAV:", "propstat") => Self::Propstat,
            ("DAV:", "prop") => Self::Prop,
            ("DAV:", "displayname") => Self::Name,
            ("DAV:", "getetag") => Self::ETag,
            ("DAV:", "sync-token") => Self::Token,
            ("DAV:", "current-user-principal") => Self::Principal,
            ("DAV:", "resourcetype") => Self::Kinds,
            ("DAV:", "collection") => Self::Kind(Kind::Collection),
            ("DAV:", "supported-report-set") => Self::Reports,
            ("DAV:", "sync-collection") => Self::Report(Report::Changes),
            ("urn:ietf:params:xml:ns:caldav", "calendar") => Self::Kind(Kind::Calendar),
            ("urn:ietf:params:xml:ns:caldav", "calendar-data") => Self::Data,
            ("urn:ietf:params:xml:ns:caldav", "calendar-home-set") => Self::Homes,
            ("urn:ietf:params:xml:ns:caldav", "supported-calendar-component-set") => {
                Self::Components
            }
            ("urn:ietf:params:xml:ns:caldav", "comp") => Self::Component,
            ("http://calendarserver.org/ns/", "getctag") => Self::CTag,
            ("http://calendarserver.org/ns/", "subscribed") => Self::Kind(Kind::Subscribed),
            _ => Self::Other,
        }
    }
}

/// An answer while it is read.
#[derive(Default)]
struct Reading {
    /// The elements that are open, the innermost last.
    open: Vec<Element>,
    /// The text since the last tag.
    text: String,
    /// Whether the outermost element has been closed.
    ended: Option<Multistatus>,
    answer: Multistatus,
    response: Response,
    /// Of the `propstat` that is open.
    status: Option<u16>,
    properties: Properties,
}

impl Reading {
    fn open(&mut self, element: Element, start: &BytesStart<'_>) -> Result<(), Malformed> {
        let properties = &mut self.properties;
        match (self.open.last(), element) {
            (Some(Element::Kinds), Element::Kind(kind)) => properties.kinds.push(kind),
            (Some(Element::Kinds), _) => properties.kinds.push(Kind::Other),
            (Some(Element::Components), Element::Component) => {
                properties.components.extend(attribute(start, "name"));
            }
            (Some(_), Element::Report(report)) if self.open.contains(&Element::Reports) => {
                properties.reports.push(report);
            }
            _ => {}
        }
        self.open.push(element);
        self.text.clear();
        let beyond = self.open.len() > MAX_DEPTH || self.answer.responses.len() > MAX_RESPONSES;
        if beyond { Err(Malformed) } else { Ok(()) }
    }

    fn refer(&mut self, name: &BytesRef<'_>) -> Result<(), Malformed> {
        match name.resolve_char_ref().map_err(|_| Malformed)? {
            Some(letter) => self.text.push(letter),
            None => self.text.push_str(resolve_predefined_entity(name).ok_or(Malformed)?),
        }
        Ok(())
    }

    fn close(&mut self) {
        let closed = self.open.pop();
        let text = std::mem::take(&mut self.text);
        let word = || Some(text.trim().to_owned()).filter(|word| !word.is_empty());
        let properties = &mut self.properties;
        match (self.open.last(), closed) {
            (None, Some(Element::Multistatus)) => {
                self.ended = Some(std::mem::take(&mut self.answer));
            }
            (Some(Element::Multistatus), Some(Element::Response)) => {
                self.answer.responses.push(std::mem::take(&mut self.response));
            }
            (Some(Element::Multistatus), Some(Element::Token)) => self.answer.token = word(),
            (Some(Element::Response), Some(Element::Propstat)) => self.found(),
            (Some(Element::Response), Some(Element::Href)) => {
                self.response.href = word().unwrap_or_default();
            }
            (Some(Element::Response), Some(Element::Status)) => {
                self.response.status = status(&text);
            }
            (Some(Element::Propstat), Some(Element::Status)) => self.status = status(&text),
            (Some(Element::Principal), Some(Element::Href)) => properties.principal = word(),
            (Some(Element::Homes), Some(Element::Href)) => properties.homes.extend(word()),
            (Some(Element::Prop), Some(Element::Name)) => properties.name = word(),
            (Some(Element::Prop), Some(Element::ETag)) => properties.etag = word(),
            (Some(Element::Prop), Some(Element::CTag)) => properties.ctag = word(),
            (Some(Element::Prop), Some(Element::Token)) => properties.token = word(),
            (Some(Element::Prop), Some(Element::Data)) => properties.data = Some(text),
            _ => {}
        }
    }

    /// Takes over the properties of a `propstat`, if they were found.
    fn found(&mut self) {
        let new = std::mem::take(&mut self.properties);
        if self.status.take().is_some_and(|status| !(200..300).contains(&status)) {
            return;
        }
        let found = &mut self.response.found;
        found.name = new.name.or(found.name.take());
        found.etag = new.etag.or(found.etag.take());
        found.ctag = new.ctag.or(found.ctag.take());
        found.token = new.token.or(found.token.take());
        found.data = new.data.or(found.data.take());
        found.principal = new.principal.or(found.principal.take());
        found.homes.extend(new.homes);
        found.kinds.extend(new.kinds);
        found.components.extend(new.components);
        found.reports.extend(new.reports);
    }

    fn end(self) -> Result<Multistatus, Malformed> {
        if self.open.is_empty() { self.ended.ok_or(Malformed) } else { Err(Malformed) }
    }
}

/// The number in a line such as `HTTP/1.1 404 Not Found`.
fn status(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let value = start.try_get_attribute(name).ok()??;
    Some(value.value.to_ascii_uppercase())
}

#[cfg(test)]
mod tests;
