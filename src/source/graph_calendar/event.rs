//! An event as Microsoft Graph writes it (learn.microsoft.com/graph, "event resource type"), and as
//! iCalendar has it. Pure.

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::model::{MeetingStatus, Participation, Timestamp};
use crate::source::web::vcalendar::{Guest, Standing, Vevent, When};

/// What is asked for of an event: neither what it is about nor where it is.
pub(super) const FIELDS: &str = "id,type,iCalUId,originalStart,start,end,isAllDay,isCancelled,\
     isDraft,showAs,sensitivity,responseStatus,organizer,attendees";

/// An event of a calendar view: a single one, or an occurrence of a series. What Graph leaves empty
/// it writes as null.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(rename = "iCalUId")]
    uid: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    original_start: Option<String>,
    start: Option<Time>,
    end: Option<Time>,
    is_all_day: Option<bool>,
    is_cancelled: Option<bool>,
    is_draft: Option<bool>,
    show_as: Option<String>,
    sensitivity: Option<String>,
    response_status: Option<Response>,
    organizer: Option<Person>,
    attendees: Option<Vec<Person>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Time {
    date_time: Option<String>,
    time_zone: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Response {
    response: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<Response>,
    email_address: Option<Mailbox>,
}

#[derive(Clone, Debug, Deserialize)]
struct Mailbox {
    address: Option<String>,
    name: Option<String>,
}

impl Event {
    /// When it begins, if that can be read.
    pub(super) fn starts_at(&self) -> Option<Timestamp> {
        self.start.as_ref()?.instant()
    }

    /// Whether it can be a meeting: a draft has been sent to nobody.
    pub(super) fn is_of_interest(&self) -> bool {
        self.is_draft != Some(true)
    }

    /// The same for iCalendar; `None` if it does not say when it is. `own` are addresses of whose
    /// calendar it stands in.
    pub(super) fn vevent(&self, own: &[String]) -> Option<Vevent> {
        let starts = self.starts_at()?;
        let when = |at: Timestamp| match self.is_all_day {
            Some(true) => at.to_utc().map(|utc| When::Day(utc.date_naive())),
            _ => Some(When::At(at)),
        };
        let recurs = matches!(self.kind.as_deref(), Some("occurrence" | "exception"));
        // Without one, occurrences would all be taken for one meeting.
        let slot = self.original_start.as_deref().and_then(original).unwrap_or(starts);
        let slot = Some(slot).filter(|_| recurs);
        Some(Vevent {
            uid: self.uid.as_deref().map_or_else(|| self.id.clone(), series_uid),
            sequence: 0,
            starts: when(starts)?,
            ends: self.end.as_ref().and_then(Time::instant).and_then(when),
            replaces: slot.and_then(when),
            recurrence: Vec::new(),
            status: self.status(),
            standing: self.standing(),
            organizer: self.organizer.as_ref().and_then(Person::guest),
            attendees: self.guests(own),
        })
    }

    fn status(&self) -> MeetingStatus {
        if self.is_cancelled == Some(true) {
            MeetingStatus::Cancelled
        } else if self.show_as.as_deref() == Some("tentative") {
            MeetingStatus::Tentative
        } else {
            MeetingStatus::Confirmed
        }
    }

    fn standing(&self) -> Standing {
        let private = matches!(self.sensitivity.as_deref(), Some("private" | "confidential"));
        let free = matches!(self.show_as.as_deref(), Some("free" | "workingElsewhere"));
        if private || free { Standing::LeftOut } else { Standing::Meeting }
    }

    /// The attendees but for rooms. What the owner has answered stands with the event, not always
    /// with the attendee; who was invited by a list does not stand among them at all.
    fn guests(&self, own: &[String]) -> Vec<Guest> {
        let people = self.attendees.iter().flatten();
        let people = people.filter(|one| one.kind.as_deref() != Some("resource"));
        let mut guests: Vec<Guest> = people.filter_map(Person::guest).collect();
        let said = self.response_status.as_ref().and_then(|said| said.response.as_deref());
        let is_own = |guest: &Guest| own.iter().any(|own| own.eq_ignore_ascii_case(&guest.email));
        let participation = match (said, own.first()) {
            (None | Some("none"), _) | (_, None) => return guests,
            (Some(said), _) => participation(Some(said)),
        };
        let mut found = self.organizer.as_ref().and_then(Person::guest).is_some_and(|o| is_own(&o));
        for guest in guests.iter_mut().filter(|guest| is_own(guest)) {
            guest.participation = participation;
            found = true;
        }
        if let (false, Some(own)) = (found, own.first()) {
            guests.push(Guest { email: own.clone(), name: String::new(), participation });
        }
        guests
    }
}

impl Time {
    /// Seven digits of a second and no offset: the zone is the one that was asked for, UTC.
    fn instant(&self) -> Option<Timestamp> {
        let local: NaiveDateTime = self.date_time.as_deref()?.trim_end_matches('Z').parse().ok()?;
        let zone: Tz = self.time_zone.as_deref().unwrap_or("UTC").parse().ok()?;
        let at = local.and_local_timezone(zone).earliest()?;
        Some(Timestamp::from_millis(at.timestamp_millis()))
    }
}

impl Person {
    fn guest(&self) -> Option<Guest> {
        let mailbox = self.email_address.as_ref()?;
        let said = self.status.as_ref().and_then(|said| said.response.as_deref());
        Some(Guest {
            email: mailbox.address.clone()?,
            name: mailbox.name.clone().unwrap_or_default(),
            participation: participation(said),
        })
    }
}

fn participation(said: Option<&str>) -> Participation {
    match said {
        Some("accepted" | "organizer") => Participation::Accepted,
        Some("declined") => Participation::Declined,
        Some("tentativelyAccepted") => Participation::Tentative,
        _ => Participation::NeedsAction,
    }
}

fn original(text: &str) -> Option<Timestamp> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp::from_millis(at.timestamp_millis()))
}

