//! The configuration that `init` writes: what a person would have written, and no more.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use crate::clock;

/// The name of the endpoint.
pub(super) const ENDPOINT: &str = "webhook";

/// What was told and found.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) name: String,
    pub(super) domain: String,
    pub(super) zone: Option<String>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) url: Option<Url>,
}

impl Answers {
    /// Whether nudges are signed, which chats do not ask for.
    pub(super) fn is_signed(&self) -> bool {
        self.url.as_ref().is_some_and(|url| format(url) == "standard")
    }
}

/// The whole file; `place` is the directory of the secrets.
pub(super) fn toml(answers: &Answers, place: &str) -> String {
    let Answers { id, address, name, domain, host, .. } = answers;
    let mut text = String::from(
        "# keepwarm: what is read, for whom, and where nudges go. `keepwarm check` tells what is\n\
         # wrong here; every other key is described in keepwarm.toml(5) and config/default.toml.\n",
    );
    line(&mut text, format_args!("\n[organization]\ndomains = [{}]", quoted(domain)));
    if let Some(zone) = &answers.zone {
        line(&mut text, format_args!("time_zone = {}", quoted(zone)));
    }
    line(
        &mut text,
        format_args!(
            "\n[[rep]]\nid = {}\nname = {}\naddresses = [{}]",
            quoted(id),
            quoted(name),
            quoted(address)
        ),
    );
    let source = format!("{id}-mail");
    line(
        &mut text,
        format_args!(
            "\n[[source]]\nname = {}\nrep = {}\nkind = \"imap\"\nhost = {}",
            quoted(&source),
            quoted(id),
            quoted(host)
        ),
    );
    if answers.port != 993 {
        line(&mut text, format_args!("port = {}", answers.port));
    }
    if let Some(ca_file) = &answers.ca_file {
        line(&mut text, format_args!("ca_file = {}", quoted(&ca_file.to_string_lossy())));
    }
    line(&mut text, format_args!("username = {}\n{}", quoted(address), way("password", place, id)));
    if let Some(url) = &answers.url {
        line(
            &mut text,
            format_args!(
                "\n[[endpoint]]\nname = {}\nurl = {}",
                quoted(ENDPOINT),
                quoted(url.as_str())
            ),
        );
        match format(url) {
            "standard" => line(&mut text, format_args!("{}", way("secret", place, ENDPOINT))),
            chat => line(&mut text, format_args!("format = {}", quoted(chat))),
        }
    }
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    _ = writeln!(text, "{line}");
}

/// The key that says where a secret is.
fn way(key: &str, place: &str, name: &str) -> String {
    match place {
        "credentials" => format!("{key}_credential = {}", quoted(name)),
        place => format!("{key}_file = {}", quoted(&format!("{place}/{name}"))),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// What a receiver is sent, by its URL.
fn format(url: &Url) -> &'static str {
    let host = url.host_str().unwrap_or_default();
    let workflow = [".logic.azure.com", ".api.powerplatform.com"];
    match host {
        "hooks.slack.com" => "slack",
        host if workflow.iter().any(|end| host.ends_with(end)) => "teams",
        _ => "standard",
    }
}

/// The webhook that was answered; none for an empty answer.
///
/// # Errors
/// What is wrong with it.
pub(super) fn webhook(text: &str) -> Result<Option<Url>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let wrong = "error: this is no URL of a webhook\nhint: such as https://crm.us.example/hooks/1";
    url.map(Some).ok_or_else(|| wrong.to_owned())
}

/// A fresh secret of Standard Webhooks.
///
/// # Errors
/// Where the system has no randomness.
pub(super) fn signing_secret() -> anyhow::Result<String> {
    let drawn = clock::draw_key();
    let drawn = drawn.ok_or_else(|| anyhow::anyhow!("the system gives no random bytes"))?;
    Ok(format!("whsec_{}", STANDARD.encode(drawn)))
}

/// An id made of the local part of an address.
pub(super) fn id_of(local: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let id: String = local.to_lowercase().chars().filter(|c| fits(*c)).collect();
    if id.is_empty() { "rep".to_owned() } else { id }
}

/// A name made of the local part of an address: `ann.lee` is Ann Lee.
pub(super) fn name_of(local: &str) -> String {
    let words = local.split(['.', '_', '-']).filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<String>>().join(" ")
}

/// The zone of this machine, if it has one by name.
pub(super) fn local_zone() -> Option<String> {
    let link = std::fs::read_link(Path::new("/etc/localtime")).ok()?;
    let name = link.to_str()?.split_once("zoneinfo/")?.1.to_owned();
    let zone = name.parse::<chrono_tz::Tz>().ok()?;
    (zone != chrono_tz::Tz::UTC && !name.starts_with("Etc/")).then_some(name)
}
