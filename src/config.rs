//! The admin's settings: read in layers, judged as a whole, handed on as plain data.
//!
//! Layers, each over the one before: the embedded `config/default.toml`, the admin's file, the
//! files `conf.d/*.toml` beside it by name, the environment (`KEEPWARM__SECTION__KEY`). [`load`]
//! guarantees that every key is known and every value makes sense, or answers with everything
//! that is wrong, line and column included. It opens no other file and resolves no secret: that
//! is [`check`], and whoever uses the secret.
//!
//! Only the shell reads this module; the policies of other modules are their own structs.

mod account;
mod advice;
mod caldav;
mod calendar_api;
mod check;
mod endpoint;
mod everybody;
mod feed;
mod identity;
mod layers;
mod login;
mod nudge;
mod privacy;
mod problem;
mod provider;
mod raw;
mod route;
mod schema;
mod secret;
mod serve;
mod settings;
mod shape;
mod source;
mod validate;
mod words;
mod written;

use std::io;
use std::path::{Path, PathBuf};

pub use check::check;
pub use identity::people;
pub use layers::DEFAULTS;
pub use problem::{Place, Problem, Problems, Severity};
pub use provider::{Provider, SignIn};
pub use secret::{SecretError, SecretSource};
pub use settings::{
    Caldav, CalendarApi, Config, Endpoint, Feed, Format, Grant, Identity, Imap, Login, Oauth,
    Organization, Privacy, Rep, Serve, Source, SourceKind, Store, Sync, TemplateText, Tls,
};
pub use words::is_api_token;
pub use written::{Change, How, Written};

use layers::Layers;

/// Where the admin's file is unless `--config` says otherwise.
pub const DEFAULT_PATH: &str = "/etc/keepwarm/keepwarm.toml";

/// What the variables that set a key begin with.
const VARIABLE_PREFIX: &str = "KEEPWARM__";

/// The variable by which systemd tells where the service's credentials are.
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// Reads the configuration whose main file is `path`; `env` is the whole environment.
///
/// # Errors
/// Every problem that could be found; where a file is not TOML, those that need the whole
/// configuration (such as an unknown rep) are left for the next time.
pub fn load(path: &Path, env: impl Iterator<Item = (String, String)>) -> Result<Config, Problems> {
    let mut layers = Layers::default();
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    read_files(&mut layers, &path);
    let credentials = read_variables(&mut layers, env);
    let config = if layers.broken {
        None
    } else {
        match layers.read() {
            Ok(raw) => validate::config(raw, &mut layers, credentials.as_ref()),
            Err(problem) => {
                layers.problems.push(problem);
                None
            }
        }
    };
    config.ok_or_else(|| {
        let mut problems = Problems(layers.problems);
        problems.sort();
        problems
    })
}

/// The environment of this process, as [`load`] takes it; what is not UTF-8 is left out.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The main file, then those beside it in `conf.d`.
fn read_files(layers: &mut Layers, path: &Path) {
    let beside = path.parent().map(|directory| directory.join("conf.d")).unwrap_or_default();
    let more = match drop_ins(&beside) {
        Ok(more) => more,
        Err(error) => {
            layers.unreadable(&beside, &error);
            Vec::new()
        }
    };
    for path in std::iter::once(path.to_owned()).chain(more) {
        match std::fs::read(&path) {
            Ok(bytes) => layers.add_bytes(&path, &bytes),
            Err(error) => layers.unreadable(&path, &error),
        }
    }
}

/// The files `*.toml` of a directory by name, but for hidden ones; none where there is no directory.
fn drop_ins(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths: io::Result<Vec<PathBuf>> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths?;
    paths.retain(|path| is_drop_in(path));
    paths.sort();
    Ok(paths)
}

/// Whether a file is meant to be read: an editor's lock or backup is not.
fn is_drop_in(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension().is_some_and(|extension| extension == "toml")
}

/// The variables that are meant for us, in order; answers with the directory of credentials.
fn read_variables(
    layers: &mut Layers,
    env: impl Iterator<Item = (String, String)>,
) -> Option<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let mut credentials = None;
    let mut ours: Vec<(String, String)> = Vec::new();
    for (name, value) in env {
        if name == CREDENTIALS_VARIABLE {
            credentials = Some(PathBuf::from(value));
        } else if name.starts_with(VARIABLE_PREFIX) {
            ours.push((name, value));
        }
    }
    ours.sort();
    for (name, value) in &ours {
        layers.add_variable(name, value, &here);
    }
    credentials
}
