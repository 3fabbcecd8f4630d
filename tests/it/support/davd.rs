//! A CalDAV server of a few lines on loopback, with one calendar, that keeps every request and
//! answers some of them as it is told: what real servers do now and then.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio_util::sync::CancellationToken;

/// The one calendar.
pub(crate) const CALENDAR: &str = "/home/canary-cal/";

/// By what the calendar tells of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    Tokens,
    Tags,
    Nothing,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) depth: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

/// How a request is answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// With a status, headers and a body.
    Plain(u16, Vec<(&'static str, String)>, String),
    /// With a body that breaks off after these bytes.
    Broken(String),
    /// With these bytes so many times.
    Long(String, usize),
    /// Not at all.
    Never,
}

type Fault = Box<dyn Fn(&Asked) -> Option<Answer> + Send>;

/// A running server; it ends when it is dropped.
pub(crate) struct Davd {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Shared {
    tells: Tells,
    /// By name: in which version it was written, and what.
    objects: BTreeMap<String, (u64, String)>,
    /// By name: in which version it was deleted.
    deleted: BTreeMap<String, u64>,
    version: u64,
    log: Vec<Asked>,
    fault: Option<Fault>,
}

impl Asked {
    /// `PROPFIND`, `sync`, `list`, `multiget`: what it asks for.
    pub(crate) fn what(&self) -> &'static str {
        match (self.method.as_str(), self.path.as_str()) {
            ("REPORT", _) if self.body.contains("sync-collection") => "sync",
            ("REPORT", _) => "multiget",
            ("PROPFIND", CALENDAR) => "list",
            ("PROPFIND", "/home/") => "home",
            ("PROPFIND", _) => "find",
            _ => "other",
        }
    }

    /// The hrefs that it names.
    pub(crate) fn hrefs(&self) -> Vec<String> {
        let parts = self.body.split("href>").skip(1).step_by(2);
        parts.map(|part| part.trim_end_matches("</D:").to_owned()).collect()
    }
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Plain(status, Vec::new(), String::new())
    }

    pub(crate) fn header(status: u16, name: &'static str, value: &str) -> Self {
        Self::Plain(status, vec![(name, value.to_owned())], String::new())
    }

    pub(crate) fn xml(responses: &str) -> Self {
        Self::Plain(207, Vec::new(), multistatus(responses))
    }
}

impl Davd {
    /// A server with so many events.
    pub(crate) fn start(tells: Tells, events: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared {
            tells,
            objects: BTreeMap::new(),
            deleted: BTreeMap::new(),
            version: 0,
            log: Vec::new(),
            fault: None,
        }));
        let stop = CancellationToken::new();
        let (held, ends) = (Arc::clone(&shared), stop.clone());
        let thread = std::thread::spawn(move || serve(listener, held, &ends));
        let server = Self { address, shared, stop, thread: Some(thread) };
        for number in 0..events {
            server.put(&format!("{number:03}.ics"), &event(number));
        }
        server
    }

    pub(crate) fn put(&self, name: &str, ics: &str) {
        let mut shared = self.shared.lock().unwrap();
        shared.version += 1;
        let version = shared.version;
        shared.deleted.remove(name);
        shared.objects.insert(name.to_owned(), (version, ics.to_owned()));
    }

    pub(crate) fn delete(&self, name: &str) {
        let mut shared = self.shared.lock().unwrap();
        shared.version += 1;
        let version = shared.version;
        shared.objects.remove(name);
        shared.deleted.insert(name.to_owned(), version);
    }

    /// Answers like this from now on where the function gives an answer.
    pub(crate) fn fault(&self, fault: impl Fn(&Asked) -> Option<Answer> + Send + 'static) {
        self.shared.lock().unwrap().fault = Some(Box::new(fault));
    }

    /// Answers as it should again.
    pub(crate) fn recover(&self) {
        self.shared.lock().unwrap().fault = None;
    }

    /// Takes the requests so far.
    pub(crate) fn log(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.lock().unwrap().log)
    }

    /// The same, by what each asks for.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        self.log().iter().map(Asked::what).collect()
    }
}

impl Drop for Davd {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An event of an hour with a contact.
pub(crate) fn event(number: usize) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:canary-uid-{number}\r\n\
         DTSTART:20261001T{:02}0000Z\r\nDURATION:PT1H\r\nORGANIZER:mailto:ann@us.example\r\n\
         ATTENDEE:mailto:bo@acme.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        number % 24
    )
}

pub(crate) fn multistatus(responses: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/">{responses}</d:multistatus>"#
    )
}

