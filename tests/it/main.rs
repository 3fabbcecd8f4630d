//! Integration tests: one binary, one module per subject.
//!
//! `cfg(test)` tells clippy that what is below may unwrap, helpers included.

#[cfg(test)]
mod backtest;
#[cfg(test)]
#[path = "../bench/first_sync.rs"]
mod bench;
#[cfg(test)]
mod caldav;
#[cfg(test)]
mod calendar;
#[cfg(test)]
mod calibrate;
#[cfg(test)]
mod capture;
#[cfg(test)]
mod care;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod config;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod deliver;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod engagement;
#[cfg(test)]
mod erase;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod feedback;
#[cfg(test)]
mod format;
#[cfg(test)]
mod google;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod imap;
#[cfg(test)]
mod init;
#[cfg(test)]
mod invitation;
#[cfg(test)]
mod maildir;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod robust;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod year;
