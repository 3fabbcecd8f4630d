//! Lots drawn from a fixed seed: the same story every time, on every machine.

/// SplitMix64 (Steele, Lea and Flood 2014): small, and good enough to make a story uneven.
#[derive(Clone, Debug)]
pub(super) struct Lots(u64);

/// The seed of the whole sample.
const SEED: u64 = 0x6b65_6570_7761_726d;

impl Lots {
    /// A sequence of its own for each `purpose`, so that adding lots to one leaves others alone.
    pub(super) fn of(purpose: &str) -> Self {
        let mut lots = Self(SEED);
        for byte in purpose.bytes() {
            lots.0 = lots.next() ^ u64::from(byte);
        }
        lots
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of `low..=high`; `low` if they are the wrong way round.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high.saturating_sub(low)).unwrap_or(0).saturating_add(1);
        low.saturating_add(i64::try_from(self.next() % width).unwrap_or(0))
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, share: i64) -> bool {
        self.between(0, 99) < share
    }

    /// One of `choices`; the empty string if there are none.
    pub(super) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let last = i64::try_from(choices.len()).unwrap_or(0).saturating_sub(1);
        let index = usize::try_from(self.between(0, last)).unwrap_or(0);
        choices.get(index).copied().unwrap_or_default()
    }
}
