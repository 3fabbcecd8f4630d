//! A receiver of webhooks as they are on bad days: by HTTP or HTTPS, with every fault that the network
//! and a receiver's program know, and a record of what it took.
//!
//! Which faults a message meets, and in which order, follows from its id; after them it is taken. Faults
//! of TLS belong to connections. A message counts as taken once its answer is about to be written.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use super::certificates::{self, Certificates};

/// What may happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// 500.
    Error,
    /// 503 with a body that says more than is read.
    Unavailable,
    /// The connection is reset without an answer.
    Reset,
    /// It ends in the middle of the answer's head.
    Cut,
    /// What comes back is not HTTP.
    Garbage,
    /// 302 to an address inside.
    Redirect,
    /// No answer until the sender has had enough.
    Silence,
    /// 500, and a body that comes by the byte.
    SlowBody,
    /// 429 and a second in `Retry-After`.
    TooMany,
}

/// A request that was read whole.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) body: String,
    /// Whether it was taken.
    pub(crate) taken: bool,
    pub(crate) at: Instant,
}

/// How a receiver behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// Of a hundred messages so many meet a fault, a few of them two or three.
    pub(crate) faulty: u64,
    /// By HTTPS, where one connection of eight fails.
    pub(crate) tls: bool,
    /// After so many requests the answer is 410 for ever.
    pub(crate) gone_after: Option<usize>,
    /// Where a redirect leads.
    pub(crate) inside: Option<SocketAddr>,
}

/// A running receiver; it ends when it is dropped.
pub(crate) struct Faulty {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    /// What its clients must trust.
    pub(crate) ca: Option<String>,
    _runtime: Runtime,
}

struct Shared {
    manner: Manner,
    got: Mutex<Vec<Got>>,
    /// How often each message has come.
    times: Mutex<HashMap<String, usize>>,
    faults: Mutex<HashMap<Fault, usize>>,
    connections: AtomicUsize,
    tls_faults: AtomicUsize,
    /// Everything is answered with 500.
    down: AtomicBool,
}

impl Faulty {
    pub(crate) fn start(manner: Manner) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let issued = manner.tls.then(certificates::issue);
        let shared = Arc::new(Shared {
            manner,
            got: Mutex::default(),
            times: Mutex::default(),
            faults: Mutex::default(),
            connections: AtomicUsize::new(0),
            tls_faults: AtomicUsize::new(0),
            down: AtomicBool::new(false),
        });
        let tls =
            issued.as_ref().map(|issued| (acceptor(issued), acceptor(&certificates::issue())));
        runtime.spawn(accept(listener, tls, Arc::clone(&shared)));
        Self { address, shared, ca: issued.map(|issued| issued.ca), _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.shared.manner.tls { "https" } else { "http" };
        format!("{scheme}://localhost:{}/hooks", self.address.port())
    }

    /// Whether everything is answered with 500 from now on.
    pub(crate) fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::Relaxed);
    }

    /// Everything that has come so far, in order.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }

    /// How often each fault was played, and how many connections failed for TLS.
    pub(crate) fn faults(&self) -> (Vec<(Fault, usize)>, usize) {
        let mut faults: Vec<_> = self
            .shared
            .faults
            .lock()
            .unwrap()
            .iter()
            .map(|(fault, times)| (*fault, *times))
            .collect();
        faults.sort();
        (faults, self.shared.tls_faults.load(Ordering::Relaxed))
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

fn acceptor(issued: &Certificates) -> TlsAcceptor {
    keepwarm::http::install_crypto();
    let leaf = CertificateDer::from_pem_slice(issued.leaf.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn accept(
    listener: TcpListener,
    tls: Option<(TlsAcceptor, TlsAcceptor)>,
    shared: Arc<Shared>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let number = shared.connections.fetch_add(1, Ordering::Relaxed);
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            match tls {
                None => serve(Stream::Plain(stream), &shared).await,
                Some((right, wrong)) => secured(stream, number, (right, wrong), &shared).await,
            }
        });
    }
}

/// Every eighth connection fails, in one of three ways.
async fn secured(
    mut stream: TcpStream,
    number: usize,
    (right, wrong): (TlsAcceptor, TlsAcceptor),
    shared: &Arc<Shared>,
) -> io::Result<()> {
    if number % 8 == 7 {
        shared.tls_faults.fetch_add(1, Ordering::Relaxed);
        return match number / 8 % 3 {
            // By an authority that nobody trusts.
            0 => wrong.accept(stream).await.map(drop),
            // Not TLS at all.
            1 => stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await,
            _ => Ok(()),
        };
    }
    let stream = right.accept(stream).await?;
    serve(Stream::Tls(Box::new(stream)), shared).await
}

/// A connection of either kind.
enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

