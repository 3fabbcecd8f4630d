//! Delivers nudges to webhook endpoints by Standard Webhooks 1.0.0
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
//!
//! [`post`](post()) makes one attempt and tells what came of it, [`verdict`](verdict()) decides
//! what that means for the delivery and [`Breaker`] what for the endpoint, [`Pace`] keeps a host
//! from being flooded. Guarantees: every attempt of a delivery carries the same id and the same
//! bytes under a fresh signature; nothing of a secret or of a URL's path or query is in an error. It
//! leaves the outbox, the loop over it and the record of attempts to the pipeline and the store.

pub mod format;

mod advice;
mod breaker;
mod pace;
mod post;
mod sample;
mod sign;
mod verdict;

pub use advice::advice;
pub use breaker::{Blame, Breaker, Gate, blame};
pub use pace::{Pace, RATE};
pub use post::{Delivery, Endpoint, Failure, Outcome, post};
pub use sample::{TEST, test_message};
pub use sign::{Secret, SecretError, signature, signatures};
pub use verdict::{ATTEMPTS, LONGEST_WAIT, Verdict, verdict};
