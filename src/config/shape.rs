//! Judges one value against the shape that its key asks for.
//!
//! Pure. Answers with the value as the next layer takes it, or with what is wrong: what the value
//! must be and what it is. A secret's value is never part of the answer.

use std::path::Path;

use toml::Value;
use toml::de::DeValue;

use super::advice;
use super::problem::Problem;
use super::schema::{self, Key, Shape, nearest};
use crate::model::NudgeKind;

/// The value that a file gives to a key; relative paths are taken from `directory`.
///
/// # Errors
/// The problem, without a place.
pub(super) fn judge(key: &Key, value: &DeValue<'_>, directory: &Path) -> Result<Value, Problem> {
    let fits = match (key.shape, value) {
        (Shape::Flag, DeValue::Boolean(flag)) => Some(Value::Boolean(*flag)),
        (Shape::Whole(..) | Shape::Real(..), DeValue::Integer(_) | DeValue::Float(_)) => {
            number(key.shape, value)
        }
        (Shape::List(..) | Shape::Command, DeValue::Array(_)) => list(key, value),
        (_, DeValue::String(text)) => return judge_text(key, text, directory),
        _ => None,
    };
    fits.ok_or_else(|| {
        let problem = wrong(key, &describe(key, value));
        match near_kind(key, value) {
            Some(kind) => problem.hint(did_you_mean(kind)),
            None if matches!(value, DeValue::Array(_)) => {
                Problem { hint: in_list(key, value), ..problem }
            }
            None if is_bare(value) && takes_text(key.shape) => problem.hint("write it in quotes"),
            None => problem,
        }
    })
}

/// The kind of nudge that was probably meant by the first word of a list that is none.
fn near_kind(key: &Key, value: &DeValue<'_>) -> Option<&'static str> {
    let words = value.as_array().filter(|_| ["kinds", "immediate"].contains(&key.name))?;
    let mut words = words.iter().filter_map(|word| word.get_ref().as_str());
    let wrong = words.find(|word| NudgeKind::of_code(word).is_none())?;
    nearest(wrong, NudgeKind::ALL.into_iter().map(NudgeKind::code))
}

/// The value that an environment variable gives to a key: read as the key's shape asks, so that
/// `0123` stays a string where a string is asked for.
///
/// # Errors
/// The problem, without a place.
pub(super) fn judge_variable(key: &Key, text: &str, directory: &Path) -> Result<Value, Problem> {
    let literal = match key.shape {
        Shape::Flag | Shape::Whole(..) | Shape::Real(..) => text.trim().to_owned(),
        Shape::List(..) | Shape::Command => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(Value::from).collect()).to_string()
        }
        _ => return judge_text(key, text, directory),
    };
    let parsed = DeValue::parse(&literal).map_err(|_| wrong(key, &format!("{text:?}")))?;
    judge(key, parsed.get_ref(), directory)
}

/// What to write instead of the first string of a list that does not fit, or of the list itself.
fn in_list(key: &Key, value: &DeValue<'_>) -> Option<String> {
    let mut items = value.as_array()?.iter().map(|item| item.get_ref().as_str());
    match key.shape {
        Shape::List(words, _) => {
            let odd = items.find(|item| !item.is_some_and(words.accepts))??;
            advice::text(key, odd)
        }
        Shape::Command => None,
        _ => Some("write it without brackets".to_owned()),
    }
}

/// Whether a value is a number, flag or date, which in quotes would be a string.
fn is_bare(value: &DeValue<'_>) -> bool {
    !matches!(value, DeValue::String(_) | DeValue::Array(_) | DeValue::Table(_))
}

/// Whether a shape asks for any string.
fn takes_text(shape: Shape) -> bool {
    matches!(shape, Shape::Text | Shape::Secret | Shape::Path)
}

/// A string, where one is asked for.
fn judge_text(key: &Key, text: &str, directory: &Path) -> Result<Value, Problem> {
    let fits = match key.shape {
        Shape::Text | Shape::Secret => !text.trim().is_empty(),
        Shape::Words(words) => (words.accepts)(text),
        Shape::OneOf(words) => words.contains(&text),
        Shape::OneOfSoFar(words, later) if later.contains(&text) => {
            let now = choice(words);
            let message = format!("`{}` is {text:?}, which this version cannot do yet", name(key));
            return Err(Problem::error(message).hint(format!("it can be {now}")));
        }
        Shape::OneOfSoFar(words, _) => words.contains(&text),
        Shape::Path if !text.is_empty() && !text.starts_with('~') => {
            return Ok(Value::from(directory.join(text).to_string_lossy().into_owned()));
        }
        _ => false,
    };
    if fits { Ok(Value::from(text)) } else { Err(wrong_text(key, text)) }
}

