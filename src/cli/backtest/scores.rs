//! The file of `--scores`: every candidate with its strength and what followed, so that anyone can
//! compute the table again.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::super::Failure;
use crate::backtest::{Candidate, HORIZONS_DAYS, Log};

/// The columns: a contract.
const HEADER: [&str; 9] =
    ["rep", "contact", "at", "strength", "s", "label_30", "label_60", "label_90", "established"];
/// Columns that name a horizon are as many as there are.
const _: () = assert!(HORIZONS_DAYS.len() == 3, "a label for each horizon");

/// Writes rows as they come. What goes wrong is told at the end.
pub(super) struct Scores {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
    failed: Option<csv::Error>,
}

impl Scores {
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| {
            Failure::Usage(format!("error: --scores {}: {error}", path.display()))
        })?;
        let mut writer = csv::Writer::from_writer(BufWriter::new(file));
        let failed = writer.write_record(HEADER).err();
        Ok(Self { path: path.to_owned(), writer, failed })
    }

    pub(super) fn write(&mut self, log: &Log, history: usize, candidate: &Candidate) {
        let Some(history) = log.histories.get(history).filter(|_| self.failed.is_none()) else {
            return;
        };
        let flag = |set: bool| if set { "1" } else { "0" };
        let [label_30, label_60, label_90] = candidate.labels.map(flag);
        let row = [
            log.name(history.rep),
            log.name(history.contact),
            &candidate.at.to_string(),
            &candidate.strength.score.to_string(),
            &candidate.strength.s.to_string(),
            label_30,
            label_60,
            label_90,
            flag(candidate.established),
        ];
        self.failed = self.writer.write_record(row).err();
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let written = match self.failed.take() {
            Some(error) => Err(error),
            None => self.writer.flush().map_err(csv::Error::from),
        };
        Ok(written.with_context(|| format!("writing {}", self.path.display()))?)
    }
}
