//! keepwarm (skeleton; the architecture document replaces this line).

pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod demo;
pub mod http;
pub mod lifecycle;
pub mod model;
pub mod normalise;
pub mod nudge;
pub mod pipeline;
pub mod score;
pub mod source;
pub mod store;
pub mod telemetry;
