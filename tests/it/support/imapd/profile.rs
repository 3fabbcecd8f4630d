//! How known servers present themselves: capabilities before and after the login, names and uses of
//! mailboxes. What is not implemented here (COMPRESS, other SASL mechanisms) is left out.

/// How a server presents itself.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// What follows `* ` in the greeting; `CAPS` stands for the capabilities.
    pub(crate) greeting: &'static str,
    /// Capabilities before the login.
    pub(crate) before: &'static str,
    /// Capabilities after the login.
    pub(crate) after: &'static str,
    /// Whether the answer to a login carries them.
    pub(crate) told_at_login: Told,
    /// What separates levels of names.
    pub(crate) delimiter: char,
    /// Names and attributes of the mailboxes of a new account.
    pub(crate) mailboxes: &'static [(&'static str, &'static str)],
    /// Where mail that came lies, and mail that was sent.
    pub(crate) received: &'static str,
    /// Where mail that was sent lies.
    pub(crate) sent: &'static str,
}

/// Whether the answer to a login carries the capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Yes,
    No,
}

impl Profile {
    /// Dovecot 2.3.
    pub(crate) const DOVECOT: Self = Self {
        greeting: "OK [CAPABILITY CAPS] Dovecot ready.",
        before: "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN",
        after: "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT CHILDREN NAMESPACE UIDPLUS \
                UNSELECT LIST-EXTENDED LIST-STATUS LITERAL+ SPECIAL-USE",
        told_at_login: Told::Yes,
        delimiter: '/',
        mailboxes: &[
            ("INBOX", "\\HasNoChildren"),
            ("Drafts", "\\HasNoChildren \\Drafts"),
            ("Junk", "\\HasNoChildren \\Junk"),
            ("Sent", "\\HasNoChildren \\Sent"),
            ("Trash", "\\HasNoChildren \\Trash"),
        ],
        received: "INBOX",
        sent: "Sent",
    };

    /// Gmail: everything is in All Mail, and labels tell the rest.
    pub(crate) const GMAIL: Self = Self {
        greeting: "OK Gimap ready for requests from 127.0.0.1 a1mb2",
        before: "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY \
                 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER",
        after: "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS \
                ENABLE MOVE LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584",
        told_at_login: Told::No,
        delimiter: '/',
        mailboxes: &[
            ("INBOX", "\\HasNoChildren"),
            ("[Gmail]", "\\HasChildren \\Noselect"),
            ("[Gmail]/All Mail", "\\All \\HasNoChildren"),
            ("[Gmail]/Drafts", "\\Drafts \\HasNoChildren"),
            ("[Gmail]/Sent Mail", "\\HasNoChildren \\Sent"),
            ("[Gmail]/Spam", "\\HasNoChildren \\Junk"),
            ("[Gmail]/Starred", "\\Flagged \\HasNoChildren"),
            ("[Gmail]/Trash", "\\HasNoChildren \\Trash"),
        ],
        received: "[Gmail]/All Mail",
        sent: "[Gmail]/All Mail",
    };

    /// Exchange Online: no LIST-STATUS, no SPECIAL-USE, one command at a time.
    pub(crate) const EXCHANGE: Self = Self {
        greeting: "OK The Microsoft Exchange IMAP4 service is ready. [QQ==]",
        before: "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE \
                 NAMESPACE LITERAL+",
        after: "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT \
                CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE \
                NAMESPACE LITERAL+",
        told_at_login: Told::No,
        delimiter: '/',
        mailboxes: &[
            ("Calendar", "\\HasNoChildren"),
            ("Deleted Items", "\\HasNoChildren \\Trash"),
            ("Drafts", "\\HasNoChildren \\Drafts"),
            ("INBOX", "\\Marked \\HasNoChildren"),
            ("Junk Email", "\\HasNoChildren \\Junk"),
            ("Sent Items", "\\HasNoChildren \\Sent"),
        ],
        received: "INBOX",
        sent: "Sent Items",
    };

    /// iCloud: no attributes, English names of its own.
    pub(crate) const ICLOUD: Self = Self {
        greeting: "OK [CAPABILITY CAPS] iSCREAM ready to rumble",
        before: "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN",
        after: "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR ACL QUOTA LITERAL+ NAMESPACE UIDPLUS \
                CHILDREN BINARY UNSELECT SORT CATENATE URLAUTH IDLE ESEARCH",
        told_at_login: Told::Yes,
        delimiter: '/',
        mailboxes: &[
            ("INBOX", "\\HasNoChildren"),
            ("Archive", "\\HasNoChildren"),
            ("Deleted Messages", "\\HasNoChildren"),
            ("Drafts", "\\HasNoChildren"),
            ("Junk", "\\HasNoChildren"),
            ("Sent Messages", "\\HasNoChildren"),
        ],
        received: "INBOX",
        sent: "Sent Messages",
    };

    /// Yahoo: attributes, but no LIST-STATUS.
    pub(crate) const YAHOO: Self = Self {
        greeting: "OK [CAPABILITY CAPS] IMAP4rev1 Hello",
        before: "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER ID MOVE NAMESPACE \
                 XYMHIGHESTMODSEQ UIDPLUS LITERAL+ CHILDREN X-MSG-EXT UNSELECT OBJECTID",
        after: "IMAP4rev1 ID MOVE NAMESPACE XYMHIGHESTMODSEQ UIDPLUS LITERAL+ CHILDREN X-MSG-EXT \
                UNSELECT IDLE",
        told_at_login: Told::Yes,
        delimiter: '/',
        mailboxes: &[
            ("Bulk", "\\Junk \\HasNoChildren"),
            ("Draft", "\\Drafts \\HasNoChildren"),
            ("INBOX", "\\HasNoChildren"),
            ("Sent", "\\Sent \\HasNoChildren"),
            ("Trash", "\\Trash \\HasNoChildren"),
        ],
        received: "INBOX",
        sent: "Sent",
    };

    /// What RFC 3501 demands, and LOGIN.
    pub(crate) const MINIMAL: Self = Self {
        greeting: "OK ready",
        before: "IMAP4rev1",
        after: "IMAP4rev1",
        told_at_login: Told::No,
        delimiter: '.',
        mailboxes: &[("INBOX", ""), ("INBOX.Sent", "")],
        received: "INBOX",
        sent: "INBOX.Sent",
    };

    /// Whether the capabilities after the login name this one.
    pub(super) fn has(&self, name: &str) -> bool {
        self.after.split(' ').any(|capability| capability == name)
    }
}
