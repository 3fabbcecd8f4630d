//! What is measured, as OpenMetrics text for Prometheus and its like.
//!
//! Guarantees that labels hold nothing but the admin's own words: names of sources, and codes. All
//! of it is collected when it is asked for; where from is left to the caller.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::process::Process;
use crate::model::{SourceState, Span, Timestamp};

/// The media type of what [`render`] makes.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is measured at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Every source there is or was.
    pub sources: Vec<SourceMetrics>,
    /// Messages stored, each once.
    pub messages: i64,
    /// Interactions that count.
    pub interactions: i64,
    /// Nudges made, by kind and by how far they have come.
    pub nudges: Vec<NudgeMetrics>,
    /// Why nothing is said: by a word for it, and of how many reps; `all` where it is everybody.
    pub withheld: Vec<(&'static str, i64)>,
    /// Items put aside.
    pub quarantined: i64,
    /// Deliveries by their state.
    pub outbox: Vec<(&'static str, u32)>,
    /// Since when the oldest of those that are to be made is owed.
    pub oldest_pending_at: Option<Timestamp>,
    /// Every endpoint there is or was.
    pub endpoints: Vec<EndpointMetrics>,
    /// Every loop that runs.
    pub loops: Vec<LoopMetrics>,
    /// The files of the store, in bytes.
    pub store: Vec<(&'static str, i64)>,
}

/// What is measured of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointMetrics {
    /// The name that the configuration gives.
    pub name: String,
    /// `active`, `held` or `gone`.
    pub state: &'static str,
    /// Failures in a row.
    pub failures: u32,
    /// Deliveries that it is owed.
    pub pending: u32,
    /// Deliveries to it that were given up.
    pub dead: u32,
}

/// How a loop gets on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopMetrics {
    /// What it does: `source`, `endpoint`, `nudges`, `requests`, `retention` or
    /// `reload`.
    pub does: &'static str,
    /// The source or endpoint; empty where there is one loop for all.
    pub name: String,
    /// Whether it was heard of in time.
    pub healthy: bool,
}

/// So many nudges of one kind have come so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NudgeMetrics {
    /// The kind's word.
    pub kind: String,
    /// The state's word.
    pub state: String,
    /// How many.
    pub count: i64,
}

/// What is measured of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceMetrics {
    /// The name that the configuration gives.
    pub name: String,
    /// How reading it goes.
    pub state: SourceState,
    /// Failures in a row.
    pub failures: u32,
    /// When a pass last read everything there was.
    pub fresh_at: Option<Timestamp>,
    /// How long ago that was.
    pub lag: Option<Span>,
    /// Items that its mailboxes hold, where it told.
    pub on_server: Option<i64>,
    /// Items read, if they were counted.
    pub seen: Option<i64>,
    /// Items that mailboxes read through hold and did not give.
    pub missing: i64,
}

/// The text.
///
/// # Errors
/// None in practice: it is written to memory.
pub(super) fn render(metrics: Metrics, process: Process) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Collected { metrics, process }));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Collected {
    metrics: Metrics,
    process: Process,
}

impl Collector for Collected {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        sources(&mut to, &self.metrics.sources)?;
        let Metrics { messages, interactions, nudges, quarantined, outbox, .. } = &self.metrics;
        count(&mut to, "keepwarm_messages_total", "Messages stored, each once", *messages)?;
        let help = "Interactions that count";
        count(&mut to, "keepwarm_interactions_total", help, *interactions)?;
        let made = nudges.iter().map(|one| one.count).sum();
        count(&mut to, "keepwarm_nudges_total", "Nudges made", made)?;
        let mut family = gauge(&mut to, "keepwarm_nudges_by_state", "Nudges by kind and state")?;
        for one in nudges {
            put(&mut family, &[("kind", one.kind.as_str()), ("state", &one.state)], one.count)?;
        }
        let help = "Reps to whom nothing is said, by reason";
        let mut family = gauge(&mut to, "keepwarm_nudges_withheld", help)?;
        for (reason, reps) in &self.metrics.withheld {
            put(&mut family, &[("reason", reason)], *reps)?;
        }
        let mut family = gauge(&mut to, "keepwarm_outbox", "Deliveries by state")?;
        for (state, number) in outbox {
            put(&mut family, &[("state", state)], i64::from(*number))?;
        }
        if let Some(oldest) = self.metrics.oldest_pending_at {
            let help = "Since when the oldest delivery that waits is owed";
            let family = gauge(&mut to, "keepwarm_outbox_oldest_timestamp_seconds", help)?;
            ConstGauge::new(oldest.seconds()).encode(family)?;
        }
        endpoints(&mut to, &self.metrics.endpoints)?;
        let help = "1 for a loop that gets on, 0 for one that is stuck";
        let mut family = gauge(&mut to, "keepwarm_loop_healthy", help)?;
        for LoopMetrics { does, name, healthy } in &self.metrics.loops {
            put(&mut family, &[("loop", does), ("name", name)], i64::from(*healthy))?;
        }
        let quarantine = gauge(&mut to, "keepwarm_quarantined", "Items put aside")?;
        ConstGauge::new(*quarantined).encode(quarantine)?;
        let mut family = gauge(&mut to, "keepwarm_store_bytes", "Size of the store's files")?;
        for (file, bytes) in &self.metrics.store {
            put(&mut family, &[("file", file)], *bytes)?;
        }
        let mut family = gauge(&mut to, "keepwarm_build_info", "1, for the version that runs")?;
        put(&mut family, &[("version", env!("CARGO_PKG_VERSION"))], 1)?;
        self.process.encode(&mut to)
    }
}

