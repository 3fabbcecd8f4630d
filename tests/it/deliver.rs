//! Webhooks against real receivers on loopback.

mod hostile;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keepwarm::deliver::{
    Delivery, Endpoint, Failure, Outcome, Secret, Verdict, post, signature, verdict,
};
use keepwarm::http::{AddressPolicy, Clients, Refusal};
use keepwarm::model::{Span, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

const NOW: Timestamp = Timestamp::from_seconds(1_795_248_000);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &str = "{\"type\": \"nudge.decay.v1\",\n \"data\": {\"name\": \"Bö\"}}";

/// A receiver: gives every request the same answer and shows what came. Ends when dropped.
struct Receiver {
    address: SocketAddr,
    requests: mpsc::UnboundedReceiver<String>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(answer.into(), None).await
    }

    async fn start(answer: Vec<u8>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, requests) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer, tls) = (seen.clone(), answer.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => serve(tls.accept(stream).await?, &answer, &seen).await,
                        None => serve(stream, &answer, &seen).await,
                    }
                });
            }
        });
        Self { address, requests, task }
    }

    fn url(&self) -> String {
        format!("http://{}/hooks?token=hidden", self.address)
    }

    /// The only request that came.
    fn request(&mut self) -> String {
        let request = self.requests.try_recv().expect("a request came");
        assert!(self.requests.try_recv().is_err(), "only one came");
        request
    }
}

/// Reads a request with its body, writes the answer, closes. An empty answer: keeps silent.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &[u8],
    seen: &mpsc::UnboundedSender<String>,
) -> io::Result<()> {
    let mut request = Vec::new();
    while !is_whole(&request) {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let _ = seen.send(String::from_utf8(request).unwrap());
    if answer.is_empty() {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    stream.write_all(answer).await?;
    stream.shutdown().await
}

/// Whether a request has its head and as much body as that says.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    body.len() >= header(head, "content-length").map_or(0, |length| length.parse().unwrap())
}

fn header<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let lines = request.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn endpoint(url: &str, policy: AddressPolicy) -> Endpoint {
    Endpoint {
        name: "crm".to_owned(),
        url: url.parse().unwrap(),
        secrets: vec![Secret::parse(SECRET).unwrap()],
        timeout: Duration::from_secs(5),
        policy,
        rate: keepwarm::deliver::RATE,
        content_type: "application/json".to_owned(),
    }
}

async fn deliver(endpoint: &Endpoint, extra_roots: Option<&str>) -> Outcome {
    let clients = Clients::new(extra_roots.map(str::as_bytes)).unwrap();
    let delivery = Delivery { id: "ndg_abc".to_owned(), body: BODY.to_owned(), attempt: 1 };
    post(&clients, endpoint, &delivery, NOW).await
}

async fn deliver_to(url: &str) -> Outcome {
    deliver(&endpoint(url, AddressPolicy::AllowPrivate), None).await
}

fn judge(outcome: &Outcome) -> Verdict {
    verdict(outcome, 1, NOW, 0.5)
}

#[tokio::test]
async fn the_receiver_gets_the_stored_bytes_and_can_verify_them() {
    let mut receiver =
        Receiver::answering("HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\n\r\nth\u{7}x!").await;
    let outcome = deliver_to(&receiver.url()).await;
    let answered = Outcome::Answered { status: 202, retry_after: None, answer: "th x!".to_owned() };
    assert_eq!(outcome, answered);
    assert_eq!(judge(&outcome), Verdict::Delivered);
    let request = receiver.request();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, BODY);
    assert!(head.starts_with("POST /hooks?token=hidden HTTP/1.1\r\n"), "{head}");
    for (name, value) in [
        ("content-type", "application/json"),
        ("user-agent", concat!("keepwarm/", env!("CARGO_PKG_VERSION"))),
        ("webhook-id", "ndg_abc"),
        ("webhook-timestamp", "1795248000"),
    ] {
        assert_eq!(header(head, name), Some(value), "{name}");
    }
    // As a receiver does it: from the headers and the body as they came.
    let sent_at =
        Timestamp::from_seconds(header(head, "webhook-timestamp").unwrap().parse().unwrap());
    let secret = Secret::parse(SECRET).unwrap();
    let expected =
        signature(&secret, header(head, "webhook-id").unwrap(), sent_at, body.as_bytes());
    assert_eq!(header(head, "webhook-signature"), Some(expected.as_str()));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let mut second = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let target = second.url();
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n"
        );
        let first = Receiver::answering(answer).await;
        let outcome = deliver_to(&first.url()).await;
        let Verdict::Retry { why, .. } = judge(&outcome) else { panic!("{outcome:?}") };
        assert_eq!(why, format!("redirects are not followed ({status})"));
        assert!(second.requests.try_recv().is_err(), "{status}: nothing came to the second");
    }
}

