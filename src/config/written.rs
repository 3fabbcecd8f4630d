//! What the files and variables say, setting by setting, so that two configurations can be compared.
//!
//! Keeps numbers, switches and the words of some settings as they are, and of everything else only a hash:
//! it may be a secret, an address or somebody's name, and differences are logged. Items of lists go by their own names
//! (`source ann-mail`), which are logged everywhere; where they have none, by their place.

use std::collections::BTreeMap;
use std::fmt;

use toml::{Table, Value};

use super::schema::LISTS;
use crate::model::Key;

/// Sections of which every word may be logged.
const PLAIN_SECTIONS: [&str; 4] = ["nudge.", "strength.", "sync.", "organization."];
/// Settings of other sections of which it may.
const PLAIN: [&str; 9] = [
    "store.path",
    "serve.listen",
    "serve.base_url",
    "kind",
    "host",
    "tls",
    "format",
    "time_zone",
    "ca_file",
];

/// The settings of one configuration, the defaults left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written(BTreeMap<String, Leaf>);

/// One difference between two configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The setting: `sync.poll_seconds`, or `source ann-mail.port`, or the item itself.
    pub setting: String,
    /// What became of it.
    pub how: How,
}

/// What became of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It was not there; with its value where that may be shown.
    Added(Option<String>),
    /// It is there no more.
    Removed,
    /// It has another value; with both where they may be shown.
    Changed(Option<(String, String)>),
}

/// A value, as far as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Leaf {
    /// An item of a list.
    Item,
    /// What is no secret and nobody's name.
    Shown(String),
    /// Anything else.
    Hashed(Key),
}

impl Written {
    /// Reads the settings of the layers, the later ones over the earlier ones.
    pub(super) fn of(layers: [&Table; 2]) -> Self {
        let mut settings = BTreeMap::new();
        for (section, value) in layers.into_iter().flatten() {
            match value {
                Value::Array(items) if LISTS.contains(&section.as_str()) => {
                    for (index, item) in items.iter().enumerate() {
                        let path = format!("{section} {}", name_of(item, index));
                        settings.insert(path.clone(), Leaf::Item);
                        flatten(&path, item, &mut settings);
                    }
                }
                _ => flatten(section, value, &mut settings),
            }
        }
        Self(settings)
    }

    /// How `self` became `new`, by setting. What belongs to an item that came or went is not told
    /// setting by setting.
    #[must_use]
    pub fn changes(&self, new: &Self) -> Vec<Change> {
        let gone = self.0.keys().filter(|setting| !new.0.contains_key(*setting));
        let gone = gone.map(|setting| Change { setting: setting.clone(), how: How::Removed });
        let others = new.0.iter().filter_map(|(setting, leaf)| {
            let how = match self.0.get(setting) {
                Some(old) if old == leaf => return None,
                Some(old) => How::Changed(old.shown().zip(leaf.shown())),
                None => How::Added(leaf.shown()),
            };
            Some(Change { setting: setting.clone(), how })
        });
        let mut changes: Vec<Change> = gone.chain(others).collect();
        changes.sort_by(|a, b| a.setting.cmp(&b.setting));
        changes.retain(|change| {
            let item = LISTS
                .iter()
                .any(|list| change.setting.strip_prefix(list).is_some_and(|r| r.starts_with(' ')));
            let Some((owner, _)) = change.setting.rsplit_once('.').filter(|_| item) else {
                return true;
            };
            let both = |owner: &str| self.0.contains_key(owner) == new.0.contains_key(owner);
            // An item's name may have dots itself.
            let owner = self.item_of(owner).or_else(|| new.item_of(owner));
            owner.is_none_or(both)
        });
        changes
    }

    /// The item that a setting belongs to.
    fn item_of<'a>(&self, mut path: &'a str) -> Option<&'a str> {
        loop {
            if self.0.get(path) == Some(&Leaf::Item) {
                return Some(path);
            }
            path = path.rsplit_once('.')?.0;
        }
    }
}

impl Leaf {
    fn shown(&self) -> Option<String> {
        match self {
            Self::Shown(text) => Some(text.clone()),
            Self::Item | Self::Hashed(_) => None,
        }
    }
}

