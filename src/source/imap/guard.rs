//! Looks at the form of answers before the parser does, and stops what it could not bear.
//!
//! Pure. The parser makes room for a literal as soon as its length is read, up to half a gigabyte on
//! a server's bare word; it keeps 560 bytes for each item of a line, however short; and it follows
//! nested brackets by recursion until the stack is full, which ends the process. What lies within a
//! literal is passed over: nobody's mail can look like an answer. Also tells where lines end, for
//! the parser takes the first half of some for garbage.

/// The longest literal, in bytes: none that is longer fits into an answer.
const LITERAL_BYTES: u64 = super::wire::RESPONSE_BYTES;

/// The longest line without its literals, in bytes. A list of capabilities has a thousand.
const LINE_BYTES: usize = 128 << 10;

/// How deep brackets may be nested, quoted ones included. What is asked for has five levels, and the
/// structure of a message one for each part within a part: people's mail has three or four.
const DEPTH: u32 = 50;

/// How much of a line is kept to tell whether it is a status response.
const HEAD: usize = 32;

/// Where in the answers the next byte stands.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// Bytes of a literal that are still to come.
    inside: u64,
    /// The beginning of the line.
    head: Vec<u8>,
    /// Bytes of the line so far, without literals.
    length: usize,
    /// Brackets of the line that are open.
    depth: u32,
    /// What the end of the line says so far.
    end: End,
}

/// Why an answer is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    /// A literal or a line is too long.
    Length,
    /// Brackets within brackets within brackets.
    Depth,
}

/// A possible `{123}` at the end of a line (RFC 9051, 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// Nothing of it.
    #[default]
    Text,
    /// An opening brace and this number.
    Open(u64),
    /// All of it.
    Closed(u64),
}

impl Guard {
    /// Reads on, in pieces of any size: how many of these bytes do not belong to a line that has
    /// not ended.
    ///
    /// # Errors
    /// How many of these bytes may still be parsed, and why no more.
    pub(super) fn watch(&mut self, bytes: &[u8]) -> Result<usize, (usize, Excess)> {
        let (mut rest, mut whole) = (bytes, 0);
        loop {
            let inside = usize::try_from(self.inside).unwrap_or(usize::MAX).min(rest.len());
            self.inside = self.inside.saturating_sub(inside as u64);
            if inside > 0 {
                whole = bytes.len().saturating_sub(rest.len()).saturating_add(inside);
            }
            rest = rest.get(inside..).unwrap_or_default();
            rest = rest.get(self.plain(rest)..).unwrap_or_default();
            let Some((byte, after)) = rest.split_first() else {
                return Ok(whole);
            };
            rest = after;
            let done = match byte {
                b'\n' => self.line_end(),
                _ => self.within_line(*byte),
            };
            let before = bytes.len().saturating_sub(rest.len()).saturating_sub(1);
            done.map_err(|excess| (before, excess))?;
            if *byte == b'\n' {
                whole = before.saturating_add(1);
            }
        }
    }

    /// Passes over the bytes of a line that mean nothing, which are nearly all of them: how many.
    fn plain(&mut self, bytes: &[u8]) -> usize {
        if self.end != End::Text {
            return 0;
        }
        let means = |byte: &u8| matches!(byte, b'\n' | b'(' | b')' | b'{');
        let plain = bytes.iter().position(means).unwrap_or(bytes.len());
        let plain = plain.min(LINE_BYTES.saturating_sub(self.length));
        let head = plain.min(HEAD.saturating_sub(self.head.len()));
        self.head.extend_from_slice(bytes.get(..head).unwrap_or_default());
        self.length = self.length.saturating_add(plain);
        plain
    }

