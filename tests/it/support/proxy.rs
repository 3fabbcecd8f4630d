//! TCP proxies on loopback: one that cuts connections at a chosen byte, one that is rough at random.

mod rough;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use rough::RoughProxy;

/// Passes bytes both ways between its port and a target, until as many have come from the target
/// as [`Proxy::cut_after`] allows a connection. Its threads end with the test process.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Where to connect.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Bytes from the target after which a new connection is cut.
    limit: AtomicU64,
    /// Bytes from the target on all connections.
    passed: AtomicU64,
    /// Connections so far.
    connections: AtomicU64,
}

impl Proxy {
    /// A proxy that cuts nothing yet.
    pub(crate) fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            limit: AtomicU64::new(u64::MAX),
            passed: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let held = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                held.connections.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(target) else { continue };
                // Else each small command waits for the acknowledgement of the last.
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let limit = held.limit.load(Ordering::SeqCst);
                let (upstream, downstream) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap());
                let shared = held.clone();
                std::thread::spawn(move || copy(&client, &upstream, u64::MAX, None));
                std::thread::spawn(move || copy(&server, &downstream, limit, Some(&shared)));
            }
        });
        Self { address, shared }
    }

    /// Connections from now on are cut after this many bytes from the target.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.shared.limit.store(bytes, Ordering::SeqCst);
    }

    /// How many bytes have come from the target on all connections.
    pub(crate) fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::SeqCst)
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

/// Copies until the end or the limit, then closes both sides for good.
fn copy(mut from: &TcpStream, mut to: &TcpStream, limit: u64, count: Option<&Shared>) {
    let mut left = limit;
    let mut buffer = [0u8; 16 << 10];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Ok(read @ 1..) = from.read(&mut buffer[..most]) else { break };
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
        left -= read as u64;
        if let Some(shared) = count {
            shared.passed.fetch_add(read as u64, Ordering::SeqCst);
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