impl Change {
    /// What it was and what it is, where that may be shown.
    #[must_use]
    pub fn values(&self) -> (Option<&str>, Option<&str>) {
        match &self.how {
            How::Added(new) => (None, new.as_deref()),
            How::Changed(Some((old, new))) => (Some(old), Some(new)),
            How::Removed | How::Changed(None) => (None, None),
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added(_) => "added",
            Self::Removed => "removed",
            Self::Changed(_) => "changed",
        })
    }
}

/// What an item of a list is called.
fn name_of(item: &Value, index: usize) -> String {
    let name = ["name", "id"].iter().find_map(|key| {
        let name = item.get(key)?.as_str()?;
        // A rep has both, and is told by its id.
        (*key == "id" || item.get("id").is_none()).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("#{}", index + 1))
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, Leaf>) {
    let leaf = match value {
        Value::Table(table) => {
            for (name, value) in table {
                flatten(&format!("{path}.{name}"), value, into);
            }
            return;
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => Leaf::Shown(value.to_string()),
        Value::String(_) | Value::Array(_) if is_plain(path) => Leaf::Shown(value.to_string()),
        Value::String(_) | Value::Datetime(_) | Value::Array(_) => {
            Leaf::Hashed(Key::of("setting", &[value.to_string().as_bytes()]))
        }
    };
    into.insert(path.to_owned(), leaf);
}

/// Whether a setting holds nothing but words that may be logged.
fn is_plain(path: &str) -> bool {
    let last = path.rsplit_once('.').map_or(path, |(_, last)| last);
    PLAIN_SECTIONS.iter().any(|section| path.starts_with(section))
        || PLAIN.contains(&path)
        || PLAIN.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "
        sync.poll_seconds = 60
        organization.domains = ['us.example']
        [[rep]]
        id = 'ann'
        name = 'Ann Lee'
        [[source]]
        name = 'ann.mail'
        port = 993
        password = 'hunter2'
        oauth.client_id = 'x'
        [[account]]
        domain = 'acme.example'
        target = 3";

    fn line(change: &Change) -> String {
        let values = change.values();
        let [old, new] = [values.0, values.1].map(|value| value.unwrap_or("-"));
        format!("{} {}: {old} {new}", change.setting, change.how)
    }

    fn told(old: &str, new: &str) -> Vec<String> {
        let read = |text: &str| Written::of([&text.parse().unwrap(), &Table::new()]);
        read(old).changes(&read(new)).iter().map(line).collect()
    }

    #[test]
    fn differences_are_told_without_what_may_be_secret() {
        let replaced = |from: &str, to: &str| {
            assert!(OLD.contains(from), "{from}");
            OLD.replacen(from, to, 1)
        };
        for (new, expected) in [
            (OLD.to_owned(), &[] as &[&str]),
            (replaced("= 60", "= 30"), &["sync.poll_seconds changed: 60 30"]),
            (replaced("sync.poll_seconds = 60", ""), &["sync.poll_seconds removed: - -"]),
            (replaced("= 60", "= 60\nsync.days_back = 9"), &["sync.days_back added: - 9"]),
            (
                replaced("'us.", "'uk."),
                &["organization.domains changed: [\"us.example\"] [\"uk.example\"]"],
            ),
            (replaced("'hunter2'", "'hunter3'"), &["source ann.mail.password changed: - -"]),
            (replaced("= 'x'", "= 'y'"), &["source ann.mail.oauth.client_id changed: - -"]),
            (replaced("Ann Lee", "Ann Li"), &["rep ann.name changed: - -"]),
            (replaced("'ann'", "'eve'"), &["rep ann removed: - -", "rep eve added: - -"]),
            (
                replaced("'ann.mail'", "'ann.post'"),
                &["source ann.mail removed: - -", "source ann.post added: - -"],
            ),
            (replaced("target = 3", "target = 4"), &["account #1.target changed: 3 4"]),
        ] {
            assert_eq!(told(OLD, &new), expected);
        }
    }

    #[test]
    fn a_variable_is_over_the_files() {
        let file: Table = OLD.parse().unwrap();
        let variable: Table = "sync.poll_seconds = 5".parse().unwrap();
        let (old, new) = (Written::of([&file, &Table::new()]), Written::of([&file, &variable]));
        let changes = old.changes(&new);
        assert_eq!(changes.len(), 1);
        assert_eq!(line(&changes[0]), "sync.poll_seconds changed: 60 5");
    }
}
