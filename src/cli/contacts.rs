//! `keepwarm contacts`: people outside the organisation, their addresses, who may be one with whom,
//! and the admin's word on it.

mod duplicates;
mod list;
mod log;

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Failure, ask, open};
use crate::pipeline::request::Request;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::Listing,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Contacts by name (also without this word)
    List(list::Listing),
    /// Contacts that may be one person, with what speaks for it
    Duplicates(duplicates::Arguments),
    /// Make two contacts one
    Merge {
        /// One of them, by an address or its id (con_…)
        a: String,
        /// The other
        b: String,
    },
    /// Make an address a contact of its own
    Split {
        /// The contact, by an address or its id (con_…)
        contact: String,
        /// The address that leaves it
        address: String,
    },
    /// Who was made one with whom, when, by whom and why
    Log(log::Arguments),
    /// Take a change back
    Undo {
        /// Its number in the log
        change: i64,
    },
}

pub(super) fn contacts(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        None => list::list(path, &arguments.list),
        Some(Command::List(listing)) => list::list(path, listing),
        Some(Command::Duplicates(arguments)) => duplicates::duplicates(path, arguments),
        Some(Command::Log(arguments)) => log::log(path, arguments),
        Some(Command::Merge { a, b }) => {
            ask::ask(path, &Request::Merge { a: a.clone(), b: b.clone() })
        }
        Some(Command::Split { contact, address }) => {
            let (contact, address) = (contact.clone(), address.clone());
            ask::ask(path, &Request::Split { contact, address })
        }
        Some(Command::Undo { change }) => ask::ask(path, &Request::Undo { change: *change }),
    }
}
