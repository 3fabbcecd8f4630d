//! One `[[source]]` for all reps: `reps = "*"` makes one of it for each, with a name, a login and a
//! state of its own, and puts the rep where `{address}` or `{rep}` stands.
//!
//! `{address}` is the first of the rep's addresses. In names of files and credentials only `{rep}` is
//! replaced: an id is a plain word, an address may hold anything.

use std::path::PathBuf;
use std::time::Duration;

use super::problem::Problem;
use super::raw::{RawRep, RawSource};
use super::settings::Source;
use super::source;
use super::validate::Item;

/// What sources are judged by.
pub(super) struct Known<'a> {
    /// All reps, as written.
    pub(super) reps: &'a [(String, String)],
    /// Their ids.
    pub(super) ids: &'a [String],
    /// The names of all sources, as written.
    pub(super) names: &'a [String],
    /// How often they are read.
    pub(super) poll: Duration,
}

/// Id and first address of every rep that has both.
pub(super) fn reps(written: &[RawRep]) -> Vec<(String, String)> {
    let both = written.iter().filter_map(|rep| {
        let address = rep.addresses.as_ref()?.first()?.clone();
        Some((rep.id.clone()?, address))
    });
    both.collect()
}

/// The sources that one section makes, if all of it is right.
pub(super) fn sources(
    item: &mut Item<'_>,
    mut raw: RawSource,
    known: &Known<'_>,
    credentials: Option<&PathBuf>,
) -> Option<Vec<Source>> {
    if raw.reps.take().is_none() {
        if let Some((id, address)) = known.reps.iter().find(|(id, _)| Some(id) == raw.rep.as_ref())
        {
            fill(&mut raw, id, address);
        }
        let one = source::source(item, raw, known.ids, known.poll, credentials);
        return one.map(|one| vec![one]);
    }
    if item.given("rep") {
        let problem = Problem::error("`source.rep` and `source.reps` are both given");
        item.report("reps", problem.hint("keep exactly one of them"));
        return None;
    }
    let mut sources = Vec::new();
    for (id, address) in known.reps {
        let mut one = raw.clone();
        fill(&mut one, id, address);
        one.rep = Some(id.clone());
        one.name = raw.name.as_ref().map(|name| format!("{name}/{id}"));
        if one.name.as_ref().is_some_and(|name| known.names.contains(&name.to_lowercase())) {
            let message = format!("`source.name`: the source for rep {id} has another one's name");
            item.report("name", Problem::error(message).hint("give one of them another name"));
        }
        // What is wrong with one is wrong with all.
        sources.push(source::source(item, one, known.ids, known.poll, credentials)?);
    }
    Some(sources)
}

fn fill(raw: &mut RawSource, id: &str, address: &str) {
    let whole = |text: &mut String| *text = text.replace("{address}", address).replace("{rep}", id);
    let plain = |text: &mut String| *text = text.replace("{rep}", id);
    let encoded: String = form_urlencoded::byte_serialize(address.as_bytes()).collect();
    if let Some(text) = &mut raw.username {
        whole(text);
    }
    for text in raw.calendars.iter_mut().flatten() {
        whole(text);
    }
    if let Some(text) = &mut raw.url {
        *text = text.replace("{address}", &encoded).replace("{rep}", id);
    }
    let files = [
        &mut raw.path,
        &mut raw.password_file,
        &mut raw.password_credential,
        &mut raw.token_file,
        &mut raw.token_credential,
    ];
    files.into_iter().flatten().for_each(plain);
    let commands = [&mut raw.password_command, &mut raw.token_command];
    commands.into_iter().flatten().flatten().for_each(whole);
    let Some(oauth) = &mut raw.oauth else { return };
    if let Some(text) = &mut oauth.subject {
        whole(text);
    }
    let files = [&mut oauth.refresh_token_file, &mut oauth.refresh_token_credential];
    files.into_iter().flatten().for_each(plain);
    oauth.refresh_token_command.iter_mut().flatten().for_each(whole);
}
