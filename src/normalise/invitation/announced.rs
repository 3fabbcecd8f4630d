//! Whether a message has an invitation in it, by its header alone: asked before anything else of it
//! is fetched.
//!
//! A message that is taken for one and is none costs a look at its structure; one that is not
//! recognised is lost as evidence of a meeting. So what is only usual counts as well, as
//! [`Announced::Perhaps`]: then the part must say itself that it is an invitation.
//!
//! Sources: RFC 6047 (text/calendar with its method); `Content-class:
//! urn:content-classes:calendarmessage` and the `X-MS-Exchange-Calendar-…` fields, which Exchange
//! gives to meeting messages ([MS-OXCMAIL], and mail of Exchange Online seen on public lists);
//! Google Calendar's Sender and Message-ID; the subjects that Outlook, Google and Thunderbird
//! (`itipReplySubject…` in its calendar.properties) give to such mail: Thunderbird sends
//! multipart/mixed with no other sign.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

/// What a header says of a calendar part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Announced {
    /// Nothing.
    No,
    /// That there may be one.
    Perhaps,
    /// That there is one.
    Plainly,
}

/// Fields of Exchange that only meeting messages have.
const EXCHANGE: &[u8] = b"x-ms-exchange-calendar-";
/// Properties of Outlook's calendars, which some gateways write into the header.
const OUTLOOK: &[u8] = b"x-microsoft-cdo-";

/// No field that tells is longer, in bytes.
const MAX_FIELD: usize = 2048;

/// What stands before the colon of the subject of an invitation, an answer or a cancellation, by
/// language: Outlook, Google, Thunderbird and Apple in English, then others. Parted by `|`.
const SUBJECTS: [&str; 6] = [
    "invitation|updated invitation|event invitation|invitation reply|updated|updated event\
     |accepted|declined|tentative|tentatively accepted|canceled|cancelled|canceled event\
     |cancelled event|event canceled|new time proposed|proposed new time\
     |meeting forward notification|accepted event|declined event",
    "einladung|aktualisierte einladung|aktualisiert|zugesagt|zusage|angenommen|akzeptiert\
     |abgelehnt|absage|abgesagt|mit vorbehalt|vorläufig|vorläufig zugesagt|unter vorbehalt\
     |termin abgesagt",
    "invitation mise à jour|accepté|acceptée|refusé|refusée|provisoire|annulé|annulée\
     |événement annulé",
    "invitación|invitación actualizada|aceptado|aceptada|aceptó|rechazado|rechazada\
     |provisional|cancelado|cancelada|convite|aceito|aceite|recusado|convite atualizado",
    "invito|invito aggiornato|accettato|rifiutato|provvisorio|annullato|uitnodiging\
     |geaccepteerd|afgewezen|voorlopig|geannuleerd",
    "inbjudan|accepterat|avböjt|inställt|accepteret|afslået|aflyst|invitasjon|godtatt\
     |avslått|avlyst|kutsu|hyväksytty|hylätty|peruutettu|zaproszenie|zaakceptowano\
     |odrzucono|anulowano|приглашение|принято|отклонено|отменено|招待|承諾|辞退|邀请|已接受|已拒绝|已取消",
];

/// What one field tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Nothing,
    /// The message has parts.
    Parts,
    /// It is the subject, which may be as those of calendars are.
    Subject,
    /// It is of a calendar.
    Calendar,
}

/// What a header block says.
#[must_use]
pub fn announced(header: &[u8]) -> Announced {
    let (mut parts, mut subjects) = (false, Vec::new());
    let mut rest = header;
    while let Some((field, after)) = next_field(rest) {
        rest = after;
        let Some(colon) = field.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = field.split_at(colon);
        let value = value.get(1..).unwrap_or_default();
        match sign(name.trim_ascii_end(), value) {
            Sign::Nothing => {}
            Sign::Parts => parts = true,
            Sign::Subject => subjects.push(value),
            Sign::Calendar => return Announced::Plainly,
        }
    }
    // Looked at only where it matters: that is the costly part.
    let perhaps = parts && subjects.into_iter().any(is_usual);
    if perhaps { Announced::Perhaps } else { Announced::No }
}

/// Whether a content type, in lower case, is that of a calendar.
#[must_use]
pub fn is_calendar(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    matches!(kind, "text/calendar" | "application/ics")
}

fn sign(name: &[u8], value: &[u8]) -> Sign {
    let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
    let (is_calendar, otherwise) = if is(b"content-type") {
        let value = lower(value);
        let parts = value.starts_with("multipart/");
        let otherwise = if parts { Sign::Parts } else { Sign::Nothing };
        (is_calendar(&value) || parts && value.contains("method="), otherwise)
    } else if is(b"subject") {
        (false, Sign::Subject)
    } else if is(b"content-class") {
        (lower(value).contains("calendarmessage"), Sign::Nothing)
    } else if is(b"sender") {
        (lower(value).contains("calendar-notification@google.com"), Sign::Nothing)
    } else if is(b"message-id") {
        let is_before = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'<';
        let before = value.iter().take_while(|byte| is_before(byte)).count();
        let may_be = value.get(before..).is_some_and(|id| begins(id, b"calendar-"));
        (may_be && is_googles(&lower(value)), Sign::Nothing)
    } else {
        (begins(name, EXCHANGE) || begins(name, OUTLOOK), Sign::Nothing)
    };
    if is_calendar { Sign::Calendar } else { otherwise }
}

