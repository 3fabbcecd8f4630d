//! The pages behind links in messages: what a link will do, with a button; what it has done; why it
//! does nothing. Small, without scripts, readable on a phone and in the dark.
//!
//! Pure: from facts to HTML. Names are chosen by strangers: the template escapes everything, and
//! keeps what runs from right to left to itself (`<bdi>`).

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono_tz::Tz;
use sha2::{Digest as _, Sha256};

use super::link::Refused;
use crate::model::Timestamp;
use crate::model::feedback::{About, Feedback, Given, Quiet, Subject};

/// How all pages look. Colours of text and ground differ by 7 to 1 and more (WCAG 2.2, 1.4.6).
const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--text:#1d1f21;--faint:#4d5358;--line:#d5d8db;\
--act:#0b4f8a;--on-act:#fff}\
@media(prefers-color-scheme:dark){:root{--ground:#16181a;--text:#eceef0;--faint:#b4bac0;\
--line:#3a3f44;--act:#9ccbf5;--on-act:#0d1b28}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--ground);color:var(--text);\
font:1.0625rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\
main{max-width:34rem;margin:0 auto;padding:2.5rem 1.25rem}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}\
.about{border-left:.25rem solid var(--line);padding:.125rem 0 .125rem .875rem}\
.about strong{display:block}\
.faint{color:var(--faint)}\
button{font:inherit;font-weight:600;width:100%;min-height:3rem;margin-top:.75rem;\
padding:.5rem 1.25rem;border:0;border-radius:.5rem;background:var(--act);color:var(--on-act);\
cursor:pointer}\
button.second{background:none;color:var(--text);border:.0625rem solid var(--faint)}\
button:focus-visible{outline:.1875rem solid var(--text);outline-offset:.1875rem}\
footer{margin-top:2.5rem;color:var(--faint);font-size:.875rem}";

/// The field of the form that a button sends: whoever only follows links does not.
pub(super) const CONFIRM: &str = "confirm";

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<title>{{ title }} – keepwarm</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{%- if let Some(about) = about %}
<p class="about"><strong><bdi>{{ about.contact }}</bdi></strong>
<bdi>{{ about.organisation }}</bdi><br>
<span class="faint">Nudge of {{ about.made_on }} to <bdi>{{ about.rep }}</bdi></span></p>
{%- endif %}
{%- for line in lines %}
<p>{{ line }}</p>
{%- endfor %}
{%- if let Some(button) = button %}
<form method="post" action="{{ button.target }}">
<button name="{{ confirm }}" value="{{ button.value }}"{% if button.second %} class="second"{% endif %}>{{ button.text }}</button>
</form>
{%- endif %}
<footer>keepwarm</footer>
</main>
</body>
</html>
"#
)]
struct Page<'a> {
    title: &'a str,
    style: &'a str,
    about: Option<AboutPart<'a>>,
    lines: Vec<String>,
    button: Option<Button<'a>>,
    confirm: &'a str,
}

struct AboutPart<'a> {
    contact: &'a str,
    organisation: &'a str,
    rep: &'a str,
    made_on: String,
}

/// A form with nothing but a button.
struct Button<'a> {
    /// Where it is sent: relative, as the daemon may be reached below any path.
    target: &'a str,
    value: &'a str,
    text: &'a str,
    /// Whether it is there for those who look for it, and does not ask to be pressed.
    second: bool,
}

/// The policy for what browsers may load and do on these pages: the style above, and to send the
/// form to where the page came from.
pub(super) fn security_policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

/// Asks whether `feedback` is meant. The form goes to the page's own address.
pub(super) fn ask(feedback: Feedback, about: &About, now: Timestamp) -> String {
    let words = words(feedback);
    let until = feedback.silent_until(now, about.done_until - now);
    let mut lines = vec![effect(feedback, until, about)];
    if feedback == Feedback::WrongPerson {
        lines
            .push("Whoever looks after keepwarm sees that people may be mixed up here.".to_owned());
    }
    let button = Button { target: "", value: feedback.code(), text: words.button, second: false };
    render(words.question, Some(about), lines, Some(button))
}

/// Tells what was answered, and offers to take it back by a form that goes to `take_back`.
pub(super) fn given(given: &Given, about: &About, take_back: &str) -> String {
    let lines = vec![on(given, about.zone), standing(given, about)];
    render(words(given.feedback).done, Some(about), lines, Some(back(take_back)))
}

/// Tells that something else than `wanted` had been answered, which has to be taken back first.
pub(super) fn otherwise(wanted: Feedback, given: &Given, about: &About, take_back: &str) -> String {
    let lines = vec![
        format!("You have answered this nudge before: {}.", words(given.feedback).name),
        on(given, about.zone),
        standing(given, about),
        format!("Take that back first; then this link can be used: {}.", words(wanted).name),
    ];
    render("Answered already", Some(about), lines, Some(back(take_back)))
}

