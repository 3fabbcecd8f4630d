//! Judges `[nudge]`: when a relationship has fallen, and how much is said of it.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::NaiveDate;

use super::problem::Problem;
use super::raw::RawNudge;
use super::validate::{Item, days};
use crate::model::{NudgeKind, Span};
use crate::normalise::calendar::days_off;
use crate::nudge::restraint::{QuietHours, Restraint, time_of_day};
use crate::nudge::{Matters, Policy, Rule};
use crate::score::{WorkingDays, hazard};

/// When a relationship has fallen, and what holds a nudge back.
pub(super) fn policy(item: &mut Item<'_>, raw: &RawNudge) -> Policy {
    if raw.recovery_ratio <= raw.drop_ratio {
        let message = format!(
            "`nudge.recovery_ratio` must be greater than nudge.drop_ratio ({}), but is {}",
            raw.drop_ratio, raw.recovery_ratio
        );
        let name = if item.given("recovery_ratio") { "recovery_ratio" } else { "drop_ratio" };
        item.report(name, Problem::error(message));
    }
    let rule = match raw.trigger.as_str() {
        "drop" => Rule::Drop,
        "fixed" => Rule::Fixed,
        _ => Rule::Hazard,
    };
    Policy {
        rule,
        hazard_probability: raw.hazard_probability,
        hazard: hazard::SHIPPED,
        drop_ratio: raw.drop_ratio,
        fixed: days(raw.fixed_days),
        recovery_ratio: raw.recovery_ratio,
        min_baseline: raw.min_baseline,
        min_silence: days(raw.min_silence_days),
        min_reciprocations: raw.min_reciprocations,
        min_active_days: raw.min_active_days,
        between_episodes: days(raw.days_between_episodes),
        max_age: days(raw.max_age_days),
        fresh: Span::from_hours(i64::from(raw.fresh_hours)),
        meeting_ahead: days(raw.meeting_ahead_days),
    }
}

/// How much is said, and when.
pub(super) fn restraint(
    item: &mut Item<'_>,
    raw: &RawNudge,
    working_days: WorkingDays,
) -> Restraint {
    let digest_at = time_of_day(&raw.digest_at).ok();
    let quiet: Option<QuietHours> = raw.quiet_hours.parse().ok();
    if digest_at.is_some_and(|time| quiet.is_some_and(|quiet| quiet.hold(time))) {
        let message = format!(
            "`nudge.digest_at` must not lie in nudge.quiet_hours ({}), but is {}",
            raw.quiet_hours, raw.digest_at
        );
        let name = if item.given("digest_at") { "digest_at" } else { "quiet_hours" };
        item.report(name, Problem::error(message));
    }
    Restraint {
        observe: days(raw.observe_days),
        digest_at,
        quiet,
        working_days,
        holidays: raw.holidays_file.as_ref().map(|path| holidays(item, path)).unwrap_or_default(),
        immediate: raw.immediate.iter().filter_map(|code| NudgeKind::of_code(code)).collect(),
        per_day: raw.per_rep_per_day,
        per_week: raw.per_rep_per_week,
        patience: days(raw.patience_days),
        held_back_percent: raw.held_back_percent,
        reminder_after: days(raw.reminder_days),
        reminders: raw.reminders,
        mass_share: raw.mass_decay_share,
        mass_least: raw.mass_decay_least,
    }
}

/// What is said beside decays.
pub(super) fn matters(raw: &RawNudge) -> Matters {
    Matters {
        enabled: raw.kinds.iter().filter_map(|code| NudgeKind::of_code(code)).collect(),
        owed_reply_days: raw.owed_reply_days,
        unanswered: raw.unanswered_days,
        follow_up_days: raw.follow_up_days,
        between_accounts: days(raw.days_between_accounts),
    }
}

/// The days of an iCalendar file on which nobody works.
fn holidays(item: &mut Item<'_>, path: &str) -> BTreeSet<NaiveDate> {
    let found = std::fs::read(Path::new(path)).map(|bytes| days_off(&bytes));
    let (what, hint) = match found {
        Ok(days) if !days.is_empty() => return days,
        Ok(_) => (
            "holds no day".to_owned(),
            "it must be an iCalendar file (.ics) with events that last all day",
        ),
        Err(error) => {
            (format!("cannot be read: {error}"), "is it there, and may keepwarm read it?")
        }
    };
    let problem = Problem::error(format!("`nudge.holidays_file`: {path} {what}"));
    item.report("holidays_file", problem.hint(hint));
    BTreeSet::new()
}
