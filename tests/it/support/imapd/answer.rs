//! Commands and their honest answers.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::fetch::{By, fetch};
use super::mail::{Account, Change, Mailbox};
use super::profile::{Profile, Told};
use super::{PASSWORD, Shared};

/// A command as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) tag: String,
    /// In upper case; with its second word after UID.
    pub(super) name: String,
    pub(super) arguments: String,
}

/// What comes after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The next command.
    Go,
    /// IDLE, to be ended by DONE.
    Idle,
    /// The credentials that were asked for.
    Credentials,
    /// The end.
    Close,
}

/// What a session has come to.
#[derive(Debug)]
pub(super) struct State {
    pub(super) shared: Arc<Shared>,
    pub(super) user: String,
    pub(super) account: Option<Arc<Account>>,
    pub(super) open: Option<Open>,
}

/// The mailbox that a session has opened.
#[derive(Clone, Debug)]
pub(super) struct Open {
    id: u64,
    pub(super) name: String,
    /// How many of its changes the session knows.
    told: usize,
}

impl Command {
    pub(super) fn parse(line: &str) -> Self {
        let (tag, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words = rest.splitn(2, ' ');
        let mut name = words.next().unwrap_or_default().to_ascii_uppercase();
        let mut arguments = words.next().unwrap_or_default();
        if name == "UID" {
            let (second, more) = arguments.split_once(' ').unwrap_or((arguments, ""));
            name = format!("UID {}", second.to_ascii_uppercase());
            arguments = more;
        }
        Self { tag: tag.to_owned(), name, arguments: arguments.to_owned() }
    }

    /// Without the tag.
    pub(super) fn line(&self) -> String {
        if self.arguments.is_empty() {
            return self.name.clone();
        }
        format!("{} {}", self.name, self.arguments)
    }
}

impl State {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, user: String::new(), account: None, open: None }
    }

    /// The answer to a command.
    pub(super) fn answer(&mut self, command: &Command) -> (Vec<u8>, Then) {
        let (tag, arguments) = (command.tag.as_str(), command.arguments.as_str());
        let done = |words: &str| (format!("{tag} {words}\r\n").into_bytes(), Then::Go);
        let profile = self.shared.profile.clone();
        match (command.name.as_str(), self.account.clone()) {
            ("CAPABILITY", account) => {
                let list = if account.is_some() { profile.after } else { profile.before };
                done("OK done").prefixed(&format!("* CAPABILITY {list}\r\n"))
            }
            ("NOOP" | "UNSELECT" | "CLOSE" | "ENABLE", _) => done("OK done").prefixed(&self.news()),
            ("ID", _) => done("OK ID completed").prefixed("* ID (\"name\" \"imapd\")\r\n"),
            ("LOGOUT", _) => {
                let (bytes, _) = done("OK Logout completed.").prefixed("* BYE Logging out\r\n");
                (bytes, Then::Close)
            }
            ("LOGIN", None) => match strings(arguments).as_slice() {
                [user, password] => done(&self.login(user, password)),
                _ => done("BAD LOGIN what?"),
            },
            ("AUTHENTICATE", None) => match arguments.split_once(' ') {
                Some(("PLAIN", initial)) => self.credentials(tag, initial),
                None if arguments == "PLAIN" => (b"+ \r\n".to_vec(), Then::Credentials),
                _ => done("NO Unsupported authentication mechanism."),
            },
            (_, None) => done("BAD Please log in first."),
            ("LIST", Some(account)) => {
                done("OK List completed.").prefixed(&list(&account.lock(), arguments, &profile))
            }
            ("STATUS", Some(account)) => match status_of(&account.lock(), arguments) {
                Some(line) => done("OK Status completed.").prefixed(&line),
                None => done("NO [NONEXISTENT] No such mailbox."),
            },
            ("EXAMINE" | "SELECT", Some(account)) => self.examine(&account, tag, arguments),
            ("FETCH", Some(account)) => self.fetch(&account, tag, arguments, By::Number),
            ("UID FETCH", Some(account)) => self.fetch(&account, tag, arguments, By::Uid),
            ("IDLE", Some(_)) => (b"+ idling\r\n".to_vec(), Then::Idle),
            _ => done("BAD Unknown command."),
        }
    }

    /// The answer to the credentials of AUTHENTICATE PLAIN.
    pub(super) fn credentials(&mut self, tag: &str, line: &str) -> (Vec<u8>, Then) {
        let plain = STANDARD.decode(line).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parts: Vec<&str> = plain.as_deref().unwrap_or_default().split('\0').collect();
        let words = match parts.as_slice() {
            [_, user, password] => self.login(user, password),
            _ => "BAD Invalid base64 data.".to_owned(),
        };
        (format!("{tag} {words}\r\n").into_bytes(), Then::Go)
    }

    /// What the session has not been told yet about the mailbox that it has opened; a BYE if that
    /// is not there any more.
    pub(super) fn news(&mut self) -> String {
        let (Some(open), Some(account)) = (&mut self.open, &self.account) else {
            return String::new();
        };
        let mailboxes = account.lock();
        let Some(mailbox) = mailboxes.iter().find(|mailbox| mailbox.id == open.id) else {
            self.open = None;
            return "* BYE The mailbox has gone or was replaced.\r\n".to_owned();
        };
        let news = &mailbox.changes[open.told..];
        open.told = mailbox.changes.len();
        let mut text = String::new();
        for (place, change) in news.iter().enumerate() {
            match (change, news.get(place + 1)) {
                // Only the last of a row says what is.
                (Change::Exists(_), Some(Change::Exists(_))) => {}
                (Change::Exists(count), _) => text.push_str(&format!("* {count} EXISTS\r\n")),
                (Change::Expunge(number), _) => text.push_str(&format!("* {number} EXPUNGE\r\n")),
            }
        }
        text
    }

    fn login(&mut self, user: &str, password: &str) -> String {
        let account = self.shared.account(user).filter(|_| password == PASSWORD);
        let Some(account) = account else {
            return "NO [AUTHENTICATIONFAILED] Authentication failed.".to_owned();
        };
        (self.account, self.user) = (Some(account), user.to_owned());
        match self.shared.profile.told_at_login {
            Told::Yes => format!("OK [CAPABILITY {}] Logged in", self.shared.profile.after),
            Told::No => "OK Logged in".to_owned(),
        }
    }

    fn examine(&mut self, account: &Account, tag: &str, arguments: &str) -> (Vec<u8>, Then) {
        self.open = None;
        let (name, mailboxes) = (strings(arguments).pop().unwrap_or_default(), account.lock());
        let Some(mailbox) = found(&mailboxes, &name).filter(|mailbox| mailbox.opens()) else {
            let words = format!("{tag} NO [NONEXISTENT] Mailbox doesn't exist: {name}\r\n");
            return (words.into_bytes(), Then::Go);
        };
        self.open = Some(Open { id: mailbox.id, name, told: mailbox.changes.len() });
        let text = format!(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n\
             * OK [PERMANENTFLAGS ()] Read-only mailbox.\r\n* {} EXISTS\r\n* 0 RECENT\r\n\
             * OK [UIDVALIDITY {}] UIDs valid\r\n* OK [UIDNEXT {}] Predicted next UID\r\n\
             {tag} OK [READ-ONLY] Examine completed.\r\n",
            mailbox.exists(),
            mailbox.validity,
            mailbox.next
        );
        (text.into_bytes(), Then::Go)
    }

    fn fetch(&mut self, account: &Account, tag: &str, arguments: &str, by: By) -> (Vec<u8>, Then) {
        let Some(open) = &self.open else {
            return (format!("{tag} BAD No mailbox selected.\r\n").into_bytes(), Then::Go);
        };
        let fetched = account
            .lock()
            .iter()
            .find(|mailbox| mailbox.id == open.id)
            .map(|mailbox| fetch(mailbox, arguments, by));
        let mut bytes = match fetched {
            Some(Some(bytes)) => bytes,
            Some(None) => return (format!("{tag} BAD FETCH what?\r\n").into_bytes(), Then::Go),
            None => Vec::new(),
        };
        // Numbers must not change under a FETCH that goes by them (RFC 9051, 7.5.1).
        if by == By::Uid {
            bytes.extend(self.news().bytes());
        }
        bytes.extend(format!("{tag} OK Fetch completed.\r\n").bytes());
        (bytes, Then::Go)
    }
}

