//! Which addresses may be connected to: the verdict on one address, without I/O.
//!
//! A webhook's URL is an instruction to connect, and whoever can write one (or answer for its
//! name) must not thereby reach the machine's own network. Everything that is not a public
//! unicast address is refused; private networks can be allowed, what serves credentials never.
//! Sources: the IANA special-purpose address registries (RFC 6890) and the clouds' documentation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How far requests may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressPolicy {
    /// Public addresses only.
    Public,
    /// Also loopback, private networks (RFC 1918, RFC 4193) and carrier-grade NAT (RFC 6598).
    AllowPrivate,
}

/// Why an address is not connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// `0.0.0.0/8` or `::`: no host at all.
    #[error("the address is unspecified")]
    Unspecified,
    /// This machine; allowed by [`AddressPolicy::AllowPrivate`].
    #[error("the address is this machine's own and private addresses are not allowed")]
    Loopback,
    /// A private network; allowed by [`AddressPolicy::AllowPrivate`].
    #[error("the address is in a private network and those are not allowed")]
    Private,
    /// This link only.
    #[error("the address is link-local")]
    LinkLocal,
    /// A service that hands out a cloud machine's credentials.
    #[error("the address is a cloud's metadata service")]
    Metadata,
    /// Many hosts.
    #[error("the address is multicast")]
    Multicast,
    /// Every host of this link.
    #[error("the address is broadcast")]
    Broadcast,
    /// Set aside for documentation, measurements, protocols or the future.
    #[error("the address is reserved")]
    Reserved,
}

/// Metadata services outside link-local ranges: Alibaba, Azure.
const METADATA_V4: [Ipv4Addr; 2] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
/// The same: Google, Scaleway. All of AWS's begin with fd00:ec2:.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

/// Whether `policy` lets us connect to `address`.
///
/// An IPv4 address inside an IPv6 one (mapped, or behind NAT64) is judged as what it stands for; one
/// behind a tunnel (ISATAP) must be admitted too.
///
/// # Errors
/// The reason why not.
pub fn admits(policy: AddressPolicy, address: IpAddr) -> Result<(), Refusal> {
    let refusal = match address {
        IpAddr::V4(v4) => refusal_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => refusal_v4(v4),
            None => refusal_v6(v6).or_else(|| refusal_v4(isatap_v4(v6)?)),
        },
    };
    match (refusal, policy) {
        (None, _) | (Some(Refusal::Loopback | Refusal::Private), AddressPolicy::AllowPrivate) => {
            Ok(())
        }
        (Some(refusal), _) => Err(refusal),
    }
}

/// The same for a URL's host: a name is admitted (its addresses are judged when it is resolved),
/// a literal is judged now.
///
/// # Errors
/// The reason why not.
pub fn admits_host(policy: AddressPolicy, host: &str) -> Result<(), Refusal> {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    literal.parse().map_or(Ok(()), |address| admits(policy, address))
}

/// Those of `found` that may be connected to.
///
/// # Errors
/// The first refusal, if nothing is left.
pub(super) fn admitted(
    policy: AddressPolicy,
    found: &[SocketAddr],
) -> Result<Vec<SocketAddr>, Refusal> {
    let mut first = None;
    let mut admitted = Vec::with_capacity(found.len());
    for address in found {
        match admits(policy, address.ip()) {
            Ok(()) => admitted.push(*address),
            Err(refusal) => first = first.or(Some(refusal)),
        }
    }
    match first {
        Some(refusal) if admitted.is_empty() => Err(refusal),
        _ => Ok(admitted),
    }
}

/// The IPv4 address that an IPv6 one stands for: `::ffff:0:0/96` or `64:ff9b::/96` (RFC 6052).
fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let mapped = [a, b, c, d, e, f] == [0, 0, 0, 0, 0, 0xffff];
    let nat64 = [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0];
    (mapped || nat64).then(|| Ipv4Addr::from_bits(u32::from(g) << 16 | u32::from(h)))
}

/// The IPv4 address to which a tunnel to this one leads, if its interface is an ISATAP one (RFC
/// 5214, 6.1).
fn isatap_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., e, f, g, h] = v6.segments();
    let tunnel = matches!((e, f), (0 | 0x200, 0x5efe));
    tunnel.then(|| Ipv4Addr::from_bits(u32::from(g) << 16 | u32::from(h)))
}

