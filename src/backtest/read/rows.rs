//! Rows of comma-separated values in a fixed amount of memory.
//!
//! The csv crate's own reader lets a field grow as long as a quote stays open, which may be the
//! rest of a file; its core, driven here line by line, takes the buffers it is given.

use std::io::{self, BufRead};

use csv_core::ReadRecordResult;

/// The longest row, in bytes of its fields.
const ROW_BYTES: usize = 64 * 1024;
/// The most fields of a row.
const ROW_FIELDS: usize = 256;

/// One row, good until the next.
pub(super) struct Row<'a> {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// Why it is no row; nothing can be read after it.
    pub(super) fault: Option<&'static str>,
    fields: &'a [u8],
    ends: &'a [usize],
}

impl Row<'_> {
    /// How many fields.
    pub(super) fn width(&self) -> usize {
        self.ends.len()
    }

    /// A field, from 0; empty if there is none.
    pub(super) fn field(&self, index: usize) -> &[u8] {
        let before = index.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(index).copied().unwrap_or(0);
        self.fields.get(before.copied().unwrap_or(0)..end).unwrap_or_default()
    }
}

/// Reads rows one by one; empty lines are none.
pub(super) struct Rows<R> {
    input: R,
    core: csv_core::Reader,
    fields: Vec<u8>,
    ends: Vec<usize>,
    line: u64,
}

/// How far a row has come.
#[derive(Clone, Copy, Default)]
struct Filled {
    bytes: usize,
    ends: usize,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(input: R) -> Self {
        let (fields, ends) = (vec![0; ROW_BYTES], vec![0; ROW_FIELDS]);
        Self { input, core: csv_core::Reader::new(), fields, ends, line: 1 }
    }

    /// The next row; `None` after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Row<'_>>> {
        let mut filled = Filled::default();
        let mut began: Option<u64> = None;
        loop {
            let available = self.input.fill_buf()?;
            let newline = available.iter().position(|byte| *byte == b'\n');
            let chunk = newline.map_or(available, |at| available.get(..=at).unwrap_or_default());
            if began.is_none() && !chunk.is_empty() && chunk.iter().all(|b| b"\r\n".contains(b)) {
                let length = chunk.len();
                self.input.consume(length);
                self.line += u64::from(newline.is_some());
                continue;
            }
            let start = *began.get_or_insert(self.line);
            let fields = self.fields.get_mut(filled.bytes..).unwrap_or_default();
            let ends = self.ends.get_mut(filled.ends..).unwrap_or_default();
            let (result, used, bytes, ended) = self.core.read_record(chunk, fields, ends);
            let finished = used == chunk.len();
            self.input.consume(used);
            self.line += u64::from(finished && newline.is_some());
            filled.bytes += bytes;
            filled.ends += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => return Ok(Some(self.row(start, filled, None))),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::OutputFull => {
                    let fault = "must be at most 64 KiB long, is longer: is a quote left open?";
                    return Ok(Some(self.row(start, filled, Some(fault))));
                }
                ReadRecordResult::OutputEndsFull => {
                    let fault = "must have at most 256 fields, has more";
                    return Ok(Some(self.row(start, filled, Some(fault))));
                }
            }
        }
    }

    fn row(&self, line: u64, filled: Filled, fault: Option<&'static str>) -> Row<'_> {
        let fields = self.fields.get(..filled.bytes).unwrap_or_default();
        let ends = self.ends.get(..filled.ends).unwrap_or_default();
        Row { line, fault, fields, ends }
    }
}
