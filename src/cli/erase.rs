//! `keepwarm erase ADDRESS`: a person taken out of the database, its log, and the backups, for good;
//! what was done is printed as a certificate that names nobody.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, ask, load, output};
use crate::clock::Clock;
use crate::pipeline::care;
use crate::pipeline::request::{Answer, Request};
use crate::store::backup;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// An address, or the id of a contact (con_…): the contact goes with all of its addresses
    address: String,
    /// A directory with backups: the person is taken out of every one of them too
    #[arg(long, value_name = "DIRECTORY")]
    backups: Vec<PathBuf>,
}

pub(super) fn erase(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let store = &config.store.path;
    let mut copies = backup::beside(store)?;
    for directory in &arguments.backups {
        copies.extend(backup::databases(directory)?);
    }
    copies.retain(|copy| copy != store);
    let said = match ask::answer(&config, &Request::Erase { contact: arguments.address.clone() })? {
        Answer::Done { said, .. } => said,
        Answer::TakenOut { .. } => String::new(),
        Answer::Refused { why, hint } => return Err(ask::refused(&why, &hint)),
    };
    let now = Clock::System.now();
    let mut lines = vec![format!("{}: {said}", store.display())];
    for copy in &copies {
        // By the hashes: who is one contact there may be less than is known by now.
        let count = backup::amend(copy, |db| care::erase_again(db, store, now))?;
        lines.push(format!("{}: {count} addresses erased", copy.display()));
    }
    backup::purge(store)?;
    lines.push("every page was written anew, and the log emptied".to_owned());
    output::to_stdout(|out| {
        writeln!(out, "certificate of erasure, keepwarm {}, {now}", env!("CARGO_PKG_VERSION"))?;
        lines.iter().try_for_each(|line| writeln!(out, "  {}", output::clean(line)))?;
        writeln!(
            out,
            "  a keyed hash of each address is kept, so that nothing is written down of it again"
        )
    })?;
    Ok(ExitCode::SUCCESS)
}
