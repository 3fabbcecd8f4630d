//! `keepwarm rebuild`: every relationship computed anew from the log of what was read, which should
//! change nothing; how many were not right is said.

use std::path::Path;
use std::process::ExitCode;

use super::{Failure, ask};
use crate::pipeline::request::Request;

pub(super) fn rebuild(path: &Path) -> Result<ExitCode, Failure> {
    ask::ask(path, &Request::Rebuild {})
}
