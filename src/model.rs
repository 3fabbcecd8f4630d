//! The words of the product as types: what sources bring, what is kept, what is computed.
//!
//! Everything else names this module and it names nothing else. It holds data and the small total
//! functions that belong to it: no I/O, no clock, no randomness.

pub mod address;
pub mod delta;
pub mod envelope;
pub mod feedback;
pub mod identity;
pub mod interaction;
pub mod key;
pub mod meeting;
pub mod nudge;
pub mod relationship;
pub mod source_state;
pub mod time;
pub mod window;

pub use address::{Address, Person};
pub use delta::{Cursor, Delta, KnownMailbox, MailboxInfo, Marks, Object, RawItem, Role, Sent};
pub use envelope::{Automated, Envelope};
pub use interaction::{Direction, Fate, Interaction, Kind, Observed, Standing, Turn};
pub use key::Key;
pub use meeting::{Attendee, Meeting, MeetingStatus, Participation, Version};
pub use nudge::{Nudge, NudgeKind, NudgeState, Reason, Resolution};
pub use relationship::{Cadence, Counts, Relationship};
pub use source_state::{Condition, Link, Next, Occasion, Setback, SourceState};
pub use time::{Span, Timestamp};
