//! The routes over a real connection, with a desk that keeps its answers in memory.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::link::{Purpose, links, tail};
use super::*;
use crate::model::Span;
use crate::model::feedback::{Given, Quiet, Subject};

const NOW: Timestamp = Timestamp::from_seconds(1_795_780_800);
const KEY: LinkKey = LinkKey([3; 32]);
const NUDGE: &str = "ndg_abcdefghij234567abc";
const TOKEN: &str = "correct-horse-battery-staple";

/// A daemon with one nudge.
#[derive(Default)]
struct Desk {
    sick: Option<&'static str>,
    given: Mutex<Option<Given>>,
    calls: Mutex<Vec<String>>,
}

impl Vitals for Desk {
    async fn ready(&self) -> Result<(), String> {
        self.sick.map_or(Ok(()), |why| Err(why.to_owned()))
    }

    async fn metrics(&self) -> Result<Metrics, String> {
        self.sick.map_or_else(|| Ok(Metrics::default()), |why| Err(why.to_owned()))
    }
}

impl Answers for Desk {
    fn now(&self) -> Timestamp {
        NOW
    }

    async fn about(&self, nudge: &str) -> Result<Option<About>, String> {
        self.sick.map_or(Ok(()), |why| Err(why.to_owned()))?;
        let about = About {
            contact: "Bo Li".to_owned(),
            organisation: "acme.example".to_owned(),
            rep: "Ann Lee".to_owned(),
            subject: Subject::Contact,
            zone: chrono_tz::UTC,
            made_at: NOW,
            done_until: NOW + Span::from_days(21),
            given: *self.given.lock().unwrap(),
        };
        Ok((nudge == NUDGE).then_some(about))
    }

    async fn answer(&self, nudge: &str, feedback: Feedback, way: Way) -> Result<Outcome, String> {
        self.sick.map_or(Ok(()), |why| Err(why.to_owned()))?;
        self.calls.lock().unwrap().push(format!("{} by {}", feedback.code(), way.code()));
        if nudge != NUDGE {
            return Ok(Outcome::Unknown);
        }
        let mut place = self.given.lock().unwrap();
        Ok(match *place {
            Some(given) if given.feedback == feedback => Outcome::Before(given),
            Some(given) => Outcome::Otherwise(given),
            None => {
                let until = feedback.silent_until(NOW, Span::from_days(21));
                let quiet = until.map_or(Quiet::ForGood, Quiet::Until);
                let given = Given { feedback, at: NOW, quiet };
                *place = Some(given);
                Outcome::Taken(given)
            }
        })
    }

    async fn take_back(&self, nudge: &str) -> Result<bool, String> {
        self.sick.map_or(Ok(()), |why| Err(why.to_owned()))?;
        self.calls.lock().unwrap().push("take_back".to_owned());
        *self.given.lock().unwrap() = None;
        Ok(nudge == NUDGE)
    }
}

/// An answer: status, head, body.
struct Reply {
    status: u16,
    head: String,
    body: String,
}

/// Asks a server with this desk and token, one request after the other.
async fn ask_all(desk: &Arc<Desk>, token: Option<&str>, requests: &[String]) -> Vec<Reply> {
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let access = Access { key: KEY, token: token.map(|text| Token::new(text.into())) };
    let server = tokio::spawn(serve(listener, Arc::clone(desk), access, stop.clone()));
    let mut replies = Vec::new();
    for request in requests {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        replies.push(Reply { status, head: head.to_lowercase(), body: body.to_owned() });
    }
    stop.cancel();
    server.await.unwrap().unwrap();
    replies
}

async fn ask(desk: &Arc<Desk>, request: String) -> Reply {
    ask_all(desk, Some(TOKEN), &[request]).await.pop().unwrap()
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\
         {headers}\r\n{body}"
    )
}

fn path(purpose: Purpose, expires_at: Timestamp) -> String {
    format!("/feedback/{NUDGE}/{}", tail(&KEY, NUDGE, purpose, expires_at))
}

fn api(body: &str) -> String {
    let headers = format!("Authorization: Bearer {TOKEN}\r\n");
    request("POST", &format!("/v1/nudges/{NUDGE}/feedback"), &headers, body)
}

const LATER: Timestamp = Timestamp::from_seconds(1_795_780_801);

