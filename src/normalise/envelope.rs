//! The envelope of a message from the bytes of its header.
//!
//! Every input gives an envelope or the reason why not. Input is capped before it is parsed:
//! 64 KiB, 500 lines, 16 KiB a line, 1,000 addresses (beyond them the parser was measured to take
//! seconds, or to end the process). Parsing is by mail-parser; a panic in it is caught and becomes a reason.

use std::borrow::Cow;
use std::panic::catch_unwind;
use std::sync::OnceLock;

use mail_parser::{HeaderName, HeaderValue, MessageParser};

use crate::model::{Address, Automated, Envelope, Key, Person, Span, Timestamp};

use super::address::{canonical, parse as parse_address};
use super::automated::{Signs, has_failed, reason};
use super::invitation::Writers;
use super::text::shown;

/// Bytes of a header block that are looked at.
pub const MAX_BYTES: usize = 64 * 1024;
/// Lines of a header block that are looked at.
const MAX_LINES: usize = 500;
/// A longer line is passed over.
const MAX_LINE: usize = 16 * 1024;
/// Addresses of one field that are looked at; a message with more is for many anyway.
const MAX_ADDRESSES: usize = 1000;
/// References kept, the last ones (protocol practice: long threads repeat everything).
const MAX_REFERENCES: usize = 50;
/// A shorter Message-ID names nothing.
const MIN_ID: usize = 6;
/// A Date later than its receipt by more than this is a clock gone wrong.
const CLOCK_SLACK: Span = Span::from_days(1);
/// No mail is older: an earlier instant is a clock gone wrong.
const OLDEST: Timestamp = Timestamp::from_seconds(315_532_800); // 1980-01-01

/// Why there is no envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Nothing in it could be read as header fields.
    NoHeader,
    /// Neither a Date nor a time of receipt.
    NoDate,
    /// The parser gave up.
    ParserPanic,
    /// The sender asked for privacy (`Sensitivity: private`): it must not be written down.
    Private,
}

impl Unusable {
    /// What it means, for the quarantine.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::NoHeader => "no header field could be read",
            Self::NoDate => "neither a date nor a time of receipt",
            Self::ParserPanic => "the parser gave up",
            Self::Private => "marked as private",
        }
    }
}

/// Reads an envelope. `received_at` is when the server got the message; `authserv_id` names the
/// server whose `Authentication-Results` are believed.
///
/// # Errors
/// [`Unusable`]: nothing can be kept of the message.
pub fn envelope(
    header: &[u8],
    received_at: Option<Timestamp>,
    authserv_id: Option<&str>,
) -> Result<Envelope, Unusable> {
    let capped = cap(header);
    catch_unwind(|| read(&capped, received_at, authserv_id)).unwrap_or(Err(Unusable::ParserPanic))
}

/// Who says that he has sent a message: its From and its Sender, which anybody may write.
#[must_use]
pub fn writers(header: &[u8]) -> Writers {
    let capped = cap(header);
    catch_unwind(|| {
        let message = parser().parse_headers(&capped);
        let mut fields = Fields::default();
        for field in message.iter().flat_map(|message| message.headers()) {
            fields.take(&field.name, &field.value, None);
        }
        let address = |person: Option<Person>| person.map(|person| person.address);
        Writers { from: address(fields.from), sender: address(fields.sender) }
    })
    .unwrap_or_default()
}

/// The header fields as they were found, before they are weighed against each other.
#[derive(Default)]
struct Fields<'a> {
    from: Option<Person>,
    sender: Option<Person>,
    to: Vec<Person>,
    cc: Vec<Person>,
    date: Option<Timestamp>,
    subject: String,
    thread_name: String,
    message_id: Vec<&'a str>,
    other_ids: Vec<&'a str>,
    references: Vec<&'a str>,
    in_reply_to: Vec<&'a str>,
    authentication: Option<String>,
    failed: Vec<Address>,
    private: bool,
    signs: Signs,
    any: bool,
}

