//! placeholder
use super::Failure;
use clap::Args;
#[derive(Debug, Args)]
pub(super) struct Arguments {}
pub(super) fn demo(_: &Arguments) -> Result<std::process::ExitCode, Failure> {
    Ok(std::process::ExitCode::SUCCESS)
}
