//! What an admin says of nudging as a whole: that nudges may be sent, and that what looks like wrong
//! data is right.

use crate::model::{Span, Timestamp};
use crate::nudge::AGAIN;
use crate::pipeline::request::Answer;
use crate::store::{Db, StoreError, nudging, relationship, rep};

/// What looked like too many decays is let go for so long.
const ALLOWED: Span = Span::from_hours(48);

/// Ends the time in which nudges are made and not sent.
///
/// # Errors
/// As every write.
pub(in crate::pipeline) fn enable(db: &Db, now: Timestamp) -> Result<Answer, StoreError> {
    let known = nudging::ensure(db, now)?;
    if let Some(at) = known.enabled_at {
        let said = format!("nudges have been sent since {at}");
        return Ok(Answer::Done { said, change: None });
    }
    nudging::enable(db, now)?;
    let said =
        "nudges are sent from now on; those made before are not sent any more, but what still \
                holds is said as a reminder"
            .to_owned();
    Ok(Answer::Done { said, change: None })
}

/// Believes the clock, and lets the decays of held reps go; of one if one is named.
///
/// # Errors
/// As every write.
pub(in crate::pipeline) fn resume(
    db: &Db,
    code: Option<&str>,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let known = nudging::ensure(db, now)?;
    let row = match code {
        None => None,
        Some(code) => match rep::find(db, code)? {
            Some(row) => Some(row),
            None => {
                let hint = "`keepwarm status` names the reps who are told nothing";
                return Ok(Answer::refused(format!("there is no rep `{code}`"), hint));
            }
        },
    };
    let mut said = Vec::new();
    if known.jumped.is_some() && row.is_none() {
        nudging::trust(db, now)?;
        said.push(format!("the clock is believed: it is {now}"));
    }
    for hold in nudging::holds(db)?.iter().filter(|hold| row.is_none_or(|row| row == hold.rep)) {
        // What was held up is looked at again every hour, and now.
        relationship::hasten(db, hold.rep, now, AGAIN)?;
    }
    match nudging::allow(db, row, now + ALLOWED)? {
        0 => {}
        1 => said.push("the decays of 1 rep are told of".to_owned()),
        count => said.push(format!("the decays of {count} reps are told of")),
    }
    if said.is_empty() {
        said.push("nothing was held up".to_owned());
    }
    Ok(Answer::Done { said: said.join("; "), change: None })
}
