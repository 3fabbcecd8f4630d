//! Which mailboxes there are, which of them are read, and in which order.
//!
//! The choice is pure. It goes by the attributes that the server gives (RFC 6154; also from servers
//! that do not announce SPECIAL-USE), else by name. Spam, deleted mail and drafts are never read.

use std::collections::HashMap;

use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response, StatusAttribute};

use super::login::Capabilities;
use super::plan::Snapshot;
use super::quirks::Layout;
use super::session::{Conversation, Failure};
use crate::model::{MailboxInfo, Role};
use crate::source::names::{covers, is_sendable, levels, quoted, unescaped};
use crate::source::role::{Purpose, by_levels};
use crate::source::{SkipReason, Skipped, SourceError};

/// Most mailboxes of one account; more is a server gone wrong.
const MOST_MAILBOXES: usize = 50_000;

/// A mailbox as the server lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// The name on the wire, without quotes and escapes.
    pub(super) name: String,
    /// What separates the levels of the name.
    pub(super) delimiter: Option<String>,
    /// What the server says that it is for.
    pub(super) purpose: Option<Purpose>,
    /// Whether the server says that it cannot be opened.
    pub(super) closed: bool,
    /// What is in it, where the server told along with the list.
    pub(super) status: Option<Snapshot>,
}

/// A mailbox to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Its name and role.
    pub(super) info: MailboxInfo,
    /// What is in it, where the server told along with the list.
    pub(super) status: Option<Snapshot>,
}

/// How mailboxes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// LIST and no more.
    Names,
    /// Their use along with them (RFC 5258, RFC 6154).
    Uses,
    /// Their use and their state (RFC 5819).
    States,
}

impl Form {
    /// The most telling form that a server can do.
    pub(super) fn of(told: &Capabilities) -> Self {
        match (told.has("LIST-EXTENDED"), told.has("LIST-STATUS")) {
            (true, true) => Self::States,
            (true, false) => Self::Uses,
            (false, _) => Self::Names,
        }
    }
}

/// Asks for all mailboxes, with their use and state where the server can tell.
pub(super) async fn list(
    conversation: &mut Conversation,
    form: Form,
) -> Result<Vec<Listed>, SourceError> {
    let command = match form {
        Form::States => r#"LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY))"#,
        Form::Uses => r#"LIST "" "*" RETURN (SPECIAL-USE)"#,
        Form::Names => r#"LIST "" "*""#,
    };
    let mut listed: Vec<Listed> = Vec::new();
    let mut states: HashMap<String, Snapshot> = HashMap::new();
    conversation
        .exec(command, |response| {
            match response {
                Response::MailboxData(MailboxDatum::List(data)) => listed.push(Listed {
                    name: unescaped(&data.name),
                    delimiter: data.delimiter.as_deref().map(unescaped),
                    purpose: data.name_attributes.iter().find_map(purpose),
                    closed: data.name_attributes.iter().any(is_closed),
                    status: None,
                }),
                Response::MailboxData(MailboxDatum::Status { mailbox, status }) => {
                    states.extend(snapshot(status).map(|state| (unescaped(mailbox), state)));
                }
                _ => {}
            }
            if listed.len() > MOST_MAILBOXES {
                return Err(SourceError::Protocol("an endless list of mailboxes".to_owned()));
            }
            Ok(())
        })
        .await?;
    for mailbox in &mut listed {
        mailbox.status = states.remove(&mailbox.name);
    }
    Ok(listed)
}

/// Asks for the states of mailboxes, all at once (RFC 9051, 6.3.11); one that the server refuses to
/// tell, or tells half, is missing.
pub(super) async fn states(
    conversation: &mut Conversation,
    names: &[String],
) -> Result<Vec<(String, Snapshot)>, SourceError> {
    let mut sent = Vec::with_capacity(names.len());
    for name in names {
        let command = format!("STATUS {} (MESSAGES UIDNEXT UIDVALIDITY)", quoted(name));
        sent.push(conversation.send(&command).await?);
    }
    let mut states = Vec::with_capacity(names.len());
    for command in sent {
        let done = conversation
            .finish(command, &[], |response| {
                if let Response::MailboxData(MailboxDatum::Status { mailbox, status }) = response {
                    states.extend(snapshot(status).map(|state| (unescaped(mailbox), state)));
                }
                Ok(())
            })
            .await;
        if let Err(Failure::Over(error)) = done {
            return Err(error);
        }
    }
    Ok(states)
}