trait Prefixed {
    fn prefixed(self, text: &str) -> Self;
}

impl Prefixed for (Vec<u8>, Then) {
    /// With untagged answers before it.
    fn prefixed(self, text: &str) -> Self {
        ([text.as_bytes(), &self.0].concat(), self.1)
    }
}

fn found<'a>(mailboxes: &'a [Mailbox], name: &str) -> Option<&'a Mailbox> {
    let inbox = name.eq_ignore_ascii_case("INBOX");
    mailboxes.iter().find(|mailbox| mailbox.name == name || inbox && mailbox.name == "INBOX")
}

/// `"" "*"`, with or without `RETURN (SPECIAL-USE STATUS (...))`.
fn list(mailboxes: &[Mailbox], arguments: &str, profile: &Profile) -> String {
    let (basic, options) = arguments.split_once(" RETURN (").unwrap_or((arguments, ""));
    let pattern = strings(basic).pop().unwrap_or_default();
    let items = options.split_once("STATUS (").map(|(_, rest)| rest.trim_end_matches(')'));
    let mut text = String::new();
    for mailbox in mailboxes {
        let matches = match pattern.as_str() {
            "*" => true,
            "%" => !mailbox.name.contains(profile.delimiter),
            name => mailbox.name == name,
        };
        if !matches {
            continue;
        }
        let (attributes, delimiter) = (&mailbox.attributes, profile.delimiter);
        let name = quoted(&mailbox.name);
        text.push_str(&format!("* LIST ({attributes}) \"{delimiter}\" {name}\r\n"));
        if let Some(items) = items.filter(|_| profile.has("LIST-STATUS") && mailbox.opens()) {
            text.push_str(&status(mailbox, items));
        }
    }
    text
}

