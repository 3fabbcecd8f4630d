//! Mail as calendars send it (RFC 6047): a text for people, and a part for calendars.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::generate::Mail;

/// What a calendar sends: who to whom, what is done, and the lines of the event, parted by `|`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Invite<'t> {
    pub(crate) from: &'t str,
    pub(crate) to: &'t str,
    pub(crate) method: &'t str,
    pub(crate) lines: &'t str,
}

impl Invite<'_> {
    /// The message in a mailbox, sent at an instant, in the manner of Outlook.
    pub(crate) fn mail(&self, mailbox: &'static str, at: u64) -> Mail {
        let Self { from, to, method, .. } = self;
        let id = format!("{at}.{}@calendar.example", method.to_lowercase());
        let date = chrono::DateTime::from_timestamp(i64::try_from(at).unwrap(), 0).unwrap();
        let date = date.format("%a, %d %b %Y %H:%M:%S +0000");
        let part = STANDARD.encode(self.calendar());
        let folded: Vec<String> = part
            .as_bytes()
            .chunks(76)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        let text = format!(
            "Return-Path: <{from}>\r\nFrom: <{from}>\r\nTo: <{to}>\r\nSubject: Review\r\n\
             Date: {date}\r\nMessage-ID: <{id}>\r\nMIME-Version: 1.0\r\n\
             Content-Class: urn:content-classes:calendarmessage\r\n\
             Content-Type: multipart/alternative;\r\n\tboundary=\"=_b\"\r\n\r\n--=_b\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\nA meeting.\r\n--=_b\r\n\
             Content-Type: text/calendar; charset=utf-8; method={method}\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--=_b--\r\n",
            folded.join("\r\n")
        );
        Mail { mailbox, at, id, bytes: text.into_bytes() }
    }

    /// The calendar part.
    pub(crate) fn calendar(&self) -> String {
        let lines = self.lines.replace('|', "\r\n");
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{}\r\nBEGIN:VEVENT\r\nSUMMARY:Review\r\n\
             {lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            self.method
        )
    }
}
