//! What an admin wants done with deliveries: sent once more, or never; and an endpoint tried at once.

use crate::model::Timestamp;
use crate::store::outbox::{self, Chosen};
use crate::store::{Db, StoreError, endpoint};

use super::request::Answer;

/// Owes deliveries once more, under the same ids and with the same bytes: those of a webhook id, or
/// all that were given up; to one endpoint or to all. What endpoints are left alone for ends with it.
pub(super) fn replay(
    db: &Db,
    (message, dead): (Option<&str>, bool),
    to: Option<&str>,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    if message.is_none() && !dead {
        return Ok(Answer::refused("nothing was chosen".to_owned(), "give an id, or --dead"));
    }
    let chosen = match choose(db, message, to)? {
        Ok(chosen) => chosen,
        Err(refused) => return Ok(refused),
    };
    let counted = outbox::replay(db, &chosen, dead, now)?;
    for (name, _) in &counted {
        if let Some(id) = endpoint::find(db, name)? {
            endpoint::release(db, id, now)?;
        }
    }
    if counted.is_empty() {
        return Ok(nothing(message, to));
    }
    Ok(done(format!("{} owed again", told(&counted))))
}

/// Gives deliveries up for good that have not arrived: those of a webhook id, to one endpoint, or both.
pub(super) fn drop(
    db: &Db,
    message: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    if message.is_none() && to.is_none() {
        return Ok(Answer::refused("nothing was chosen".to_owned(), "give an id, or --endpoint"));
    }
    let chosen = match choose(db, message, to)? {
        Ok(chosen) => chosen,
        Err(refused) => return Ok(refused),
    };
    let counted = outbox::drop(db, &chosen, now)?;
    if counted.is_empty() {
        return Ok(nothing(message, to));
    }
    Ok(done(format!("{} dropped", told(&counted))))
}

/// Ends the time for which an endpoint is left alone: somebody knows that it works.
pub(super) fn release(db: &Db, to: &str, now: Timestamp) -> Result<Answer, StoreError> {
    let Some(id) = endpoint::find(db, to)? else { return Ok(unknown(to)) };
    let released = endpoint::release(db, id, now)?;
    let said = if released { "is tried again now" } else { "is not being left alone" };
    Ok(done(format!("{to} {said}")))
}

/// The deliveries that are meant.
fn choose(
    db: &Db,
    message: Option<&str>,
    to: Option<&str>,
) -> Result<Result<Chosen, Answer>, StoreError> {
    let endpoint = match to {
        Some(name) => match endpoint::find(db, name)? {
            Some(id) => Some(id),
            None => return Ok(Err(unknown(name))),
        },
        None => None,
    };
    Ok(Ok(Chosen { webhook_id: message.map(str::to_owned), endpoint }))
}

/// "2 deliveries to crm, 1 to slack are".
fn told(counted: &[(String, u32)]) -> String {
    let one = |number: u32| if number == 1 { "delivery" } else { "deliveries" };
    let parts: Vec<String> = counted
        .iter()
        .enumerate()
        .map(|(at, (name, number))| match at {
            0 => format!("{number} {} to {name}", one(*number)),
            _ => format!("{number} to {name}"),
        })
        .collect();
    let only_one = counted.len() == 1 && counted.iter().all(|(_, number)| *number == 1);
    format!("{} {}", parts.join(", "), if only_one { "is" } else { "are" })
}

fn done(said: String) -> Answer {
    Answer::Done { said, change: None }
}

fn unknown(name: &str) -> Answer {
    Answer::refused(format!("there is no endpoint {name}"), "`keepwarm status` lists them")
}

fn nothing(message: Option<&str>, to: Option<&str>) -> Answer {
    let of = message.map(|id| format!(" of {id}")).unwrap_or_default();
    let to = to.map(|name| format!(" to {name}")).unwrap_or_default();
    Answer::refused(
        format!("there is no such delivery{of}{to}"),
        "`keepwarm nudges outbox --state all` lists them",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_told_by_endpoint() {
        for (counted, expected) in [
            (vec![("crm", 1)], "1 delivery to crm is"),
            (vec![("crm", 2)], "2 deliveries to crm are"),
            (vec![("crm", 1), ("slack", 3)], "1 delivery to crm, 3 to slack are"),
        ] {
            let counted: Vec<(String, u32)> =
                counted.into_iter().map(|(name, number)| (name.to_owned(), number)).collect();
            assert_eq!(told(&counted), expected);
        }
    }
}
