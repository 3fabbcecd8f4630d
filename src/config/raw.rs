//! The configuration as it is written: shapes are right, meanings not yet judged.
//!
//! What stands here has passed [`super::schema`]. Items of lists are optional throughout, so that
//! [`super::validate`] can name every key that is missing in one go.

use serde::Deserialize;

/// The whole of it, defaults included.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) organization: RawOrganization,
    pub(super) store: RawStore,
    #[serde(default)]
    pub(super) rep: Vec<RawRep>,
    #[serde(default)]
    pub(super) source: Vec<RawSource>,
    #[serde(default)]
    pub(super) endpoint: Vec<RawEndpoint>,
    #[serde(default)]
    pub(super) account: Vec<RawAccount>,
    pub(super) accounts: RawAccounts,
    pub(super) sync: RawSync,
    pub(super) strength: RawStrength,
    pub(super) nudge: RawNudge,
    pub(super) privacy: RawPrivacy,
    pub(super) identity: RawIdentity,
    pub(super) serve: RawServe,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOrganization {
    pub(super) domains: Vec<String>,
    pub(super) time_zone: String,
    pub(super) working_days: String,
    pub(super) working_hours: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) path: String,
    pub(super) token_key: Option<String>,
    pub(super) token_key_file: Option<String>,
    pub(super) token_key_credential: Option<String>,
    pub(super) token_key_command: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRep {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) addresses: Option<Vec<String>>,
    pub(super) time_zone: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) name: Option<String>,
    pub(super) rep: Option<String>,
    pub(super) reps: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) tls: Option<String>,
    pub(super) allow_plaintext: Option<bool>,
    pub(super) ca_file: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) password_file: Option<String>,
    pub(super) password_credential: Option<String>,
    pub(super) password_command: Option<Vec<String>>,
    pub(super) token_file: Option<String>,
    pub(super) token_credential: Option<String>,
    pub(super) token_command: Option<Vec<String>>,
    pub(super) oauth: Option<RawOauth>,
    pub(super) authserv_id: Option<String>,
    pub(super) path: Option<String>,
    pub(super) url: Option<String>,
    pub(super) allow_private: Option<bool>,
    pub(super) calendars: Option<Vec<String>>,
    pub(super) api_url: Option<String>,
    pub(super) poll_seconds: Option<u64>,
    pub(super) exclude_mailboxes: Option<Vec<String>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOauth {
    pub(super) grant: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) token_url: Option<String>,
    pub(super) authorization_url: Option<String>,
    pub(super) device_url: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) client_secret_file: Option<String>,
    pub(super) client_secret_credential: Option<String>,
    pub(super) client_secret_command: Option<Vec<String>>,
    pub(super) refresh_token: Option<String>,
    pub(super) refresh_token_file: Option<String>,
    pub(super) refresh_token_credential: Option<String>,
    pub(super) refresh_token_command: Option<Vec<String>>,
    pub(super) key_file: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEndpoint {
    pub(super) name: Option<String>,
    pub(super) url: Option<String>,
    pub(super) allow_http: Option<bool>,
    pub(super) allow_private: Option<bool>,
    pub(super) secret: Option<String>,
    pub(super) secret_file: Option<String>,
    pub(super) secret_credential: Option<String>,
    pub(super) secret_command: Option<Vec<String>>,
    pub(super) previous_secret: Option<String>,
    pub(super) previous_secret_file: Option<String>,
    pub(super) previous_secret_credential: Option<String>,
    pub(super) previous_secret_command: Option<Vec<String>>,
    pub(super) format: Option<String>,
    pub(super) template: Option<String>,
    pub(super) template_file: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) digest: Option<bool>,
    pub(super) kinds: Option<Vec<String>>,
    pub(super) reps: Option<Vec<String>>,
    pub(super) accounts: Option<Vec<String>>,
    pub(super) timeout_seconds: Option<u64>,
    pub(super) requests_per_second: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccount {
    pub(super) name: Option<String>,
    pub(super) domains: Option<Vec<String>>,
    pub(super) target: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccounts {
    pub(super) target: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSync {
    pub(super) poll_seconds: u64,
    pub(super) connections_per_host: u32,
    pub(super) connect_seconds: u64,
    pub(super) command_seconds: u64,
    pub(super) stuck_seconds: u64,
    pub(super) days_back: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStrength {
    pub(super) meeting_mass: f64,
    pub(super) audience_exponent: f64,
    pub(super) baseline_half_life_days: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNudge {
    pub(super) trigger: String,
    pub(super) hazard_probability: f64,
    pub(super) drop_ratio: f64,
    pub(super) recovery_ratio: f64,
    pub(super) fixed_days: u32,
    pub(super) min_baseline: f64,
    pub(super) min_silence_days: u32,
    pub(super) min_reciprocations: u32,
    pub(super) min_active_days: u32,
    pub(super) days_between_episodes: u32,
    pub(super) max_age_days: u32,
    pub(super) kinds: Vec<String>,
    pub(super) owed_reply_days: u32,
    pub(super) unanswered_days: u32,
    pub(super) follow_up_days: u32,
    pub(super) days_between_accounts: u32,
    pub(super) observe_days: u32,
    pub(super) digest_at: String,
    pub(super) quiet_hours: String,
    pub(super) holidays_file: Option<String>,
    pub(super) immediate: Vec<String>,
    pub(super) per_rep_per_day: u32,
    pub(super) per_rep_per_week: u32,
    pub(super) patience_days: u32,
    pub(super) held_back_percent: u32,
    pub(super) reminder_days: u32,
    pub(super) reminders: u32,
    pub(super) mass_decay_share: f64,
    pub(super) mass_decay_least: u32,
    pub(super) fresh_hours: u32,
    pub(super) meeting_ahead_days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrivacy {
    #[expect(dead_code, reason = "the table of keys knows one choice only so far")]
    pub(super) subject: String,
    pub(super) exclude_domains: Vec<String>,
    pub(super) exclude_addresses: Vec<String>,
    #[serde(rename = "match")]
    pub(super) matching: String,
    pub(super) private_mailboxes: Vec<String>,
    pub(super) keep_interactions_days: i64,
    pub(super) keep_nudges_days: i64,
    pub(super) keep_deliveries_days: i64,
    pub(super) keep_quarantine_days: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIdentity {
    pub(super) file: Option<String>,
    pub(super) google_domains: Vec<String>,
    pub(super) alias_domains: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServe {
    pub(super) listen: String,
    pub(super) public_url: Option<String>,
    pub(super) link_days: u32,
    pub(super) token: Option<String>,
    pub(super) token_file: Option<String>,
    pub(super) token_credential: Option<String>,
    pub(super) token_command: Option<Vec<String>>,
}
