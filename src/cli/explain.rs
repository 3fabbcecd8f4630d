//! `keepwarm explain REP CONTACT`: the strength, term by term, the interactions that carry it, what
//! would change it, meetings held and to come, and what the relationship has been like lately. Whoever
//! has the JSON can compute it by hand.

mod ahead;
mod engagement;
mod evidence;
mod trigger;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::output::{self, Format, Look};
use super::relationships::known_rep;
use super::{Failure, Printing, open};
use crate::daemon;
use crate::model::Timestamp;
use crate::model::relationship::HALF_LIVES_DAYS;
use crate::normalise::address::canonical;
use crate::nudge::Policy;
use crate::pipeline::view::{self, Explained};
use crate::score::carry::carried;
use crate::score::decay::weights;
use crate::score::hazard::probability;
use crate::score::outlook::outlook;
use crate::score::{Parameters, Zone};
use crate::store::calibration;
use crate::store::held::Held;
use ahead::Ahead;
use evidence::Evidence;
use trigger::Calibration;

/// Interactions, and meetings, shown in the table; JSON has all of them.
const EVIDENCE: usize = 12;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The rep, by id
    rep: String,
    /// The contact, by an address or by id (`con_…`)
    contact: String,
    #[command(flatten)]
    printing: Printing,
}

/// Everything from which the strength can be computed by hand.
#[derive(Debug, Serialize)]
struct Explanation<'a> {
    #[serde(flatten)]
    relationship: &'a view::Shown,
    at: Timestamp,
    terms: Terms,
    half_lives_days: [f64; 4],
    weights: [f64; 4],
    /// Where the rep's days begin: an IANA name.
    zone: &'static str,
    parameters: Model,
    reciprocated_at: Option<Timestamp>,
    reciprocations: u32,
    active_days: u32,
    /// By what a nudge comes: `hazard`, `drop` or `fixed`.
    trigger: &'static str,
    /// How probable 30 more days without contact are.
    hazard: Option<f64>,
    /// By what the own history has put that right; null as shipped.
    calibration: Option<Calibration>,
    meetings_held: Vec<Meeting>,
    /// When the next meeting begins and ends.
    next_meeting_at: Option<Timestamp>,
    next_meeting_ends_at: Option<Timestamp>,
    outlook: Ahead,
    interactions: Vec<Evidence>,
}

/// The formula's terms.
#[derive(Debug, Serialize)]
struct Terms {
    outbound: f64,
    inbound: f64,
    balanced: f64,
    surplus: f64,
    s: f64,
    reciprocated: bool,
    strength: f64,
}

/// A meeting held.
#[derive(Clone, Debug, Serialize)]
struct Meeting {
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// How many were asked to come besides the rep.
    audience: u32,
    /// Whether both accepted; else the contact did not answer, but wrote about then.
    accepted: bool,
}

/// What an admin may have set of the model.
#[derive(Debug, Serialize)]
struct Model {
    meeting_mass: f64,
    audience_exponent: f64,
    baseline_half_life_days: f64,
}

/// What the strength was computed by, beside the interactions.
#[derive(Clone, Copy)]
struct By {
    now: Timestamp,
    zone: Zone,
    parameters: Parameters,
    policy: Policy,
    calibration: Option<Calibration>,
}

pub(super) fn explain(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, db) = open(path)?;
    known_rep(&config, &arguments.rep)?;
    let rules = daemon::rules_for_reading(&db, &config)?;
    let now = arguments.printing.clock().now();
    let contact =
        canonical(&arguments.contact).map_or(arguments.contact.clone(), |a| a.to_string());
    let Some(found) = view::explain(&db, &rules, &arguments.rep, &contact, now)? else {
        return Err(Failure::Runtime(anyhow::anyhow!(
            "{} has no relationship with {}\nhint: `keepwarm relationships --rep {}` lists them",
            arguments.rep,
            arguments.contact,
            arguments.rep
        )));
    };
    let zone = config
        .reps
        .iter()
        .find(|rep| rep.id == arguments.rep)
        .map_or(chrono_tz::UTC, |rep| rep.time_zone);
    let calibration = calibration::in_force(&db)?.map(Calibration::from);
    let by = By { now, zone, parameters: rules.parameters, policy: rules.policy, calibration };
    let format = arguments.printing.format;
    output::to_stdout(|out| print(out, format, &found, by))?;
    Ok(ExitCode::SUCCESS)
}

const fn meeting(held: &Held) -> Meeting {
    let Held { starts_at, ends_at, audience, accepted, at: _ } = *held;
    Meeting { starts_at, ends_at, audience, accepted }
}