/// A resource with these properties.
pub(crate) fn response(href: &str, properties: &str) -> String {
    format!(
        "<d:response><d:href>{href}</d:href><d:propstat><d:prop>{properties}</d:prop>\
         <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )
}

fn serve(listener: TcpListener, shared: Arc<Mutex<Shared>>, stop: &CancellationToken) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let app = Router::new().fallback(answer).with_state(shared);
        tokio::select! {
            served = async { axum::serve(listener, app).await } => served.unwrap(),
            () = stop.cancelled() => {}
        }
    });
    runtime.shutdown_background();
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        head.headers.get(name).map_or_else(String::new, |v| v.to_str().unwrap().to_owned())
    };
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        depth: header("depth"),
        authorization: header("authorization"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let answer = {
        let mut shared = shared.lock().unwrap();
        let answer = shared.fault.as_ref().and_then(|fault| fault(&asked));
        let answer = answer.unwrap_or_else(|| shared.answer(&asked));
        shared.log.push(asked);
        answer
    };
    match answer {
        Answer::Plain(status, headers, body) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Answer::Broken(body) => {
            let parts = [Ok(Bytes::from(body)), Err(std::io::Error::other("broken off"))];
            (StatusCode::MULTI_STATUS, Body::from_stream(stream::iter(parts))).into_response()
        }
        Answer::Long(body, times) => {
            let parts = std::iter::repeat_n(Bytes::from(body), times).map(Ok::<_, std::io::Error>);
            (StatusCode::MULTI_STATUS, Body::from_stream(stream::iter(parts))).into_response()
        }
        Answer::Never => std::future::pending().await,
    }
}

impl Shared {
    fn answer(&self, asked: &Asked) -> Answer {
        match (asked.what(), asked.path.as_str()) {
            ("find", "/") => {
                let found =
                    "<d:current-user-principal><d:href>/p/</d:href></d:current-user-principal>";
                Answer::xml(&response("/", found))
            }
            ("find", "/p/") => {
                let found = "<c:calendar-home-set><d:href>/home/</d:href></c:calendar-home-set>";
                Answer::xml(&response("/p/", found))
            }
            ("home", _) => {
                let home = response("/home/", "<d:resourcetype><d:collection/></d:resourcetype>");
                Answer::xml(&(home + &self.calendar()))
            }
            ("list", _) => {
                let objects = self.objects.iter().map(|(name, (version, _))| {
                    response(&format!("{CALENDAR}{name}"), &etag(*version))
                });
                Answer::xml(&(self.calendar() + &objects.collect::<String>()))
            }
            ("sync", CALENDAR) if self.tells == Tells::Tokens => self.changes(&asked.body),
            ("multiget", CALENDAR) => self.objects(&asked.hrefs()),
            _ => Answer::status(404),
        }
    }

    fn calendar(&self) -> String {
        let version = self.version;
        let told = match self.tells {
            Tells::Tokens => format!(
                "<d:sync-token>t:{version}</d:sync-token><d:supported-report-set>\
                 <d:supported-report><d:report><d:sync-collection/></d:report>\
                 </d:supported-report></d:supported-report-set>"
            ),
            Tells::Tags => format!("<s:getctag>&quot;{version}&quot;</s:getctag>"),
            Tells::Nothing => String::new(),
        };
        let kind = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>\
                    <d:displayname>Canary &amp; Co</d:displayname>";
        response(CALENDAR, &format!("{kind}{told}"))
    }

    fn changes(&self, body: &str) -> Answer {
        let since = body.split("sync-token>").nth(1).unwrap().trim_end_matches("</");
        let since: u64 = match since.strip_prefix("t:") {
            Some(version) => version.parse().unwrap(),
            None if since.is_empty() => 0,
            None => return Answer::status(403),
        };
        let mut changes = String::new();
        for (name, (version, _)) in self.objects.iter().filter(|(_, (v, _))| *v > since) {
            changes += &response(&format!("{CALENDAR}{name}"), &etag(*version));
        }
        // Also in a first sync, as Radicale does.
        for (name, _) in self.deleted.iter().filter(|(_, version)| **version > since) {
            let _ = write!(
                changes,
                "<d:response><d:href>{CALENDAR}{name}</d:href>\
                 <d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
            );
        }
        Answer::xml(&format!("{changes}<d:sync-token>t:{}</d:sync-token>", self.version))
    }

    fn objects(&self, hrefs: &[String]) -> Answer {
        let mut found = String::new();
        for href in hrefs {
            found += &match self.objects.get(href.trim_start_matches(CALENDAR)) {
                Some((version, ics)) => response(
                    href,
                    &format!("{}<c:calendar-data>{ics}</c:calendar-data>", etag(*version)),
                ),
                None => format!(
                    "<d:response><d:href>{href}</d:href>\
                     <d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
                ),
            };
        }
        Answer::xml(&found)
    }
}

fn etag(version: u64) -> String {
    format!("<d:getetag>&quot;{version}&quot;</d:getetag>")
}
