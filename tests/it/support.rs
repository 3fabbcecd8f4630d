//! What the tests stand on: real servers on loopback, connections that break, and mail by the
//! thousand that is the same on every run.

#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod dovecot;
pub(crate) mod generate;
pub(crate) mod proxy;
pub(crate) mod replica;
