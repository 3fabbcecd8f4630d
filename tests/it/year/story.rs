//! What happens between a rep and each contact in a year: drawn, the same every time.

use keepwarm::model::{Address, Cursor, Envelope, Key, MailboxInfo, Person, Role, Span, Timestamp};
use keepwarm::pipeline::ingest::Batch;

use super::START;

/// A message, and whether the rep has sent it.
pub(super) struct Mail {
    pub(super) envelope: Envelope,
    pub(super) sent: bool,
}

/// Numbers that look drawn.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of(&mut self, from: u64, to: u64) -> f64 {
        u32::try_from(from * 1000 + self.below((to - from) * 1000)).map_or(0.0, f64::from) / 1000.0
    }
}

pub(super) fn rep(n: usize) -> Address {
    Address::from_canonical(format!("rep{n}@us.example"))
}

fn contact(rep: usize, n: usize) -> Address {
    Address::from_canonical(format!("c{n}@org{}.example", (rep * 31 + n) / 4))
}

/// Everything of a rep, in any order.
pub(super) fn story(rep: usize, contacts: usize) -> Vec<Mail> {
    let mut mail = Vec::new();
    for n in 0..contacts {
        let seed = u64::try_from(rep * 1009 + n * 13 + 7).unwrap();
        let mut draw = Draw(seed);
        draw.below(9);
        of(&mut mail, &mut draw, rep, n);
    }
    mail
}

/// What one contact's year is like.
fn of(mail: &mut Vec<Mail>, draw: &mut Draw, rep: usize, n: usize) {
    let kind = draw.below(100);
    if kind < 40 {
        // Met in passing.
        for _ in 0..=draw.below(3) {
            let at = draw.of(0, 360);
            exchange(mail, draw, (rep, n), at);
        }
        return;
    }
    if kind >= 95 {
        // A newsletter.
        (0..52).for_each(|week| inbound(mail, (rep, n), 7.0 * f64::from(week), None));
        return;
    }
    let gap = draw.of(3, 25);
    let (lapses, back) = match kind {
        40..60 => (365.0, 365.0),
        60..76 => (draw.of(60, 280), 365.0),
        76..84 => {
            let at = draw.of(60, 200);
            (at, at + draw.of(70, 130))
        }
        _ => (draw.of(60, 280), 365.0),
    };
    let mut at = draw.of(0, 20);
    while at < 365.0 {
        if at < lapses || at >= back {
            exchange(mail, draw, (rep, n), at);
        }
        at += gap * draw.of(1, 3) / 2.0;
    }
    if (84..90).contains(&kind) {
        // The rep goes on alone.
        (1..5).for_each(|more| {
            outbound(mail, (rep, n), lapses + gap + 6.0 * f64::from(more), None);
        });
    } else if (90..95).contains(&kind) {
        // The contact waits for an answer.
        inbound(mail, (rep, n), lapses + gap, None);
    }
}

/// A message of either side and the answer of the other.
fn exchange(mail: &mut Vec<Mail>, draw: &mut Draw, pair: (usize, usize), at: f64) {
    let answered = at + draw.of(0, 40) / 24.0;
    if draw.below(2) == 0 {
        outbound(mail, pair, at, None);
        inbound(mail, pair, answered, Some(at));
    } else {
        inbound(mail, pair, at, None);
        outbound(mail, pair, answered, Some(at));
    }
}

fn outbound(mail: &mut Vec<Mail>, (rep, n): (usize, usize), at: f64, answers: Option<f64>) {
    mail.push(message(super::story::rep(rep), contact(rep, n), (rep, n), at, answers, true));
}

fn inbound(mail: &mut Vec<Mail>, (rep, n): (usize, usize), at: f64, answers: Option<f64>) {
    mail.push(message(contact(rep, n), super::story::rep(rep), (rep, n), at, answers, false));
}

fn message(
    from: Address,
    to: Address,
    pair: (usize, usize),
    at: f64,
    answers: Option<f64>,
    sent: bool,
) -> Mail {
    #[expect(clippy::cast_possible_truncation, reason = "a year in milliseconds")]
    let instant = |days: f64| START + Span::from_millis((days * 86_400_000.0) as i64);
    let key = |days: f64, sent: bool| {
        let at: Timestamp = instant(days);
        Key::of("year", &[format!("{pair:?} {at} {sent}").as_bytes()])
    };
    let name = |address: &Address| match address.as_str().split_once("@org") {
        Some((local, _)) => format!("Contact {}", local.trim_start_matches('c')),
        None => String::new(),
    };
    let person = |address: Address| Person { name: name(&address), address };
    let envelope = Envelope {
        key: key(at, sent),
        aliases: Vec::new(),
        references: answers.map(|asked| key(asked, !sent)).into_iter().collect(),
        at: instant(at),
        dated: true,
        from: Some(person(from)),
        to: vec![person(to)],
        cc: Vec::new(),
        subject: None,
        reply_subject: false,
        automated: None,
        authenticated: None,
        thread: None,
        sent: None,
        undelivered: None,
    };
    Mail { envelope, sent }
}

/// What has arrived at a rep, as deltas of two mailboxes.
pub(super) fn batches((rep, source): (i64, i64), mail: Vec<Mail>) -> [Batch; 2] {
    let (sent, received): (Vec<Mail>, Vec<Mail>) = mail.into_iter().partition(|one| one.sent);
    let batch = |name: &str, role, mail: Vec<Mail>| Batch {
        source,
        rep,
        mailbox: MailboxInfo { name: name.into(), role },
        messages: mail.into_iter().map(|one| one.envelope).collect(),
        invitations: Vec::new(),
        calendars: Vec::new(),
        objects: Vec::new(),
        quarantined: Vec::new(),
        seen: Vec::new(),
        gone: Vec::new(),
        private: Vec::new(),
        excluded: 0,
        complete: true,
        cursor: Cursor::Maildir,
        total: None,
    };
    [batch("INBOX", Role::Inbox, received), batch("Sent", Role::Sent, sent)]
}
