//! From the configuration to formats: a template is read and parsed, and can be tried.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::{self, TemplateText};
use crate::deliver::format::{Format, Route, Template, TemplateError, fixture};

/// Bytes of a template: no message takes that many words.
const MOST_BYTES: u64 = 1024 * 1024;

/// Why an endpoint has no format: the admin mends the template.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unformed {
    /// The file cannot be read.
    #[error("reading {path}", path = .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// The template in the configuration, or that of the file, is none.
    #[error("the template{place}: {error}", place = in_file(.file.as_deref()))]
    Wrong {
        /// The file, if it is in one.
        file: Option<PathBuf>,
        /// What is wrong.
        error: TemplateError,
    },
    /// It is one, and cannot write this message.
    #[error("the template{place} cannot write {message}: {error}", place = in_file(.file.as_deref()))]
    Fails {
        /// The file, if it is in one.
        file: Option<PathBuf>,
        /// Which message.
        message: String,
        /// Why.
        error: TemplateError,
    },
}

/// The format of an endpoint; reads its template. Blocks.
///
/// # Errors
/// What is wrong with the template.
pub(crate) fn format(endpoint: &config::Endpoint) -> Result<Format, Unformed> {
    let (text, content_type) = match &endpoint.format {
        config::Format::Standard => return Ok(Format::Standard),
        config::Format::Slack => return Ok(Format::Slack),
        config::Format::Teams => return Ok(Format::Teams),
        config::Format::Template { text, content_type } => (text, content_type),
    };
    let parse = |text: &str, file: Option<&PathBuf>| {
        Template::parse(text, content_type)
            .map_err(|error| Unformed::Wrong { file: file.cloned(), error })
    };
    let template = match text {
        TemplateText::Inline(text) => parse(text, None),
        TemplateText::File(path) => parse(&read(path)?, Some(path)),
    };
    template.map(Format::Template)
}

/// Which nudges go to an endpoint.
pub(crate) fn route(endpoint: &config::Endpoint) -> Route {
    Route {
        kinds: endpoint.kinds.clone(),
        reps: endpoint.reps.clone(),
        organisations: endpoint.organisations.clone(),
    }
}

/// Writes a message of each kind, a digest, and one about people with odd names, to see whether a
/// template can, with links by which to answer and without.
///
/// # Errors
/// The first message that it cannot write.
pub(crate) fn tried(endpoint: &config::Endpoint) -> Result<(), Unformed> {
    let Format::Template(template) = format(endpoint)? else { return Ok(()) };
    let file = match &endpoint.format {
        config::Format::Template { text: TemplateText::File(path), .. } => Some(path.clone()),
        _ => None,
    };
    for links in [true, false] {
        for (message, written) in fixture::messages(links) {
            if let Err(error) = template.render(&written) {
                let without = if links { "" } else { " without links" };
                let message = format!("{message}{without}");
                return Err(Unformed::Fails { file, message, error });
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Unformed> {
    let unreadable = |error| Unformed::Unreadable(path.to_owned(), error);
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MOST_BYTES {
        return Err(unreadable(io::Error::other(format!("longer than {MOST_BYTES} bytes"))));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

fn in_file(file: Option<&Path>) -> String {
    file.map(|path| format!(" {}", path.display())).unwrap_or_default()
}