fn endpoints(to: &mut DescriptorEncoder<'_>, endpoints: &[EndpointMetrics]) -> fmt::Result {
    let mut family = gauge(to, "keepwarm_endpoint_state", "1 for the state the endpoint is in")?;
    for endpoint in endpoints {
        for state in ["active", "held", "gone"] {
            let labels = [("endpoint", endpoint.name.as_str()), ("state", state)];
            put(&mut family, &labels, i64::from(endpoint.state == state))?;
        }
    }
    let mut family = gauge(to, "keepwarm_endpoint_failures", "Failures in a row")?;
    for endpoint in endpoints {
        let labels = [("endpoint", endpoint.name.as_str())];
        put(&mut family, &labels, i64::from(endpoint.failures))?;
    }
    let mut family = gauge(to, "keepwarm_endpoint_outbox", "Deliveries to the endpoint by state")?;
    for endpoint in endpoints {
        for (state, number) in [("pending", endpoint.pending), ("dead", endpoint.dead)] {
            let labels = [("endpoint", endpoint.name.as_str()), ("state", state)];
            put(&mut family, &labels, i64::from(number))?;
        }
    }
    Ok(())
}

/// Names, helps and values of what is measured of every source.
type Measure = (&'static str, &'static str, fn(&SourceMetrics) -> Option<i64>);

const MEASURES: &[Measure] = &[
    (
        "keepwarm_source_fresh_timestamp_seconds",
        "When the source was last read through",
        |source| source.fresh_at.map(Timestamp::seconds),
    ),
    ("keepwarm_source_lag_seconds", "How long ago the source was last read through", |source| {
        source.lag.map(|lag| lag.millis().max(0) / 1000)
    }),
    ("keepwarm_source_failures", "Failures in a row", |source| Some(source.failures.into())),
    ("keepwarm_source_messages_on_server", "Messages that the source says it holds", |source| {
        source.on_server
    }),
    ("keepwarm_source_messages_seen", "Messages read from the source", |source| source.seen),
    (
        "keepwarm_source_messages_missing",
        "Messages that the source lists and did not give",
        |source| Some(source.missing),
    ),
];

fn sources(to: &mut DescriptorEncoder<'_>, sources: &[SourceMetrics]) -> fmt::Result {
    let mut family = gauge(to, "keepwarm_source_state", "1 for the state the source is in")?;
    for source in sources {
        for state in SourceState::ALL {
            let labels = [("source", source.name.as_str()), ("state", state.code())];
            put(&mut family, &labels, i64::from(source.state == state))?;
        }
    }
    for (name, help, measure) in MEASURES {
        let mut family = gauge(to, name, help)?;
        for source in sources.iter().filter(|source| source.state != SourceState::Disabled) {
            if let Some(value) = measure(source) {
                put(&mut family, &[("source", source.name.as_str())], value)?;
            }
        }
    }
    Ok(())
}

fn gauge<'a>(
    to: &'a mut DescriptorEncoder<'_>,
    name: &'a str,
    help: &str,
) -> Result<MetricEncoder<'a>, fmt::Error> {
    to.encode_descriptor(name, help, None, MetricType::Gauge)
}

/// One value of a family.
fn put(family: &mut MetricEncoder<'_>, labels: &[(&str, &str)], value: i64) -> fmt::Result {
    ConstGauge::new(value).encode(family.encode_family(&labels)?)
}

