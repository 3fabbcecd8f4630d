//! An event as Google's Calendar API v3 writes it (developers.google.com/calendar, "Events"), and as
//! iCalendar has it. Pure.

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::model::{MeetingStatus, Participation, Timestamp};
use crate::source::web::vcalendar::{Guest, Standing, Vevent, When};

/// What is asked for of an event: neither what it is about nor where it is.
pub(super) const FIELDS: &str = "id,status,iCalUID,recurringEventId,originalStartTime,start,end,\
     recurrence,sequence,transparency,visibility,eventType,organizer(email,displayName),\
     attendees(email,displayName,resource,responseStatus),attendeesOmitted";

/// An event: single, of a series all occurrences ("master"), or one that replaces an occurrence.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(default)]
    status: String,
    #[serde(rename = "iCalUID")]
    pub(super) uid: Option<String>,
    recurring_event_id: Option<String>,
    original_start_time: Option<Time>,
    start: Option<Time>,
    end: Option<Time>,
    #[serde(default)]
    recurrence: Vec<String>,
    #[serde(default)]
    sequence: i64,
    #[serde(default)]
    transparency: String,
    #[serde(default)]
    visibility: String,
    #[serde(default)]
    event_type: String,
    organizer: Option<Person>,
    #[serde(default)]
    attendees: Vec<Person>,
    #[serde(default)]
    attendees_omitted: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Time {
    date: Option<String>,
    date_time: Option<String>,
    time_zone: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    #[serde(default)]
    email: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    resource: bool,
    #[serde(default)]
    response_status: String,
}

/// What an event is to its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It has none.
    Single,
    /// It is all of it.
    Master,
    /// It replaces an occurrence.
    Exception,
}

impl Event {
    /// What it is to its series.
    pub(super) fn part(&self) -> Part {
        match (&self.recurring_event_id, self.recurrence.is_empty()) {
            (Some(_), _) => Part::Exception,
            (None, false) => Part::Master,
            (None, true) => Part::Single,
        }
    }

    /// The id of its series, else its own: one object each.
    pub(super) fn whole(&self) -> &str {
        self.recurring_event_id.as_deref().unwrap_or(&self.id)
    }

    /// Whether it was deleted, or an occurrence called off.
    pub(super) fn is_cancelled(&self) -> bool {
        self.status == "cancelled"
    }

    /// Whether it can be a meeting: neither an absence nor a place of work nor a birthday. Kinds
    /// that are not known yet may be meetings.
    pub(super) fn is_of_interest(&self) -> bool {
        !matches!(
            self.event_type.as_str(),
            "workingLocation" | "focusTime" | "outOfOffice" | "birthday"
        )
    }

    /// Whether it ended, once and for all, before that instant.
    pub(super) fn is_over(&self, horizon: Timestamp) -> bool {
        let end = self.end.as_ref().or(self.start.as_ref()).and_then(|end| end.once());
        let ended = match end {
            Some(When::At(at)) => at < horizon,
            Some(When::Day(day)) => {
                let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc();
                midnight.timestamp_millis() < horizon.millis()
            }
            _ => false,
        };
        self.part() == Part::Single && ended
    }

    /// The same for iCalendar; `None` if it does not say when it is. `uid` is its series'.
    pub(super) fn vevent(&self, uid: &str) -> Option<Vevent> {
        let slot = self.original_start_time.as_ref().and_then(Time::once);
        // Of an occurrence that was called off Google tells no more than which one.
        let starts = match (&self.start, self.part()) {
            (Some(start), Part::Master) => start.recurring(),
            (Some(start), _) => start.once(),
            (None, _) => slot,
        };
        let ends = self.end.as_ref().and_then(Time::once);
        Some(Vevent {
            uid: uid.to_owned(),
            sequence: self.sequence,
            starts: starts?,
            ends,
            replaces: if self.part() == Part::Exception { Some(slot?) } else { None },
            recurrence: self.recurrence.clone(),
            status: match self.status.as_str() {
                "cancelled" => MeetingStatus::Cancelled,
                "tentative" => MeetingStatus::Tentative,
                _ => MeetingStatus::Confirmed,
            },
            standing: self.standing(),
            organizer: self.organizer.as_ref().map(Person::guest),
            attendees: self
                .attendees
                .iter()
                .filter(|one| !one.resource)
                .map(Person::guest)
                .collect(),
        })
    }

    /// Where Google leaves attendees out, nobody knows who met whom: it is no meeting then.
    fn standing(&self) -> Standing {
        let private = matches!(self.visibility.as_str(), "private" | "confidential");
        let free = self.transparency == "transparent";
        if private || free || self.attendees_omitted {
            Standing::LeftOut
        } else {
            Standing::Meeting
        }
    }
}

impl Time {
    /// As an instant or a day.
    fn once(&self) -> Option<When> {
        match (&self.date_time, &self.date) {
            (Some(text), _) => instant(text).map(When::At),
            (None, Some(day)) => NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().map(When::Day),
            (None, None) => None,
        }
    }

    /// As a time on the clock of the zone in which the series recurs.
    fn recurring(&self) -> Option<When> {
        let Some(When::At(at)) = self.once() else { return self.once() };
        let zone: Option<Tz> = self.time_zone.as_deref().and_then(|name| name.parse().ok());
        let Some(zone) = zone else { return Some(When::At(at)) };
        let local = DateTime::from_timestamp_millis(at.millis())?.with_timezone(&zone);
        Some(When::Local(local.naive_local(), zone))
    }
}

fn instant(text: &str) -> Option<Timestamp> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp::from_millis(at.timestamp_millis()))
}

impl Person {
    fn guest(&self) -> Guest {
        Guest {
            email: self.email.clone(),
            name: self.display_name.clone(),
            participation: match self.response_status.as_str() {
                "accepted" => Participation::Accepted,
                "declined" => Participation::Declined,
                "tentative" => Participation::Tentative,
                _ => Participation::NeedsAction,
            },
        }
    }
}