#[tokio::test]
async fn it_tells_whether_it_can_work() {
    for (sick, path, status, body) in [
        (None, "/-/healthy", 200, "ok"),
        (None, "/-/ready", 200, "ready"),
        (Some("disk full"), "/-/healthy", 200, "ok"),
        (Some("disk full"), "/-/ready", 503, "disk full"),
        (None, "/metrics", 200, "# EOF"),
        (Some("disk full"), "/metrics", 503, "disk full"),
        (None, "/etc/passwd", 404, ""),
    ] {
        let desk = Arc::new(Desk { sick, ..Desk::default() });
        let reply = ask(&desk, request("GET", path, "", "")).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.head);
        assert!(reply.body.trim_end().ends_with(body), "{path}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_link_asks_then_acts_then_tells() {
    let desk = Arc::new(Desk::default());
    let url = links("http://x", &KEY, NUDGE, LATER).snooze_7;
    let path = url.strip_prefix("http://x").unwrap();
    let post = |confirm: &str| request("POST", path, "", confirm);
    for idle in ["GET", "HEAD", "OPTIONS", "PROPFIND"] {
        let headers = "Sec-Purpose: prefetch\r\n";
        ask_all(&desk, None, &vec![request(idle, path, headers, ""); 5]).await;
    }
    let long = format!("confirm=snooze_7&x={}", "x".repeat(2000));
    for body in ["", "confirm=done", "confirm=", "snooze_7", "a=b", &long] {
        assert_eq!(ask(&desk, post(body)).await.status, 422, "{body:?}");
    }
    assert_eq!(*desk.calls.lock().unwrap(), Vec::<String>::new(), "nothing has acted");
    assert!(ask(&desk, request("GET", path, "", "")).await.body.contains("Snooze for 7 days?"));

    for _ in 0..2 {
        let reply = ask(&desk, post("confirm=snooze_7")).await;
        assert_eq!(reply.status, 303);
        let last = path.rsplit('/').next().unwrap().to_lowercase();
        assert!(reply.head.contains(&format!("location: {last}\r\n")), "{}", reply.head);
    }
    let told = ask(&desk, request("GET", path, "", "")).await;
    assert!(told.status == 200 && told.body.contains("Snoozed for 7 days"), "{}", told.body);

    let other = self::path(Purpose::Answer(Feedback::Done), LATER);
    let refused = ask(&desk, request("POST", &other, "", "confirm=done")).await;
    assert!(refused.status == 409 && refused.body.contains("Answered already"), "{}", refused.body);

    // As the page says where.
    let target = told.body.split("action=\"../../").nth(1).unwrap().split('"').next().unwrap();
    let back = format!("/feedback/{NUDGE}/{target}");
    assert_eq!(back, self::path(Purpose::TakeBack, LATER));
    let reply = ask(&desk, request("POST", &back, "", "confirm=take_back")).await;
    assert_eq!(reply.status, 303);
    assert!(ask(&desk, request("GET", &back, "", "")).await.body.contains("Taken back"));
    assert!(ask(&desk, request("GET", path, "", "")).await.body.contains("Snooze for 7 days?"));
    let calls = desk.calls.lock().unwrap().clone();
    assert_eq!(calls, ["snooze_7 by link", "snooze_7 by link", "done by link", "take_back"]);
}

#[tokio::test]
async fn a_link_that_is_not_good_does_nothing_and_tells_nothing() {
    let desk = Arc::new(Desk::default());
    let done = Purpose::Answer(Feedback::Done);
    let good = path(done, LATER);
    let unknown = format!("/feedback/ndg_unknown/{}", tail(&KEY, "ndg_unknown", done, LATER));
    let forged = good.replace("/done/", "/not_relevant/");
    let forged_unknown = unknown.replace("/done/", "/not_relevant/");
    let strange = good.replace(NUDGE, "ndg_%3Cscript%3E");
    for (path, status) in [
        (path(done, NOW).as_str(), 410),
        (&unknown, 404),
        (&forged, 403),
        (&forged_unknown, 403),
        (&strange, 403),
        ("/feedback/a/b/c/d", 403),
        ("/feedback/%FF/b/c/d", 400),
        ("/feedback/a/b/c", 404),
        ("/feedback/", 404),
    ] {
        for method in ["GET", "POST"] {
            let reply = ask(&desk, request(method, path, "", "confirm=done")).await;
            assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
            let tells = ["Bo Li", "acme", "Ann", "<form", "script"];
            assert!(!tells.iter().any(|word| reply.body.contains(word)), "{path}: {}", reply.body);
        }
    }
    let requests = [forged, forged_unknown].map(|path| request("GET", &path, "", ""));
    let replies = ask_all(&desk, None, &requests).await;
    let bodies: Vec<String> = replies.into_iter().map(|reply| reply.body).collect();
    assert_eq!(bodies[0], bodies[1], "whether there is such a nudge is not told");
    assert_eq!(*desk.calls.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn pages_are_kept_from_caches_frames_scripts_and_search() {
    let desk = Arc::new(Desk::default());
    let good = path(Purpose::Answer(Feedback::Done), LATER);
    for (method, path, body) in [
        ("GET", good.as_str(), ""),
        ("HEAD", &good, ""),
        ("POST", &good, "confirm=done"),
        ("POST", &good, ""),
        ("PUT", &good, ""),
        ("GET", "/feedback/a/b/c/d", ""),
    ] {
        let reply = ask(&desk, request(method, path, "", body)).await;
        for header in [
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "x-robots-tag: noindex, nofollow, noarchive",
            "content-security-policy: default-src 'none'; style-src 'sha256-",
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ] {
            assert!(reply.head.contains(header), "{method} {path}: no {header} in {}", reply.head);
        }
    }
}

#[tokio::test]
async fn the_api_takes_answers_of_those_who_show_the_token() {
    let desk = Arc::new(Desk::default());
    let reply = ask(&desk, api(r#"{"action":"snooze","days":30}"#)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let said = r#"{"nudge_id":"ndg_abcdefghij234567abc","action":"snooze","days":30,"#.to_owned()
        + r#""at":"2026-11-27T12:00:00Z","silent_until":"2026-12-27T12:00:00Z","repeated":false}"#;
    assert_eq!(reply.body, said);
    let again = ask(&desk, api(r#"{"action":"snooze","days":30}"#)).await;
    assert_eq!(again.body, said.replace("false", "true"));
    let other = ask(&desk, api(r#"{"action":"done"}"#)).await;
    assert!(other.status == 409 && other.body.contains("snooze_30"), "{}", other.body);
    assert!(other.head.contains("content-type: application/problem+json"), "{}", other.head);
    assert!(
        other
            .body
            .starts_with(r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"#)
    );
    let headers = format!("Authorization: bearer  {TOKEN}\r\n");
    let back = request("DELETE", &format!("/v1/nudges/{NUDGE}/feedback"), &headers, "");
    assert_eq!(ask(&desk, back).await.status, 204);
    assert_eq!(ask(&desk, api(r#"{"action":"wrong_person"}"#)).await.status, 200);
}

#[tokio::test]
async fn the_api_is_closed_to_others_and_says_what_is_wrong() {
    let desk = Arc::new(Desk::default());
    let (known, unknown) = (format!("/v1/nudges/{NUDGE}/feedback"), "/v1/nudges/x/feedback");
    let body = r#"{"action":"done"}"#;
    let long = format!(r#"{{"action":"done","x":"{}"}}"#, "x".repeat(5000));
    let good = format!("Authorization: Bearer {TOKEN}\r\n");
    for (token, path, headers, body, status) in [
        (None, known.as_str(), good.as_str(), body, 403),
        (None, unknown, "", body, 403),
        (Some(TOKEN), &known, "", body, 401),
        (Some(TOKEN), unknown, "", body, 401),
        (Some(TOKEN), &known, "", "{", 401),
        (Some(TOKEN), &known, "Authorization: Bearer correct\r\n", body, 401),
        (Some(TOKEN), &known, "Authorization: Bearer \r\n", body, 401),
        (Some(TOKEN), &known, "Authorization: Basic correct-horse-battery-staple\r\n", body, 401),
        (Some(TOKEN), &known, "Authorization: correct-horse-battery-staple\r\n", body, 401),
        (Some(TOKEN), unknown, &good, body, 404),
        (Some(TOKEN), &known, &good, "", 400),
        (Some(TOKEN), &known, &good, "action=done", 400),
        (Some(TOKEN), &known, &good, r#"{"action":"done""#, 400),
        (Some(TOKEN), &known, &good, r#""done""#, 422),
        (Some(TOKEN), &known, &good, r#"{"action":"forget"}"#, 422),
        (Some(TOKEN), &known, &good, r#"{"action":"snooze"}"#, 422),
        (Some(TOKEN), &known, &good, r#"{"action":"snooze","days":8}"#, 422),
        (Some(TOKEN), &known, &good, r#"{"action":"snooze","days":"7"}"#, 422),
        (Some(TOKEN), &known, &good, r#"{"action":"done","days":7}"#, 422),
        (Some(TOKEN), &known, &good, r#"{"action":"done","more":1}"#, 422),
        (Some(TOKEN), &known, &good, &long, 413),
    ] {
        let reply = ask_all(&desk, token, &[request("POST", path, headers, body)]).await.remove(0);
        assert_eq!(reply.status, status, "{path} {headers} {body}: {}", reply.body);
        let problem: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(problem["status"], status, "{problem}");
        assert!(reply.head.contains("application/problem+json"), "{}", reply.head);
        assert_eq!(reply.head.contains("www-authenticate: bearer"), status == 401);
        assert!(!reply.body.contains(TOKEN), "{problem}");
    }
    for method in ["GET", "PUT", "OPTIONS"] {
        assert_eq!(ask(&desk, request(method, &known, &good, body)).await.status, 405);
    }
    assert_eq!(*desk.given.lock().unwrap(), None, "nothing was answered");
}

#[tokio::test]
async fn a_store_that_fails_changes_nothing_and_says_so() {
    let desk = Arc::new(Desk { sick: Some("disk full"), ..Desk::default() });
    let page = path(Purpose::Answer(Feedback::Done), LATER);
    for request in [
        request("GET", &page, "", ""),
        request("POST", &page, "", "confirm=done"),
        api(r#"{"action":"done"}"#),
    ] {
        let reply = ask(&desk, request).await;
        assert!(reply.status == 503 && !reply.body.contains("disk"), "{}", reply.body);
    }
}

#[test]
fn a_token_does_not_print_itself() {
    assert_eq!(format!("{:?}", Token::new(TOKEN.into())), "Token(…)");
}