#[tokio::test]
async fn what_a_receiver_asks_for_is_done() {
    let gone = Receiver::answering("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(judge(&deliver_to(&gone.url()).await), Verdict::Disable { .. }));

    let busy = "HTTP/1.1 429 Busy\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n";
    let busy = Receiver::answering(busy).await;
    let verdict = judge(&deliver_to(&busy.url()).await);
    assert!(matches!(verdict, Verdict::Retry { at, .. } if at == NOW + Span::from_seconds(120)));
}

#[tokio::test]
async fn a_silent_receiver_does_not_hold_us() {
    let silent = Receiver::answering("").await;
    let mut endpoint = endpoint(&silent.url(), AddressPolicy::AllowPrivate);
    endpoint.timeout = Duration::from_millis(200);
    let begun = Instant::now();
    assert_eq!(deliver(&endpoint, None).await, Outcome::Failed(Failure::Timeout));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_body_that_never_ends_does_not_hold_us() {
    let answer =
        "HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n".to_owned() + &"x".repeat(1 << 20);
    let receiver = Receiver::answering(answer).await;
    let outcome = deliver_to(&receiver.url()).await;
    let Outcome::Answered { status: 200, answer, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer.len(), 4096);
}

#[tokio::test]
async fn a_compressed_bomb_is_cut_after_decompression() {
    let answer = [
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n".to_vec(),
        gzip_of_zeros(),
    ]
    .concat();
    let receiver = Receiver::answering(answer).await;
    let outcome = deliver_to(&receiver.url()).await;
    let Outcome::Answered { status: 200, answer, .. } = outcome else { panic!("{outcome:?}") };
    assert!(answer.len() <= 4096, "{}", answer.len());
}

#[tokio::test]
async fn failures_are_told_apart_without_the_url() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let garbled = Receiver::answering("SSH-2.0-OpenSSH_9.2\r\n").await;
    for (url, expected) in [
        (format!("http://{closed}/hidden?token=hidden"), Failure::Unconnected),
        (garbled.url(), Failure::Broken),
        ("http://no-such-host.invalid/hidden".to_owned(), Failure::Unresolved),
    ] {
        let outcome = deliver_to(&url).await;
        assert_eq!(outcome, Outcome::Failed(expected), "{url}");
        let told = format!("{outcome:?} {:?}", judge(&outcome));
        assert!(!told.contains("hidden"), "{told}");
    }
}

#[test]
fn an_endpoint_prints_neither_its_token_nor_its_secret() {
    let endpoint =
        endpoint("https://user:hidden@crm.example/hidden?t=hidden", AddressPolicy::Public);
    assert_eq!(format!("{endpoint:?}"), "Endpoint { name: \"crm\", .. }");
}

#[tokio::test]
async fn refused_addresses_are_not_connected_to() {
    use AddressPolicy::{AllowPrivate, Public};
    let mut receiver = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let port = receiver.address.port();
    for (policy, host, refusal) in [
        (Public, "localhost", Refusal::Loopback),
        (Public, "127.0.0.1", Refusal::Loopback),
        (Public, "127.1", Refusal::Loopback),
        (Public, "[::1]", Refusal::Loopback),
        (Public, "[::ffff:127.0.0.1]", Refusal::Loopback),
        (Public, "10.0.0.1", Refusal::Private),
        (AllowPrivate, "169.254.169.254", Refusal::LinkLocal),
        (AllowPrivate, "[fd00:ec2::254]", Refusal::Metadata),
        (AllowPrivate, "0.0.0.0", Refusal::Unspecified),
        (AllowPrivate, "[::]", Refusal::Unspecified),
    ] {
        let endpoint = endpoint(&format!("http://{host}:{port}/"), policy);
        let outcome = deliver(&endpoint, None).await;
        assert_eq!(outcome, Outcome::Failed(Failure::Refused(refusal)), "{host} under {policy:?}");
    }
    assert!(receiver.requests.try_recv().is_err(), "nothing came");
    let allowed = deliver_to(&format!("http://localhost:{port}/")).await;
    assert_eq!(judge(&allowed), Verdict::Delivered, "{allowed:?}");
}

/// The second look, at the connection: no way leads there past the first, so that an answer is taken
/// from the client that may connect, and shown to the one that may not.
#[tokio::test]
async fn an_answer_from_a_refused_address_is_not_used() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let clients = Clients::new(None).unwrap();
    let (private, public) =
        (clients.of(AddressPolicy::AllowPrivate), clients.of(AddressPolicy::Public));
    let url = receiver.url().parse().unwrap();
    let answer = private.request(reqwest::Method::POST, url).unwrap().send().await.unwrap();
    assert_eq!(private.admits_peer(&answer), Ok(()));
    assert_eq!(public.admits_peer(&answer), Err(Refusal::Loopback));
}

