//! An IMAP4rev1 server on loopback that does what real servers do, and what they should not.
//!
//! Serves the commands that a reader needs (CAPABILITY, LOGIN, AUTHENTICATE PLAIN, ID, LIST with
//! SPECIAL-USE and STATUS, STATUS, EXAMINE, FETCH, UID FETCH, NOOP, IDLE, LOGOUT) over plain TCP and
//! over TLS, from mail in memory that may change meanwhile ([`Account`]), in the manner of a known
//! provider ([`Profile`]). What is wrong with it is a list of [`Fault`]s. All connections share one
//! thread: thousands of idle ones cost some kilobytes each, and nothing while nothing happens.

mod answer;
mod fault;
mod fetch;
mod mail;
mod profile;
mod session;
mod structure;

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::certificates;
pub(crate) use super::dovecot::PASSWORD;
use answer::State;
pub(crate) use fault::{Act, Fault, Moment};
pub(crate) use mail::{Account, Gmail, Letter, letters_from};
pub(crate) use profile::Profile;
use session::Session;

/// A running server; it ends, with all connections, when it is dropped.
#[derive(Debug)]
pub(crate) struct Imapd {
    /// Where it speaks in the clear.
    pub(crate) imap: SocketAddr,
    /// Where it speaks TLS from the first byte.
    pub(crate) imaps: SocketAddr,
    ca: String,
    shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// An idler was told that messages have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pushed {
    /// When the last byte of it was given to the system.
    pub(crate) at: Instant,
    /// Who has logged in.
    pub(crate) user: String,
    /// What has been opened.
    pub(crate) mailbox: String,
    /// How many messages there are now.
    pub(crate) exists: u32,
}

/// What the connections share.
#[derive(Debug)]
struct Shared {
    profile: Profile,
    accounts: Mutex<HashMap<String, Arc<Account>>>,
    faults: Mutex<Vec<Fault>>,
    connections: AtomicU32,
    open: AtomicU32,
    heard: Mutex<BTreeMap<String, u32>>,
    pushed: Mutex<Vec<Pushed>>,
}

impl Imapd {
    /// A server that does what is right.
    pub(crate) fn start(profile: Profile) -> Self {
        let shared = Arc::new(Shared {
            profile,
            accounts: Mutex::default(),
            faults: Mutex::default(),
            connections: AtomicU32::new(0),
            open: AtomicU32::new(0),
            heard: Mutex::default(),
            pushed: Mutex::default(),
        });
        let certificates = certificates::issue();
        let acceptor = acceptor(&certificates);
        let [(imap, plain), (imaps, secure)] = [bind(), bind()];
        let stop = CancellationToken::new();
        let (held, stopped) = (Arc::clone(&shared), stop.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.unwrap();
            runtime.block_on(async {
                let plain = TcpListener::from_std(plain).unwrap();
                let secure = TcpListener::from_std(secure).unwrap();
                tokio::select! {
                    () = listen(plain, None, &held) => {}
                    () = listen(secure, Some(acceptor), &held) => {}
                    () = stopped.cancelled() => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { imap, imaps, ca: certificates.ca, shared, stop, thread: Some(thread) }
    }

    /// The mail of a user, who can log in with [`PASSWORD`] from now on.
    pub(crate) fn account(&self, user: &str) -> Arc<Account> {
        let mut accounts = self.shared.accounts.lock().unwrap();
        let new = || Arc::new(Account::new(&self.shared.profile));
        Arc::clone(accounts.entry(user.to_owned()).or_insert_with(new))
    }

    /// Does this instead of what is right from now on; where several faults fit, the first does.
    pub(crate) fn suffer(&self, faults: &[Fault]) {
        *self.shared.faults.lock().unwrap() = faults.to_vec();
    }

    /// Does what is right from now on.
    pub(crate) fn heal(&self) {
        self.suffer(&[]);
    }

    /// The certificate of the authority that signed the server's.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> u32 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections there are.
    pub(crate) fn open(&self) -> u32 {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// How many commands have come, by their names.
    pub(crate) fn commands(&self) -> BTreeMap<String, u32> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// What idlers have been told, in order.
    pub(crate) fn pushes(&self) -> Vec<Pushed> {
        self.shared.pushed.lock().unwrap().clone()
    }
}

impl Drop for Imapd {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn account(&self, user: &str) -> Option<Arc<Account>> {
        self.accounts.lock().unwrap().get(user).cloned()
    }

    fn acts(&self, moment: &Moment<'_>) -> Vec<Act> {
        let faults = self.faults.lock().unwrap().clone();
        faults.iter().find_map(|fault| fault.acts(moment)).unwrap_or_else(|| vec![Act::Answer])
    }

    fn heard(&self, command: &str) {
        *self.heard.lock().unwrap().entry(command.to_owned()).or_default() += 1;
    }

    fn pushed(&self, pushed: Pushed) {
        self.pushed.lock().unwrap().push(pushed);
    }
}

fn bind() -> (SocketAddr, std::net::TcpListener) {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    (listener.local_addr().unwrap(), listener)
}

fn acceptor(certificates: &certificates::Certificates) -> TlsAcceptor {
    let leaf = CertificateDer::from_pem_slice(certificates.leaf.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(certificates.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, shared: &Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let connection = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        shared.open.fetch_add(1, Ordering::SeqCst);
        let (tls, shared) = (tls.clone(), Arc::clone(shared));
        tokio::spawn(async move {
            serve(stream, tls, &shared, connection).await;
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Converses. That the client goes is no failure.
async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, shared: &Arc<Shared>, connection: u32) {
    let _ = stream.set_nodelay(true);
    let state = || State::new(Arc::clone(shared));
    let Some(stream) = Session::new(stream, state(), connection).connected().await else { return };
    let _ = match tls {
        None => Session::new(stream, state(), connection).converse().await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => Session::new(stream, state(), connection).converse().await,
            Err(_) => return,
        },
    };
}