fn read(
    header: &[u8],
    received_at: Option<Timestamp>,
    authserv_id: Option<&str>,
) -> Result<Envelope, Unusable> {
    let message = parser().parse_headers(header).ok_or(Unusable::NoHeader)?;
    let mut fields = Fields::default();
    if let Some(name) = message.thread_name() {
        name.clone_into(&mut fields.thread_name);
    }
    for field in message.headers() {
        fields.take(&field.name, &field.value, authserv_id);
    }
    if !fields.any {
        return Err(Unusable::NoHeader);
    }
    if fields.private {
        return Err(Unusable::Private);
    }
    let (at, dated) = instant(fields.date, received_at).ok_or(Unusable::NoDate)?;
    fields.signs.subject = fields.subject.trim().to_lowercase();
    let from = fields.from.take().or(fields.sender.take());
    let recipients = fields.to.len() + fields.cc.len();
    let automated = reason(&fields.signs, from.as_ref().map(|p| &p.address), recipients);
    let undelivered = undelivered(automated, &fields);
    let (subject, reply_subject) = subject(&fields);
    let mut ids = fields.message_id.iter().filter_map(|id| id_key(id));
    let key = ids.next().unwrap_or_else(|| fingerprint(from.as_ref(), at, &fields));
    let mut aliases: Vec<Key> =
        ids.chain(fields.other_ids.iter().filter_map(|id| id_key(id))).collect();
    aliases.retain(|alias| *alias != key);
    Ok(Envelope {
        key,
        aliases,
        references: references(&fields, key),
        at,
        dated,
        from,
        authenticated: authserv_id.map(|_| passes_dmarc(fields.authentication.as_deref())),
        to: fields.to,
        cc: fields.cc,
        subject,
        reply_subject,
        automated,
        thread: None,
        sent: None,
        undelivered,
    })
}

/// Whom a message did not reach, as far as its report names them, if this is one.
fn undelivered(automated: Option<Automated>, fields: &Fields) -> Option<Vec<Address>> {
    let report = automated == Some(Automated::Bounce) && has_failed(&fields.signs);
    report.then(|| fields.failed.clone())
}

impl<'a> Fields<'a> {
    fn take(
        &mut self,
        name: &HeaderName<'_>,
        value: &'a HeaderValue<'_>,
        authserv_id: Option<&str>,
    ) {
        self.any = true;
        match name {
            HeaderName::From => {
                self.from = self.from.take().or_else(|| people(value).into_iter().next());
            }
            HeaderName::Sender => self.sender = people(value).into_iter().next(),
            HeaderName::To => self.to.extend(people(value)),
            HeaderName::Cc => self.cc.extend(people(value)),
            HeaderName::Date => self.date = self.date.or_else(|| date(value)),
            HeaderName::Subject => {
                value.as_text().unwrap_or_default().clone_into(&mut self.subject);
            }
            HeaderName::MessageId => self.message_id.extend(texts(value)),
            HeaderName::InReplyTo => self.in_reply_to.extend(texts(value)),
            HeaderName::References => self.references.extend(texts(value)),
            HeaderName::ReturnPath => {
                let path = value.as_text().unwrap_or_default().trim().trim_matches(['<', '>']);
                self.signs.return_path = Some(path.trim().to_owned());
            }
            HeaderName::ListId | HeaderName::ListPost => self.signs.list = true,
            HeaderName::ListUnsubscribe => self.signs.bulk = true,
            HeaderName::ContentType => self.signs.content_type = text(value),
            other => self.take_other(other.as_str(), value, authserv_id),
        }
    }

    fn take_other(&mut self, name: &str, value: &'a HeaderValue<'_>, authserv_id: Option<&str>) {
        match name.to_ascii_lowercase().as_str() {
            "auto-submitted" => self.signs.auto_submitted = text(value),
            "precedence" => self.signs.precedence = text(value),
            "x-auto-response-suppress" => self.signs.suppresses_answers = true,
            "x-autoreply" => self.signs.auto_reply = true,
            "feedback-id" => self.signs.bulk = true,
            "x-failed-recipients" => {
                let all = text(value).unwrap_or_default();
                let named = all.split(',').take(MAX_ADDRESSES).filter_map(canonical);
                self.failed.extend(named);
            }
            "content-class" => self.signs.content_class = text(value),
            "x-microsoft-original-message-id" | "x-google-original-message-id" => {
                self.other_ids.extend(value.as_text().map(|id| id.trim().trim_matches(['<', '>'])));
            }
            "sensitivity" => {
                let word = text(value).unwrap_or_default().trim().to_ascii_lowercase();
                self.private = word == "private";
            }
            "authentication-results" if self.authentication.is_none() => {
                self.authentication = text(value).filter(|t| is_from_server(t, authserv_id));
            }
            _ => {}
        }
    }
}

