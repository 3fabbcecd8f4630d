//! The program against servers that fail, lie, stall and flood.
//!
//! Every scenario ends the same way: the database says what a clean sync of what the server finally
//! holds says, and on the way no process took more memory, time or connections than it may.

mod asked;
mod broken;
mod daemon;
mod flood;
mod instrument;
mod invited;
mod lies;
mod meanwhile;
mod rough;
mod stage;