/// A number in its range; a whole number is a number too.
fn number(shape: Shape, value: &DeValue<'_>) -> Option<Value> {
    match (shape, value) {
        (Shape::Whole(min, max), DeValue::Integer(digits)) => {
            let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok()?;
            (min..=max).contains(&number).then_some(Value::Integer(number))
        }
        (Shape::Real(min, max), DeValue::Integer(_) | DeValue::Float(_)) => {
            let number: f64 = literal(value).parse().ok()?;
            (min..=max).contains(&number).then_some(Value::Float(number))
        }
        _ => None,
    }
}

/// A list of strings, each of them accepted.
fn list(key: &Key, value: &DeValue<'_>) -> Option<Value> {
    let items: Option<Vec<&str>> =
        value.as_array()?.iter().map(|item| item.get_ref().as_str()).collect();
    let items = items?;
    let fits = match key.shape {
        Shape::List(words, least) => {
            items.len() >= least && items.iter().all(|item| (words.accepts)(item))
        }
        Shape::Command => items.first().is_some_and(|program| !program.is_empty()),
        _ => false,
    };
    fits.then(|| Value::Array(items.into_iter().map(Value::from).collect()))
}

/// What a value of a shape must be, after "must be".
pub(super) fn must_be(shape: Shape) -> String {
    match shape {
        Shape::Text | Shape::Secret => "a string that is not empty".to_owned(),
        Shape::Words(words) => words.what.to_owned(),
        Shape::OneOf(words) | Shape::OneOfSoFar(words, _) => choice(words),
        Shape::Path => "a path".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Whole(min, max) => format!("a whole number from {min} to {max}"),
        Shape::Real(min, max) => format!("a number from {min} to {max}"),
        Shape::List(words, 0) => format!("a list of {}", words.what),
        Shape::List(words, least) => format!("a list of {}, at least {least}", words.what),
        Shape::Command => "a list of strings: a program and its arguments".to_owned(),
    }
}

/// What a value is, after "but is"; secret or long ones by their type only.
fn describe(key: &Key, value: &DeValue<'_>) -> String {
    let hidden = schema::hides(key);
    let odd = |item: &&toml::Spanned<DeValue<'_>>| match key.shape {
        Shape::List(words, _) => !item.get_ref().as_str().is_some_and(words.accepts),
        _ => false,
    };
    match value {
        DeValue::Array(items) if items.is_empty() => "an empty list".to_owned(),
        DeValue::Array(items) => match items.iter().find(odd) {
            Some(item) => format!("a list with {}", describe(key, item.get_ref())),
            None => "a list".to_owned(),
        },
        DeValue::Table(_) => type_of(value),
        _ if hidden => type_of(value),
        DeValue::String(text) => format!("the string {text:?}"),
        _ => literal(value),
    }
}

/// A number, flag or date as it was written.
fn literal(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        _ => value.type_str().to_owned(),
    }
}

/// The type of a value, with its article.
pub(super) fn type_of(value: &DeValue<'_>) -> String {
    let noun = value.type_str();
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// The problem with a string, with the word that was probably meant.
fn wrong_text(key: &Key, text: &str) -> Problem {
    let is = if text.trim().is_empty() {
        "empty".to_owned()
    } else if schema::hides(key) {
        "another string (not shown)".to_owned()
    } else {
        format!("the string {text:?}")
    };
    let problem = wrong(key, &is);
    let hint = match key.shape {
        Shape::OneOf(words) => nearest(text, words.iter().copied()).map(did_you_mean),
        Shape::OneOfSoFar(words, _) => nearest(text, words.iter().copied()).map(did_you_mean),
        Shape::Whole(..) | Shape::Real(..) | Shape::Flag => advice::number_as_text(text),
        Shape::Path if text.starts_with('~') => {
            Some("write it out: `~` is not expanded".to_owned())
        }
        Shape::List(..) => Some(advice::list_as_text(text)),
        Shape::Command => Some("write each word in quotes, all in brackets".to_owned()),
        Shape::Words(_) if !schema::hides(key) => advice::text(key, text),
        _ => None,
    };
    Problem { hint, ..problem }
}

fn did_you_mean(word: &str) -> String {
    format!("did you mean {word:?}?")
}

fn wrong(key: &Key, is: &str) -> Problem {
    Problem::error(format!("`{}` must be {}, but is {is}", name(key), must_be(key.shape)))
}

/// The key as messages name it.
pub(super) fn name(key: &Key) -> String {
    format!("{}.{}", key.section, key.name)
}

/// Words as a choice: `"a", "b" or "c"`.
fn choice(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            let rest: Vec<String> = rest.iter().map(|word| format!("{word:?}")).collect();
            format!("{} or {last:?}", rest.join(", "))
        }
        Some((only, _)) => format!("{only:?}"),
        None => "nothing".to_owned(),
    }
}
