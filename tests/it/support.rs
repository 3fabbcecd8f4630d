//! What the tests stand on: real servers on loopback, connections that break, mail by the
//! thousand that is the same on every run, the program as a process, and its database as facts.

#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod browser;
pub(crate) mod certificates;
pub(crate) mod client;
pub(crate) mod company;
pub(crate) mod dav;
pub(crate) mod davd;
pub(crate) mod dovecot;
pub(crate) mod dump;
pub(crate) mod faulty;
pub(crate) mod generate;
pub(crate) mod hook;
pub(crate) mod http;
pub(crate) mod imapd;
pub(crate) mod invite;
pub(crate) mod manager;
pub(crate) mod owe;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod radicale;
pub(crate) mod replica;
pub(crate) mod script;
pub(crate) mod series;
pub(crate) mod served;
pub(crate) mod sign_in;
pub(crate) mod story;
pub(crate) mod tokens;
pub(crate) mod xandikos;