/// The one parser, which reads only what [`Fields`] takes.
fn parser() -> &'static MessageParser {
    static PARSER: OnceLock<MessageParser> = OnceLock::new();
    PARSER.get_or_init(|| {
        let mut parser = MessageParser::new()
            .header_address(HeaderName::From)
            .header_address(HeaderName::Sender)
            .header_address(HeaderName::To)
            .header_address(HeaderName::Cc)
            .header_date(HeaderName::Date)
            .header_text(HeaderName::Subject)
            .with_message_ids()
            .header_text(HeaderName::ReturnPath)
            .header_text(HeaderName::ListId)
            .header_text(HeaderName::ListPost)
            .header_text(HeaderName::ListUnsubscribe)
            .header_text(HeaderName::ContentType);
        for name in [
            "Auto-Submitted",
            "Precedence",
            "X-Auto-Response-Suppress",
            "X-Autoreply",
            "Feedback-ID",
            "Content-Class",
            "X-Failed-Recipients",
            "X-Microsoft-Original-Message-ID",
            "X-Google-Original-Message-ID",
            "Sensitivity",
            "Authentication-Results",
        ] {
            parser = parser.header_text(name);
        }
        parser.default_header_ignore()
    })
}

/// At most so many bytes and lines, without overlong lines, ending as a header block ends.
fn cap(header: &[u8]) -> Cow<'_, [u8]> {
    if is_capped(header) {
        return Cow::Borrowed(header);
    }
    let mut capped = Vec::with_capacity(header.len().min(MAX_BYTES) + 4);
    let head = header.get(..MAX_BYTES).unwrap_or(header);
    // What continues a line that is passed over is passed over too: it is no part of the one above.
    let mut passed_over = false;
    for line in head.split_inclusive(|b| *b == b'\n').take(MAX_LINES) {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        passed_over = line.len() > MAX_LINE || passed_over && continues;
        if !passed_over {
            capped.extend_from_slice(line);
        }
    }
    capped.extend_from_slice(b"\r\n\r\n");
    Cow::Owned(capped)
}

/// Whether a header block is so already, as nearly all are.
fn is_capped(header: &[u8]) -> bool {
    let Some(fields) = header.strip_suffix(b"\r\n\r\n") else { return false };
    let mut lines = 0;
    let mut fits = |line: &[u8]| {
        lines += 1;
        // With its end, of which it has lost one byte here or, if it is the last, two.
        lines < MAX_LINES && line.len() + 2 <= MAX_LINE && !matches!(line, b"" | b"\r")
    };
    header.len() <= MAX_BYTES && fields.split(|byte| *byte == b'\n').all(&mut fits)
}

fn people(value: &HeaderValue<'_>) -> Vec<Person> {
    let Some(addresses) = value.as_address() else { return Vec::new() };
    addresses
        .iter()
        .take(MAX_ADDRESSES)
        .filter_map(|a| parse_address(a.address.as_deref()?, a.name.as_deref()))
        .collect()
}

fn text(value: &HeaderValue<'_>) -> Option<String> {
    value.as_text().map(str::to_owned)
}

fn texts<'a>(value: &'a HeaderValue<'_>) -> impl Iterator<Item = &'a str> {
    let all = match value {
        HeaderValue::Text(one) => std::slice::from_ref(one),
        HeaderValue::TextList(many) => many,
        _ => &[],
    };
    all.iter().map(|one| &**one)
}

fn date(value: &HeaderValue<'_>) -> Option<Timestamp> {
    let date = value.as_datetime().filter(|d| d.is_valid())?;
    Some(Timestamp::from_seconds(date.to_timestamp())).filter(|at| *at >= OLDEST)
}

