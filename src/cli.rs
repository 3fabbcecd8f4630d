//! What the commands print.

pub mod output;