impl Stream {
    async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => read(stream, into).await,
            Self::Tls(stream) => read(stream, into).await,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => write(stream, bytes).await,
            Self::Tls(stream) => write(stream, bytes).await,
        }
    }

    /// Ends it without a word: what was sent last is a reset.
    fn reset(self) {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.into_inner().0,
        };
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> io::Result<usize> {
    stream.read_buf(into).await
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Takes requests of a connection one after the other until it ends or a fault ends it.
async fn serve(mut stream: Stream, shared: &Arc<Shared>) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let length = loop {
            if let Some(length) = whole(&bytes) {
                break length;
            }
            if stream.read(&mut bytes).await? == 0 {
                return Ok(());
            }
        };
        let request: Vec<u8> = bytes.drain(..length).collect();
        match shared.judge(&String::from_utf8(request).unwrap()) {
            Plan::Answer(status) => {
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
                stream.write(head.as_bytes()).await?;
            }
            Plan::Fail(fault) => return fail(stream, fault, shared).await,
        }
    }
}

/// What becomes of a request.
enum Plan {
    Answer(u16),
    Fail(Fault),
}

impl Shared {
    fn judge(&self, request: &str) -> Plan {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let id = header(head, "webhook-id").to_owned();
        let time = {
            let mut times = self.times.lock().unwrap();
            let time = times.entry(id.clone()).or_insert(0);
            *time += 1;
            *time - 1
        };
        let came = self.got.lock().unwrap().len();
        let plan = if self.manner.gone_after.is_some_and(|most| came >= most) {
            Plan::Answer(410)
        } else if self.down.load(Ordering::Relaxed) {
            Plan::Answer(500)
        } else {
            faults(&id, self.manner.faulty).get(time).map_or(Plan::Answer(204), |f| Plan::Fail(*f))
        };
        if let Plan::Fail(fault) = plan {
            *self.faults.lock().unwrap().entry(fault).or_insert(0) += 1;
        }
        self.got.lock().unwrap().push(Got {
            id,
            timestamp: header(head, "webhook-timestamp").to_owned(),
            signature: header(head, "webhook-signature").to_owned(),
            body: body.to_owned(),
            taken: matches!(plan, Plan::Answer(204)),
            at: Instant::now(),
        });
        plan
    }
}

/// What a message meets before it is taken.
fn faults(id: &str, of_hundred: u64) -> Vec<Fault> {
    // FNV-1a.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    if hash % 100 >= of_hundred {
        return Vec::new();
    }
    let fault = |draw: u64| match draw % 40 {
        0..10 => Fault::Error,
        10..14 => Fault::Unavailable,
        14..22 => Fault::Reset,
        22..27 => Fault::Cut,
        27..31 => Fault::Garbage,
        31..37 => Fault::Redirect,
        37 => Fault::Silence,
        38 => Fault::SlowBody,
        _ => Fault::TooMany,
    };
    let more = match (hash >> 32) % 20 {
        0 => 2,
        1..4 => 1,
        _ => 0,
    };
    (0..=more).map(|time| fault((hash >> 8).wrapping_mul(time * 2 + 1) >> 16)).collect()
}

async fn fail(mut stream: Stream, fault: Fault, shared: &Arc<Shared>) -> io::Result<()> {
    let status =
        |line: &str, more: &str| format!("HTTP/1.1 {line}\r\n{more}content-length: 0\r\n\r\n");
    match fault {
        Fault::Error => stream.write(status("500 Error", "connection: close\r\n").as_bytes()).await,
        Fault::Unavailable => {
            let much =
                format!("HTTP/1.1 503 Busy\r\ncontent-length: 99999\r\n\r\n{}", "x".repeat(9000));
            stream.write(much.as_bytes()).await
        }
        Fault::Reset => {
            stream.reset();
            Ok(())
        }
        Fault::Cut => stream.write(b"HTTP/1.1 204 No Con").await,
        Fault::Garbage => stream.write(b"\x16\x03\x01 220 smtp.example ESMTP\r\n").await,
        Fault::Redirect => {
            let to = shared
                .manner
                .inside
                .map_or_else(String::new, |to| format!("location: http://{to}/\r\n"));
            stream.write(status("302 Found", &to).as_bytes()).await
        }
        Fault::Silence => {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Ok(())
        }
        Fault::SlowBody => {
            stream.write(b"HTTP/1.1 500 Error\r\ncontent-length: 100\r\n\r\n").await?;
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                stream.write(b"x").await?;
            }
            Ok(())
        }
        Fault::TooMany => {
            stream.write(status("429 Too Many", "retry-after: 1\r\n").as_bytes()).await
        }
    }
}

/// How long the first request is, if it is there with its body.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let length: usize =
        header(std::str::from_utf8(&bytes[..head]).unwrap(), "content-length").parse().unwrap();
    (bytes.len() >= head + length).then_some(head + length)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    found.next().map_or("", |(_, value)| value)
}
