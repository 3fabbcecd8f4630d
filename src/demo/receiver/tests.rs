//! Real requests over TCP, signed by the sender's half of Standard Webhooks.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: i64 = 1_795_248_000;

fn example(signatures: &str) -> Signed<'_> {
    Signed {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp: "1614265330",
        signatures,
        body: "{\"test\": 2432232314}",
    }
}

/// The example of the specification's reference libraries: pins the formula to an outside value.
#[test]
fn the_signature_is_the_specifications() {
    let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let bad = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=";
    let then = Timestamp::from_seconds(1_614_265_330);
    for (signatures, expected) in [
        (good.to_owned(), Ok(())),
        (format!("v1,AAAA v1a,xyz {good}"), Ok(())),
        (bad.to_owned(), Err(Verdict::WrongSignature)),
        (good.replace("v1,", "v2,"), Err(Verdict::WrongSignature)),
        (String::new(), Err(Verdict::WrongSignature)),
    ] {
        assert_eq!(verify(&example(&signatures), &key, then), expected, "{signatures}");
    }
    for (late_s, expected) in
        [(300, Ok(())), (-300, Ok(())), (301, Err(Verdict::Stale)), (-301, Err(Verdict::Stale))]
    {
        let now = then + Span::from_seconds(late_s);
        assert_eq!(verify(&example(good), &key, now), expected, "{late_s} s late");
    }
}

#[tokio::test]
async fn a_delivery_is_failed_once_then_taken_and_a_replay_counts_once() {
    let (receiver, stop) = running().await;
    let nudge = Request::signed("ndg_a", NOW, r#"{"type":"nudge.decay.v1"}"#);

    let first = post_to(&receiver, &nudge).await;
    assert!(first.starts_with("HTTP/1.1 503 "), "{first}");
    assert!(first.to_ascii_lowercase().contains("\r\nretry-after: 1\r\n"), "{first}");
    assert!(receiver.received().iter().all(|delivery| !delivery.accepted));

    for attempt in ["retry", "replay"] {
        let answer = post_to(&receiver, &nudge).await;
        assert!(answer.starts_with("HTTP/1.1 204 "), "{attempt}: {answer}");
    }
    let other = Request::signed("ndg_b", NOW - 299, "{}");
    assert!(post_to(&receiver, &other).await.starts_with("HTTP/1.1 204 "));

    let received = receiver.received();
    let summary: Vec<_> =
        received.iter().map(|d| (d.id.as_str(), d.attempts, d.accepted)).collect();
    assert_eq!(summary, [("ndg_a", 3, true), ("ndg_b", 1, true)]);
    assert_eq!(received[0].body, nudge.body);
    stop.cancel();
    receiver.stopped().await.unwrap();
}

#[tokio::test]
async fn what_is_not_signed_well_is_refused_and_leaves_no_trace() {
    let (receiver, stop) = running().await;
    let good = || Request::signed("ndg_a", NOW, "{}");
    let unsigned = Request { signature: None, ..good() };
    let changed = Request { body: "{\"a\":1}".to_owned(), ..good() };
    let renamed = Request { id: "ndg_b".to_owned(), ..good() };
    let redated = Request { timestamp: (NOW + 1).to_string(), ..good() };
    let undated = Request { timestamp: "soon".to_owned(), ..good() };
    let huge = Request::signed("ndg_a", NOW, &"x".repeat(LARGEST_BODY + 1));
    for (request, status, what) in [
        (unsigned, 400, "no signature"),
        (changed, 401, "another body"),
        (renamed, 401, "another id"),
        (redated, 401, "another timestamp"),
        (undated, 400, "no number"),
        (Request::signed("ndg_a", NOW - 301, "{}"), 401, "stale"),
        (Request::signed("ndg_a", NOW + 301, "{}"), 401, "from the future"),
        (huge, 413, "too large"),
    ] {
        let answer = post_to(&receiver, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
    }
    assert_eq!(receiver.received(), []);
    // None of them was "the first request".
    assert!(post_to(&receiver, &good()).await.starts_with("HTTP/1.1 503 "));
    stop.cancel();
    receiver.stopped().await.unwrap();
}

#[tokio::test]
async fn a_secret_of_another_form_is_refused() {
    for secret in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_???"] {
        let error = start(secret, Clock::System, CancellationToken::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{secret}");
    }
}

struct Request {
    id: String,
    timestamp: String,
    signature: Option<String>,
    body: String,
}

impl Request {
    fn signed(id: &str, at: i64, body: &str) -> Self {
        let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{at}.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        Self {
            id: id.to_owned(),
            timestamp: at.to_string(),
            signature: Some(signature),
            body: body.to_owned(),
        }
    }
}

async fn running() -> (Receiver, CancellationToken) {
    let stop = CancellationToken::new();
    let clock = Clock::Fixed(Timestamp::from_seconds(NOW));
    (start(SECRET, clock, stop.clone()).await.unwrap(), stop)
}

/// The whole answer to one request on a connection of its own.
async fn post_to(receiver: &Receiver, request: &Request) -> String {
    let (host, path) = receiver.url().trim_start_matches("http://").split_once('/').unwrap();
    let signature = request.signature.iter().map(|value| format!("webhook-signature: {value}\r\n"));
    let text = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\
         webhook-id: {}\r\nwebhook-timestamp: {}\r\n{}\r\n{}",
        request.body.len(),
        request.id,
        request.timestamp,
        signature.collect::<String>(),
        request.body
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    // A refused body may be answered before it has been sent: the answer is what counts.
    _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}
