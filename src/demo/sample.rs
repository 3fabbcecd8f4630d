//! The sample: 24 months of a small sales team's mail and calendars, as files.
//!
//! Three reps, some 120 contacts, headers only. The story ends on the day of `now` and is the same
//! for the same `now`, byte for byte; nothing in it is real. It guarantees that files are what
//! programs write: Maildir++ trees with the time of receipt as the file's time, iCalendar with
//! time zones and recurrences. Understanding them is left to the reader.

mod appointments;
mod arcs;
mod cast;
mod days;
mod diary;
mod extras;
mod letter;
mod lots;
mod story;
#[cfg(test)]
mod tests;

use std::fs::{self, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::model::{Span, Timestamp};
use days::Days;
use story::{Folder, Mail, Story};

/// The time zone of the office, for `organization.time_zone`.
pub const TIME_ZONE: chrono_tz::Tz = chrono_tz::America::New_York;

/// Who says in `Authentication-Results` whether a sender is genuine.
pub const AUTHSERV_ID: &str = "mx.hearth.example";

/// What was written, and what a configuration needs to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Domains whose addresses are colleagues.
    pub domains: Vec<String>,
    /// The reps and their sources.
    pub reps: Vec<SampleRep>,
    /// People outside who take part in the story; senders of newsletters and the like not counted.
    pub contacts: usize,
    /// Message files written; a message that lies in two places counts twice.
    pub messages: usize,
    /// Calendar entries written; a series counts once.
    pub events: usize,
    /// Bytes written.
    pub bytes: u64,
}

/// A rep of the sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleRep {
    /// The id.
    pub id: String,
    /// The display name.
    pub name: String,
    /// The usual address, then the alias.
    pub addresses: Vec<String>,
    /// The root of the Maildir++ tree.
    pub maildir: PathBuf,
    /// The iCalendar file.
    pub calendar: PathBuf,
}

/// Writes the sample below `dir`: `mail/<rep>/` and `calendar/<rep>.ics`.
///
/// # Errors
/// What the file system says; a file that is there already is one of them.
pub fn write(dir: &Path, now: Timestamp) -> io::Result<Sample> {
    let days = Days::until(now, TIME_ZONE);
    let cast = cast::contacts();
    let story = story::tell(&cast, &days);
    let mut sample = Sample {
        domains: vec![cast::HOME.to_owned()],
        reps: cast::REPS.iter().map(|rep| described(rep, dir)).collect(),
        // The one who changes employer has two entries in the cast.
        contacts: cast.len().saturating_sub(1),
        messages: 0,
        events: 0,
        bytes: 0,
    };
    write_mail(&story, &days, &mut sample)?;
    write_calendars(&story, &days, &mut sample)?;
    Ok(sample)
}

fn described(rep: &cast::Rep, dir: &Path) -> SampleRep {
    let address = |local: &str| format!("{local}@{}", cast::HOME);
    SampleRep {
        id: rep.id.to_owned(),
        name: rep.name.to_owned(),
        addresses: vec![address(rep.local), address(rep.alias)],
        maildir: dir.join("mail").join(rep.id),
        calendar: dir.join("calendar").join(format!("{}.ics", rep.id)),
    }
}

fn write_mail(story: &Story, days: &Days, sample: &mut Sample) -> io::Result<()> {
    for rep in &sample.reps {
        for folder in FOLDERS {
            make_maildir(&place(&rep.maildir, folder), folder)?;
        }
    }
    for mail in &story.mails {
        for (rep, folder) in &mail.copies {
            let Some(rep) = sample.reps.get(*rep) else { continue };
            let header = letter::header(mail, *folder, days.zone);
            let (state, name) = letter::file_name(mail, *folder, sample.messages);
            write_message(&place(&rep.maildir, *folder).join(state).join(name), &header, mail)?;
            sample.messages += 1;
            sample.bytes += header.len() as u64;
        }
    }
    Ok(())
}

fn write_calendars(story: &Story, days: &Days, sample: &mut Sample) -> io::Result<()> {
    for (number, rep) in sample.reps.iter().enumerate() {
        let (text, count) = diary::calendar(&story.events, number, days);
        if let Some(parent) = rep.calendar.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&rep.calendar, &text)?;
        sample.events += count;
        sample.bytes += text.len() as u64;
    }
    Ok(())
}

const FOLDERS: [Folder; 6] =
    [Folder::Inbox, Folder::Sent, Folder::Archive, Folder::Junk, Folder::Drafts, Folder::Trash];

/// Maildir++: the root is the inbox, other folders lie in it and begin with a dot.
fn place(root: &Path, folder: Folder) -> PathBuf {
    match folder {
        Folder::Inbox => root.to_owned(),
        Folder::Sent => root.join(".Sent"),
        Folder::Archive => root.join(".Archive"),
        Folder::Junk => root.join(".Junk"),
        Folder::Drafts => root.join(".Drafts"),
        Folder::Trash => root.join(".Trash"),
    }
}

fn make_maildir(path: &Path, folder: Folder) -> io::Result<()> {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(path.join(part))?;
    }
    if folder != Folder::Inbox {
        fs::write(path.join("maildirfolder"), "")?;
    }
    Ok(())
}

/// Writes a message with the time of its receipt, which a Maildir keeps as the file's.
fn write_message(path: &Path, header: &str, mail: &Mail) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(header.as_bytes())?;
    let received = UNIX_EPOCH + (mail.at - Timestamp::default()).max(Span::ZERO).to_duration();
    file.set_times(FileTimes::new().set_modified(received))
}