fn status_of(mailboxes: &[Mailbox], arguments: &str) -> Option<String> {
    let (name, items) = arguments.rsplit_once(" (")?;
    let mailbox = found(mailboxes, strings(name).first()?)?;
    Some(status(mailbox, items.trim_end_matches(')')))
}

fn status(mailbox: &Mailbox, items: &str) -> String {
    let values: Vec<String> = items
        .split(' ')
        .map(|item| match item {
            "MESSAGES" => format!("MESSAGES {}", mailbox.exists()),
            "UIDNEXT" => format!("UIDNEXT {}", mailbox.next),
            "UIDVALIDITY" => format!("UIDVALIDITY {}", mailbox.validity),
            other => format!("{other} 0"),
        })
        .collect();
    format!("* STATUS {} ({})\r\n", quoted(&mailbox.name), values.join(" "))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Arguments that are atoms or quoted strings.
fn strings(text: &str) -> Vec<String> {
    let (mut found, mut characters) = (Vec::new(), text.chars().peekable());
    while let Some(first) = characters.next() {
        let mut string = String::new();
        match first {
            ' ' => continue,
            '"' => {
                while let Some(next) = characters.next().filter(|next| *next != '"') {
                    string.extend(if next == '\\' { characters.next() } else { Some(next) });
                }
            }
            _ => {
                string.push(first);
                while let Some(next) = characters.next_if(|next| *next != ' ') {
                    string.push(next);
                }
            }
        }
        found.push(string);
    }
    found
}
