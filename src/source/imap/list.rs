//! Which mailboxes there are, which of them are read, and in which order.
//!
//! The choice is pure. It goes by the attributes that the server gives (RFC 6154; also from servers
//! that do not announce SPECIAL-USE), else by name. Spam, deleted mail and drafts are never read.

use std::collections::HashMap;

use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response, StatusAttribute};

use super::login::Capabilities;
use super::plan::Snapshot;
use super::session::Conversation;
use crate::model::{MailboxInfo, Role};
use crate::source::names::{covers, is_sendable, levels, unescaped};
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

/// Asks for all mailboxes, with their use and state where the server can tell (RFC 5258, 5819).
pub(super) async fn list(
    conversation: &mut Conversation,
    told: &Capabilities,
) -> Result<Vec<Listed>, SourceError> {
    let command = match (told.has("LIST-EXTENDED"), told.has("LIST-STATUS")) {
        (true, true) => r#"LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY))"#,
        (true, false) => r#"LIST "" "*" RETURN (SPECIAL-USE)"#,
        (false, _) => r#"LIST "" "*""#,
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
/// Where one mailbox holds all mail (Gmail's), only that one is read. `exclude` are names as people
/// see them or as on the wire, in any case; what lies below an excluded mailbox is excluded too.
pub(super) fn choose(listed: Vec<Listed>, exclude: &[String]) -> (Vec<Chosen>, Vec<Skipped>) {
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
    if chosen.iter().any(|mailbox| mailbox.info.role == Role::All) {
        let (all, held) = chosen.into_iter().partition(|mailbox| mailbox.info.role == Role::All);
        chosen = all;
        skipped.extend(held.into_iter().map(|mailbox: Chosen| Skipped {
            mailbox: mailbox.info.name,
            role: Some(mailbox.info.role),
            reason: SkipReason::HeldElsewhere,
        }));
    }
    chosen.sort_by_key(|mailbox| match mailbox.info.role {
        Role::Inbox => 0,
        Role::Sent => 1,
        _ => 2,
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
        let listed = names.iter().map(|(name, purpose)| listed(name, *purpose)).collect();
        let exclude: Vec<String> = exclude.iter().map(|name| (*name).to_owned()).collect();
        let (chosen, skipped) = choose(listed, &exclude);
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