/// A mailbox's state from a STATUS answer, if it is whole.
pub(super) fn snapshot(status: &[StatusAttribute]) -> Option<Snapshot> {
    let (mut exists, mut uid_next, mut uid_validity) = (None, None, None);
    for attribute in status {
        match attribute {
            StatusAttribute::Messages(count) => exists = Some(*count),
            StatusAttribute::UidNext(uid) => uid_next = Some(*uid),
            StatusAttribute::UidValidity(validity) => uid_validity = Some(*validity),
            _ => {}
        }
    }
    Some(Snapshot { uid_validity: uid_validity?, uid_next: uid_next?, exists: exists? })
}

/// The mailboxes to read, most telling first, and the others with the reason.
///
/// Where one mailbox holds all mail (Gmail's), only that one is read, unless `layout` knows better.
/// `exclude` are names as people see them or as on the wire, in any case; what lies below an
/// excluded mailbox is excluded too.
pub(super) fn choose(
    listed: Vec<Listed>,
    exclude: &[String],
    layout: Layout,
) -> (Vec<Chosen>, Vec<Skipped>) {
    let (mut chosen, mut skipped) = (Vec::new(), Vec::new());
    for mailbox in listed {
        match role(&mailbox, exclude) {
            Ok(role) => chosen.push(Chosen {
                info: MailboxInfo { name: mailbox.name, role },
                status: mailbox.status,
            }),
            Err(reason) => skipped.push(Skipped { mailbox: mailbox.name, role: None, reason }),
        }
    }
    let has_all = chosen.iter().any(|mailbox| mailbox.info.role == Role::All);
    let read = |role: Role| match (layout, has_all) {
        (Layout::AllMailRepeats, _) => role != Role::All,
        (_, true) => role == Role::All,
        (Layout::Labels, false) => matches!(role, Role::Inbox | Role::Sent),
        (Layout::Folders, false) => true,
    };
    let (mut chosen, held): (Vec<_>, Vec<_>) =
        chosen.into_iter().partition(|mailbox: &Chosen| read(mailbox.info.role));
    skipped.extend(held.into_iter().map(|mailbox| Skipped {
        mailbox: mailbox.info.name,
        role: Some(mailbox.info.role),
        reason: SkipReason::HeldElsewhere,
    }));
    chosen.sort_by_key(|mailbox| match mailbox.info.role {
        Role::All => 0,
        Role::Inbox => 1,
        Role::Sent => 2,
        _ => 3,
    });
    chosen.dedup_by(|a, b| a.info.name == b.info.name);
    (chosen, skipped)
}

fn role(mailbox: &Listed, exclude: &[String]) -> Result<Role, SkipReason> {
    let delimiter = mailbox.delimiter.as_deref().unwrap_or_default();
    if mailbox.closed || !is_sendable(&mailbox.name) {
        return Err(SkipReason::NotSelectable);
    }
    if exclude.iter().any(|name| covers(name, &mailbox.name, delimiter)) {
        return Err(SkipReason::Excluded);
    }
    if mailbox.name.eq_ignore_ascii_case("INBOX") {
        return Ok(Role::Inbox);
    }
    mailbox.purpose.unwrap_or_else(|| by_levels(&levels(&mailbox.name, delimiter))).role()
}

fn purpose(attribute: &NameAttribute<'_>) -> Option<Purpose> {
    match attribute {
        NameAttribute::All => Some(Purpose::All),
        NameAttribute::Sent => Some(Purpose::Sent),
        NameAttribute::Drafts => Some(Purpose::Drafts),
        NameAttribute::Junk => Some(Purpose::Junk),
        NameAttribute::Trash => Some(Purpose::Trash),
        NameAttribute::Archive => Some(Purpose::Other),
        _ => None,
    }
}