fn print(out: &mut dyn Write, format: Format, found: &Explained, by: By) -> std::io::Result<()> {
    let look = Look::of_stdout();
    let carried = carried(&found.log, by.zone, &by.parameters, by.now);
    let all: Vec<Evidence> = found.log.iter().zip(&carried).map(evidence::evidence).collect();
    let explanation = explanation(found, all, by);
    let all = &explanation.interactions;
    if format != Format::Table {
        return output::print(out, format, look, &evidence::table(all), &explanation);
    }
    print_terms(out, found, by.now)?;
    explanation.outlook.print(out, by.now)?;
    trigger::print(out, &by.policy, (&found.state, by.now), explanation.hazard, by.calibration)?;
    print_meetings(out, found)?;
    engagement::print(out, &found.shown, look)?;
    let heaviest = evidence::heaviest(all, EVIDENCE);
    writeln!(out, "\nwhat carries it most, of {} interactions:", all.len())?;
    output::print(out, format, look, &evidence::table(&heaviest), &explanation)
}

fn explanation(found: &Explained, interactions: Vec<Evidence>, by: By) -> Explanation<'_> {
    let By { now, zone, parameters, policy, calibration } = by;
    let strength = &found.strength;
    let outlook = outlook(&found.state, &found.log, zone, &parameters, now);
    Explanation {
        relationship: &found.shown,
        at: now,
        terms: Terms {
            outbound: strength.outbound,
            inbound: strength.inbound,
            balanced: strength.balanced,
            surplus: strength.surplus,
            s: strength.s,
            reciprocated: strength.reciprocated,
            strength: strength.score,
        },
        half_lives_days: HALF_LIVES_DAYS,
        weights: weights(),
        zone: zone.name(),
        parameters: Model {
            meeting_mass: parameters.meeting_mass,
            audience_exponent: parameters.audience_exponent,
            baseline_half_life_days: parameters.baseline_half_life_days,
        },
        reciprocated_at: found.state.reciprocated_at,
        reciprocations: found.state.counts.reciprocations,
        active_days: found.state.counts.active_days,
        trigger: policy.rule.code(),
        hazard: probability(&found.state, &policy.hazard, now),
        calibration,
        meetings_held: found.met.iter().map(meeting).collect(),
        next_meeting_at: found.next_meeting.map(|next| next.starts_at),
        next_meeting_ends_at: found.next_meeting.map(|next| next.ends_at),
        outlook: Ahead::new(&outlook, found.shown.falls_at),
        interactions,
    }
}

fn print_terms(out: &mut dyn Write, found: &Explained, now: Timestamp) -> std::io::Result<()> {
    let (shown, strength) = (&found.shown, &found.strength);
    let name = output::clean(&shown.contact);
    writeln!(out, "{} and {name} ({}) at {now}\n", shown.rep, shown.organisation)?;
    writeln!(out, "O         {:8.4}  what {} has sent, decayed", strength.outbound, shown.rep)?;
    writeln!(out, "I         {:8.4}  what {name} has sent, decayed", strength.inbound)?;
    writeln!(out, "balanced  {:8.4}  2 min(O, I)", strength.balanced)?;
    writeln!(
        out,
        "surplus   {:8.4}  0.5 min((I-O)+, 1) + 0.25 min((O-I)+, 0.35)",
        strength.surplus
    )?;
    writeln!(out, "S         {:8.4}  balanced + surplus", strength.s)?;
    let gate = match found.state.reciprocated_at {
        Some(at) if strength.reciprocated => format!("100 S/(S+2); first answer {at}"),
        _ => "0 until one of them answers the other".to_owned(),
    };
    writeln!(out, "strength  {:8.1}  {gate}", strength.score)?;
    writeln!(out, "best      {:8.1}  remembered, fading over years", shown.baseline)?;
    Ok(())
}

/// The last meetings held, the latest first, and the next one.
fn print_meetings(out: &mut dyn Write, found: &Explained) -> std::io::Result<()> {
    if let Some(next) = found.next_meeting {
        writeln!(out, "\nnext meeting: {} to {}", next.starts_at, next.ends_at)?;
    }
    if found.met.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nmeetings held, the last of {}:", found.met.len())?;
    for held in found.met.iter().rev().take(EVIDENCE) {
        let open = if held.accepted { "" } else { ", not answered but written about then" };
        writeln!(out, "{} to {}, {} asked{open}", held.starts_at, held.ends_at, held.audience)?;
    }
    Ok(())
}
