//! A server on loopback that follows a script: it expects requests one after the other, as they are
//! written down from a service's public documentation, and answers each as that says.
//!
//! A script is text. `> GET /path?query` begins a request, `> Name: value` is a header that it must
//! have, `> !Name` one that it must not have, `> field=value` a field of its form (`*`: any value).
//! `< 200` begins its answer, `< Name: value` is a header of it, and the lines that follow are its
//! body. `{base}` is the server itself. What is not as expected is answered with 599 and told.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;

/// A request and its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    absent: Vec<String>,
    form: BTreeMap<String, String>,
    status: u16,
    answers: Vec<(String, String)>,
    body: String,
}

#[derive(Debug, Default)]
struct Shared {
    expected: VecDeque<Exchange>,
    faults: Vec<String>,
    forms: Vec<BTreeMap<String, String>>,
}

/// A running server; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Scripted {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Scripted {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (shared, stop) = (Arc::new(Mutex::new(Shared::default())), CancellationToken::new());
        let (held, ends) = (Arc::clone(&shared), stop.clone());
        let thread = std::thread::spawn(move || serve(listener, held, &ends));
        Self { address, shared, stop, thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Expects what is written there, after what it expects already.
    pub(crate) fn expect(&self, script: &str) {
        let script = script.replace("{base}", &self.base());
        self.shared.lock().unwrap().expected.extend(exchanges(&script));
    }

    /// How many requests are still expected.
    pub(crate) fn outstanding(&self) -> usize {
        self.shared.lock().unwrap().expected.len()
    }

    /// The forms that were posted so far.
    pub(crate) fn forms(&self) -> Vec<BTreeMap<String, String>> {
        self.shared.lock().unwrap().forms.clone()
    }

    /// Everything expected must have come, and nothing else.
    #[track_caller]
    pub(crate) fn assert_done(&self, what: &str) {
        let mut shared = self.shared.lock().unwrap();
        let missing: Vec<String> = shared
            .expected
            .drain(..)
            .map(|e| format!("never asked: {} {}", e.method, e.path))
            .collect();
        let faults = [std::mem::take(&mut shared.faults), missing].concat();
        assert!(faults.is_empty(), "{what}:\n{}", faults.join("\n"));
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
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

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut shared = shared.lock().unwrap();
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    if !form.is_empty() {
        shared.forms.push(form.clone());
    }
    let expected = shared.expected.pop_front();
    let fault = match &expected {
        None => Some(format!("asked too much: {method} {uri}")),
        Some(expected) => expected.differs(&method, &uri, &headers, &form),
    };
    match (fault, expected) {
        (None, Some(expected)) => expected.respond(),
        (fault, _) => {
            shared.faults.extend(fault);
            StatusCode::from_u16(599).unwrap().into_response()
        }
    }
}

impl Exchange {
    /// What of a request is not as expected.
    fn differs(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        form: &BTreeMap<String, String>,
    ) -> Option<String> {
        let asked = format!("{method} {uri}");
        let query = pairs(uri.query().unwrap_or_default());
        if (method.as_str(), uri.path(), &query) != (&*self.method, &*self.path, &self.query) {
            let expected = (&self.method, &self.path, &self.query);
            return Some(format!("{asked}\n  {query:?}\n  instead of {expected:?}"));
        }
        for (name, value) in &self.headers {
            let found = headers.get(name).map(|value| value.to_str().unwrap());
            if found != Some(value) && !(value == "*" && found.is_some()) {
                return Some(format!("{asked}: {name}: {found:?} instead of {value:?}"));
            }
        }
        if let Some(name) = self.absent.iter().find(|name| headers.contains_key(*name)) {
            return Some(format!("{asked}: {name} is there"));
        }
        let differ = |(name, value): &(&String, &String)| {
            form.get(*name) != Some(value) && !(*value == "*" && form.contains_key(*name))
        };
        let differs = self.form.iter().find(differ);
        differs.map(|(name, value)| format!("{asked}: {name} is not {value:?} in {form:?}"))
    }

    fn respond(&self) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.answers {
            let name: axum::http::HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let gzip = headers.get("content-encoding").is_some_and(|value| value == "gzip");
        let body = if gzip { gzipped(&self.body) } else { self.body.clone().into_bytes() };
        (StatusCode::from_u16(self.status).unwrap(), headers, body).into_response()
    }
}

fn gzipped(body: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// The pairs of a query, decoded and sorted.
fn pairs(query: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    pairs.sort();
    pairs
}

fn exchanges(script: &str) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for line in script.lines() {
        let last = exchanges.last_mut();
        match (line.strip_prefix("> "), line.strip_prefix("< "), last) {
            (Some(request), _, last) => match (begun(request), last) {
                (Some(exchange), _) => exchanges.push(exchange),
                (None, Some(exchange)) => exchange.requires(request),
                (None, None) => panic!("no request before {line:?}"),
            },
            (_, Some(answer), Some(exchange)) => match answer.split_once(": ") {
                Some((name, value)) => exchange.answers.push((name.to_owned(), value.to_owned())),
                None => exchange.status = answer.trim().parse().unwrap(),
            },
            (None, None, Some(exchange)) => {
                exchange.body.push_str(line);
                exchange.body.push('\n');
            }
            _ => assert!(line.trim().is_empty(), "no request before {line:?}"),
        }
    }
    exchanges
}

/// The exchange that a line such as `GET /path?query` begins.
fn begun(request: &str) -> Option<Exchange> {
    let (method, target) = request.split_once(' ')?;
    let begins = matches!(method, "GET" | "POST") && target.starts_with('/');
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    begins.then(|| Exchange {
        method: method.to_owned(),
        path: path.to_owned(),
        query: pairs(query),
        ..Exchange::default()
    })
}

impl Exchange {
    fn requires(&mut self, line: &str) {
        match (line.strip_prefix('!'), line.split_once(": "), line.split_once('=')) {
            (Some(name), _, _) => self.absent.push(name.to_owned()),
            (_, Some((name, value)), _) => self.headers.push((name.to_owned(), value.to_owned())),
            (_, _, Some((name, value))) => {
                self.form.insert(name.to_owned(), value.to_owned());
            }
            _ => panic!("neither a header nor a field: {line:?}"),
        }
    }
}