    fn within_line(&mut self, byte: u8) -> Result<(), Excess> {
        if self.head.len() < HEAD {
            self.head.push(byte);
        }
        self.length = self.length.saturating_add(1);
        match byte {
            b'(' => self.depth = self.depth.saturating_add(1),
            b')' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.end = match (self.end, byte) {
            (_, b'{') => End::Open(0),
            (End::Open(number), b'0'..=b'9') => {
                let digit = u64::from(byte.saturating_sub(b'0'));
                End::Open(number.saturating_mul(10).saturating_add(digit))
            }
            (End::Open(number), b'+') => End::Open(number),
            (End::Open(number), b'}') => End::Closed(number),
            (End::Closed(number), b'\r') => End::Closed(number),
            _ => End::Text,
        };
        match self.depth > DEPTH {
            true => Err(Excess::Depth),
            false if self.length > LINE_BYTES => Err(Excess::Length),
            false => Ok(()),
        }
    }

    fn line_end(&mut self) -> Result<(), Excess> {
        let announced = match std::mem::take(&mut self.end) {
            End::Closed(length) => length,
            _ => 0,
        };
        if announced > LITERAL_BYTES {
            return Err(Excess::Length);
        }
        // The words of a status response may look like one, but what follows is a line again.
        if announced > 0 && !self.is_status() {
            self.inside = announced;
            return Ok(());
        }
        *self = Self::default();
        Ok(())
    }

    fn is_status(&self) -> bool {
        let second = self.head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let second = second.trim_ascii_end();
        let status: [&[u8]; 5] = [b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"];
        self.head.starts_with(b"+") || status.iter().any(|word| second.eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_cannot_bear_is_stopped_and_nothing_else() {
        let line = |length: usize| format!("* OK {}\r\n", "x".repeat(length));
        let nested = |depth: usize| format!("* 1 FETCH {}\r\n", "(".repeat(depth));
        let (length, depth) = (Err(Excess::Length), Err(Excess::Depth));
        for (text, expected) in [
            ("* 1 FETCH (BODY[] {99999999}\r\n", length),
            ("* 1 FETCH (BODY[] {99999999+}\n", length),
            ("* 1 FETCH (BODY[] {999999999999999999999999}\r\n", length),
            ("* 1 FETCH (BODY[] {4194304}\r\n", Ok(())),
            ("* 1 FETCH (BODY[] {4194305}\r\n", length),
            ("* 1 FETCH (X {99999999} BODY[] NIL)\r\n", Ok(())),
            ("* OK [BADCHARSET ({99999999}\r\n", length),
            ("* 1 FETCH (A {15}\r\nSubject: {99}\r\n B {2}\r\n{} C {99999999}\r\n", length),
            ("* 1 FETCH (A {21}\r\nSubject: {99999999}\r\n)\r\n* 2 FETCH (A {4}\r\n", Ok(())),
            ("* OK words {900}\r\n* 1 FETCH (A {99999999}\r\n", length),
            ("a1 no words {900}\r\n* 1 FETCH (A {99999999}\r\n", length),
            ("+ words {900}\r\n* 1 FETCH (A {99999999}\r\n", length),
            (&line(LINE_BYTES - 10).repeat(3), Ok(())),
            (&line(LINE_BYTES), length),
            (&nested(50).repeat(3), Ok(())),
            (&nested(51), depth),
            (&format!("* 1 FETCH (A {{60}}\r\n{})\r\n", "(".repeat(60)), Ok(())),
            (&format!("* 1 FETCH {}A {{1}}\r\n({}", "(".repeat(30), "(".repeat(30)), depth),
        ] {
            let shown: String = text.chars().take(80).collect();
            let found = Guard::default().watch(text.as_bytes());
            assert_eq!(found.map(|_| ()).map_err(|(_, excess)| excess), expected, "{shown:?}");
            let mut pieces = Guard::default();
            let found = text.bytes().try_for_each(|byte| pieces.watch(&[byte]).map(|_| ()));
            assert_eq!(found.map_err(|(_, excess)| excess), expected, "byte by byte: {shown:?}");
        }
    }

    #[test]
    fn a_line_that_has_not_ended_is_told_from_what_has() {
        for (text, whole) in [
            ("* OK re", 0),
            ("* OK ready\r\n* BY", 12),
            ("* OK ready\r\n", 12),
            ("* 1 FETCH (A {5}\r\nab", 20),
            ("* 1 FETCH (A {5}\r\nabcde", 23),
            ("* 1 FETCH (A {5}\r\nabcde)\r", 23),
            ("* 1 FETCH (A {5}\r\nab\nde)\r\n", 26),
            ("", 0),
        ] {
            assert_eq!(Guard::default().watch(text.as_bytes()), Ok(whole), "{text:?}");
        }
    }

    #[test]
    fn what_comes_before_passes() {
        let good = "* 1 FETCH (A {3}\r\nabc)\r\n* 2 FETCH (A {99999999}\r";
        let found = Guard::default().watch(format!("{good}\nabc").as_bytes());
        assert_eq!(found, Err((good.len(), Excess::Length)));
    }
}
