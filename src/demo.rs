//! The product on an embedded sample: a small company's mail and calendars, and a receiver for
//! its nudges, so that `keepwarm demo` needs no network, no configuration and no account.
//!
//! `stage` sets it up and plays it; `sample` writes the story to disk as a mail server and a calendar would have left it;
//! `receiver` is the other end of the webhook. Reading, scoring and delivering them is left to the
//! daemon's own code.

pub mod receiver;
pub mod sample;
pub mod stage;