#[tokio::test]
async fn certificates_are_verified() {
    let authority = Authority::new();
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
    let mut receiver = Receiver::start(ok, Some(authority.acceptor("localhost"))).await;
    let url = format!("https://localhost:{}/hooks", receiver.address.port());
    let right = endpoint(&url, AddressPolicy::AllowPrivate);

    let unknown = deliver(&right, Some(&Authority::new().pem)).await;
    assert!(matches!(unknown, Outcome::Failed(Failure::Tls(_))), "{unknown:?}");
    let other_name = endpoint(&url.replace("localhost", "127.0.0.1"), AddressPolicy::AllowPrivate);
    let misnamed = deliver(&other_name, Some(&authority.pem)).await;
    assert!(matches!(misnamed, Outcome::Failed(Failure::Tls(_))), "{misnamed:?}");
    assert!(receiver.requests.try_recv().is_err(), "nothing was sent");

    let trusted = deliver(&right, Some(&authority.pem)).await;
    assert_eq!(judge(&trusted), Verdict::Delivered, "{trusted:?}");
    assert!(receiver.request().ends_with(BODY));
}

/// A certificate authority of its own.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let pem = issuer.pem();
        Self { issuer, pem }
    }

    fn acceptor(&self, name: &str) -> TlsAcceptor {
        keepwarm::http::install_crypto();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A gzip member of a megabyte of zeros: one deflate block with the fixed code, in which a zero
/// is followed by matches of 258 at distance 1.
fn gzip_of_zeros() -> Vec<u8> {
    let mut bits: Vec<u8> = vec![1, 1, 0]; // last block, fixed codes
    bits.extend([0, 0, 1, 1, 0, 0, 0, 0]); // literal 0
    for _ in 0..4096 {
        bits.extend([1, 1, 0, 0, 0, 1, 0, 1]); // length 258
        bits.extend([0, 0, 0, 0, 0]); // distance 1
    }
    bits.extend([0; 7]); // end of block
    let byte = |bits: &[u8]| bits.iter().rev().fold(0u8, |byte, bit| byte << 1 | bit);
    let deflated = bits.chunks(8).map(byte);
    // The check sum at the end is left out: nobody reads that far.
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255].into_iter().chain(deflated).collect()
}
