//! Endpoint URLs that mean to lead us to where nobody may send us: nothing is connected to.
//!
//! Where the machine allows it, all of this runs in a network namespace in which every address there
//! is belongs to this machine and is listened on, so that a connection to any of them would come
//! about and be counted; elsewhere it is loopback alone that is listened on.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use keepwarm::config;
use keepwarm::deliver::{Delivery, Failure, Outcome, post};
use keepwarm::http::AddressPolicy::{AllowPrivate, Public};
use keepwarm::http::Refusal::{
    Broadcast, LinkLocal, Loopback, Metadata, Multicast, Private, Reserved, Unspecified,
};
use keepwarm::http::{AddressPolicy, Clients, Lookup, Refusal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{BODY, NOW, SECRET, endpoint};
use crate::support::process::Place;

/// Hosts as they are written in a URL, and why each is refused. Those that are names are resolved by
/// the system (localhost) or as [`NAMES`] says.
const HOSTS: &[(&str, Refusal)] = &[
    // This machine, as people and libraries write it.
    ("127.0.0.1", Loopback),
    ("127.255.255.254", Loopback),
    ("127.1", Loopback),
    ("127.0.1", Loopback),
    ("127.0.0.1.", Loopback),
    ("127.000.000.001", Loopback),
    ("0177.0.0.1", Loopback),
    ("0177.0.0.01", Loopback),
    ("017700000001", Loopback),
    ("0x7f.0.0.1", Loopback),
    ("0x7f.1", Loopback),
    ("0x7f000001", Loopback),
    ("0X7F000001", Loopback),
    ("2130706433", Loopback),
    ("localhost", Loopback),
    ("LocalHost", Loopback),
    ("localhost.", Loopback),
    ("１２７.0.0.1", Loopback),
    ("①②⑦.⓪.⓪.①", Loopback),
    ("127。0。0。1", Loopback),
    ("%31%32%37.0.0.1", Loopback),
    ("lоcalhost.hostile.test", Loopback),
    ("user:password@127.0.0.1", Loopback),
    ("crm.hostile.test:443@127.0.0.1", Loopback),
    ("crm.hostile.test%40@127.0.0.1", Loopback),
    ("[::1]", Loopback),
    ("[0:0:0:0:0:0:0:1]", Loopback),
    ("[0000::0001]", Loopback),
    ("[::ffff:127.0.0.1]", Loopback),
    ("[::ffff:7f00:1]", Loopback),
    ("[64:ff9b::127.0.0.1]", Loopback),
    ("[2606:4700::5efe:127.0.0.1]", Loopback),
    ("[2606:4700::200:5efe:7f00:1]", Loopback),
    ("[::127.0.0.1]", Reserved),
    ("[::ffff:0:127.0.0.1]", Reserved),
    ("[64:ff9b:1::127.0.0.1]", Reserved),
    ("[64:ff9b:1:fffe::7f00:1]", Reserved),
    ("[2002:7f00:1::]", Reserved),
    ("[2001:0:7f00:1::]", Reserved),
    ("[2001::80ff:fffe]", Reserved),
    // No host at all, which connects to this machine.
    ("0.0.0.0", Unspecified),
    ("0", Unspecified),
    ("0x0", Unspecified),
    ("0.1.2.3", Unspecified),
    ("[::]", Unspecified),
    ("[::ffff:0:0]", Unspecified),
    // Private networks.
    ("10.0.0.1", Private),
    ("10.1", Private),
    ("012.0.0.1", Private),
    ("0xa000001", Private),
    ("167772161", Private),
    ("172.16.0.1", Private),
    ("172.31.255.255", Private),
    ("192.168.0.1", Private),
    ("192.168.1", Private),
    ("0300.0250.0.1", Private),
    ("3232235521", Private),
    ("100.64.0.1", Private),
    ("[fc00::1]", Private),
    ("[fd12:3456:789a::1]", Private),
    ("[::ffff:10.0.0.1]", Private),
    ("[64:ff9b::c0a8:1]", Private),
    ("[2606:4700::5efe:192.168.0.1]", Private),
    // What serves the credentials of a cloud's machine.
    ("169.254.169.254", LinkLocal),
    ("169.254.43518", LinkLocal),
    ("0xa9fea9fe", LinkLocal),
    ("0251.0376.0251.0376", LinkLocal),
    ("2852039166", LinkLocal),
    ("169.254.170.2", LinkLocal),
    ("169.254.0.23", LinkLocal),
    ("[::ffff:169.254.169.254]", LinkLocal),
    ("[64:ff9b::a9fe:a9fe]", LinkLocal),
    ("[2002:a9fe:a9fe::]", Reserved),
    ("100.100.100.200", Metadata),
    ("168.63.129.16", Metadata),
    ("[::ffff:168.63.129.16]", Metadata),
    ("192.0.0.192", Reserved),
    ("[fd00:ec2::254]", Metadata),
    ("[fd00:ec2::23]", Metadata),
    ("[fd20:ce::254]", Metadata),
    ("[fd00:42::42]", Metadata),
    // This link, many hosts, and nobody.
    ("[fe80::1]", LinkLocal),
    ("[febf::1]", LinkLocal),
    ("[fec0::1]", Reserved),
    ("224.0.0.1", Multicast),
    ("[ff02::1]", Multicast),
    ("255.255.255.255", Broadcast),
    ("4294967295", Broadcast),
    ("240.0.0.1", Reserved),
    ("198.18.0.1", Reserved),
    ("192.0.2.1", Reserved),
    ("203.0.113.1", Reserved),
    ("[2001:db8::1]", Reserved),
    ("[100::1]", Reserved),
    // Names that lead there.
    ("loopback.hostile.test", Loopback),
    ("loopback6.hostile.test", Loopback),
    ("mapped.hostile.test", Loopback),
    ("intranet.hostile.test", Private),
    ("metadata.google.internal", LinkLocal),
    ("instance-data.ec2.internal", Metadata),
    ("nat64.hostile.test", Reserved),
    ("several.hostile.test", LinkLocal),
];

/// What the resolver says.
const NAMES: &[(&str, &[&str])] = &[
    ("xn--lcalhost-nbh.hostile.test", &["127.0.0.1"]),
    ("loopback.hostile.test", &["127.0.0.1"]),
    ("loopback6.hostile.test", &["::1"]),
    ("mapped.hostile.test", &["::ffff:127.0.0.1"]),
    ("intranet.hostile.test", &["10.0.0.5", "fd00::5"]),
    ("metadata.google.internal", &["169.254.169.254"]),
    ("instance-data.ec2.internal", &["fd00:ec2::254"]),
    ("nat64.hostile.test", &["64:ff9b:1::a9fe:a9fe"]),
    ("several.hostile.test", &["169.254.169.254", "fd00:ec2::23", "::", "fe80::1"]),
    ("mixed.hostile.test", &["127.0.0.1", "93.184.216.34", "::1"]),
];

/// Whole URLs that are read otherwise than they look; `PORT` stands for the listeners'.
const LOOKS: &[(&str, Refusal)] = &[
    ("http:127.0.0.1:PORT/", Loopback),
    ("http:/127.0.0.1:PORT/", Loopback),
    ("http:///127.0.0.1:PORT/", Loopback),
    ("http:\\\\127.0.0.1:PORT\\", Loopback),
    ("http://127.0.0.1:PORT\\@crm.hostile.test/", Loopback),
    ("http://127.0.0.1:PORT#@crm.hostile.test/", Loopback),
    ("http://127.0.0.1:PORT?@crm.hostile.test/", Loopback),
    ("ht\ntp://12\t7.0.0.1:PORT/", Loopback),
    (" http://127.0.0.1:PORT/ ", Loopback),
    ("https://127.0.0.1:PORT/", Loopback),
];

/// What is no URL of a host.
const NONSENSE: &[&str] = &[
    "http://[fe80::1%25lo]:PORT/",
    "http://[fe80::1%lo]:PORT/",
    "http://256.0.0.1:PORT/",
    "http://127.0.0.1.1:PORT/",
    "http://0x7f.0.0.0x1.0:PORT/",
    "http://4294967296:PORT/",
    "http://127.0.0.1:PORT:80/",
    "http://127.0.0.1 :PORT/",
    "http://[::1:PORT/",
    "http://08.0.0.1:PORT/",
];

/// What is not asked for by HTTP.
const SCHEMES: &[&str] = &[
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/",
    "ftp://127.0.0.1:PORT/",
    "unix:///run/docker.sock",
    "ws://127.0.0.1:PORT/",
    "data:,x",
];

/// Where public hosts would be, and what shows that the listeners count.
const PUBLIC: &[&str] =
    &["93.184.216.34", "8.8.8.8", "[2606:4700:4700::1111]", "[64:ff9b::808:808]"];

/// Set where all addresses are this machine's.
const INSIDE: &str = "KEEPWARM_TEST_ALL_ADDRESSES";

#[test]
fn hostile_urls_are_not_connected_to() {
    let inside = std::env::var_os(INSIDE).is_some();
    if !inside && namespaces_are_allowed() {
        return again_inside("deliver::hostile::hostile_urls_are_not_connected_to");
    }
    if !inside {
        eprintln!("no network namespace can be made here: only loopback is listened on");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let net = Net::listen(inside);
        let clients = Clients::resolving(None, &by_table()).unwrap();
        let mut tried = refused(&net, &clients).await;
        configured(&net);
        tried += redirected(&net, &clients).await;
        if inside {
            tried += admitted(&net, &clients).await;
            tried += rebound(&net).await;
        }
        println!("{tried} urls, 0 connections to refused addresses");
        assert!(tried >= 60, "{tried}");
    });
}

