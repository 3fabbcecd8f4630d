//! Turns what sources hold into what is kept (this line is replaced).

pub mod address;
pub mod calendar;
