//! What people send of a meeting, and what comes of it.

pub(super) const REQUEST: &str = "DTSTAMP:20260201T080000Z|DTSTART:20260302T100000Z|DURATION:PT1H|\
    ORGANIZER:mailto:@bo|ATTENDEE;PARTSTAT=ACCEPTED:mailto:@ann|ATTENDEE;PARTSTAT=ACCEPTED:mailto:@cy";
const MINE: &str = "DTSTAMP:20260201T080000Z|DTSTART:20260302T100000Z|DURATION:PT1H|\
    ORGANIZER:mailto:@ann|ATTENDEE;PARTSTAT=ACCEPTED:mailto:@bo|ATTENDEE:mailto:@cy";
const ACCEPT: &str = "DTSTAMP:20260202T080000Z|ORGANIZER:mailto:@bo|\
    ATTENDEE;PARTSTAT=ACCEPTED:mailto:@ann";
pub(super) const WEEKLY: &str = "DTSTAMP:20260201T080000Z|DTSTART;TZID=Europe/Berlin:20260316T100000|\
    DURATION:PT1H|RRULE:FREQ=WEEKLY;COUNT=3|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann";

pub(super) type Mail = (&'static str, &'static str, &'static str);

pub(super) const STORIES: &[(&str, &[Mail], &str)] = &[
    (
        "an invitation says nothing of the rep",
        &[("bo", "REQUEST", REQUEST)],
        "03-02T10:00 *bo ann? cy+",
    ),
    (
        "his answer does",
        &[("bo", "REQUEST", REQUEST), ("ann", "REPLY", ACCEPT)],
        "03-02T10:00 *bo ann+ cy+",
    ),
    (
        "from any of his addresses",
        &[("bo", "REQUEST", REQUEST), ("lee", "REPLY", ACCEPT)],
        "03-02T10:00 *bo ann+ cy+",
    ),
    (
        "the last one",
        &[
            ("bo", "REQUEST", REQUEST),
            ("ann", "REPLY", ACCEPT),
            (
                "ann",
                "REPLY",
                "DTSTAMP:20260203T080000Z|ORGANIZER:mailto:@bo|ATTENDEE;PARTSTAT=DECLINED:mailto:@ann",
            ),
        ],
        "03-02T10:00 *bo ann- cy+",
    ),
    (
        "nobody answers for somebody else",
        &[("bo", "REQUEST", REQUEST), ("cy", "REPLY", ACCEPT), ("evil", "REPLY", ACCEPT)],
        "03-02T10:00 *bo ann? cy+",
    ),
    (
        "nobody invites for somebody else",
        &[("evil", "REQUEST", REQUEST), ("ann", "REPLY", ACCEPT)],
        "",
    ),
    ("an answer alone is no meeting", &[("ann", "REPLY", ACCEPT)], ""),
    (
        "the rep's guests answer for themselves",
        &[("ann", "REQUEST", MINE)],
        "03-02T10:00 *ann bo? cy?",
    ),
    (
        "and do",
        &[
            ("ann", "REQUEST", MINE),
            (
                "bo",
                "REPLY",
                "DTSTAMP:20260202T080000Z|ORGANIZER:mailto:@ann|ATTENDEE;PARTSTAT=ACCEPTED:mailto:@bo",
            ),
            (
                "cy",
                "REPLY",
                "DTSTAMP:20260202T080000Z|ORGANIZER:mailto:@ann|ATTENDEE;PARTSTAT=TENTATIVE:mailto:@cy",
            ),
        ],
        "03-02T10:00 *ann bo+ cy~",
    ),
    (
        "an answer to an earlier version does not count",
        &[
            ("bo", "REQUEST", REQUEST),
            ("ann", "REPLY", ACCEPT),
            (
                "bo",
                "REQUEST",
                "SEQUENCE:1|DTSTAMP:20260203T080000Z|DTSTART:20260304T100000Z|DURATION:PT1H|\
                 ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
        ],
        "03-04T10:00 *bo ann?",
    ),
    (
        "sent again, without a new version, it does",
        &[
            ("bo", "REQUEST", REQUEST),
            ("ann", "REPLY", ACCEPT),
            (
                "bo",
                "REQUEST",
                "DTSTAMP:20260203T080000Z|DTSTART:20260302T110000Z|DURATION:PT1H|\
                 ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
        ],
        "03-02T11:00 *bo ann+",
    ),
    (
        "called off",
        &[
            ("bo", "REQUEST", REQUEST),
            ("ann", "REPLY", ACCEPT),
            (
                "bo",
                "CANCEL",
                "SEQUENCE:1|DTSTAMP:20260204T080000Z|STATUS:CANCELLED|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
        ],
        "x03-02T10:00 *bo ann+ cy+",
    ),
    (
        "by somebody who may not",
        &[
            ("bo", "REQUEST", REQUEST),
            (
                "evil",
                "CANCEL",
                "SEQUENCE:1|DTSTAMP:20260204T080000Z|STATUS:CANCELLED|ORGANIZER:mailto:@bo",
            ),
            (
                "cy",
                "CANCEL",
                "SEQUENCE:1|DTSTAMP:20260204T080000Z|STATUS:CANCELLED|ORGANIZER:mailto:@cy",
            ),
        ],
        "03-02T10:00 *bo ann? cy+",
    ),
    (
        "called off before it was invited to again",
        &[
            (
                "bo",
                "CANCEL",
                "SEQUENCE:1|DTSTAMP:20260204T080000Z|STATUS:CANCELLED|ORGANIZER:mailto:@bo",
            ),
            (
                "bo",
                "REQUEST",
                "SEQUENCE:2|DTSTAMP:20260205T080000Z|DTSTART:20260306T100000Z|DURATION:PT1H|\
                 ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
        ],
        "03-06T10:00 *bo ann?",
    ),
    (
        "one guest is not wanted any more",
        &[
            ("bo", "REQUEST", REQUEST),
            ("ann", "REPLY", ACCEPT),
            ("bo", "CANCEL", "DTSTAMP:20260204T080000Z|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann"),
        ],
        "03-02T10:00 *bo ann- cy+",
    ),
    (
        "proposals decide nothing",
        &[
            ("bo", "REQUEST", REQUEST),
            (
                "ann",
                "COUNTER",
                "SEQUENCE:1|DTSTAMP:20260204T080000Z|DTSTART:20260309T100000Z|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
            (
                "bo",
                "DECLINECOUNTER",
                "SEQUENCE:1|DTSTAMP:20260204T080000Z|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
            (
                "ann",
                "REFRESH",
                "DTSTAMP:20260204T080000Z|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
        ],
        "03-02T10:00 *bo ann? cy+",
    ),
    (
        "a stranger takes the uid",
        &[
            ("bo", "REQUEST", REQUEST),
            ("ann", "REPLY", ACCEPT),
            (
                "evil",
                "REQUEST",
                "SEQUENCE:9|DTSTAMP:20260101T080000Z|DTSTART:20260405T100000Z|DURATION:PT1H|\
                 ORGANIZER:mailto:evil@acme.example|ATTENDEE;PARTSTAT=ACCEPTED:mailto:@ann",
            ),
        ],
        "03-02T10:00 *bo ann+ cy+",
    ),
    (
        "a series, answered, one of it declined, one moved, one called off",
        &[
            ("bo", "REQUEST", WEEKLY),
            ("ann", "REPLY", ACCEPT),
            (
                "ann",
                "REPLY",
                "DTSTAMP:20260210T080000Z|RECURRENCE-ID;TZID=Europe/Berlin:20260316T100000|\
                 ORGANIZER:mailto:@bo|ATTENDEE;PARTSTAT=DECLINED:mailto:@ann",
            ),
            (
                "bo",
                "REQUEST",
                "DTSTAMP:20260211T080000Z|RECURRENCE-ID:20260323T090000Z|DTSTART:20260324T150000Z|\
                 DURATION:PT1H|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
            (
                "bo",
                "CANCEL",
                "DTSTAMP:20260212T080000Z|RECURRENCE-ID;VALUE=DATE:20260330|STATUS:CANCELLED|\
                 ORGANIZER:mailto:@bo",
            ),
        ],
        "03-16T09:00 *bo ann-, 03-24T15:00 *bo ann+, x03-30T08:00 *bo ann+",
    ),
    (
        "the rest of a series called off",
        &[
            ("bo", "REQUEST", WEEKLY),
            (
                "bo",
                "CANCEL",
                "DTSTAMP:20260212T080000Z|RECURRENCE-ID;RANGE=THISANDFUTURE:20260323T090000Z|\
                 STATUS:CANCELLED|ORGANIZER:mailto:@bo",
            ),
        ],
        "03-16T09:00 *bo ann?, x03-23T09:00 *bo ann?, x03-30T08:00 *bo ann?",
    ),
    (
        "an occurrence added",
        &[
            ("bo", "REQUEST", WEEKLY),
            (
                "bo",
                "ADD",
                "SEQUENCE:1|DTSTAMP:20260212T080000Z|DTSTART:20260401T090000Z|DURATION:PT1H|\
                 ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
        ],
        "03-16T09:00 *bo ann?, 03-23T09:00 *bo ann?, 03-30T08:00 *bo ann?, 04-01T09:00 *bo ann?",
    ),
    (
        "only one occurrence is known of",
        &[
            (
                "bo",
                "REQUEST",
                "DTSTAMP:20260211T080000Z|RECURRENCE-ID:20260323T090000Z|DTSTART:20260324T150000Z|\
                 DURATION:PT1H|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
            ),
            ("ann", "REPLY", ACCEPT),
        ],
        "03-24T15:00 *bo ann+",
    ),
    (
        "people of whom nothing may be written down",
        &[(
            "bo",
            "REQUEST",
            "DTSTART:20260302T100000Z|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann|ATTENDEE:mailto:lawyer@firm.example",
        )],
        "03-02T10:00 *bo ann?",
    ),
    (
        "who organises it too",
        &[(
            "lawyer@firm.example",
            "REQUEST",
            "DTSTART:20260302T100000Z|ORGANIZER:mailto:lawyer@firm.example|ATTENDEE:mailto:@ann",
        )],
        "",
    ),
    (
        "a private one",
        &[(
            "bo",
            "REQUEST",
            "CLASS:PRIVATE|DTSTART:20260302T100000Z|ORGANIZER:mailto:@bo|ATTENDEE:mailto:@ann",
        )],
        "",
    ),
];
