//! Templates: what they can say, what they cannot reach, and how they fail.

use std::time::{Duration, Instant};

use keepwarm::deliver::format::fixture::{item, messages};
use keepwarm::deliver::format::{Format, Message, Template, render};
use keepwarm::model::NudgeKind;
use serde_json::Value;

use super::hostile;

const JSON: &str = "application/json";

fn rendered(source: &str, content_type: &str, message: &Message) -> Result<String, String> {
    let template = Template::parse(source, content_type).map_err(|error| told(&error))?;
    template.render(message).map(|rendered| rendered.body).map_err(|error| told(&error))
}

fn told(error: &keepwarm::deliver::format::TemplateError) -> String {
    format!("{error}{}", error.hint.map(|hint| format!("; {hint}")).unwrap_or_default())
}

fn digest() -> Message {
    messages(true).into_iter().find(|(what, _)| what == "a digest").unwrap().1
}

fn named(name: &str) -> Message {
    let item = item(NudgeKind::Decay, name, false).unwrap();
    Message { id: item.event.data.nudge_id.clone(), at: item.event.timestamp, items: vec![item] }
}

#[test]
fn a_template_says_what_it_is_given() {
    for (source, content_type, says) in [
        ("{{ nudge.contact.name }} to {{ rep.name }}", "text/plain", "Bo Li to Ann Lee"),
        ("{{ nudges | length }} {{ id }}", "text/plain", "6 dig_aaaaaaaaaaaaaaaaaaa"),
        ("{{ timestamp }}", "text/plain", "2026-11-20T08:00:00Z"),
        ("{{ nudges | map(attribute='type') | first }}", "text/plain", "nudge.decay.v1"),
        (
            "{{ nudge.links.snooze_7 }}",
            "text/plain",
            "https://keepwarm.us.example/n/snooze-7?t=0123456789abcdef&k=1",
        ),
        ("{% if nudge.reminder is defined %}again{% endif %}", "text/plain", "again"),
        ("{{ nudge.strength.now }}", JSON, "31.2"),
        ("\"{{ nudge.strength.now }}\"", JSON, "\"31.2\""),
        ("{{ nudge.contact.name | tojson }}", JSON, "\"Bo Li\""),
        ("\"Hello {{ nudge.contact.name }}\"", JSON, "\"Hello Bo Li\""),
        (
            "{{ nudges | map(attribute='contact.name') | join(', ') | tojson }}",
            JSON,
            "\"Bo Li, Bo Li, Bo Li, Bo Li, Bo Li, Bo Li\"",
        ),
        (
            "[{% for n in nudges %}{{ n.strength.now }}{% if not loop.last %},{% endif %}{% endfor %}]",
            JSON,
            "[31.2,31.2,31.2,31.2,31.2,31.2]",
        ),
        (
            "{% macro m(n) %}{{ n.type }}{% endmacro %}\"{{ m(nudge) }}\"",
            JSON,
            "\"nudge.decay.v1\"",
        ),
    ] {
        assert_eq!(rendered(source, content_type, &digest()).as_deref(), Ok(says), "{source}");
    }
}

#[test]
fn a_template_that_fails_says_where_and_why() {
    for (source, content_type, says) in [
        ("a\n{{ nudge.nothing }}", "text/plain", "it uses what is not there"),
        ("a\n{{ nudge.nothing }}", "text/plain", "in line 2"),
        ("{% if nudge.nothing %}{% endif %}", "text/plain", "is defined"),
        ("a\n\n{% for %}", "text/plain", "in line 3"),
        ("{{ nudge", "text/plain", "syntax error"),
        ("{% include 'other' %}", "text/plain", "unknown statement include"),
        ("{% extends 'other' %}", "text/plain", "unknown statement extends"),
        ("{% import '/etc/passwd' as x %}", "text/plain", "unknown statement import"),
        ("{{ open('/etc/passwd') }}", "text/plain", "unknown function"),
        ("{{ nudge | no_filter }}", "text/plain", "unknown filter"),
        ("{{ nudge.__class__ }}", "text/plain", "not there"),
        (
            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
            "text/plain",
            "was stopped",
        ),
        ("{% for a in range(99999) %}xxxxxxxxxx{% endfor %}", "text/plain", "was stopped"),
        ("{{ 'x' * 300000 }}", "text/plain", "more than 262144 bytes"),
        ("{{ 'x' * 99000000 }}", "text/plain", "was stopped"),
        (
            "{% set ns = namespace(x='x') %}{% for a in range(40) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
            "text/plain",
            "was stopped",
        ),
        ("{{ nudge | tojson(2) }}", "text/plain", "without an indent"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "text/plain", "recursion"),
        (
            "{\"text\": {{ nudge.contact.name }}}",
            JSON,
            "what it writes is no JSON: expected value at line 1 column 10",
        ),
        ("{\"text\": {{ nudge.contact.name }}}", JSON, "{{ value | tojson }}"),
        ("", JSON, "no JSON"),
        ("{}{}", JSON, "no JSON"),
    ] {
        let found = rendered(source, content_type, &digest());
        assert!(
            found.as_ref().is_err_and(|found| found.contains(says)),
            "{source}: {found:?}, not {says}"
        );
    }
}

