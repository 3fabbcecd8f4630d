//! What somebody has signed in for: kept as it was sealed, and the source is read again at once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::request::Answer;
use crate::model::Timestamp;
use crate::store::login::{self, Login};
use crate::store::{Db, StoreError, source as sources};

/// Keeps a login in the place of any other, and lets the source try it.
///
/// # Errors
/// As every write; nothing is kept then.
pub(super) fn signed_in(
    db: &Db,
    source: &str,
    origin: &str,
    sealed: &str,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let Ok(sealed) = STANDARD.decode(sealed) else {
        return Ok(Answer::refused("what was sealed is no base64".to_owned(), ""));
    };
    login::keep(db, source, &Login { origin: origin.to_owned(), sealed }, now)?;
    let Some(id) = sources::find(db, source)? else {
        let said = format!("{source}: signed in; it is read by the next start of the daemon");
        return Ok(Answer::Done { said, change: None });
    };
    // What went wrong last is told until a pass goes well.
    let (condition, _) = sources::condition(db, id)?;
    sources::set_condition(db, id, &condition.signed_in())?;
    Ok(Answer::Done { said: format!("{source}: signed in"), change: None })
}
