//! `[privacy]`: who is left out, and for how long what is kept.

use super::problem::Problem;
use super::raw::RawPrivacy;
use super::settings::Privacy;
use super::validate::Item;
use crate::model::Span;

/// Calendars are read from 400 days back: what went sooner would be read again.
const INTERACTIONS: i64 = 420;
/// Nudges about an account, and how often what still holds is said, look back so far.
const NUDGES: i64 = 120;
/// What endpoints are owed is tried for four days.
const OTHERS: i64 = 7;

pub(super) fn privacy(item: &mut Item<'_>, raw: RawPrivacy) -> Privacy {
    let mut age = |key: &str, days: i64, least: i64| {
        if days > 0 && days < least {
            let message = format!(
                "`privacy.{key}` must be 0 or a whole number of at least {least}: it is {days}"
            );
            item.report(key, Problem::error(message).hint("0 keeps everything"));
        }
        (days > 0).then(|| Span::from_days(days))
    };
    Privacy {
        keep_interactions: age("keep_interactions_days", raw.keep_interactions_days, INTERACTIONS),
        keep_nudges: age("keep_nudges_days", raw.keep_nudges_days, NUDGES),
        keep_deliveries: age("keep_deliveries_days", raw.keep_deliveries_days, OTHERS),
        keep_quarantine: age("keep_quarantine_days", raw.keep_quarantine_days, OTHERS),
        match_any: raw.matching == "any",
        private_mailboxes: raw.private_mailboxes,
        exclude_domains: raw.exclude_domains,
        exclude_addresses: raw.exclude_addresses,
    }
}
