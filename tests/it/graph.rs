//! Calendars of Microsoft 365, from a server scripted after its public documentation.

use crate::support::process::Place;
use crate::support::script::Scripted;
use crate::support::story::play;

/// What is asked for of an event: nothing of what it is about.
const SELECT: &str = "id,type,iCalUId,originalStart,start,end,isAllDay,isCancelled,isDraft,showAs,\
    sensitivity,responseStatus,organizer,attendees";

/// A month of the years in which the stories play, counted from January 2025.
fn month(text: &str) -> u32 {
    let (year, month) = text.split_once('-').unwrap();
    (year.parse::<u32>().unwrap() - 2025) * 12 + month.parse::<u32>().unwrap() - 1
}

/// The path and the parameters of a month's view.
fn view(whose: &str, month: u32) -> String {
    let first = |month: u32| format!("{}-{:02}-01T00:00:00Z", 2025 + month / 12, month % 12 + 1);
    format!(
        "/v1.0/{whose}/calendarView?startDateTime={}&endDateTime={}&$select={SELECT}",
        first(month),
        first(month + 1)
    )
}

/// A story with the months written out.
fn expand(story: &str) -> String {
    let mut text = String::new();
    for line in story.lines() {
        match line.strip_prefix("{empty ").and_then(|rest| rest.strip_suffix('}')) {
            Some(range) => {
                let (from, to) = range.split_once(' ').unwrap();
                for month in month(from)..=month(to) {
                    let view = view("users/ann@us.example", month);
                    text.push_str(&format!("> GET {view}\n< 200\n{{\"value\": []}}\n"));
                }
            }
            None => {
                let (before, rest) = line.split_once("{month ").unwrap_or((line, ""));
                let (named, after) = rest.split_once('}').unwrap_or_default();
                let view = if named.is_empty() {
                    String::new()
                } else {
                    view("users/ann@us.example", month(named))
                };
                text.push_str(&format!("{before}{view}{after}\n"));
            }
        }
    }
    text
}

#[test]
fn a_calendar_of_microsoft_365_is_followed_through_its_changes() {
    let server = Scripted::start();
    let base = server.base();
    let place = Place::new().with(&format!(
        "[[source]]\nname = \"ann-calendar\"\nrep = \"ann\"\nkind = \"graph_calendar\"\n\
         api_url = \"{base}/v1.0\"\nusername = \"ann@us.example\"\n[source.oauth]\n\
         grant = \"client_credentials\"\ntoken_url = \"{base}/TENANT/oauth2/v2.0/token\"\n\
         client_id = \"kw\"\nclient_secret = \"canary-client\""
    ));
    play(&place, &server, &expand(include_str!("graph/story.txt")), &["canary"]);
}

/// A token that a person has signed in for says whose calendar it is, and another calendar than
/// the first has its own path.
#[test]
fn a_person_s_own_token_reads_their_calendars() {
    let server = Scripted::start();
    let base = server.base();
    let place = Place::new().with(&format!(
        "[[source]]\nname = \"ann-calendar\"\nrep = \"ann\"\nkind = \"graph_calendar\"\n\
         api_url = \"{base}/v1.0/\"\ncalendars = [\"AQ/MkA=\", \"primary\"]\n\
         token_command = [\"/bin/echo\", \"canary-token\"]"
    ));
    let answer = "> Authorization: Bearer canary-token\n< 200\n{\"value\": []}\n";
    for whose in ["me/calendars/AQ%2FMkA=", "me"] {
        for month in month("2025-10")..=month("2027-04") {
            server.expect(&format!("> GET {}\n{answer}", view(whose, month)));
        }
    }
    place.once(&["--now", "2026-11-21T08:00:00Z"]);
    server.assert_done("both calendars");
}
