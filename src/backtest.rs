//! How well strength foretold what happened, on a history that is over.
//!
//! Pure: a log of interactions in, figures out. The protocol is README.md, "Does it predict?": at
//! snapshots along the log every relationship is scored from what was known by then, with the code
//! that scores the store, and judged by who wrote to each other afterwards. Files, the store and
//! printing are left to `cli`.

pub mod assess;
pub mod candidate;
pub mod fit;
pub mod log;
pub mod metric;
pub mod nudges;
pub mod read;
pub mod snapshot;
pub mod verdict;

pub use assess::{Assessment, Calibration, Comparison, Figure, Population, assess};
pub use candidate::{Candidate, HORIZONS_DAYS, Score};
pub use fit::{Fitted, fit_logs, pasts};
pub use log::{Answers, Builder, History, Log};
pub use nudges::{Nudges, Played, Setting, Trigger, play};
pub use read::{Problem, ReadError, read};
pub use snapshot::{EVERY_DAYS, Window};
pub use verdict::{Finding, finding, verdict};

#[cfg(test)]
mod tests;
