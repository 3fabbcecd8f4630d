//! From untrusted bytes to envelopes, meetings and directed touches.
//!
//! Pure and total: every input gives a result or a reason, never a panic. Bytes of a message end
//! here; nothing that leaves this module holds a body or, by default, a subject.

pub mod account;
pub mod address;
pub mod automated;
pub mod calendar;
pub mod colleague;
pub mod directed;
pub mod envelope;
pub mod held;
pub mod identity;
pub mod invitation;
pub mod name;
pub mod organisation;
pub mod people;
pub mod roster;
pub mod text;
pub mod thread;

pub use account::{Account, Accounts};
pub use directed::{Directed, LeftOut, Touch, directed};
pub use envelope::{Unusable, envelope};
pub use people::{Own, Who};