fn is_closed(attribute: &NameAttribute<'_>) -> bool {
    match attribute {
        NameAttribute::NoSelect => true,
        NameAttribute::Extension(name) => name.eq_ignore_ascii_case("\\NonExistent"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, purpose: Option<Purpose>) -> Listed {
        let delimiter = Some("/".to_owned());
        Listed { name: name.to_owned(), delimiter, purpose, ..Listed::default() }
    }

    fn verdicts(names: &[(&str, Option<Purpose>)], exclude: &[&str]) -> Vec<String> {
        verdicts_in(Layout::Folders, names, exclude)
    }

    fn verdicts_in(
        layout: Layout,
        names: &[(&str, Option<Purpose>)],
        exclude: &[&str],
    ) -> Vec<String> {
        let listed = names.iter().map(|(name, purpose)| listed(name, *purpose)).collect();
        let exclude: Vec<String> = exclude.iter().map(|name| (*name).to_owned()).collect();
        let (chosen, skipped) = choose(listed, &exclude, layout);
        let read = chosen.iter().map(|c| format!("{} {:?}", c.info.name, c.info.role));
        let not = skipped.iter().map(|s| format!("{} -{}", s.mailbox, s.reason.code()));
        read.chain(not).collect()
    }

    #[test]
    fn attributes_decide_before_names_and_only_known_levels_have_names() {
        let found = verdicts(
            &[
                ("Old", Some(Purpose::Sent)),
                ("Entw&APw-rfe", None),
                ("Customers/Sent", None),
                ("INBOX/Sent Items", None),
                ("inbox", None),
                ("Trash", Some(Purpose::Other)),
                ("Spam", None),
            ],
            &[],
        );
        assert_eq!(
            found,
            [
                "inbox Inbox",
                "Old Sent",
                "INBOX/Sent Items Sent",
                "Customers/Sent Other",
                "Trash Other",
                "Entw&APw-rfe -drafts",
                "Spam -junk",
            ]
        );
    }

    #[test]
    fn all_mail_stands_for_the_rest_unless_it_is_excluded() {
        let gmail = [
            ("INBOX", None),
            ("[Gmail]/All Mail", Some(Purpose::All)),
            ("[Gmail]/Spam", Some(Purpose::Junk)),
            ("[Gmail]/Sent Mail", None),
        ];
        let all = verdicts(&gmail, &[]);
        assert_eq!(all.first().unwrap(), "[Gmail]/All Mail All");
        assert_eq!(all.iter().filter(|v| v.ends_with("held_elsewhere")).count(), 2, "{all:?}");
        let hidden: Vec<_> = gmail.iter().filter(|(_, p)| *p != Some(Purpose::All)).collect();
        let mut labels: Vec<_> = hidden.into_iter().copied().collect();
        labels.push(("Customers", None));
        let found = verdicts_in(Layout::Labels, &labels, &[]);
        assert_eq!(found.get(..2).unwrap(), ["INBOX Inbox", "[Gmail]/Sent Mail Sent"]);
        assert!(found.contains(&"Customers -held_elsewhere".to_owned()), "{found:?}");
        let repeated = verdicts_in(Layout::AllMailRepeats, &gmail, &[]);
        assert_eq!(repeated.get(..2).unwrap(), ["INBOX Inbox", "[Gmail]/Sent Mail Sent"]);
        let without = verdicts(&gmail, &["[gmail]/all mail"]);
        assert_eq!(without.get(..2).unwrap(), ["INBOX Inbox", "[Gmail]/Sent Mail Sent"]);
    }

    #[test]
    fn an_excluded_mailbox_takes_what_lies_below_along() {
        let found =
            verdicts(&[("Private", None), ("Private/A", None), ("Privateer", None)], &["private"]);
        assert_eq!(found, ["Privateer Other", "Private -excluded", "Private/A -excluded"]);
    }
}
