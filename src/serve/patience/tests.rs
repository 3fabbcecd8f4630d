//! Peers that are silent or slow, against limits of parts of a second.

use super::*;
use axum::serve::Listener as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// A listener with these limits, and where it is.
async fn patient(limits: Limits) -> (Patient, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (Patient::within(listener, limits), address)
}

/// How a peer's bytes are read that come every 100 ms: how many until it is let go, and why.
async fn dripped(limits: Limits, bytes: &[u8], answer_after: usize) -> (usize, io::ErrorKind) {
    let (mut patient, address) = patient(limits).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    let (mut connection, _) = patient.accept().await;
    let mut byte = [0; 1];
    for (number, sent) in (0..).zip(bytes) {
        if number == answer_after {
            connection.write_all(b"HTTP/1.1 204 No Content").await.unwrap();
        }
        if peer.write_all(&[*sent]).await.is_err() {
            return (number, io::ErrorKind::BrokenPipe);
        }
        if let Err(error) = connection.read_exact(&mut byte).await {
            return (number, error.kind());
        }
        tokio::time::sleep(millis(100)).await;
    }
    let error = connection.read_exact(&mut byte).await.unwrap_err();
    (bytes.len(), error.kind())
}

#[tokio::test]
async fn a_silent_peer_is_let_go_and_one_that_speaks_is_not() {
    let limits = Limits { silence: millis(600), ..LIMITS };
    assert_eq!(dripped(limits, b"GET / H", 99).await, (7, io::ErrorKind::TimedOut));
}

/// Each byte ends a silence, and none of them the wait for a header.
#[tokio::test]
async fn a_header_that_drips_is_not_waited_for() {
    let limits = Limits { header: millis(900), ..LIMITS };
    for (bytes, answer_after) in [
        (&[b'x'; 30][..], 99),
        // Line ends before a request are none that end it.
        (b"\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxx", 99),
        // The next one on the same connection.
        (b"G\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxx", 5),
    ] {
        let (read, why) = dripped(limits, bytes, answer_after).await;
        assert!((2..25).contains(&read) && why == io::ErrorKind::TimedOut, "{read} {why}");
    }
    // What follows a header is no header.
    let silent = Limits { silence: millis(600), ..limits };
    let (read, why) = dripped(silent, b"G\r\n\r\nxxxxxxxx", 99).await;
    assert_eq!((read, why), (13, io::ErrorKind::TimedOut));
}

#[tokio::test]
async fn no_connection_lasts() {
    let limits = Limits { life: millis(900), ..LIMITS };
    let (read, why) = dripped(limits, b"G\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxx", 5).await;
    assert!((2..25).contains(&read) && why == io::ErrorKind::TimedOut, "{read} {why}");
}

#[test]
fn the_end_of_a_header_is_seen_however_it_comes() {
    let by = Instant::now();
    for (parts, whole) in [
        (&["GET / HTTP/1.1\r\nHost: x\r\n\r\n"][..], true),
        (&["GET / HTTP/1.1\r\nHost: x\r", "\n\r", "\n"], true),
        (&["\r\n\r\nGET /\r\r\n\r\n"], true),
        (&["\r\n\r\n"], false),
        (&["x\r\n\r\r\n\r\n"], true),
        (&["GET / HTTP/1.1\r\nHost: x\r\n"], false),
        (&["x\r\n\r", "x\n"], false),
    ] {
        let asking =
            parts.iter().fold(Asking::Not, |asking, part| asking.after(part.as_bytes(), by));
        assert_eq!(matches!(asking, Asking::Asked), whole, "{parts:?}");
    }
}

#[tokio::test]
async fn there_are_only_so_many_at_a_time() {
    let (mut patient, address) = patient(Limits { places: 1, ..LIMITS }).await;
    let _peers = [TcpStream::connect(address).await, TcpStream::connect(address).await];
    let (first, _) = patient.accept().await;
    let wait = millis(100);
    assert!(tokio::time::timeout(wait, patient.accept()).await.is_err(), "the place is taken");
    drop(first);
    assert!(tokio::time::timeout(LIMITS.silence, patient.accept()).await.is_ok());
}

/// With every place taken by peers that drip their headers, who asks is still answered.
#[tokio::test]
async fn slow_connections_shut_nobody_out() {
    let limits = Limits { header: millis(3000), hurried: millis(300), places: 8, ..LIMITS };
    let (patient, address) = patient(limits).await;
    let router = axum::Router::new().route("/-/healthy", axum::routing::get(|| async { "ok" }));
    let server = tokio::spawn(async move { axum::serve(patient, router).await });
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut peer = TcpStream::connect(address).await.unwrap();
        slow.push(tokio::spawn(async move {
            while peer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(millis(50)).await;
            }
        }));
    }
    tokio::time::sleep(millis(100)).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    let request = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    peer.write_all(request).await.unwrap();
    let mut told = String::new();
    let began = Instant::now();
    tokio::time::timeout(millis(2000), peer.read_to_string(&mut told)).await.unwrap().unwrap();
    assert!(told.ends_with("ok"), "{told}");
    assert!(began.elapsed() < millis(2000), "a quarter of the places is for those who ask at once");
    for one in slow {
        assert!(tokio::time::timeout(millis(5000), one).await.is_ok(), "a slow one was not let go");
    }
    server.abort();
}
