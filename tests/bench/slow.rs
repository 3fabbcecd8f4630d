//! A line with a length and a width, as a TCP proxy: where the kernel has no netem, and without
//! leave to use it.
//!
//! Each way has a router with room for so much time, then the line's width, then its length. That
//! the client's connection is made at once, without a round trip, is the same for all.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What waits before the line at most; what comes then has to wait at its sender.
const QUEUE: Duration = Duration::from_millis(20);
/// The largest piece that is passed on at once.
const PIECE: usize = 8 << 10;

/// What a line is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Like {
    /// There and back.
    pub(super) round_trip: Duration,
    /// Each way, in bits per second.
    pub(super) bits_per_s: f64,
}

/// Passes connections on as such a line would; answers with where to connect. Its threads end with
/// the test process.
pub(super) fn line(at: IpAddr, target: SocketAddr, like: Like) -> SocketAddr {
    let listener = TcpListener::bind((at, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(target) else { continue };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || way(client, server, like));
            std::thread::spawn(move || way(back.0, back.1, like));
        }
    });
    address
}

/// One way: takes bytes as the line has room for them, and gives them away when they have arrived.
fn way(mut from: TcpStream, to: TcpStream, like: Like) {
    let (sink, travelling) = mpsc::channel();
    let arrival = std::thread::spawn(move || arrive(to, &travelling));
    let mut free = Instant::now();
    let mut buffer = [0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let now = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "bytes of a piece")]
        let takes = Duration::from_secs_f64(read as f64 * 8.0 / like.bits_per_s);
        free = free.max(now) + takes;
        if sink.send((free + like.round_trip / 2, buffer[..read].to_vec())).is_err() {
            break;
        }
        std::thread::sleep(free.saturating_duration_since(now + QUEUE));
    }
    drop(sink);
    let _ = arrival.join();
    let _ = from.shutdown(Shutdown::Both);
}

fn arrive(mut to: TcpStream, travelling: &mpsc::Receiver<(Instant, Vec<u8>)>) {
    for (due, bytes) in travelling {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
