//! The parts that contacts have in the story, as tables of days counted back from today.

/// What becomes of a relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arc {
    /// Weekly, both ways, to this day.
    Steady,
    /// Once strong, quiet for some weeks: the reason why there are nudges.
    Fading,
    /// Quiet in the same way, but a meeting is planned for next week.
    Planned,
    /// Was quiet, is back.
    Recovering,
    /// Strong once, silent for a year.
    Lapsed,
    /// Strong until the address bounced.
    MovedFrom,
    /// The same person at the new employer.
    MovedTo,
    /// Once a month.
    Monthly,
    /// Once a quarter.
    Quarterly,
    /// One exchange, long ago or lately.
    OneOff,
    /// Written to several times, never answered.
    Cold,
}

/// Exchanges at even distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rhythm {
    /// The first exchange, in days ago.
    pub(super) from: i64,
    /// The last one.
    pub(super) until: i64,
    /// Days between two.
    pub(super) every: i64,
    /// By how many days one may be late or early; the last one is neither.
    pub(super) jitter: i64,
    /// The fewest and the most messages of an exchange, both sides together.
    pub(super) turns: (i64, i64),
}

/// Rep, part, and how many contacts have it.
pub(super) const ARCS: &[(usize, Arc, i64)] = &[
    (0, Arc::Steady, 3),
    (0, Arc::Fading, 2),
    (0, Arc::Recovering, 1),
    (0, Arc::MovedFrom, 1),
    (0, Arc::MovedTo, 1),
    (0, Arc::Monthly, 6),
    (0, Arc::Quarterly, 6),
    (0, Arc::OneOff, 9),
    (0, Arc::Cold, 12),
    (1, Arc::Steady, 4),
    (1, Arc::Fading, 2),
    (1, Arc::Lapsed, 1),
    (1, Arc::Monthly, 6),
    (1, Arc::Quarterly, 6),
    (1, Arc::OneOff, 9),
    (1, Arc::Cold, 12),
    (2, Arc::Steady, 4),
    (2, Arc::Fading, 1),
    (2, Arc::Planned, 1),
    (2, Arc::Monthly, 6),
    (2, Arc::Quarterly, 6),
    (2, Arc::OneOff, 9),
    (2, Arc::Cold, 12),
];

/// The rhythms of the relationships that fall, by rep and slot. The last day is chosen so that
/// the strength came down to half of its baseline in the last three weeks (see the tests).
const FADING: [(usize, i64, Rhythm); 5] = [
    (0, 0, weekly(440, 66, (2, 3))),
    (0, 1, Rhythm { from: 190, until: 51, every: 5, jitter: 1, turns: (2, 3) }),
    (1, 0, weekly(400, 73, (2, 3))),
    (1, 1, Rhythm { from: 610, until: 70, every: 6, jitter: 1, turns: (2, 3) }),
    (2, 0, weekly(420, 64, (2, 3))),
];

/// When reps wrote once more into the silence: rep, slot, days ago.
pub(super) const CHASERS: [(usize, i64, i64); 2] = [(0, 1, 30), (1, 0, 33)];

/// When the old address of the contact who moved was found to be dead, in days ago.
pub(super) const BOUNCED: i64 = 141;

/// The exchanges of a part.
pub(super) fn rhythms(arc: Arc, rep: usize, slot: i64) -> Vec<Rhythm> {
    match arc {
        Arc::Steady => vec![weekly(725 - slot * 175, slot % 4, (2, 3))],
        Arc::Fading => FADING
            .iter()
            .filter(|(of, number, _)| (*of, *number) == (rep, slot))
            .map(|(_, _, rhythm)| *rhythm)
            .collect(),
        Arc::Planned => vec![weekly(430, 73, (2, 3))],
        Arc::Recovering => vec![
            weekly(700, 128, (2, 3)),
            Rhythm { from: 38, until: 2, every: 4, jitter: 1, turns: (2, 4) },
        ],
        Arc::Lapsed => vec![weekly(720, 385, (2, 3))],
        Arc::MovedFrom => vec![weekly(580, 152, (2, 3))],
        Arc::MovedTo => vec![weekly(112, 3, (2, 3))],
        Arc::Monthly => {
            vec![Rhythm {
                from: 700 - slot * 90,
                until: 3 + slot * 3,
                every: 30,
                jitter: 3,
                turns: (2, 2),
            }]
        }
        // Between two exchanges the strength falls to half every time, some 18 days after the
        // last: that must not be a matter of the last two months.
        Arc::Quarterly => {
            let last = if slot < 3 { 2 + slot * 3 } else { 80 + slot * 3 };
            vec![Rhythm { from: 690 - slot * 50, until: last, every: 91, jitter: 6, turns: (2, 3) }]
        }
        Arc::OneOff => {
            let day = 24 + slot * 71;
            vec![Rhythm { from: day, until: day, every: 1, jitter: 0, turns: (2, 3) }]
        }
        Arc::Cold => {
            let last = 6 + slot * 55;
            vec![Rhythm { from: last + 27, until: last, every: 9, jitter: 1, turns: (1, 1) }]
        }
    }
}

/// The meetings of a part: the same, but with nothing said.
pub(super) fn meetings(arc: Arc, slot: i64) -> Option<Rhythm> {
    let rhythm = |from, until, every| Rhythm { from, until, every, jitter: 4, turns: (1, 1) };
    match arc {
        Arc::Steady => Some(rhythm(700 - slot * 175, 9 + slot * 5, 35)),
        Arc::Fading | Arc::Planned => Some(rhythm(390, 140, 50)),
        Arc::Recovering | Arc::MovedFrom => Some(rhythm(560, 190, 50)),
        Arc::Lapsed => Some(rhythm(690, 420, 50)),
        Arc::Monthly if slot < 3 => Some(rhythm(690 - slot * 90, 500 - slot * 90, 60)),
        Arc::OneOff if slot % 3 == 1 => Some(rhythm(30 + slot * 70, 30 + slot * 70, 1)),
        _ => None,
    }
}

const fn weekly(from: i64, until: i64, turns: (i64, i64)) -> Rhythm {
    Rhythm { from, until, every: 7, jitter: 1, turns }
}