/// The next field with the lines that continue it, and what comes after it.
fn next_field(header: &[u8]) -> Option<(&[u8], &[u8])> {
    if header.is_empty() {
        return None;
    }
    let mut end = 0usize;
    loop {
        let rest = header.get(end..).unwrap_or_default();
        let line = rest.iter().position(|byte| *byte == b'\n').map(|at| at.saturating_add(1));
        end = end.saturating_add(line.unwrap_or(rest.len()));
        let continued = matches!(header.get(end), Some(b' ' | b'\t'));
        if !continued || line.is_none() {
            return header.split_at_checked(end);
        }
    }
}

fn begins(name: &[u8], with: &[u8]) -> bool {
    name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

/// A value in lower case and on one line.
fn lower(value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value.get(..MAX_FIELD).unwrap_or(value));
    value.trim().to_lowercase().replace(['\r', '\n', '\t'], " ")
}

/// `<calendar-…@google.com>`
fn is_googles(message_id: &str) -> bool {
    let id = message_id.trim_start_matches('<').trim_end_matches('>');
    id.starts_with("calendar-") && id.ends_with("@google.com")
}

/// Whether a subject begins as those of calendars do.
fn is_usual(subject: &[u8]) -> bool {
    let subject = subject.trim_ascii_start();
    let text = match subject.strip_prefix(b"=?") {
        Some(rest) => Cow::Owned(first_word(rest).unwrap_or_default()),
        None => String::from_utf8_lossy(subject.get(..MAX_FIELD).unwrap_or(subject)),
    };
    let Some((word, _)) = text.split_once([':', '：']) else { return false };
    let word = word.trim().to_lowercase();
    SUBJECTS.iter().any(|language| language.split('|').any(|of| of == word))
}

/// The first encoded word of a subject (RFC 2047), which is behind its `=?`.
fn first_word(rest: &[u8]) -> Option<String> {
    let rest = std::str::from_utf8(rest.get(..MAX_FIELD).unwrap_or(rest)).ok()?;
    let mut parts = rest.splitn(3, '?');
    let (_charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (text, _) = rest.split_once("?=")?;
    let bytes = match encoding {
        "q" | "Q" => quoted_printable_decode(text.replace('_', " ").as_bytes())?,
        "b" | "B" => base64_decode(text.as_bytes())?,
        _ => return None,
    };
    // Other character sets than UTF-8 agree with it in the letters of most words.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Announced, announced};

    #[test]
    fn headers_of_invitations_are_known_and_of_other_mail_are_not() {
        use Announced::{No, Perhaps, Plainly};
        let mixed = "Content-Type: multipart/mixed; boundary=x\r\n";
        let alternative = "content-type: multipart/alternative;\r\n\tboundary=\"x\"\r\n";
        for (what, header, expected) in [
            ("nothing", String::new(), No),
            ("a letter", "Subject: Hello\r\nContent-Type: text/plain\r\n".into(), No),
            ("RFC 6047", "Content-Type: Text/Calendar; method=REQUEST\r\n".into(), Plainly),
            ("folded", "Content-Type:\r\n text/calendar;\r\n method=REPLY\r\n".into(), Plainly),
            ("older", "CONTENT-TYPE: application/ics\r\n".into(), Plainly),
            ("newer Sent", "Content-Type: text/calendarish\r\n".into(), No),
            (
                "outlook",
                format!("{alternative}Content-class: urn:content-classes:calendarmessage\r\n"),
                Plainly,
            ),
            (
                "exchange online",
                format!("x-ms-exchange-calendar-series-instance-id: BAAA\r\n{alternative}"),
                Plainly,
            ),
            (
                "exchange online",
                format!("X-MS-Exchange-Calendar-Originator-Id: x\r\n{mixed}"),
                Plainly,
            ),
            ("cdo", format!("{mixed}X-MICROSOFT-CDO-BUSYSTATUS: BUSY\r\n"), Plainly),
            (
                "google",
                format!("{mixed}Sender: Google Calendar <calendar-notification@google.com>\r\n"),
                Plainly,
            ),
            ("google", format!("{mixed}Message-ID: <calendar-5f-1@google.com>\r\n"), Plainly),
            ("a method", "Content-Type: multipart/mixed; method=REQUEST\r\n".into(), Plainly),
            ("thunderbird", format!("Subject: Accepted: Review\r\n{mixed}"), Perhaps),
            ("no parts", "Subject: Accepted: Review\r\nContent-Type: text/html\r\n".into(), No),
            ("a word", format!("Subject: I accepted: all of it\r\n{mixed}"), No),
            ("an answer", format!("Subject: Re: Accepted: Review\r\n{mixed}"), No),
            ("german", format!("Subject: Zugesagt: Treffen\r\n{mixed}"), Perhaps),
            ("japanese", format!("Subject: =?UTF-8?B?5om/6Ku+OiDkvJrorbA=?=\r\n{mixed}"), Perhaps),
            ("quoted", format!("Subject: =?utf-8?Q?Accept=C3=A9=3A_Point?=\r\n{mixed}"), Perhaps),
            ("base64", format!("Subject: =?UTF-8?B?QWNjZXB0ZWQ6IGNhZsOp?=\r\n{mixed}"), Perhaps),
            ("an attachment", format!("Subject: the date\r\n{mixed}"), No),
            ("another's id", "Message-ID: <calendar-1@acme.example>\r\n".into(), No),
            ("broken", "Subject: =?utf-8?Q?\r\nContent-Type\r\n\r\n".into(), No),
        ] {
            assert_eq!(announced(header.as_bytes()), expected, "{what}: {header:?}");
        }
    }
}