/// The UID of the series, as invitations and other calendars have it. Exchange's own UIDs are a
/// Global Object ID (MS-OXOCAL, 2.2.1.27) in hexadecimal, and that of an occurrence holds its date
/// where the series has zeros.
fn series_uid(uid: &str) -> String {
    const BEGINS: &str = "040000008200E00074C5B7101A82E008";
    const DATE: usize = 8;
    let date_at = BEGINS.len();
    match (uid.get(..date_at), uid.get(date_at + DATE..)) {
        (Some(begins), Some(rest)) if begins.eq_ignore_ascii_case(BEGINS) => {
            format!("{begins}00000000{rest}")
        }
        _ => uid.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_counts_by_what_they_have_answered() {
        let own = ["ann@us.example".to_owned(), "Ann.Lee@us.example".to_owned()];
        for (said, organizer, attendee, expected) in [
            ("accepted", "bo@acme.example", "ann.lee@us.example", "ann.lee@us.example Accepted"),
            ("declined", "bo@acme.example", "ann@us.example", "ann@us.example Declined"),
            (
                "tentativelyAccepted",
                "bo@acme.example",
                "ann@us.example",
                "ann@us.example Tentative",
            ),
            ("accepted", "bo@acme.example", "sales@us.example", "ann@us.example Accepted"),
            ("none", "bo@acme.example", "sales@us.example", "nobody"),
            ("organizer", "ann.lee@us.example", "bo@acme.example", "nobody"),
        ] {
            let event: Event = serde_json::from_value(serde_json::json!({
                "id": "1", "start": {"dateTime": "2026-11-02T08:00:00.0000000", "timeZone": "UTC"},
                "responseStatus": {"response": said, "time": null}, "showAs": null,
                "organizer": {"emailAddress": {"address": organizer, "name": null}},
                "attendees": [{"type": "required", "status": {"response": "none"},
                               "emailAddress": {"address": attendee}}],
            }))
            .unwrap();
            let guests = event.vevent(&own).unwrap().attendees;
            let mine = guests
                .iter()
                .find(|guest| own.iter().any(|o| o.eq_ignore_ascii_case(&guest.email)));
            let found = mine.map_or_else(
                || "nobody".to_owned(),
                |guest| format!("{} {:?}", guest.email, guest.participation),
            );
            assert_eq!(found, expected, "{said} {organizer} {attendee}");
        }
    }

    #[test]
    fn an_occurrence_is_named_by_its_slot_also_where_that_is_not_told() {
        const AT: &str = "2026-11-02T08:00:00.0000000";
        for (kind, original, expected) in [
            ("occurrence", Some("2026-11-01T08:00:00Z"), Some("2026-11-01T08:00:00Z")),
            ("occurrence", None, Some("2026-11-02T08:00:00Z")),
            ("exception", None, Some("2026-11-02T08:00:00Z")),
            ("singleInstance", Some("2026-11-01T08:00:00Z"), None),
        ] {
            let event: Event = serde_json::from_value(serde_json::json!({
                "id": "1", "type": kind, "originalStart": original,
                "start": {"dateTime": AT, "timeZone": "UTC"},
            }))
            .unwrap();
            let expected = expected.map(|at| When::At(at.parse().unwrap()));
            assert_eq!(event.vevent(&[]).unwrap().replaces, expected, "{kind} {original:?}");
        }
    }

    #[test]
    fn occurrences_have_the_uid_of_their_series() {
        const SERIES: &str = "040000008200E00074C5B7101A82E0080000000060D30A2F";
        for (uid, expected) in [
            ("040000008200E00074C5B7101A82E00807EA0B0260D30A2F", SERIES),
            (SERIES, SERIES),
            ("abc@google.com", "abc@google.com"),
            ("040000008200E000", "040000008200E000"),
            ("", ""),
        ] {
            assert_eq!(series_uid(uid), expected, "{uid}");
        }
    }
}
