//! A log of interactions from a file or from standard input, as it is or compressed by gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use anyhow::Context as _;
use flate2::read::MultiGzDecoder;

use super::super::{Failure, output};
use crate::backtest::read::COLUMNS;
use crate::backtest::{self, Log, ReadError};

/// How a gzip file begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes read and decompressed at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Reads the log, or tells everything that is wrong with it.
pub(in crate::cli) fn read(path: &Path) -> Result<Log, Failure> {
    let (name, input) = open(path)?;
    let plain = plain(input).with_context(|| format!("reading {name}"))?;
    let log = backtest::read(plain).map_err(|error| refusal(&name, error))?;
    if log.repeated > 0 {
        let rows = if log.repeated == 1 { "row was" } else { "rows were" };
        output::note(&format!("{name}: {} {rows} there before and counted once", log.repeated));
    }
    Ok(log)
}

fn open(path: &Path) -> Result<(String, Box<dyn Read>), Failure> {
    if path.as_os_str() == "-" {
        return Ok(("standard input".to_owned(), Box::new(io::stdin())));
    }
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => Ok((name, Box::new(file))),
        Err(error) => Err(Failure::Usage(format!(
            "error: opening {name}: {error}\n\
             hint: --interactions takes a log of interactions (README.md, Does it predict?), or `-`"
        ))),
    }
}

/// Decompresses what begins as gzip does; several members follow each other as one (RFC 1952, 2.2).
fn plain(input: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut start = Vec::new();
    input.by_ref().take(2).read_to_end(&mut start)?;
    let compressed = start == GZIP;
    let whole = Cursor::new(start).chain(input);
    if !compressed {
        return Ok(Box::new(whole));
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(whole))))
}

fn refusal(name: &str, error: ReadError) -> Failure {
    match error {
        ReadError::Io(error) => {
            Failure::Runtime(anyhow::Error::new(error).context(format!("reading {name}")))
        }
        ReadError::Wrong { problems, count } => {
            let mut told: Vec<String> =
                problems.iter().map(|problem| format!("error: {name}:{problem}")).collect();
            let told_count = u64::try_from(problems.len()).unwrap_or(u64::MAX);
            if count > told_count {
                told.push(format!("… and {} more", count - told_count));
            }
            let columns = COLUMNS.join(",");
            told.push(format!(
                "hint: a log of interactions has a header, and the columns {columns}"
            ));
            Failure::Usage(told.join("\n"))
        }
    }
}
