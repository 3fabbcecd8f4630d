//! The database: one SQLite file, one writer, read-only readers, one process.
//!
//! Everything above calls functions that say what they mean (`message::insert`, `outbox::due`) over
//! a [`Db`]; SQL stays in the files below, one for each aggregate. A write runs on the writer's
//! thread inside one transaction, so what a job stores and the proof that it was done commit
//! together, and no transaction spans an `.await`; but what a backfill gathers is several jobs in one
//! ([`Store::gather`]). Knows nothing but the model.

pub mod backup;
pub mod basis;
pub mod bounce;
pub mod calibration;
pub mod colleague;
pub mod connection;
pub mod contact;
pub mod endpoint;
pub mod erase;
pub mod erased;
pub mod error;
pub mod export;
pub mod fate;
pub mod feedback;
pub mod held;
pub mod identity;
pub mod interaction;
pub mod invitation;
pub mod line;
pub mod login;
pub mod mailbox;
pub mod meeting;
mod memo;
pub mod message;
pub mod migrate;
pub mod nudge;
pub mod nudging;
pub mod object;
pub mod outbox;
pub mod private;
pub mod quarantine;
pub mod relationship;
pub mod rep;
pub mod report;
pub mod request;
pub mod retention;
pub mod row;
pub mod silence;
pub mod source;
pub mod thread;
pub mod turn;
pub mod writer;

pub use connection::{Db, directory, open_reader, sibling};
pub use error::StoreError;
pub use writer::{Gathering, Store};

#[cfg(test)]
mod tests;