/// Whatever would fill the memory ends with an error, before it has.
#[test]
fn a_bomb_is_put_out_before_it_has_filled_the_memory() {
    const TWICE: &str = "{% set n = namespace(x=['x']) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}";
    const DEEP: &str = "{% set n = namespace(x=['x']) %}{% for i in range(9000) %}{% set n.x = [n.x] %}{% endfor %}";
    const LONG: &str = "([1] * 2000000000)";
    let mut bombs: Vec<String> = [
        "{{ nudge | tojson(2000000000) }}",
        "{{ nudge | tojson(indent=2000000000) }}",
        "{{ nudges | map('tojson', 2000000000) | list }}",
        "{{ 'a\\nb' | indent(2000000000) }}",
        "{{ nudges | map('indent', 2000000000) | list }}",
        "{{ 'x' | center(2000000000) }}",
        "{{ 'x'.center(2000000000) }}",
        "{{ 'x' * 2000000000 }}",
        "{{ 2000000000 * 'x' }}",
        "{{ (1, 2) * 2000000000 }}",
        "{{ '%2000000000s' | format('a') }}",
        "{{ '%*s' | format(2000000000, 'a') }}",
        "{{ '%.2000000000f' | format(1.0) }}",
        "{{ '%2000000000d' % 1 }}",
        "{{ '{:2000000000}'.format('a') }}",
        "{{ [1] | batch(2000000000, 0) }}",
        "{{ [1] | slice(2000000000) }}",
        "{{ range(2000000000) }}",
        "{{ range(99999) | list | tojson }}",
        "{{ range(99999) | join('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') }}",
        "{{ ('x' * 6000000) | replace('', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy') }}",
        "{{ 'x' | pprint }}",
        "{{ debug() }}",
    ]
    .map(str::to_owned)
    .into();
    for end in ["n.x", "n.x | tojson", "n.x | string", "{'a': n.x}"] {
        bombs.push(format!("{TWICE}{{{{ {end} }}}}"));
        bombs.push(format!("{DEEP}{{{{ {end} }}}}"));
    }
    for end in
        ["", "~ ''", "| string", "| tojson", "| list", "| join(',')", "| upper", "| batch(3)"]
    {
        bombs.push(format!("{{{{ {LONG} {end} }}}}"));
    }
    for bomb in bombs {
        for content_type in ["text/plain", "text/html", JSON] {
            let (began, before) = (Instant::now(), most_memory_kb());
            let found = rendered(&bomb, content_type, &digest());
            assert!(found.as_ref().is_err_and(|found| !found.is_empty()), "{bomb}: {found:?}");
            assert!(began.elapsed() < Duration::from_secs(1), "{bomb}: {:?}", began.elapsed());
            let grown = most_memory_kb() - before;
            assert!(grown < 100_000, "{bomb}: {grown} kB, then {found:?}");
        }
    }
}

/// The most memory that this process has had so far.
fn most_memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// No name breaks out of the string that it stands in.
#[test]
fn a_strangers_name_stays_in_its_place() {
    let json = "{\"a\": \"to {{ nudge.contact.name }}\", \"b\": {{ nudge.contact.name | tojson }}, \
                \"c\": [{% for r in nudge.reasons %}{{ r.text | tojson }}{% if not loop.last %},{% endif %}{% endfor %}]}";
    let html = "<p title=\"{{ nudge.contact.name }}\">{{ nudge.contact.name }}</p>";
    for name in hostile::names() {
        let message = named(&name);
        let body = rendered(json, JSON, &message).unwrap();
        let parsed: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(parsed["a"], format!("to {name}"));
        assert_eq!(parsed["b"], name);
        assert_eq!(parsed.as_object().unwrap().len(), 3, "{body}");
        let page = rendered(html, "text/html; charset=utf-8", &message).unwrap_or_default();
        assert!(name.len() > 50_000 || page.starts_with("<p title=\""), "{name:?}");
        assert_eq!(page.matches(['<', '>']).count(), 4, "{page}");
        assert_eq!(page.matches('"').count(), 2, "{page}");
    }
}

#[test]
fn a_template_that_fails_is_a_message_that_cannot_be_written() {
    let template =
        Template::parse("To {{ rep.name }}:\n{{ nudge.account.name }}", "text/plain").unwrap();
    let error = render(&Format::Template(template), &named("Bo")).unwrap_err();
    let says = "the template: it uses what is not there: `nudge.account` is undefined in line 2";
    assert_eq!(error.to_string(), says);
}

#[test]
fn the_content_type_is_the_bodys() {
    for (content_type, source) in
        [("text/plain", "x"), ("application/json", "1"), ("application/vnd.api+json", "1")]
    {
        let format = Format::Template(Template::parse(source, content_type).unwrap());
        assert_eq!(render(&format, &named("Bo")).unwrap().body, source);
        assert_eq!(format.content_type(), content_type);
    }
    assert!(rendered("x", "application/vnd.api+json", &digest()).is_err());
    assert!(rendered("x", "Application/JSON; charset=utf-8", &digest()).is_err());
}
