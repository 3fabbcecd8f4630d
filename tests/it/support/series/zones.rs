//! Zones as calendars write them: by IANA name, by Windows name, by a path, and their own.

use chrono::{NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::super::generate::Draw;
use super::{once_in, one};

/// The zone of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Zone {
    /// Times end in `Z`.
    Utc,
    /// Times name no zone.
    Floating,
    /// A zone of the IANA by some name; the second is its definition, if the calendar has one.
    Known(&'static str, Tz, Option<Rules>),
    /// A zone of the calendar's own, whose standard offset is so many minutes east.
    Own(&'static str, Rules, i64),
}

/// Standard time: offset, first onset, rule. Then the same of daylight saving time, if there is.
type Rules = ([&'static str; 3], Option<[&'static str; 3]>);

const EUROPE: Rules = (
    ["+0100", "19701025T030000", "BYMONTH=10;BYDAY=-1SU"],
    Some(["+0200", "19700329T020000", "BYMONTH=3;BYDAY=-1SU"]),
);
/// As Outlook writes it.
const EUROPE_1601: Rules = (
    ["+0100", "16010101T030000", "BYDAY=-1SU;BYMONTH=10"],
    Some(["+0200", "16010101T020000", "BYDAY=-1SU;BYMONTH=3"]),
);
const NEW_YORK: Rules = (
    ["-0500", "20071104T020000", "BYMONTH=11;BYDAY=1SU"],
    Some(["-0400", "20070311T020000", "BYMONTH=3;BYDAY=2SU"]),
);
const LOS_ANGELES: Rules = (
    ["-0800", "20071104T020000", "BYMONTH=11;BYDAY=1SU"],
    Some(["-0700", "20070311T020000", "BYMONTH=3;BYDAY=2SU"]),
);
const SYDNEY: Rules = (
    ["+1000", "20080406T030000", "BYMONTH=4;BYDAY=1SU"],
    Some(["+1100", "20081005T020000", "BYMONTH=10;BYDAY=1SU"]),
);
const LORD_HOWE: Rules = (
    ["+1030", "20080406T020000", "BYMONTH=4;BYDAY=1SU"],
    Some(["+1100", "20081005T020000", "BYMONTH=10;BYDAY=1SU"]),
);
const NEWFOUNDLAND: Rules = (
    ["-0330", "20111106T020000", "BYMONTH=11;BYDAY=1SU"],
    Some(["-0230", "20110313T020000", "BYMONTH=3;BYDAY=2SU"]),
);
const INDIA: Rules = (["+0530", "19700101T000000", ""], None);
const JAPAN: Rules = (["+0900", "19700101T000000", ""], None);
/// Where no place on earth changes.
const OURS: Rules = (
    ["+0345", "20001020T020000", "BYMONTH=10;BYDAY=3FR"],
    Some(["+0445", "20000408T010000", "BYMONTH=4;BYDAY=2SA"]),
);
/// The offsets of New York on the days of Berlin.
const MIXED: Rules = (
    ["-0500", "16010101T030000", "BYMONTH=10;BYDAY=-1SU"],
    Some(["-0400", "16010101T020000", "BYMONTH=3;BYDAY=-1SU"]),
);
/// Moves once and for all: the second part begins in June 2026.
const MOVED: Rules = (["+0200", "20000101T000000", ""], Some(["+0300", "20260601T000000", ""]));

const KNOWN: &[(&str, Tz, Option<Rules>)] = &[
    ("Europe/Berlin", Tz::Europe__Berlin, Some(EUROPE)),
    ("America/New_York", Tz::America__New_York, Some(NEW_YORK)),
    ("America/Los_Angeles", Tz::America__Los_Angeles, Some(LOS_ANGELES)),
    ("Australia/Sydney", Tz::Australia__Sydney, Some(SYDNEY)),
    ("Australia/Lord_Howe", Tz::Australia__Lord_Howe, Some(LORD_HOWE)),
    ("America/St_Johns", Tz::America__St_Johns, Some(NEWFOUNDLAND)),
    ("Asia/Kolkata", Tz::Asia__Kolkata, Some(INDIA)),
    ("Asia/Tokyo", Tz::Asia__Tokyo, Some(JAPAN)),
    ("Africa/Cairo", Tz::Africa__Cairo, None),
    ("Pacific/Auckland", Tz::Pacific__Auckland, None),
    ("W. Europe Standard Time", Tz::Europe__Berlin, Some(EUROPE_1601)),
    ("W. Europe Standard Time", Tz::Europe__Berlin, None),
    ("Eastern Standard Time", Tz::America__New_York, Some(NEW_YORK)),
    ("Pacific Standard Time", Tz::America__Los_Angeles, None),
    ("India Standard Time", Tz::Asia__Kolkata, Some(INDIA)),
    ("/freeassociation.sourceforge.net/Europe/Berlin", Tz::Europe__Berlin, Some(EUROPE)),
    ("/citadel.org/20260101_1/America/New_York", Tz::America__New_York, Some(NEW_YORK)),
];

const OWN: &[(&str, Rules, i64)] = &[
    ("Our Office", OURS, 225),
    ("Customized Time Zone", MIXED, -300),
    ("tzone://Microsoft/Custom", SYDNEY, 600),
    ("Plant 7", INDIA, 330),
    ("Head Office", MOVED, 120),
];

impl Zone {
    /// Any of them; the known ones are most.
    pub(super) fn draw(draw: &mut Draw) -> Self {
        match draw.below(8) {
            0 => Self::Utc,
            1 => Self::Floating,
            2 => {
                let (id, rules, east) = one(draw, OWN);
                Self::Own(id, rules, east)
            }
            _ => {
                let among = if once_in(draw, 2) { &KNOWN[..4] } else { KNOWN };
                let (id, zone, rules) = one(draw, among);
                Self::Known(id, zone, rules)
            }
        }
    }

    /// A property with a time on the wall clock of the zone: `DTSTART;TZID=…:20260302T090000`.
    pub(super) fn property(self, name: &str, local: NaiveDateTime) -> String {
        let time = local.format("%Y%m%dT%H%M%S");
        match self {
            Self::Utc => format!("{name}:{time}Z"),
            Self::Floating => format!("{name}:{time}"),
            Self::Known(id, ..) | Self::Own(id, ..) => {
                let quote = if id.contains([':', ';', ',']) { "\"" } else { "" };
                format!("{name};TZID={quote}{id}{quote}:{time}")
            }
        }
    }

    /// The same time in UTC; `None` where only the calendar's rules tell.
    pub(super) fn utc(self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Utc => Some(local),
            Self::Known(_, zone, _) => {
                let offset = zone.offset_from_local_datetime(&local).earliest()?.fix();
                Some(local - TimeDelta::seconds(i64::from(offset.local_minus_utc())))
            }
            Self::Floating | Self::Own(..) => None,
        }
    }

    /// A moment in UTC that is at the time or at most three hours later.
    pub(super) fn utc_soon_after(self, local: NaiveDateTime) -> NaiveDateTime {
        let east = if let Self::Own(_, _, east) = self { east } else { 60 };
        self.utc(local).unwrap_or_else(|| local - TimeDelta::minutes(east - 120))
    }

    /// The time at which the clock skips an hour, in a zone that only its definition tells of.
    pub(super) fn gap(self) -> Option<NaiveTime> {
        let daylight = match self {
            Self::Own(_, rules, _) => rules.1,
            Self::Known(id, zone, Some(rules)) if id != zone.name() => rules.1,
            _ => None,
        };
        NaiveDateTime::parse_from_str(daylight?[1], "%Y%m%dT%H%M%S").ok().map(|at| at.time())
    }

    /// The VTIMEZONE, if the calendar has one.
    pub(super) fn definition(self) -> String {
        let (id, (standard, daylight)) = match self {
            Self::Known(id, _, Some(rules)) | Self::Own(id, rules, _) => (id, rules),
            _ => return String::new(),
        };
        let part = |kind: &str, from: &str, [to, onset, rule]: [&str; 3]| {
            let rule = match rule {
                "" => String::new(),
                rule => format!("RRULE:FREQ=YEARLY;{rule}|"),
            };
            format!(
                "BEGIN:{kind}|DTSTART:{onset}|TZOFFSETFROM:{from}|TZOFFSETTO:{to}|{rule}END:{kind}|"
            )
        };
        let other = daylight.map_or(standard[0], |daylight| daylight[0]);
        let mut text = format!("BEGIN:VTIMEZONE|TZID:{id}|");
        text += &part("STANDARD", other, standard);
        if let Some(daylight) = daylight {
            text += &part("DAYLIGHT", standard[0], daylight);
        }
        text + "END:VTIMEZONE|"
    }
}
