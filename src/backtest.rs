//! How well strength foretold what happened, on a history that is over.
//!
//! Pure: a log of interactions in, figures out. The protocol is README.md, "Does it predict?": at
//! snapshots along the log every relationship is scored from what was known by then, with the code
//! that scores the store, and judged by who wrote to each other afterwards. Files, the store and
//! printing are left to `cli`.

pub mod log;
pub mod read;

pub use log::{Answers, Builder, History, Log};
pub use read::{Problem, ReadError, read};