/// Everything that must not be connected to, under each policy that refuses it.
async fn refused(net: &Net, clients: &Clients) -> usize {
    let port = net.port.to_string();
    let with_hosts = HOSTS.iter().map(|(host, why)| (format!("http://{host}:{port}/"), *why));
    let with_looks = LOOKS.iter().map(|(url, why)| (url.replace("PORT", &port), *why));
    let urls: Vec<(String, Refusal)> = with_hosts.chain(with_looks).collect();
    for (url, why) in &urls {
        for policy in [Public, AllowPrivate] {
            if policy == AllowPrivate && matches!(why, Loopback | Private) {
                continue;
            }
            let outcome = deliver(clients, url, policy).await;
            let refused = Outcome::Failed(Failure::Refused(*why));
            assert_eq!(outcome, refused, "{url} under {policy:?}");
        }
    }
    for text in NONSENSE {
        let url = text.replace("PORT", &port);
        assert!(reqwest::Url::parse(&url).is_err(), "{url}");
    }
    for text in SCHEMES {
        let url = text.replace("PORT", &port);
        let outcome = deliver(clients, &url, AllowPrivate).await;
        assert_eq!(outcome, Outcome::Failed(Failure::Unsendable), "{url}");
    }
    net.assert_contacts(&[]);
    urls.len() + NONSENSE.len() + SCHEMES.len()
}

