//! A plan as iCalendar has it: lines parted by `|`.

use chrono::{NaiveDateTime, TimeDelta};

use super::{End, Form, Kind, Plan, Replaced};

impl Plan {
    /// The object, its lines parted by `|`.
    pub(in super::super) fn text(&self) -> String {
        let mut text = "BEGIN:VCALENDAR|VERSION:2.0|PRODID:-//series.example//EN|".to_owned();
        text += &self.zone.definition();
        text += &self.event(&self.series(), self.start, self.minutes, &self.people, self.sequence);
        for replaced in &self.replaced {
            let name =
                if replaced.future { "RECURRENCE-ID;RANGE=THISANDFUTURE" } else { "RECURRENCE-ID" };
            let lines = self.slot(name, replaced.form, replaced.slot) + replaced.facts;
            let Replaced { to, minutes, people, sequence, .. } = replaced;
            text += &self.event(&lines, *to, *minutes, people, *sequence);
        }
        text + "END:VCALENDAR|"
    }

    /// A VEVENT with these lines.
    fn event(
        &self,
        lines: &str,
        start: NaiveDateTime,
        minutes: i64,
        people: &str,
        sequence: u32,
    ) -> String {
        let end = start + TimeDelta::minutes(minutes);
        let when = match self.kind {
            Kind::Ends => self.time("DTSTART", start) + &self.time("DTEND", end),
            Kind::Lasts => self.time("DTSTART", start) + &format!("DURATION:PT{minutes}M|"),
            Kind::LastsDays => self.time("DTSTART", start) + "DURATION:P1D|",
            Kind::Begins => self.time("DTSTART", start),
            Kind::AllDay => {
                let (first, last) =
                    (start.date(), start.date() + TimeDelta::days(1 + minutes / 90));
                let (first, last) = (first.format("%Y%m%d"), last.format("%Y%m%d"));
                format!("DTSTART;VALUE=DATE:{first}|DTEND;VALUE=DATE:{last}|")
            }
        };
        format!(
            "BEGIN:VEVENT|UID:{}|DTSTAMP:20260101T{sequence:06}Z|SEQUENCE:{sequence}|SUMMARY:Talk|\
             {when}{lines}{people}END:VEVENT|",
            self.uid
        )
    }

    /// What makes it a series, and its facts.
    fn series(&self) -> String {
        let mut text = self.facts.clone();
        if let Some((rule, end)) = &self.rule {
            let utc = |at: NaiveDateTime| at.format("%Y%m%dT%H%M%SZ");
            let moved = |at: &NaiveDateTime| *at + TimeDelta::minutes(self.later);
            let end = match end {
                End::Never => String::new(),
                End::Count(count) => format!(";COUNT={count}"),
                End::At(at) => {
                    let at = moved(at);
                    let at = self.zone.utc(at).unwrap_or_else(|| self.zone.utc_soon_after(at));
                    format!(";UNTIL={}", utc(at))
                }
                End::SoonAfter(at) => {
                    format!(";UNTIL={}", utc(self.zone.utc_soon_after(moved(at))))
                }
                End::Local(at) => format!(";UNTIL={}", moved(at).format("%Y%m%dT%H%M%S")),
                End::Day(day) => format!(";UNTIL={}", day.format("%Y%m%d")),
            };
            text += &format!("RRULE:{rule}{end}|");
        }
        for (form, slot) in &self.extra {
            text += &self.slot("RDATE", *form, *slot);
        }
        for (form, slot) in &self.except {
            text += &self.slot("EXDATE", *form, *slot);
        }
        text
    }

    /// A property with a time in the zone.
    fn time(&self, name: &str, at: NaiveDateTime) -> String {
        self.zone.property(name, at + TimeDelta::minutes(self.later)) + "|"
    }

    /// A property with a slot in some form.
    fn slot(&self, name: &str, form: Form, slot: NaiveDateTime) -> String {
        let at = slot + TimeDelta::minutes(self.later);
        match (form, self.zone.utc(at)) {
            (Form::Day, _) => format!("{name};VALUE=DATE:{}|", slot.format("%Y%m%d")),
            (Form::Utc, Some(utc)) => format!("{name}:{}|", utc.format("%Y%m%dT%H%M%SZ")),
            (Form::Period, Some(utc)) => {
                format!("{name};VALUE=PERIOD:{}/PT25M|", utc.format("%Y%m%dT%H%M%SZ"))
            }
            _ => self.time(name, slot),
        }
    }
}
