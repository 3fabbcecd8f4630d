//! Silences by command: an admin, or a rep who has a shell, asks for one or ends one.

use crate::model::{NudgeKind, Span, Timestamp};
use crate::store::silence::{New, Silence};
use crate::store::{Db, StoreError, contact, outbox, relationship, rep, silence};

use super::identity::known;
use super::request::Answer;

/// Ids less alike than this are no guess.
const ALIKE: f64 = 0.75;

/// Keeps a contact, named by an address or a public id, silent for a rep, named by the id that the
/// configuration gives: for so many days, or for good.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn begin(
    db: &Db,
    rep: &str,
    contact: &str,
    days: Option<u32>,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let Some(row) = rep::find(db, rep)? else { return unknown_rep(db, rep) };
    let named = match known::find(db, contact)? {
        Ok(named) => named,
        Err(refused) => return Ok(refused),
    };
    let until = days.map(|days| now + Span::from_days(i64::from(days)));
    let contact = named.contact;
    let new = New { rep: row, contact, kind: None, until, reason: "command", feedback: None };
    let id = silence::begin(db, &new, now)?;
    relationship::look_again(db, row, contact, now)?;
    let is = contact::get(db, contact)?;
    let (name, public_id) = (is.name, is.public_id);
    let lasts = until.map_or_else(|| "for good".to_owned(), |until| format!("until {until}"));
    let said = format!(
        "{rep} is not nudged about {name} ({public_id}) {lasts}\n\
         silence {id}: `keepwarm silences remove {id}` ends it"
    );
    Ok(Answer::Done { said, change: None })
}

/// Ends the silence of that number; what was not delivered for it is owed again, if that is no old news.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn end(db: &Db, id: i64, now: Timestamp) -> Result<Answer, StoreError> {
    let Some((rep, Silence { rep: code, contact, made_at, .. })) = silence::find(db, id, now)?
    else {
        let why = format!("no silence {id} is in force");
        return Ok(Answer::refused(why, "`keepwarm silences` lists those that are"));
    };
    silence::end(db, id, now)?;
    let is = contact::get(db, contact)?;
    outbox::revive(db, (rep, is.id), made_at, now)?;
    relationship::look_again(db, rep, is.id, now)?;
    let (name, public_id) = (is.name, is.public_id);
    // Another one may hold still.
    let holds = silence::until(db, (rep, is.id), NudgeKind::Decay, now)?.filter(|at| *at > now);
    let said = match holds {
        Some(_) => format!("silence {id} has ended; another one of {name} ({public_id}) holds"),
        None => format!("{code} may be nudged about {name} ({public_id}) again"),
    };
    Ok(Answer::Done { said, change: None })
}

fn unknown_rep(db: &Db, name: &str) -> Result<Answer, StoreError> {
    let codes: Vec<String> = rep::all(db)?.into_iter().map(|rep| rep.code).collect();
    let alike = |code: &String| strsim::jaro_winkler(code, name);
    let nearest = codes.iter().filter(|code| alike(code) >= ALIKE);
    let nearest = nearest.max_by(|a, b| alike(a).total_cmp(&alike(b)));
    let hint = match nearest {
        Some(code) => format!("did you mean {code}?"),
        None => format!("the reps are {}", codes.join(", ")),
    };
    Ok(Answer::refused(format!("there is no rep {name}"), &hint))
}