/// The same by the program itself: its configuration takes of these URLs only those whose host is
/// written plainly, and what it takes is not connected to, unless it is this machine in plain words.
fn configured(net: &Net) {
    let hosts = HOSTS.iter().map(|(host, _)| format!("http://{host}:{}/", net.port));
    let looks = LOOKS.iter().map(|(url, _)| url.replace("PORT", &net.port.to_string()));
    let others =
        NONSENSE.iter().chain(SCHEMES).map(|url| url.replace("PORT", &net.port.to_string()));
    let (mut taken, mut place) = (Vec::new(), Place::new());
    for (number, url) in hosts.chain(looks).chain(others).enumerate() {
        let lines = format!(
            "[[endpoint]]\nname = \"{number}\"\nurl = {url:?}\nallow_http = true\nsecret = \"{SECRET}\""
        );
        let alone = Place::new().with(&lines);
        let loaded = config::load(&alone.path("keepwarm.toml"), std::iter::empty());
        let Ok(found) = loaded else { continue };
        match found.endpoints[0].is_on_this_machine() {
            true => taken.push(url),
            false => place = place.with(&lines),
        }
    }
    let plain = ["127.0.0.1", "127.255.255.254", "localhost", "LocalHost", "[::1]"];
    let mut expected: Vec<String> =
        plain.iter().map(|host| format!("http://{host}:{}/", net.port)).collect();
    expected.push(format!("http://127.0.0.1:{}#@crm.hostile.test/", net.port));
    expected.push(format!("http://127.0.0.1:{}?@crm.hostile.test/", net.port));
    expected.push(format!("https://127.0.0.1:{}/", net.port));
    taken.sort();
    expected.sort();
    assert_eq!(taken, expected, "what is taken for this machine");
    let told = place.keepwarm(&["nudges", "test", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let tested = told.as_array().unwrap();
    assert!(tested.len() > 40, "{} were configured", tested.len());
    for one in tested {
        assert_eq!((&one["delivered"], &one["status"]), (&false.into(), &().into()), "{one}");
    }
    net.assert_contacts(&[]);
    println!("{} of them configured, and not connected to by the program", tested.len());
}

/// A receiver that we may connect to sends us on to what we may not.
async fn redirected(net: &Net, clients: &Clients) -> usize {
    let targets =
        ["127.0.0.2", "169.254.169.254", "10.0.0.1", "[::1]", "[fd00:ec2::254]", "localhost"];
    for (number, target) in targets.iter().enumerate() {
        let to = format!("http://{target}:{}/latest/meta-data/", net.port);
        let url = format!("http://127.0.0.1:{}/redirect?{to}", net.port);
        let outcome = deliver(clients, &url, AllowPrivate).await;
        let Outcome::Answered { status, .. } = &outcome else { panic!("{outcome:?}") };
        assert_eq!(*status, [301, 302, 303, 307, 308][number % 5], "{to}");
        net.assert_contacts(&["127.0.0.1"]);
    }
    targets.len()
}

/// Public addresses are connected to: the listeners are there, and count.
async fn admitted(net: &Net, clients: &Clients) -> usize {
    for host in PUBLIC {
        let url = format!("http://{host}:{}/", net.port);
        let outcome = deliver(clients, &url, Public).await;
        assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{url}: {outcome:?}");
        net.assert_contacts(&[host.trim_matches(['[', ']'])]);
    }
    // Of a name's addresses those that are admitted.
    let url = format!("http://mixed.hostile.test:{}/", net.port);
    let outcome = deliver(clients, &url, Public).await;
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
    net.assert_contacts(&["93.184.216.34"]);
    PUBLIC.len() + 1
}

/// A name that is public when it is looked at first, and this machine ever after: what was judged is
/// what is connected to, and the next connection is judged anew.
async fn rebound(net: &Net) -> usize {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        let address = if first { "93.184.216.34" } else { "127.0.0.1" };
        Box::pin(async move { Ok(addresses(&[address])) })
    });
    let clients = Clients::resolving(None, &lookup).unwrap();
    let url = format!("http://rebinding.hostile.test:{}/", net.port);
    let first = deliver(&clients, &url, Public).await;
    assert!(matches!(first, Outcome::Answered { status: 200, .. }), "{first:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "asked once, and that was connected to");
    net.assert_contacts(&["93.184.216.34"]);
    for _ in 0..3 {
        let again = deliver(&clients, &url, Public).await;
        assert_eq!(again, Outcome::Failed(Failure::Refused(Loopback)));
    }
    net.assert_contacts(&[]);
    1
}

async fn deliver(clients: &Clients, url: &str, policy: AddressPolicy) -> Outcome {
    let delivery = Delivery { id: "ndg_abc".to_owned(), body: BODY.to_owned(), attempt: 1 };
    post(clients, &endpoint(url, policy), &delivery, NOW).await
}

fn by_table() -> Lookup {
    let names: BTreeMap<&str, &[&str]> = NAMES.iter().copied().collect();
    Arc::new(move |name| {
        let found = names.get(name.trim_end_matches('.')).map(|found| addresses(found));
        Box::pin(async move {
            match found {
                Some(found) => Ok(found),
                None if name.to_lowercase().starts_with("localhost") => {
                    let name = name.trim_end_matches('.').to_owned();
                    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
                }
                None => Err(io::Error::other("no such name")),
            }
        })
    })
}

fn addresses(found: &[&str]) -> Vec<SocketAddr> {
    found.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
}

/// Listeners on one port of every address there is, or of loopback's.
struct Net {
    port: u16,
    contacts: Arc<Mutex<Vec<IpAddr>>>,
}

impl Net {
    fn listen(everywhere: bool) -> Self {
        let contacts = Arc::new(Mutex::new(Vec::new()));
        let hosts: &[&str] =
            if everywhere { &["0.0.0.0", "::"] } else { &["127.0.0.1", "127.0.0.2", "::1"] };
        let mut port = 0;
        for host in hosts {
            let address = SocketAddr::new(host.parse().unwrap(), port);
            let socket = socket2::Socket::new(
                socket2::Domain::for_address(address),
                socket2::Type::STREAM,
                None,
            )
            .unwrap();
            if address.is_ipv6() {
                socket.set_only_v6(true).unwrap();
            }
            socket.set_nonblocking(true).unwrap();
            socket.bind(&address.into()).unwrap();
            socket.listen(64).unwrap();
            let listener = TcpListener::from_std(socket.into()).unwrap();
            port = listener.local_addr().unwrap().port();
            tokio::spawn(accept(listener, Arc::clone(&contacts)));
        }
        Self { port, contacts }
    }

    /// Fails unless exactly these addresses were connected to since it was asked last.
    #[track_caller]
    fn assert_contacts(&self, expected: &[&str]) {
        let expected: Vec<IpAddr> = expected.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(std::mem::take(&mut *self.contacts.lock().unwrap()), expected);
    }
}

async fn accept(listener: TcpListener, contacts: Arc<Mutex<Vec<IpAddr>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        contacts.lock().unwrap().push(stream.local_addr().unwrap().ip());
        tokio::spawn(answer(stream));
    }
}

