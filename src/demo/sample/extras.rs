//! What lies between the letters: newsletters, machines, bounces, forgeries, colleagues.
//!
//! A mailbox of letters alone would prove nothing: each of these is something that a reader of
//! mailboxes gets wrong.

use super::appointments::{Event, Standing, When};
use super::arcs::{Arc, BOUNCED, CHASERS};
use super::cast::{Client, Contact, HOME, REPS};
use super::days::Days;
use super::lots::Lots;
use super::story::{
    Folder, Genre, Mail, Party, Who, contact_party, copies, message_id, rep_party, topic,
    usual_party,
};
use crate::model::Span;

/// Adds all of it to the letters.
pub(super) fn add(cast: &[Contact], days: &Days, events: &[Event], mails: &mut Vec<Mail>) {
    answered_by_machine(cast, days, mails);
    for rep in 0..REPS.len() {
        let lots = &mut Lots::of(&format!("extras {rep}"));
        regular(rep, days, lots, mails);
        colleagues(rep, days, lots, mails);
        groups(cast, rep, days, lots, mails);
        oddities(cast, rep, days, lots, mails);
    }
    into_silence(cast, days, mails);
    moved(cast, days, mails);
    invitations(events, days, mails);
}

/// A message with nothing special, to be changed.
fn plain(from: Party, to: Vec<Party>, at: (i64, i64), days: &Days, lots: &mut Lots) -> Mail {
    let mut mail = Mail {
        id: message_id(&from, lots),
        at: days.at(at.0, at.1) + Span::from_seconds(lots.between(0, 59)),
        offset: None,
        from,
        to,
        cc: Vec::new(),
        subject: topic(lots),
        answers: Vec::new(),
        genre: Genre::Letter,
        client: Client::Plain,
        copies: Vec::new(),
    };
    mail.copies = copies(&mail, days);
    mail
}

fn other(name: &str, address: &str) -> Party {
    Party { who: Who::Other, name: name.to_owned(), address: address.to_owned() }
}

/// Out-of-office replies to some letters, bounces of some of the cold ones, and some letters that
/// were put away twice.
fn answered_by_machine(cast: &[Contact], days: &Days, mails: &mut Vec<Mail>) {
    let lots = &mut Lots::of("machines");
    let mut answers = Vec::new();
    for mail in mails.iter_mut() {
        let (Who::Rep(rep), Some(first)) = (mail.from.who, mail.to.first()) else {
            if lots.percent(1) {
                mail.copies.extend(mail.copies.first().map(|(rep, _)| (*rep, Folder::Archive)));
            }
            continue;
        };
        let Who::Contact(index) = first.who else { continue };
        let Some(contact) = cast.get(index) else { continue };
        let bounced = contact.arc == Arc::Cold && contact.slot % 5 == 4;
        if !bounced && !lots.percent(2) {
            continue;
        }
        let genre = if bounced { Genre::Bounce } else { Genre::AutoReply };
        let from = if bounced {
            other("Mail Delivery System", &format!("mailer-daemon@mx.{HOME}"))
        } else {
            contact_party(contact, index)
        };
        let mut answer = plain(from, vec![usual_party(rep)], (0, 0), days, lots);
        answer.at = mail.at + Span::from_seconds(lots.between(4, 90));
        answer.copies = vec![(rep, Folder::Inbox)];
        answer.answers = vec![mail.id.clone()];
        answer.genre = genre;
        answer.subject = if bounced {
            "Undelivered Mail Returned to Sender".to_owned()
        } else {
            format!("Automatic reply: {}", mail.subject)
        };
        answers.push(answer);
    }
    mails.append(&mut answers);
}

/// What comes on its own, day after day: sender, name, days between two, genre.
const REGULAR: [(&str, &str, i64, Genre); 6] = [
    ("news@brightpages.example", "Bright Pages Weekly", 7, Genre::Newsletter),
    ("hello@lumenpost.example", "Ottilie at Lumenpost", 11, Genre::Newsletter),
    ("trade@lists.stovemakers.example", "Stove Trade List", 14, Genre::Newsletter),
    ("no-reply@tickets.hearthdesk.example", "Hearthdesk", 9, Genre::Robot),
    ("notifications@planboard.example", "Planboard", 12, Genre::Robot),
    ("offers@quick-credit-now.test", "QUICK CREDIT", 14, Genre::Spam),
];

fn regular(rep: usize, days: &Days, lots: &mut Lots, mails: &mut Vec<Mail>) {
    for (address, name, every, genre) in REGULAR {
        let mut day = 720;
        while day >= 0 {
            let at = (day, lots.between(5 * 60, 21 * 60));
            let mut mail = plain(other(name, address), vec![usual_party(rep)], at, days, lots);
            mail.genre = genre;
            mail.subject = format!("{name}: {}", mail.subject);
            if genre == Genre::Spam {
                mail.copies = vec![(rep, Folder::Junk)];
            } else if lots.percent(20) {
                mail.copies = vec![(rep, Folder::Trash)];
            }
            mails.push(mail);
            day -= every;
        }
    }
}

/// Letters between reps: no relationship, and the same message in two Maildirs.
fn colleagues(rep: usize, days: &Days, lots: &mut Lots, mails: &mut Vec<Mail>) {
    let mut day = 715;
    while day >= 0 {
        let at = (days.workday(day), lots.between(9 * 60, 17 * 60));
        let to = vec![usual_party((rep + 1) % REPS.len())];
        mails.push(plain(rep_party(rep, lots), to, at, days, lots));
        day -= lots.between(12, 20);
    }
}

