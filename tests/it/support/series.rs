//! Calendar objects of every kind that calendars hold, the same on every run.
//!
//! Each is a whole VCALENDAR of one UID, as a CalDAV server keeps it: a single event or a series
//! with its exceptions, additions and replacements, in zones of all sorts, around [`NOW`]. What is
//! drawn is a [`Plan`], from which the text is written; a change is one of the plan.

mod people;
mod plan;
mod rules;
mod zones;

use super::generate::Draw;
use plan::Plan;

/// The instant around which the series lie.
pub(crate) const NOW: &str = "2026-11-21T08:00:00Z";

/// The zone of times without one, for who reads them.
pub(crate) const ZONE: chrono_tz::Tz = chrono_tz::Tz::Europe__Berlin;

/// A calendar object.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// The one UID in it.
    pub(crate) uid: String,
    /// The text, in folded lines that end in CRLF.
    pub(crate) ics: String,
    /// Why the Python libraries of tests/oracle read it otherwise, if they are known to.
    pub(crate) differs: Option<&'static str>,
    plan: Plan,
}

/// `count` objects, each with a UID of its own.
pub(crate) fn series(seed: u64, count: usize) -> Vec<Series> {
    let mut draw = Draw::new(seed);
    (0..count).map(|number| of(Plan::draw(&mut draw, number, seed))).collect()
}

/// The object after somebody touched it: moved, declined, cancelled, or one occurrence moved or
/// called off.
pub(crate) fn changed(series: &Series, draw: &mut Draw) -> Series {
    let mut plan = series.plan.clone();
    plan.change(draw);
    of(plan)
}

fn of(plan: Plan) -> Series {
    Series { uid: plan.uid.clone(), ics: folded(&plan.text()), differs: plan.differs(), plan }
}

/// Lines parted by `|` as iCalendar has them: at most 75 bytes, CRLF.
fn folded(lines: &str) -> String {
    let mut text = String::new();
    for line in lines.split('|').filter(|line| !line.is_empty()) {
        let mut length = 0;
        for character in line.chars() {
            if length + character.len_utf8() > 74 {
                text.push_str("\r\n ");
                length = 1;
            }
            text.push(character);
            length += character.len_utf8();
        }
        text.push_str("\r\n");
    }
    text
}

/// One of the choices.
fn one<T: Copy>(draw: &mut Draw, choices: &[T]) -> T {
    choices[usize::try_from(draw.below(choices.len() as u64)).unwrap()]
}

/// True once in so many times.
fn once_in(draw: &mut Draw, times: u64) -> bool {
    draw.below(times) == 0
}