/// Sends on whoever asks for it, by the next of the five ways, and takes everything else.
async fn answer(mut stream: TcpStream) -> io::Result<()> {
    static WAYS: AtomicUsize = AtomicUsize::new(0);
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).await?;
    let head = String::from_utf8_lossy(&request[..read]).into_owned();
    let target = head.split_once("/redirect?").and_then(|(_, rest)| rest.split(' ').next());
    let first = match target {
        Some(target) => {
            let status = [301, 302, 303, 307, 308][WAYS.fetch_add(1, Ordering::Relaxed) % 5];
            format!("{status} Elsewhere\r\nlocation: {target}")
        }
        None => "200 OK".to_owned(),
    };
    let answer = format!("HTTP/1.1 {first}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Whether a network of one's own can be made, with every address of it on loopback.
fn namespaces_are_allowed() -> bool {
    let tried = Command::new("unshare").args(["-r", "-n", "sh", "-c", SETUP]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Makes every address there is one of this machine.
const SETUP: &str = "ip link set lo up && ip route add local 0.0.0.0/0 dev lo \
                     && ip -6 route add local ::/0 dev lo";

/// Runs a test of this program once more, in a network of its own.
#[track_caller]
fn again_inside(test: &str) {
    let script = format!("{SETUP} && exec \"$@\"");
    let output = Command::new("unshare")
        .args(["-r", "-n", "sh", "-c", &script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1 passed"), "{told}");
    println!("{told}");
}
