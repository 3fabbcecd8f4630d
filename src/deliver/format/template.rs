//! A message by the admin's own template (minijinja, the language of Jinja2).
//!
//! A sandbox: a template reaches nothing but what it is given, it includes no other, and it is
//! stopped when it has done or written too much; steps cost fuel, as does every byte that is made,
//! and what is written out is weighed before, so that memory is bounded too. What is not there is an error, not an empty string. Where the
//! body is JSON, `{{ … }}` writes a text so that it may stand between quotes, `{{ … | tojson }}`
//! writes any value with its own, and what comes out is parsed before it is sent: no name breaks out
//! of its string. Where it is HTML or XML, what is written is escaped.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use minijinja::value::{Kwargs, Rest, Serde, ValueKind, ValueOrKwargs};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, filters,
};
use serde_json::json;

use super::{Links, Message, Rendered};

/// What a template may use up: a step costs one, as do 64 bytes of data.
const FUEL: u64 = 100_000;

/// Bytes that a template may write.
const MOST_BYTES: usize = 256 * 1024;

/// Levels of lists and mappings in what is written out; an event has five.
const MOST_LEVELS: usize = 64;

/// No arguments by name.
const NO_ARGUMENTS: [(&str, Value); 0] = [];

/// Bytes of JSON that one fuel pays for: as the engine's own filter has it.
const JSON_BYTES: u64 = 4;

/// The content type where none is given.
pub const JSON: &str = "application/json";

/// The name by which the engine knows the only template there is.
const NAME: &str = "template";

/// What the engine calls the way in which JSON is written here.
const JSON_STRING: AutoEscape = AutoEscape::Custom(std::borrow::Cow::Borrowed("json string"));

/// A template that has been parsed, for bodies of one content type.
#[derive(Clone)]
pub struct Template {
    source: Arc<str>,
    content_type: Arc<str>,
    engine: Arc<Environment<'static>>,
}

/// What is wrong with a template or with what it writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}{place}", place = line.map_or(String::new(), |line| format!(" in line {line}")))]
pub struct TemplateError {
    /// What: a fragment without a full stop.
    pub what: String,
    /// The line of the template, from 1, where there is one.
    pub line: Option<usize>,
    /// What to do, where that is known.
    pub hint: Option<&'static str>,
}

impl Template {
    /// Parses a template for bodies of that content type.
    ///
    /// # Errors
    /// Why it is no template.
    pub fn parse(source: &str, content_type: &str) -> Result<Self, TemplateError> {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_fuel(Some(FUEL));
        let escape = escape(content_type);
        engine.set_auto_escape_callback(move |_| escape.clone());
        engine.set_formatter(write);
        engine.add_filter("tojson", to_json);
        engine.add_filter("string", to_string);
        // For those who look for faults in the engine: they write all that there is.
        engine.remove_filter("pprint");
        engine.remove_global("debug");
        engine.add_template_owned(NAME, source.to_owned()).map_err(|error| found(&error))?;
        let (source, content_type) = (source.into(), content_type.into());
        Ok(Self { source, content_type, engine: Arc::new(engine) })
    }

    /// The content type of what it writes.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Writes a message.
    ///
    /// # Errors
    /// What is wrong, and where in the template if that is known.
    pub fn render(&self, message: &Message) -> Result<Rendered, TemplateError> {
        let template = self.engine.get_template(NAME).map_err(|error| found(&error))?;
        let mut body = Bounded(Vec::new());
        template.render_captured_to(context(message), &mut body).map_err(|error| found(&error))?;
        let body = String::from_utf8(body.0).unwrap_or_default();
        if is_json(&self.content_type) {
            parses(&body)?;
        }
        Ok(Rendered { body })
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, &self.content_type) == (&other.source, &other.content_type)
    }
}

impl Eq for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

