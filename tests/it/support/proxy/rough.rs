//! A proxy that cuts, delays and splits at random, the same for the same seed.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::SockRef;

use crate::support::generate::Draw;

/// The longest that one piece is held up, in milliseconds.
const LONGEST_DELAY_MS: u64 = 4;
/// How many pieces of a connection are held up at most, each way.
const MOST_DELAYS: u32 = 12;

/// Passes bytes both ways in pieces of random size, some of them late; cuts the first connections at
/// random places, and no others. Its threads end with the test process.
#[derive(Debug)]
pub(crate) struct RoughProxy {
    /// Where to connect.
    pub(crate) address: SocketAddr,
    cut: Arc<AtomicU64>,
}

/// What happens to one direction of a connection.
#[derive(Debug)]
struct Way {
    draw: Draw,
    /// After how many bytes it is cut.
    limit: u64,
    end: End,
}

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Close,
    Reset,
}

impl RoughProxy {
    /// Cuts the first `cuts` connections, each after at most `length` bytes from the target or a
    /// twentieth of that to it.
    pub(crate) fn start(target: SocketAddr, seed: u64, cuts: u32, length: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&cut);
        std::thread::spawn(move || {
            let mut draw = Draw::new(seed);
            for (number, client) in (0..).zip(listener.incoming().flatten()) {
                let Ok(server) = TcpStream::connect(target) else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let [mut up, mut down] = [Way::whole(&mut draw), Way::whole(&mut draw)];
                if number < cuts {
                    // Most of what passes comes from the server.
                    let (way, most) = match draw.below(8) {
                        0 => (&mut up, length / 20),
                        _ => (&mut down, length),
                    };
                    way.limit = 1 + draw.below(most);
                    way.end = if draw.below(2) == 0 { End::Close } else { End::Reset };
                }
                for (from, to, way) in [(&client, &server, up), (&server, &client, down)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let count = Arc::clone(&count);
                    std::thread::spawn(move || way.pass(&from, &to, &count));
                }
            }
        });
        Self { address, cut }
    }

    /// How many connections were cut before they had ended.
    pub(crate) fn cut(&self) -> u64 {
        self.cut.load(Ordering::SeqCst)
    }
}

impl Way {
    fn whole(draw: &mut Draw) -> Self {
        Self { draw: Draw::new(draw.next()), limit: u64::MAX, end: End::Close }
    }

    fn pass(mut self, mut from: &TcpStream, mut to: &TcpStream, cut: &AtomicU64) {
        let (mut left, mut delays) = (self.limit, MOST_DELAYS);
        let mut buffer = [0u8; 4 << 10];
        while left > 0 {
            let most = usize::try_from(left.min(1 + self.size())).unwrap();
            let Ok(read @ 1..) = from.read(&mut buffer[..most]) else { break };
            if delays > 0 && self.draw.below(8) == 0 {
                delays -= 1;
                std::thread::sleep(Duration::from_millis(self.draw.below(1 + LONGEST_DELAY_MS)));
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
            left -= read as u64;
        }
        if left == 0 {
            cut.fetch_add(1, Ordering::SeqCst);
        }
        if left == 0 && self.end == End::Reset {
            for stream in [from, to] {
                let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// How large the next piece is at most: single bytes, scraps, or what comes.
    fn size(&mut self) -> u64 {
        match self.draw.below(4) {
            0 => self.draw.below(3),
            1 => self.draw.below(100),
            _ => 4095,
        }
    }
}