/// A counter; the encoder adds the suffix that the name has.
fn count(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    let value = ConstCounter::new(u64::try_from(value).unwrap_or(0));
    let name = name.trim_end_matches("_total");
    value.encode(to.encode_descriptor(name, help, None, MetricType::Counter)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_its_line() {
        let ok = SourceMetrics {
            name: "ann-mail".to_owned(),
            state: SourceState::Ok,
            failures: 0,
            fresh_at: Some(Timestamp::from_seconds(1_800_000_000)),
            lag: Some(Span::from_seconds(90)),
            on_server: Some(50_000),
            seen: Some(49_997),
            missing: 3,
        };
        let new = SourceMetrics {
            name: "bob \"b\" \\ mail".to_owned(),
            state: SourceState::New,
            failures: 2,
            fresh_at: None,
            lag: None,
            on_server: None,
            seen: None,
            missing: 0,
        };
        let outbox = vec![("pending", 1), ("delivered", 20), ("dead", 0)];
        let sources = vec![ok, new];
        let metrics = Metrics {
            sources,
            messages: 7,
            interactions: 6,
            nudges: vec![NudgeMetrics { kind: "decay".into(), state: "waiting".into(), count: 5 }],
            withheld: vec![("clock", 3)],
            quarantined: 4,
            store: vec![("database", 1 << 20), ("wal", 4096)],
            outbox,
            ..Metrics::default()
        };
        let text = render(metrics, Process::default()).unwrap();
        for line in [
            r#"keepwarm_source_state{source="ann-mail",state="ok"} 1"#,
            r#"keepwarm_source_state{source="ann-mail",state="auth_required"} 0"#,
            r#"keepwarm_source_state{source="bob \"b\" \\ mail",state="new"} 1"#,
            r#"keepwarm_source_fresh_timestamp_seconds{source="ann-mail"} 1800000000"#,
            r#"keepwarm_source_messages_on_server{source="ann-mail"} 50000"#,
            r#"keepwarm_source_messages_seen{source="ann-mail"} 49997"#,
            r#"keepwarm_source_messages_missing{source="ann-mail"} 3"#,
            r#"keepwarm_source_failures{source="bob \"b\" \\ mail"} 2"#,
            "# TYPE keepwarm_messages counter",
            "keepwarm_messages_total 7",
            "keepwarm_interactions_total 6",
            "keepwarm_nudges_total 5",
            "keepwarm_nudges_by_state{kind=\"decay\",state=\"waiting\"} 5",
            "keepwarm_nudges_withheld{reason=\"clock\"} 3",
            "keepwarm_quarantined 4",
            r#"keepwarm_outbox{state="delivered"} 20"#,
            "keepwarm_source_lag_seconds{source=\"ann-mail\"} 90",
            "keepwarm_store_bytes{file=\"wal\"} 4096",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
        }
        let unknown = text.lines().filter(|line| line.contains("bob") && line.contains("_seen"));
        assert_eq!(unknown.count(), 0, "what is unknown is not 0:\n{text}");
    }

    #[test]
    fn every_endpoint_has_its_lines() {
        let crm = EndpointMetrics {
            name: "crm".to_owned(),
            state: "held",
            failures: 6,
            pending: 9,
            dead: 2,
        };
        let metrics = Metrics {
            oldest_pending_at: Some(Timestamp::from_seconds(1_800_000_001)),
            endpoints: vec![crm],
            loops: vec![
                LoopMetrics { does: "endpoint", name: "crm".to_owned(), healthy: true },
                LoopMetrics { does: "nudges", name: String::new(), healthy: false },
            ],
            ..Metrics::default()
        };
        let text = render(metrics, Process::default()).unwrap();
        for line in [
            "keepwarm_outbox_oldest_timestamp_seconds 1800000001",
            r#"keepwarm_endpoint_state{endpoint="crm",state="held"} 1"#,
            r#"keepwarm_endpoint_state{endpoint="crm",state="active"} 0"#,
            r#"keepwarm_endpoint_failures{endpoint="crm"} 6"#,
            r#"keepwarm_endpoint_outbox{endpoint="crm",state="pending"} 9"#,
            r#"keepwarm_endpoint_outbox{endpoint="crm",state="dead"} 2"#,
            r#"keepwarm_loop_healthy{loop="endpoint",name="crm"} 1"#,
            r#"keepwarm_loop_healthy{loop="nudges",name=""} 0"#,
        ] {
            assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
        }
    }
}