/// Announcements to fifteen people, who do not include anybody whose silence is the story.
fn groups(cast: &[Contact], rep: usize, days: &Days, lots: &mut Lots, mails: &mut Vec<Mail>) {
    let known: Vec<Party> = cast
        .iter()
        .enumerate()
        .filter(|(_, contact)| contact.rep == rep)
        .filter(|(_, contact)| matches!(contact.arc, Arc::Steady | Arc::OneOff | Arc::Cold))
        .map(|(index, contact)| contact_party(contact, index))
        .take(15)
        .collect();
    for nth in 0..10 {
        let at = (days.workday(31 + nth * 68), lots.between(9 * 60, 12 * 60));
        let mut mail = plain(usual_party(rep), known.clone(), at, days, lots);
        mail.subject = "New price list and opening hours".to_owned();
        mails.push(mail);
    }
}

/// A forged sender, a message that claims to be from the rep, one to nobody visible, a draft.
fn oddities(cast: &[Contact], rep: usize, days: &Days, lots: &mut Lots, mails: &mut Vec<Mail>) {
    let own = usual_party(rep);
    let mut odd = |from, to, day, subject: &str, genre, folder| {
        let at = (days.workday(day), lots.between(9 * 60, 17 * 60));
        let mut mail = plain(from, to, at, days, lots);
        subject.clone_into(&mut mail.subject);
        mail.genre = genre;
        mail.copies = vec![(rep, folder)];
        mails.push(mail);
    };
    let of_arc = |wanted| {
        cast.iter()
            .enumerate()
            .find(|(_, contact)| (contact.rep, contact.arc) == (rep, wanted))
            .map(|(index, contact)| contact_party(contact, index))
    };
    if let Some(party) = of_arc(Arc::Fading) {
        let subject = "Our new bank details, please pay today";
        odd(party, vec![own.clone()], 6, subject, Genre::Forged, Folder::Inbox);
    }
    if let Some(party) = of_arc(Arc::Cold) {
        let subject = "Following up on my last message";
        odd(own.clone(), vec![party], 1, subject, Genre::Draft, Folder::Drafts);
    }
    let subject = "Your mailbox is almost full";
    odd(own.clone(), vec![own.clone()], 44, subject, Genre::Forged, Folder::Inbox);
    odd(own, Vec::new(), 75, "Showroom closed on Friday", Genre::Hidden, Folder::Sent);
    let seller = other("Hearty Greetings", "greetings@wickerbay.example");
    odd(seller, Vec::new(), 58, "Season's greetings", Genre::Hidden, Folder::Inbox);
}

/// Reps wrote once more to those who had gone quiet.
fn into_silence(cast: &[Contact], days: &Days, mails: &mut Vec<Mail>) {
    let lots = &mut Lots::of("chasers");
    for (rep, slot, day) in CHASERS {
        let chased = |c: &Contact| c.arc == Arc::Fading && (c.rep, c.slot) == (rep, slot);
        let Some(index) = cast.iter().position(chased) else { continue };
        let Some(contact) = cast.get(index) else { continue };
        let at = (days.workday(day), lots.between(10 * 60, 16 * 60));
        mails.push(plain(usual_party(rep), vec![contact_party(contact, index)], at, days, lots));
    }
}

/// The letter that did not reach the contact who changed employer, and its return.
fn moved(cast: &[Contact], days: &Days, mails: &mut Vec<Mail>) {
    let lots = &mut Lots::of("moved");
    let Some(index) = cast.iter().position(|contact| contact.arc == Arc::MovedFrom) else { return };
    let Some(contact) = cast.get(index) else { return };
    let at = (days.workday(BOUNCED), 11 * 60);
    let to = contact_party(contact, index);
    let letter = plain(usual_party(contact.rep), vec![to], at, days, lots);
    let daemon = other("Mail Delivery System", &format!("mailer-daemon@mx.{HOME}"));
    let mut report = plain(daemon, vec![usual_party(contact.rep)], at, days, lots);
    report.at = letter.at + Span::from_seconds(20);
    report.genre = Genre::Bounce;
    report.subject = "Undelivered Mail Returned to Sender".to_owned();
    report.answers = vec![letter.id.clone()];
    mails.extend([letter, report]);
}

/// Half of the single meetings came by mail, and were accepted by mail.
fn invitations(events: &[Event], days: &Days, mails: &mut Vec<Mail>) {
    let lots = &mut Lots::of("invitations");
    for event in events {
        let (When::Local(day, ..) | When::Utc(day, ..)) = event.when else { continue };
        let Some((guest, _)) = event.attendees.first() else { continue };
        if event.repeat.is_some() || event.standing == Standing::Transparent || lots.percent(50) {
            continue;
        }
        let (inviting, guest) = (event.organizer.clone(), guest.clone());
        let at = (days.workday(day.max(0) + 5), lots.between(9 * 60, 16 * 60));
        let mut request = plain(inviting.clone(), vec![guest.clone()], at, days, lots);
        request.genre = Genre::Invitation("REQUEST");
        request.subject = format!("Invitation: {}", event.summary);
        let mut reply = plain(guest, vec![inviting], at, days, lots);
        reply.at = request.at + Span::from_seconds(lots.between(600, 9000));
        reply.genre = Genre::Invitation("REPLY");
        reply.subject = format!("Accepted: {}", event.summary);
        reply.answers = vec![request.id.clone()];
        mails.extend([request, reply]);
    }
}