/// The Date, unless there is none or it lies in the future of the receipt; and whether it is.
fn instant(date: Option<Timestamp>, received: Option<Timestamp>) -> Option<(Timestamp, bool)> {
    match (date, received.filter(|at| *at >= OLDEST)) {
        (Some(date), Some(received)) if date > received + CLOCK_SLACK => Some((received, false)),
        (Some(date), _) => Some((date, true)),
        (None, received) => received.map(|at| (at, false)),
    }
}

/// The subject without prefixes, hashed, and whether it had a reply's prefix.
fn subject(fields: &Fields) -> (Option<Key>, bool) {
    let base: String = fields.thread_name.chars().filter(|c| shown(*c)).collect();
    let base = base.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let key = (!base.is_empty()).then(|| Key::of("subject", &[base.as_bytes()]));
    (key, has_reply_prefix(&fields.signs.subject))
}

/// Whether a lower-case subject begins with a word that mail programs put before an answer.
fn has_reply_prefix(subject: &str) -> bool {
    let Some((prefix, _)) = subject.split_once([':', '：']) else { return false };
    let word = prefix.split(['[', '(', '^']).next().unwrap_or_default().trim();
    [
        "re", "aw", "sv", "antw", "antwort", "r", "rif", "ref", "res", "odp", "ynt", "vá", "atb",
        "απ", "回复", "回覆", "答复",
    ]
    .contains(&word)
}

/// In-Reply-To and References, oldest first, each once, without the message itself.
fn references(fields: &Fields, own: Key) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let answers = fields.in_reply_to.iter().filter(|id| !fields.references.contains(id));
    for id in fields.references.iter().chain(answers) {
        if let Some(key) = id_key(id).filter(|key| *key != own && !keys.contains(key)) {
            keys.push(key);
        }
        if keys.len() > 4 * MAX_REFERENCES {
            break;
        }
    }
    let surplus = keys.len().saturating_sub(MAX_REFERENCES);
    keys.drain(..surplus);
    keys
}

/// The key of a Message-ID: white space, which folding may leave inside, does not count, nor whether it
/// stands in `<>`. `None` for one that is too short to name anything.
#[must_use]
pub fn id_key(id: &str) -> Option<Key> {
    let is_left_out = |c: char| c.is_whitespace() || c == '<' || c == '>';
    let plain = match id.contains(is_left_out) {
        true => Cow::Owned(id.replace(is_left_out, "")),
        false => Cow::Borrowed(id),
    };
    (plain.len() >= MIN_ID).then(|| Key::of("message-id", &[plain.as_bytes()]))
}

/// What names a message without a Message-ID.
fn fingerprint(from: Option<&Person>, at: Timestamp, fields: &Fields) -> Key {
    let from = from.map_or("", |p| p.address.as_str());
    let to: Vec<&str> = fields.to.iter().map(|p| p.address.as_str()).collect();
    let parts = [from.as_bytes(), &at.millis().to_le_bytes(), fields.subject.as_bytes()];
    Key::of("fingerprint", &[parts[0], parts[1], parts[2], to.join(",").as_bytes()])
}

/// Whether an `Authentication-Results` field (RFC 8601) was written by the configured server.
fn is_from_server(field: &str, authserv_id: Option<&str>) -> bool {
    let written_by = field.trim_start().split([';', ' ', '\t']).next().unwrap_or_default();
    authserv_id.is_some_and(|id| written_by.eq_ignore_ascii_case(id))
}

/// A field without its comments and quoted strings, in which strangers may write what they like.
fn bare(field: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    let mut bare = String::with_capacity(field.len());
    for c in field.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted || depth > 0 => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    bare
}

/// Whether the field says that DMARC passed.
fn passes_dmarc(field: Option<&str>) -> bool {
    field.map(bare).is_some_and(|field| {
        field.split(';').any(|result| {
            let result = result.trim().to_ascii_lowercase();
            result.strip_prefix("dmarc").is_some_and(|r| {
                r.trim_start().strip_prefix('=').is_some_and(|r| r.trim_start().starts_with("pass"))
            })
        })
    })
}

#[cfg(test)]
mod tests;
