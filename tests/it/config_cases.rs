//! Wrong configurations and the whole message that each is answered with.

/// A wrong configuration.
pub(crate) struct Case {
    /// What is wrong.
    pub(crate) name: &'static str,
    /// Its files, by their path under /etc/keepwarm.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Its variables.
    pub(crate) env: &'static [(&'static str, &'static str)],
    /// What the admin reads.
    pub(crate) says: &'static str,
}

/// All of them. Texts keep the lines of the files and messages, so they are not indented.
#[rustfmt::skip]
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "typo in key",
        files: &[("keepwarm.toml", r#"[sync]
pol_seconds = 60
"#)],
        env: &[],
        says: r#"error: no key is called `sync.pol_seconds`
  --> /etc/keepwarm/keepwarm.toml:2:1
  |
2 | pol_seconds = ...
  | ^^^^^^^^^^^
hint: did you mean `poll_seconds`?
"#,
    },
    Case {
        name: "typo in section",
        files: &[("keepwarm.toml", r#"[synk]
poll_seconds = 60
"#)],
        env: &[],
        says: r#"error: no section is called `synk`
  --> /etc/keepwarm/keepwarm.toml:1:2
  |
1 | [synk]
  |  ^^^^
hint: did you mean [sync]?
"#,
    },
    Case {
        name: "key without its section",
        files: &[("keepwarm.toml", r#"poll_seconds = 60
"#)],
        env: &[],
        says: r#"error: no section is called `poll_seconds`
  --> /etc/keepwarm/keepwarm.toml:1:1
  |
1 | poll_seconds = 60
  | ^^^^^^^^^^^^
hint: `poll_seconds` belongs under [sync]
"#,
    },
    Case {
        name: "key under another section",
        files: &[("keepwarm.toml", r#"[store]
days_back = 30
"#)],
        env: &[],
        says: r#"error: no key is called `store.days_back`
  --> /etc/keepwarm/keepwarm.toml:2:1
  |
2 | days_back = 30
  | ^^^^^^^^^
hint: `days_back` belongs under [sync]
"#,
    },
    Case {
        name: "unknown key far from any",
        files: &[("keepwarm.toml", r#"[serve]
colour = "red"
"#)],
        env: &[],
        says: r#"error: no key is called `serve.colour`
  --> /etc/keepwarm/keepwarm.toml:2:1
  |
2 | colour = ...
  | ^^^^^^
hint: [serve] has listen
"#,
    },
    Case {
        name: "section written as a list",
        files: &[("keepwarm.toml", r#"[[store]]
path = "x.db"
"#)],
        env: &[],
        says: r#"error: `store` must be one table, but is an array
  --> /etc/keepwarm/keepwarm.toml:1:3
  |
1 | [[store]]
  |   ^^^^^
hint: write [store]
"#,
    },
    Case {
        name: "list written as a section",
        files: &[("keepwarm.toml", r#"[rep]
id = "ann"
"#)],
        env: &[],
        says: r#"error: `rep` must be a list of tables, but is a table
  --> /etc/keepwarm/keepwarm.toml:1:2
  |
1 | [rep]
  |  ^^^
hint: write [[rep]]
"#,
    },
    Case {
        name: "number in quotes",
        files: &[("keepwarm.toml", r#"[sync]
poll_seconds = "60"
"#)],
        env: &[],
        says: r#"error: `sync.poll_seconds` must be a whole number from 1 to 86400, but is the string "60"
  --> /etc/keepwarm/keepwarm.toml:2:16
  |
2 | poll_seconds = "60"
  |                ^^^^
hint: write it without quotes
"#,
    },
    Case {
        name: "number for a string",
        files: &[("keepwarm.toml", r#"[store]
path = 5
"#)],
        env: &[],
        says: r#"error: `store.path` must be a path, but is 5
  --> /etc/keepwarm/keepwarm.toml:2:8
  |
2 | path = 5
  |        ^
hint: write it in quotes
"#,
    },
    Case {
        name: "whole number out of range",
        files: &[("keepwarm.toml", r#"[sync]
poll_seconds = 0
"#)],
        env: &[],
        says: r#"error: `sync.poll_seconds` must be a whole number from 1 to 86400, but is 0
  --> /etc/keepwarm/keepwarm.toml:2:16
  |
2 | poll_seconds = 0
  |                ^
"#,
    },
    Case {
        name: "fraction for a whole number",
        files: &[("keepwarm.toml", r#"[sync]
poll_seconds = 1.5
"#)],
        env: &[],
        says: r#"error: `sync.poll_seconds` must be a whole number from 1 to 86400, but is 1.5
  --> /etc/keepwarm/keepwarm.toml:2:16
  |
2 | poll_seconds = 1.5
  |                ^^^
"#,
    },
    Case {
        name: "number out of range",
        files: &[("keepwarm.toml", r#"[nudge]
drop_ratio = 1.5
"#)],
        env: &[],
        says: r#"error: `nudge.drop_ratio` must be a number from 0.01 to 0.99, but is 1.5
  --> /etc/keepwarm/keepwarm.toml:2:14
  |
2 | drop_ratio = 1.5
  |              ^^^
"#,
    },
    Case {
        name: "ratios the wrong way round",
        files: &[("keepwarm.toml", r#"[nudge]
drop_ratio = 0.8
"#)],
        env: &[],
        says: r#"error: `nudge.recovery_ratio` must be greater than nudge.drop_ratio (0.8), but is 0.7
  --> /etc/keepwarm/keepwarm.toml:2:14
  |
2 | drop_ratio = 0.8
  |              ^^^
"#,
    },
    Case {
        name: "flag as a string",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
password_file = "s"
allow_plaintext = "yes"
"#)],
        env: &[],
        says: r#"error: `source.allow_plaintext` must be true or false, but is the string "yes"
  --> /etc/keepwarm/keepwarm.toml:13:19
   |
13 | allow_plaintext = "yes"
   |                   ^^^^^
"#,
    },
    Case {
        name: "missing keys",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"

[[source]]
name = "m"
rep = "ann"
kind = "imap"
"#)],
        env: &[],
        says: r#"error: `rep.name` is missing: it must be a string that is not empty
  --> /etc/keepwarm/keepwarm.toml:1:1
  |
1 | [[rep]]
  | ^^^^^^^

error: `rep.addresses` is missing: it must be a list of addresses such as ann@us.example, at least 1
  --> /etc/keepwarm/keepwarm.toml:1:1
  |
1 | [[rep]]
  | ^^^^^^^

error: `source.host` is missing: it must be a host name or an IP address, without a scheme or a port
  --> /etc/keepwarm/keepwarm.toml:4:1
  |
4 | [[source]]
  | ^^^^^^^^^^

error: `source.username` is missing: it must be a string that is not empty
  --> /etc/keepwarm/keepwarm.toml:4:1
  |
4 | [[source]]
  | ^^^^^^^^^^

error: `source` needs exactly one of password, password_file, password_credential, password_command
  --> /etc/keepwarm/keepwarm.toml:4:1
  |
4 | [[source]]
  | ^^^^^^^^^^
"#,
    },
    Case {
        name: "empty list of addresses",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = []
"#)],
        env: &[],
        says: r#"error: `rep.addresses` must be a list of addresses such as ann@us.example, at least 1, but is an empty list
  --> /etc/keepwarm/keepwarm.toml:4:13
  |
4 | addresses = []
  |             ^^
"#,
    },
    Case {
        name: "bad address among good ones",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "Ann"
name = "Ann"
addresses = ["ann@us.example", "ann"]
"#)],
        env: &[],
        says: r#"error: `rep.id` must be of lower-case letters, digits, `_`, `.` and `-`, but is the string "Ann"
  --> /etc/keepwarm/keepwarm.toml:2:6
  |
2 | id = "Ann"
  |      ^^^^^

error: `rep.addresses` must be a list of addresses such as ann@us.example, at least 1, but is a list with the string "ann"
  --> /etc/keepwarm/keepwarm.toml:4:13
  |
4 | addresses = ["ann@us.example", "ann"]
  |             ^^^^^^^^^^^^^^^^^^^^^^^^^
"#,
    },
    Case {
        name: "duplicate rep id over two files",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]
"#), ("conf.d/20-ann.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann.lee@us.example", "ANN@us.example"]
"#)],
        env: &[],
        says: r#"error: `rep.id` has "ann" a second time
  --> /etc/keepwarm/conf.d/20-ann.toml:2:6
  |
2 | id = "ann"
  |      ^^^^^
hint: the first is at /etc/keepwarm/keepwarm.toml:2

error: `rep.addresses` has "ann@us.example" a second time
  --> /etc/keepwarm/conf.d/20-ann.toml:4:13
  |
4 | addresses = ["ann.lee@us.example", "ANN@us.example"]
  |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
hint: the first is at /etc/keepwarm/keepwarm.toml:4
"#,
    },
    Case {
        name: "section of another form in conf.d",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
password_file = "s"
"#), ("conf.d/10-mail.toml", r#"[source]
name = "n"
"#)],
        env: &[],
        says: r#"error: `source` must be a list of tables, but is a table
  --> /etc/keepwarm/conf.d/10-mail.toml:1:2
  |
1 | [source]
  |  ^^^^^^
hint: write [[source]]
"#,
    },
    Case {
        name: "unknown rep",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "anm"
kind = "ics"
path = "a.ics"
"#)],
        env: &[],
        says: r#"error: `source.rep` must be the id of a [[rep]], but is the string "anm"
  --> /etc/keepwarm/keepwarm.toml:8:7
  |
8 | rep = "anm"
  |       ^^^^^
hint: did you mean "ann"?
"#,
    },
    Case {
        name: "two secrets, neither shown",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
password = "hunter2"
password_file = "s"
"#)],
        env: &[],
        says: r#"error: `source.password` and `source.password_file` are both given
  --> /etc/keepwarm/keepwarm.toml:13:17
   |
13 | password_file = ...
   |                 ^^^
hint: keep exactly one of them
"#,
    },
    Case {
        name: "no secret",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
"#)],
        env: &[],
        says: r#"error: `source` needs exactly one of password, password_file, password_credential, password_command
  --> /etc/keepwarm/keepwarm.toml:6:1
  |
6 | [[source]]
  | ^^^^^^^^^^
"#,
    },
    Case {
        name: "mistyped secret, not shown",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
pasword = "hunter2"
"#)],
        env: &[],
        says: r#"error: `source` needs exactly one of password, password_file, password_credential, password_command
  --> /etc/keepwarm/keepwarm.toml:6:1
  |
6 | [[source]]
  | ^^^^^^^^^^

error: no key is called `source.pasword`
  --> /etc/keepwarm/keepwarm.toml:12:1
   |
12 | pasword = ...
   | ^^^^^^^
hint: did you mean `password`?
"#,
    },
    Case {
        name: "secret of the wrong type, not shown",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
password = 12345
"#)],
        env: &[],
        says: r#"error: `source.password` must be a string that is not empty, but is an integer
  --> /etc/keepwarm/keepwarm.toml:12:12
   |
12 | password = ...
   |            ^^^
hint: write it in quotes
"#,
    },
    Case {
        name: "webhook secret without its form, not shown",
        files: &[("keepwarm.toml", r#"[[endpoint]]
name = "crm"
url = "https://crm.us.example/"
secret = "hunter2"
"#)],
        env: &[],
        says: r#"error: `endpoint.secret` must be `whsec_` and the base64 of 24 to 64 bytes
  --> /etc/keepwarm/keepwarm.toml:4:10
  |
4 | secret = ...
  |          ^^^
"#,
    },
    Case {
        name: "bad time zone",
        files: &[("keepwarm.toml", r#"[organization]
time_zone = "Europe/Berln"
"#)],
        env: &[],
        says: r#"error: `organization.time_zone` must be an IANA time zone such as Europe/Berlin, but is the string "Europe/Berln"
  --> /etc/keepwarm/keepwarm.toml:2:13
  |
2 | time_zone = "Europe/Berln"
  |             ^^^^^^^^^^^^^^
hint: did you mean "Europe/Berlin"?
"#,
    },
    Case {
        name: "time zone by its city",
        files: &[("keepwarm.toml", r#"[organization]
time_zone = "berlin"
"#)],
        env: &[],
        says: r#"error: `organization.time_zone` must be an IANA time zone such as Europe/Berlin, but is the string "berlin"
  --> /etc/keepwarm/keepwarm.toml:2:13
  |
2 | time_zone = "berlin"
  |             ^^^^^^^^
hint: did you mean "Europe/Berlin"?
"#,
    },
    Case {
        name: "key of another kind",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "ics"
path = "a.ics"
host = "x.example"
"#)],
        env: &[],
        says: r#"error: `source.host` is for kind imap, but the kind is ics
  --> /etc/keepwarm/keepwarm.toml:11:8
   |
11 | host = "x.example"
   |        ^^^^^^^^^^^
"#,
    },
    Case {
        name: "kind not yet",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "caldav"
url = "https://dav.us.example/"
username = "ann"
password_file = "s"
"#)],
        env: &[],
        says: r#"error: `source.kind` is "caldav", which this version cannot do yet
  --> /etc/keepwarm/keepwarm.toml:9:8
  |
9 | kind = "caldav"
  |        ^^^^^^^^
hint: it can be "imap", "maildir" or "ics"

error: `source.url` is a key that this version cannot use yet
  --> /etc/keepwarm/keepwarm.toml:10:7
   |
10 | url = "https://dav.us.example/"
   |       ^^^^^^^^^^^^^^^^^^^^^^^^^
hint: give `path`, and fetch the file by a timer
"#,
    },
    Case {
        name: "kind mistyped",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "imaps"
"#)],
        env: &[],
        says: r#"error: `source.kind` must be "imap", "maildir" or "ics", but is the string "imaps"
  --> /etc/keepwarm/keepwarm.toml:9:8
  |
9 | kind = "imaps"
  |        ^^^^^^^
hint: did you mean "imap"?
"#,
    },
    Case {
        name: "calendar by url",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "ics"
url = "https://us.example/ann.ics"
"#)],
        env: &[],
        says: r#"error: `source.url` is a key that this version cannot use yet
  --> /etc/keepwarm/keepwarm.toml:10:7
   |
10 | url = "https://us.example/ann.ics"
   |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
hint: give `path`, and fetch the file by a timer
"#,
    },
    Case {
        name: "no tls to a host elsewhere",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
password_file = "s"
tls = "none"
"#)],
        env: &[],
        says: r#"error: `source.tls` must not be "none" with a host elsewhere
  --> /etc/keepwarm/keepwarm.toml:13:7
   |
13 | tls = "none"
   |       ^^^^^^
hint: use "starttls", or set allow_plaintext = true
"#,
    },
    Case {
        name: "http to a host elsewhere",
        files: &[("keepwarm.toml", r#"[[endpoint]]
name = "crm"
url = "http://crm.us.example/"
secret_file = "s"
format = "slack"
"#)],
        env: &[],
        says: r#"error: `endpoint.url` must begin with https:// for a host elsewhere
  --> /etc/keepwarm/keepwarm.toml:3:7
  |
3 | url = "http://crm.us.example/"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^
hint: or set allow_http = true

error: `endpoint.format` is "slack", which this version cannot do yet
  --> /etc/keepwarm/keepwarm.toml:5:10
  |
5 | format = "slack"
  |          ^^^^^^^
hint: it can be "standard"
"#,
    },
    Case {
        name: "subject not yet",
        files: &[("keepwarm.toml", r#"[privacy]
subject = "store"
"#)],
        env: &[],
        says: r#"error: `privacy.subject` is "store", which this version cannot do yet
  --> /etc/keepwarm/keepwarm.toml:2:11
  |
2 | subject = "store"
  |           ^^^^^^^
hint: it can be "none"
"#,
    },
    Case {
        name: "syntax error",
        files: &[("keepwarm.toml", r#"[sync]
poll_seconds = 
"#)],
        env: &[],
        says: r#"error: not TOML: string values must be quoted, expected literal string
  --> /etc/keepwarm/keepwarm.toml:2:16
  |
2 | poll_seconds =
  |               ^
"#,
    },
    Case {
        name: "syntax error beside a secret",
        files: &[("keepwarm.toml", r#"[[rep]]
id = "ann"
name = "Ann"
addresses = ["ann@us.example"]

[[source]]
name = "m"
rep = "ann"
kind = "imap"
host = "imap.us.example"
username = "ann"
password = "hunter2
"#)],
        env: &[],
        says: r#"error: not TOML: invalid basic string, expected `"`
  --> /etc/keepwarm/keepwarm.toml:12:20
   |
12 | password = ...
   |               ^
"#,
    },
    Case {
        name: "key twice",
        files: &[("keepwarm.toml", r#"[sync]
days_back = 1
days_back = 2
"#)],
        env: &[],
        says: r#"error: not TOML: duplicate key
  --> /etc/keepwarm/keepwarm.toml:3:1
  |
3 | days_back = 2
  | ^^^^^^^^^
"#,
    },
    Case {
        name: "tilde",
        files: &[("keepwarm.toml", r#"[store]
path = "~/keepwarm.db"
"#)],
        env: &[],
        says: r#"error: `store.path` must be a path, but is the string "~/keepwarm.db"
  --> /etc/keepwarm/keepwarm.toml:2:8
  |
2 | path = "~/keepwarm.db"
  |        ^^^^^^^^^^^^^^^
hint: write it out: `~` is not expanded
"#,
    },
    Case {
        name: "listen without an address",
        files: &[("keepwarm.toml", r#"[serve]
listen = ":8025"
"#)],
        env: &[],
        says: r#"error: `serve.listen` must be an IP address and a port such as 127.0.0.1:8025, or "off", but is the string ":8025"
  --> /etc/keepwarm/keepwarm.toml:2:10
  |
2 | listen = ":8025"
  |          ^^^^^^^
"#,
    },
    Case {
        name: "mistyped variable",
        files: &[("keepwarm.toml", "")],
        env: &[("KEEPWARM__SYNC__POL_SECONDS", "5")],
        says: r#"error: no setting is called `sync.pol_seconds`
  --> environment variable KEEPWARM__SYNC__POL_SECONDS
hint: did you mean KEEPWARM__SYNC__POLL_SECONDS?
"#,
    },
    Case {
        name: "variable out of range",
        files: &[("keepwarm.toml", "")],
        env: &[("KEEPWARM__SYNC__POLL_SECONDS", "soon"), ("KEEPWARM__NUDGE__DROP_RATIO", "7")],
        says: r#"error: `nudge.drop_ratio` must be a number from 0.01 to 0.99, but is 7
  --> environment variable KEEPWARM__NUDGE__DROP_RATIO

error: `sync.poll_seconds` must be a whole number from 1 to 86400, but is "soon"
  --> environment variable KEEPWARM__SYNC__POLL_SECONDS
"#,
    },
    Case {
        name: "variable for a list of tables",
        files: &[("keepwarm.toml", "")],
        env: &[("KEEPWARM__SOURCE__PASSWORD", "hunter2")],
        says: r#"error: `source` cannot be set from the environment
  --> environment variable KEEPWARM__SOURCE__PASSWORD
hint: write [[source]] into a file
"#,
    },
    Case {
        name: "everything at once",
        files: &[("keepwarm.toml", r#"[sync]
poll_seconds = 0
colour = 1

[[source]]
name = "m"
rep = "bob"
kind = "maildir"
"#)],
        env: &[("KEEPWARM__STORE__PAHT", "x")],
        says: r#"error: `sync.poll_seconds` must be a whole number from 1 to 86400, but is 0
  --> /etc/keepwarm/keepwarm.toml:2:16
  |
2 | poll_seconds = 0
  |                ^

error: no key is called `sync.colour`
  --> /etc/keepwarm/keepwarm.toml:3:1
  |
3 | colour = ...
  | ^^^^^^
hint: [sync] has poll_seconds, connections_per_host, connect_seconds, command_seconds, days_back

error: `source.path` is missing: it must be a path
  --> /etc/keepwarm/keepwarm.toml:5:1
  |
5 | [[source]]
  | ^^^^^^^^^^

error: `source.rep` must be the id of a [[rep]], but is the string "bob"
  --> /etc/keepwarm/keepwarm.toml:7:7
  |
7 | rep = "bob"
  |       ^^^^^
hint: there is no [[rep]] yet

error: no setting is called `store.paht`
  --> environment variable KEEPWARM__STORE__PAHT
hint: did you mean KEEPWARM__STORE__PATH?
"#,
    },
];