/// Why an IPv4 address is not public.
fn refusal_v4(address: Ipv4Addr) -> Option<Refusal> {
    if METADATA_V4.contains(&address) {
        return Some(Refusal::Metadata);
    }
    match address.octets() {
        [0, ..] => Some(Refusal::Unspecified),
        [127, ..] => Some(Refusal::Loopback),
        [169, 254, ..] => Some(Refusal::LinkLocal),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => {
            Some(Refusal::Private)
        }
        [255, 255, 255, 255] => Some(Refusal::Broadcast),
        [224..=239, ..] => Some(Refusal::Multicast),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [240..=255, ..] => {
            Some(Refusal::Reserved)
        }
        [198, 51, 100, _] | [203, 0, 113, _] => Some(Refusal::Reserved),
        _ => None,
    }
}

/// Why an IPv6 address is not public. Global unicast is `2000::/3`; what it sets aside follows.
fn refusal_v6(address: Ipv6Addr) -> Option<Refusal> {
    if METADATA_V6.contains(&address) {
        return Some(Refusal::Metadata);
    }
    match address.segments() {
        [0xfd00, 0xec2, ..] => Some(Refusal::Metadata),
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Refusal::Unspecified),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Refusal::Loopback),
        [0xfe80..=0xfebf, ..] => Some(Refusal::LinkLocal),
        [0xfc00..=0xfdff, ..] => Some(Refusal::Private),
        [0xff00..=0xffff, ..] => Some(Refusal::Multicast),
        // IETF protocols with Teredo (2001::/23), documentation (2001:db8::/32, 3fff::/20) and
        // 6to4 (2002::/16), which carries any IPv4 address.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => {
            Some(Refusal::Reserved)
        }
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Refusal::Reserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALWAYS_REFUSED: &[(&str, Refusal)] = &[
        ("0.0.0.0", Refusal::Unspecified),
        ("0.1.2.3", Refusal::Unspecified),
        ("169.254.169.254", Refusal::LinkLocal),
        ("169.254.0.1", Refusal::LinkLocal),
        ("100.100.100.200", Refusal::Metadata),
        ("168.63.129.16", Refusal::Metadata),
        ("224.0.0.1", Refusal::Multicast),
        ("239.255.255.255", Refusal::Multicast),
        ("255.255.255.255", Refusal::Broadcast),
        ("240.0.0.1", Refusal::Reserved),
        ("255.255.255.254", Refusal::Reserved),
        ("192.0.0.192", Refusal::Reserved),
        ("192.0.2.1", Refusal::Reserved),
        ("198.51.100.7", Refusal::Reserved),
        ("203.0.113.7", Refusal::Reserved),
        ("198.18.0.1", Refusal::Reserved),
        ("198.19.255.255", Refusal::Reserved),
        ("192.88.99.1", Refusal::Reserved),
        ("::", Refusal::Unspecified),
        ("fe80::1", Refusal::LinkLocal),
        ("febf::1", Refusal::LinkLocal),
        ("fec0::1", Refusal::Reserved),
        ("ff02::1", Refusal::Multicast),
        ("fd00:ec2::254", Refusal::Metadata),
        ("fd00:ec2::23", Refusal::Metadata),
        ("fd00:42::42", Refusal::Metadata),
        ("fd20:ce::254", Refusal::Metadata),
        ("2001:db8::1", Refusal::Reserved),
        ("3fff::1", Refusal::Reserved),
        ("2001::1", Refusal::Reserved),
        ("2002:7f00:1::", Refusal::Reserved),
        ("100::1", Refusal::Reserved),
        ("5f00::1", Refusal::Reserved),
        ("64:ff9b:1::1", Refusal::Reserved),
        ("::127.0.0.1", Refusal::Reserved),
        ("::ffff:0:127.0.0.1", Refusal::Reserved),
        ("::ffff:169.254.169.254", Refusal::LinkLocal),
        ("::ffff:0.0.0.0", Refusal::Unspecified),
        ("::ffff:224.0.0.1", Refusal::Multicast),
        ("64:ff9b::169.254.169.254", Refusal::LinkLocal),
        ("64:ff9b:1::10.0.0.1", Refusal::Reserved),
        ("2606:4700::5efe:169.254.169.254", Refusal::LinkLocal),
        ("2606:4700::200:5efe:0.0.0.0", Refusal::Unspecified),
    ];

    const REFUSED_IN_PUBLIC: &[(&str, Refusal)] = &[
        ("127.0.0.1", Refusal::Loopback),
        ("127.255.255.254", Refusal::Loopback),
        ("::1", Refusal::Loopback),
        ("::ffff:127.0.0.1", Refusal::Loopback),
        ("10.0.0.1", Refusal::Private),
        ("172.16.0.1", Refusal::Private),
        ("172.31.255.255", Refusal::Private),
        ("192.168.1.1", Refusal::Private),
        ("100.64.0.1", Refusal::Private),
        ("100.127.255.255", Refusal::Private),
        ("fc00::1", Refusal::Private),
        ("fdff::1", Refusal::Private),
        ("::ffff:10.1.2.3", Refusal::Private),
        ("64:ff9b::192.168.0.1", Refusal::Private),
        ("2606:4700::5efe:10.0.0.1", Refusal::Private),
        ("2606:4700:0:0:200:5efe:127.0.0.1", Refusal::Loopback),
    ];

    const ADMITTED: &[&str] = &[
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "169.255.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.1",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2a00:1450:4001:80b::200e",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2606:4700::5efe:8.8.8.8",
    ];

    fn judge(policy: AddressPolicy, literal: &str) -> Result<(), Refusal> {
        admits(policy, literal.parse().unwrap_or_else(|_| panic!("{literal} is no address")))
    }

    #[test]
    fn what_is_never_admitted() {
        for (literal, refusal) in ALWAYS_REFUSED {
            for policy in [AddressPolicy::Public, AddressPolicy::AllowPrivate] {
                assert_eq!(judge(policy, literal), Err(*refusal), "{literal} under {policy:?}");
            }
        }
    }

    #[test]
    fn private_networks_are_admitted_by_key_only() {
        for (literal, refusal) in REFUSED_IN_PUBLIC {
            assert_eq!(judge(AddressPolicy::Public, literal), Err(*refusal), "{literal}");
            assert_eq!(judge(AddressPolicy::AllowPrivate, literal), Ok(()), "{literal}");
        }
    }

    #[test]
    fn public_addresses_up_to_the_edges_are_admitted() {
        for literal in ADMITTED {
            assert_eq!(judge(AddressPolicy::Public, literal), Ok(()), "{literal}");
        }
    }

    #[test]
    fn hosts_as_urls_write_them() {
        for (url, expected) in [
            ("https://hooks.example/x", Ok(())),
            ("http://127.1/", Err(Refusal::Loopback)),
            ("http://0x7f000001/", Err(Refusal::Loopback)),
            ("http://2130706433/", Err(Refusal::Loopback)),
            ("http://0177.0.0.1/", Err(Refusal::Loopback)),
            ("http://127.0.0.1./", Err(Refusal::Loopback)),
            ("http://[::1]/", Err(Refusal::Loopback)),
            ("http://[::ffff:7f00:1]/", Err(Refusal::Loopback)),
            ("http://[fe80::1]/", Err(Refusal::LinkLocal)),
            ("http://１２７.0.0.1/", Err(Refusal::Loopback)),
        ] {
            let parsed = reqwest::Url::parse(url).unwrap();
            let host = parsed.host_str().unwrap();
            assert_eq!(admits_host(AddressPolicy::Public, host), expected, "{url}");
        }
    }

    #[test]
    fn a_name_with_mixed_addresses_keeps_the_admitted_ones() {
        let found: Vec<SocketAddr> =
            ["127.0.0.1:0", "1.1.1.1:0"].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(admitted(AddressPolicy::Public, &found), Ok(vec![found[1]]));
        assert_eq!(admitted(AddressPolicy::Public, &found[..1]), Err(Refusal::Loopback));
        assert_eq!(admitted(AddressPolicy::Public, &[]), Ok(vec![]));
    }
}
