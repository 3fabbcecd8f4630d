//! keepwarm keeps a sales organisation's relationships warm.
//!
//! It reads mailboxes and calendars, turns them into *directed interactions* in SQLite, keeps the
//! strength of every relationship between a rep and a contact up to date as each message arrives,
//! and posts a *nudge* to a webhook when a relationship that mattered is decaying. This text is
//! the architecture; `tests/it/tidy.rs` enforces what it says about who may name whom.
//!
//! # The path of a message
//!
//! ```text
//! source → normalise → score → store → nudge → outbox → deliver → endpoint
//!                                └────────────→ serve, cli
//! ```
//!
//! 1. [`source`] makes a pass over an IMAP login, a Maildir or calendars (CalDAV, files and feeds,
//!    Google, Microsoft 365) and sends what is new as deltas: raw header bytes or iCalendar objects,
//!    and a cursor. What it logs in with is a password or a token that [`oauth`] fetches, after somebody
//!    has signed in or in an app's own right. Between passes an IMAP connection is kept, on which the server tells of news.
//! 2. [`pipeline::sync`] normalises a delta while the next one is fetched: [`normalise`] makes an
//!    envelope of each header (who, to whom, when, answering what; why it is automated) and
//!    meetings of each calendar; an invitation in mail is reduced to what decides a meeting. Bodies
//!    never get further than this.
//! 3. [`pipeline::ingest`] commits it in one transaction: each message once however many copies
//!    there are, threads joined by every id in any order, directed touches between reps and
//!    outsiders, which of them answer the other side, which were first to, and which of them count,
//!    each meeting once however many calendars and invitations tell of it, and the cursor.
//!    A contact is a set of addresses; interactions belong to lines, one from a rep to an address, and
//!    a relationship is what its lines tell together. [`pipeline::identity`] decides which addresses
//!    are one contact, from all that was said of them, and moves lines ([`pipeline::ingest::regroup`]).
//! 4. [`pipeline::fold`] folds what was touched into relationships by [`score`], once each, and
//!    computes when each will have fallen if nothing happens.
//! 5. [`pipeline::nudge`] looks at those that are due, asks [`mod@nudge`], and stores what is to be
//!    said. A nudge waits for its moment (the rep's digest, room in the budget); then endpoints are
//!    owed messages, of one nudge or of several. Nothing is decided from data that cannot be trusted.
//! 6. [`pipeline::deliver`] writes what is owed in the form that the endpoint wants
//!    ([`deliver::format`]), and tries it by [`deliver`] until it has arrived, is given up, or does not
//!    hold any more; an endpoint that fails is left alone by its breaker.
//! 7. [`pipeline::feedback`] takes what a rep answers, by a signed link in the message ([`serve`]'s
//!    pages), by the API or by a command: what was answered is resolved, what was not sent yet is not,
//!    and the contact is kept silent.
//!
//! [`pipeline::care`] is the admin's: strengths computed anew, what was put aside read again, all that is
//! known of a person; [`store::backup`] copies the database while it is used, and puts a copy back.
//!
//! [`daemon`] makes of a configuration what runs (a `Daemon`), and runs its loops (a `Service`). Each loop
//! says by when it will be heard of again; one that is not starves systemd's watchdog. On SIGHUP the
//! service goes by another configuration, all of it or nothing: turns come to their end, rows are
//! written in one transaction, and the loop of a source that is the same goes on with its connection.
//! `keepwarm doctor` tries what is configured by the same adapters; `keepwarm init` writes a first
//! configuration.
//!
//! [`mod@backtest`] walks the same path over the past: [`score`] on a history that is over, judged by
//! what followed.
//!
//! # Three kinds of module
//!
//! | kind | modules | may |
//! |---|---|---|
//! | pure | [`model`], [`normalise`], [`score`], [`mod@nudge`], [`mod@backtest`], the planning parts of adapters | neither I/O nor clock nor chance nor `async` nor logging; `now` and jitter are arguments |
//! | adapters | [`source`], [`oauth`], [`store`], [`deliver`], [`serve`], [`http`] | each one outside system; they do not know each other (`http` serves three of them, `oauth` gives `source` its tokens, and has people sign in); `store` knows only `model` |
//! | shell | [`pipeline`], [`daemon`], [`lifecycle`], [`cli`], [`config`], [`telemetry`], [`clock`], [`demo`] | wire and loop; only `cli`, `daemon` and `demo` read the configuration |
//!
//! # Invariants
//!
//! 1. Data flows one way. A policy is a plain struct owned by the function that goes by it.
//! 2. The work and the proof that it was done commit together: interactions *and* cursor, nudge
//!    *and* outbox row. A transaction is a job on the writer's thread; none spans an `.await`, but that
//!    what a backfill brings is gathered ([`store::Store::gather`]): if some of it is lost, nothing that
//!    the same pass reads after it is stored.
//! 3. Every step is idempotent: replaying any delta changes nothing. Natural keys are `UNIQUE`.
//! 4. Incremental equals batch: any order, chunking and duplication of what arrives ends in the
//!    same counted interactions, and in states within 1e-9 of a rebuild from the log. Sums are
//!    additive, so a late message costs the interactions of its day; the baseline is a maximum
//!    over time and the cadence is about neighbours in it, so out-of-order arrivals mark both stale
//!    and they are folded from the log once, after the pass. Nothing is nudged meanwhile.
//! 5. No polling for decay: the instant at which a relationship falls is stored and indexed, and
//!    the nudge loop sleeps until the next one.
//! 6. Bodies never leave `normalise`; addresses, subjects, tokens and queries of URLs never reach
//!    a log line.
//! 7. One bad item never stops a source (it goes to the quarantine), one bad source never stops
//!    the others, one slow endpoint never holds up another.
//! 8. The pipeline speaks to the store in intents (`message::insert`, `relationship::due`,
//!    `outbox::record`); SQL stays below, one file for each aggregate.
//!
//! # What experience decided otherwise than one would first think
//!
//! - Which message a copy is a copy of is decided by Message-ID, and where gateways have given
//!   copies different ones (mail of the 1990s), by writer, person, second and subject.
//! - The time of a message is its own Date unless that lies in the future of its receipt: archives
//!   are imported long after they were written, and their times of receipt mean nothing.
//! - What claims to be the rep's own counts from every mailbox but an inbox, since people file
//!   what they have sent; in an inbox it waits for the same message to be met elsewhere.
//! - A FETCH that ends with OK proves little: what is missing of what the mailbox holds is looked
//!   for, and a cursor moves only over what was given, put aside, or never there.
//! - What a calendar's server does not list has not gone for that: it may be cut short, be refused, or
//!   take us for somebody else. A token is kept only of a state that was read as it was listed.
//! - A poll that finds nothing writes nothing, but for a note every five minutes: thousands of
//!   sources are looked at every minute.
//! - Services whose calendars are not iCalendar are written as iCalendar by their adapters, so that
//!   one layer decides what a series is, and one test with a second opinion proves it.
//! - A key of a thread is a hash: new ones are noted in the order in which they come, remembered by
//!   the writer, and move to the large table in bulk, or each commit of a backfill would write most of
//!   its pages. What the large table cannot hold is not looked for in it.
//! - A commit writes every page that it has changed, and a backfill comes back to the same ones: what it
//!   brings within two seconds is one transaction. News and whatever is not a backfill is committed at once.
//! - Windows of days slide while nothing happens: what is kept of engagement are facts about each
//!   message, and the windows are evaluated when somebody asks.
//! - The audience of a message counts addresses, not contacts: so merging two contacts changes nothing
//!   of anybody else's relationships.
//! - What commands change is asked of the daemon by a row ([`pipeline::request`]): the database keeps
//!   its one writer, and an idle daemon asks SQLite whether anybody else has written, not the tables.
//! - Silence, for a nudge, is silence of either side: messages that nobody answers do not keep a
//!   relationship warm, and do not keep its rep from being told. The hazard would miss most of the
//!   rhythm by that; to it, what a rep writes is contact for 90 days after an answer, and no longer.
//! - A link in a message is followed by programs before anybody reads it: so a link asks, and only the
//!   button on its page acts. What a page needs is in the link and signed; nothing is kept of a visit.

pub mod backtest;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod demo;
pub mod http;
pub mod lifecycle;
pub mod model;
pub mod normalise;
pub mod nudge;
pub mod oauth;
pub mod pipeline;
pub mod score;
pub mod serve;
pub mod source;
pub mod store;
pub mod telemetry;
