//! The connection breaks or the server refuses, in every state once.

use super::stage::heals;
use crate::support::imapd::{Act, Fault, Profile};

/// One test for each row: its name, the provider, the faults.
macro_rules! scenarios {
    ($($name:ident: $profile:ident, [$($fault:expr),+ $(,)?];)+) => {$(
        #[test]
        fn $name() {
            heals(stringify!($name), Profile::$profile, &[$($fault),+]);
        }
    )+};
}

fn eof(on: &'static str) -> Fault {
    Fault::on(on, [Act::Close])
}

scenarios! {
    eof_before_the_greeting: DOVECOT, [eof("GREETING")];
    eof_for_a_capability: MINIMAL, [eof("CAPABILITY")];
    eof_for_a_login: MINIMAL, [eof("LOGIN")];
    eof_for_a_sasl_login: DOVECOT, [eof("AUTHENTICATE")];
    eof_for_an_id: DOVECOT, [eof("ID")];
    eof_for_a_list: DOVECOT, [eof("LIST")];
    eof_for_an_examine: DOVECOT, [eof("EXAMINE")];
    eof_for_a_fetch: DOVECOT, [eof("UID FETCH")];
    eof_for_a_later_fetch: DOVECOT, [eof("UID FETCH").skip(1)];
    eof_for_a_logout: DOVECOT, [eof("LOGOUT")];
}