/// Asks whether the answer in force is to be taken back.
pub(super) fn ask_back(given: &Given, about: &About) -> String {
    let lines = vec![
        format!("You have answered: {}.", words(given.feedback).name),
        format!("Nudges about {} may come again then.", subject(about)),
    ];
    render("Take the answer back?", Some(about), lines, Some(back("")))
}

/// Tells that no answer is in force.
pub(super) fn taken_back(about: &About) -> String {
    let lines = vec![
        "No answer to this nudge is in force, and nothing is kept silent for it.".to_owned(),
        "The links in the message can be used again.".to_owned(),
    ];
    render("Taken back", Some(about), lines, None)
}

/// Tells why a link does nothing; the same words for whatever nudge there is or is not.
pub(super) fn refused(why: Refused) -> String {
    match why {
        Refused::Expired => failed(
            "This link has expired",
            "Nothing was changed. Links in messages can be used for a limited time.",
        ),
        Refused::NotOurs => failed(
            "This link is not valid",
            "Nothing was changed. It may have been cut off or changed on its way: use the one in \
             the message as it came.",
        ),
    }
}

/// Tells that what a link is about is not there any more.
pub(super) fn gone() -> String {
    failed(
        "There is nothing here any more",
        "Nothing was changed. What this link was about is gone.",
    )
}

/// A page of a title and a sentence.
pub(super) fn failed(title: &str, line: &str) -> String {
    render(title, None, vec![line.to_owned()], None)
}

fn render(
    title: &str,
    about: Option<&About>,
    lines: Vec<String>,
    button: Option<Button<'_>>,
) -> String {
    let about = about.map(|about| AboutPart {
        contact: &about.contact,
        organisation: &about.organisation,
        rep: &about.rep,
        made_on: day(about.made_at, about.zone),
    });
    let page = Page { title, style: STYLE, about, lines, button, confirm: CONFIRM };
    // Writing to a string does not fail.
    page.render().unwrap_or_default()
}

const fn back(target: &str) -> Button<'_> {
    Button { target, value: "take_back", text: "Take it back", second: true }
}

/// The words for an answer: before it, on its button, after it, and in a sentence.
struct Words {
    question: &'static str,
    button: &'static str,
    done: &'static str,
    name: &'static str,
}

const fn words(feedback: Feedback) -> Words {
    let (question, button, done, name) = match feedback {
        Feedback::Done => ("Mark this as done?", "Mark as done", "Marked as done", "done"),
        Feedback::Snooze7 => {
            ("Snooze for 7 days?", "Snooze for 7 days", "Snoozed for 7 days", "snooze for 7 days")
        }
        Feedback::Snooze30 => (
            "Snooze for 30 days?",
            "Snooze for 30 days",
            "Snoozed for 30 days",
            "snooze for 30 days",
        ),
        Feedback::Snooze90 => (
            "Snooze for 90 days?",
            "Snooze for 90 days",
            "Snoozed for 90 days",
            "snooze for 90 days",
        ),
        Feedback::NotRelevant => (
            "Is this not relevant?",
            "No more nudges about this",
            "No more nudges about this",
            "not relevant",
        ),
        Feedback::WrongPerson => (
            "Is this the wrong person?",
            "It is the wrong person",
            "Noted: the wrong person",
            "wrong person",
        ),
    };
    Words { question, button, done, name }
}

/// What follows from an answer.
fn effect(feedback: Feedback, until: Option<Timestamp>, about: &About) -> String {
    let subject = subject(about);
    let Some(until) = until else {
        return format!(
            "You will not be nudged about {subject} any more, until this is taken back."
        );
    };
    let again = match feedback {
        Feedback::Done => "Reminders of this nudge end.",
        _ => "If there is still a reason then, you may be told again.",
    };
    format!("You will not be nudged about {subject} until {}. {again}", day(until, about.zone))
}

const fn subject(about: &About) -> &'static str {
    match about.subject {
        Subject::Contact => "this contact",
        Subject::Account => "how this account hangs together",
    }
}

fn on(given: &Given, zone: Tz) -> String {
    format!("Answered on {}.", day(given.at, zone))
}

fn standing(given: &Given, about: &About) -> String {
    match given.quiet {
        Quiet::Until(until) => effect(given.feedback, Some(until), about),
        Quiet::ForGood => effect(given.feedback, None, about),
        Quiet::Ended => "The silence that followed from it was ended since.".to_owned(),
    }
}

/// The day of an instant, as people write it.
fn day(at: Timestamp, zone: Tz) -> String {
    at.to_utc()
        .map_or_else(String::new, |utc| utc.with_timezone(&zone).format("%-d %B %Y").to_string())
}

#[cfg(test)]
mod tests;