/// What a template sees: documented in README.md "Formats".
fn context(message: &Message) -> Value {
    let nudges: Vec<serde_json::Value> = message
        .items
        .iter()
        .map(|item| {
            let mut data = serde_json::to_value(&item.event.data).unwrap_or_default();
            if let Some(fields) = data.as_object_mut() {
                fields.insert("type".to_owned(), json!(item.event.r#type));
                fields.insert("links".to_owned(), json!(item.links.as_ref().map(links)));
            }
            data
        })
        .collect();
    let rep = message.items.first().map(|item| &item.event.data.rep);
    Value::from(Serde(json!({
        "id": message.id,
        "timestamp": message.at,
        "rep": rep,
        "nudge": nudges.first(),
        "nudges": nudges,
    })))
}

fn links(links: &Links) -> serde_json::Value {
    json!({
        "done": links.done,
        "snooze_7": links.snooze_7,
        "snooze_30": links.snooze_30,
        "snooze_90": links.snooze_90,
        "not_relevant": links.not_relevant,
        "wrong_person": links.wrong_person,
    })
}

/// How what is written is kept from meaning something.
fn escape(content_type: &str) -> AutoEscape {
    let markup = ["text/html", "application/xhtml", "text/xml", "application/xml"];
    if is_json(content_type) {
        JSON_STRING
    } else if markup.iter().any(|markup| content_type.starts_with(markup)) {
        AutoEscape::Html
    } else {
        AutoEscape::None
    }
}

/// Whether a body of that content type is JSON: `application/json` and `application/….+json`.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// Writes a value where a template prints it.
fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    bounded(value)?;
    if value.is_safe() || *state.auto_escape() != JSON_STRING {
        return minijinja::escape_formatter(out, state, value);
    }
    let text = match value.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        // Characters that would end the string, and line ends.
        ValueKind::String => {
            let quoted = json!(value.as_str().unwrap_or_default()).to_string();
            quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
        }
        _ => serde_json::to_string(value).map_err(|error| {
            Error::new(ErrorKind::BadSerialization, "cannot be written as JSON").with_source(error)
        })?,
    };
    Ok(out.write_str(&text)?)
}

/// The engine's filter, but for its indent: as wide as asked for, it is made before it is paid.
fn to_json(
    state: &State<'_, '_>,
    value: &Value,
    arguments: Rest<ValueOrKwargs>,
) -> Result<Value, Error> {
    if arguments.0.into_iter().next().is_some() {
        let what = "tojson is written without an indent, and without other arguments";
        return Err(Error::new(ErrorKind::TooManyArguments, what));
    }
    bounded(value)?;
    let json = filters::tojson(value, None, Kwargs::from_iter(NO_ARGUMENTS))?;
    let bytes = json.as_str().map_or(0, str::len);
    state.consume_fuel(u64::try_from(bytes).unwrap_or(u64::MAX) / JSON_BYTES)?;
    Ok(json)
}

/// The engine's filter, but for values too large to write.
fn to_string(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    bounded(value)?;
    filters::string(state, value)
}

/// Checks that a value is not too large to write. A list whose items are twice the same list, and so
/// on, is cheap to make and has no end when it is written.
fn bounded(value: &Value) -> Result<(), Error> {
    weigh(value, MOST_LEVELS, MOST_BYTES).map(|_| ())
}

/// What is left of so many bytes once a value is written with so many levels: at least, for what is
/// escaped is longer.
fn weigh(value: &Value, levels: usize, left: usize) -> Result<usize, Error> {
    let too_long = || Error::from(ErrorKind::WriteFailure);
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) {
        let bytes = value.as_str().map_or(1, str::len);
        return left.checked_sub(bytes).ok_or_else(too_long);
    }
    let Some(levels) = levels.checked_sub(1) else {
        let what = format!("lists in lists, more than {MOST_LEVELS} levels of them");
        return Err(Error::new(ErrorKind::InvalidOperation, what));
    };
    let mut left = left.checked_sub(2).ok_or_else(too_long)?;
    for item in value.try_iter()? {
        left = weigh(&item, levels, left)?.checked_sub(1).ok_or_else(too_long)?;
        if value.kind() == ValueKind::Map {
            left = weigh(&value.get_item(&item)?, levels, left)?;
        }
    }
    Ok(left)
}

/// Checks that a body is what its content type says.
fn parses(body: &str) -> Result<(), TemplateError> {
    let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_str(body);
    parsed.map(|_| ()).map_err(|error| TemplateError {
        what: format!("what it writes is no JSON: {error} of that"),
        line: None,
        hint: Some(
            "between quotes write {{ value }}, without quotes {{ value | tojson }}; or set \
             content_type",
        ),
    })
}

/// An error of the engine, in our words.
fn found(error: &Error) -> TemplateError {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    let (what, hint) = match error.kind() {
        ErrorKind::OutOfFuel => {
            ("it does more than a message needs, and was stopped".to_owned(), None)
        }
        ErrorKind::WriteFailure => (format!("it writes more than {MOST_BYTES} bytes"), None),
        ErrorKind::UndefinedError => (
            format!("it uses what is not there{detail}"),
            Some("ask first: {% if value is defined %}"),
        ),
        kind => (format!("{kind}{detail}"), None),
    };
    TemplateError { what, line: error.line(), hint }
}

/// A writer that refuses what is too much.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
