//! What was said of addresses: that two are one person's, or that they are not.

/// Who says so; whoever weighs more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SaidBy {
    /// What the mail itself shows.
    Evidence,
    /// The admin's file of people.
    File,
    /// The admin, by a command.
    Admin,
}

/// What is said of two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Saying {
    /// They are one person's.
    Merge,
    /// They are two people's.
    Split,
}

/// One thing that was said of two addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said<T> {
    /// Who.
    pub by: SaidBy,
    /// Which change it is part of: the later one has the greater number.
    pub change: i64,
    /// What.
    pub saying: Saying,
    /// One address.
    pub a: T,
    /// The other.
    pub b: T,
}

impl SaidBy {
    /// The word for it in the database and in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::File => "file",
            Self::Admin => "admin",
        }
    }

    /// Whose word that is.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Evidence, Self::File, Self::Admin].into_iter().find(|by| by.code() == code)
    }
}

impl Saying {
    /// The word for it in the database and in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Split => "split",
        }
    }

    /// What that word says.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Merge, Self::Split].into_iter().find(|saying| saying.code() == code)
    }
}
