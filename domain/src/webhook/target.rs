//! Where a webhook may point: http or https, and not into a private network.
//!
//! Names are resolved first and each address is judged here; the connection then goes to a judged address, so that a
//! name cannot point elsewhere the second time (`http` does both).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// A target that will not be called. The sentence is for operators and contains no path or query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForbiddenTarget {
    #[error("the target is not an http or https URL")]
    NotHttp,
    #[error(
        "the target's address {0} is in a private, local or reserved network; WebhookPrivateNetworks=allow permits it"
    )]
    Private(IpAddr),
}

/// Checks scheme and, where the host is an address, the address.
pub fn check(url: &Url, private_networks: bool) -> Result<(), ForbiddenTarget> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ForbiddenTarget::NotHttp);
    }
    let address = match url.host() {
        None => return Err(ForbiddenTarget::NotHttp),
        Some(Host::Domain(_)) => return Ok(()),
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
    };
    if private_networks || is_public(address) { Ok(()) } else { Err(ForbiddenTarget::Private(address)) }
}

/// [`check`] of a target as it is written.
pub fn check_text(target: &str, private_networks: bool) -> Result<(), ForbiddenTarget> {
    check(&Url::parse(target).map_err(|_| ForbiddenTarget::NotHttp)?, private_networks)
}

/// Whether an address belongs to the public internet (IANA special-purpose registries).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, _, _)
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if let Some(v4) = embedded_v4(address) {
        return is_public_v4(v4);
    }
    // Only 2000::/3 is given out; of it, documentation, benchmarking, ORCHID and Teredo are not reachable or tunnels.
    let global = segments[0] & 0xe000 == 0x2000;
    let special = segments[0] == 0x2001 && (segments[1] < 0x0200 || segments[1] == 0x0db8) || segments[0] == 0x3fff;
    global && !special
}

/// IPv4-mapped, IPv4-compatible, NAT64 and 6to4 addresses lead to an IPv4 one.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let last = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0, 0, high, low] => Some(last(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(last(high, low)),
        [0x2002, high, low, ..] => Some(last(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_local_and_reserved_addresses_are_not_public() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.9.9",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "fec0::1",
            "100::1",
        ];
        for text in private {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        for text in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn odd_spellings_of_local_addresses_are_refused() {
        for text in [
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://[::ffff:7f00:1]/",
            "http://0177.0.0.1/",
        ] {
            let url = Url::parse(text).unwrap();
            assert!(matches!(check(&url, false), Err(ForbiddenTarget::Private(_))), "{text}");
            assert_eq!(check(&url, true), Ok(()));
        }
    }

    #[test]
    fn only_http_is_called() {
        for text in ["ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)"] {
            assert_eq!(check(&Url::parse(text).unwrap(), true), Err(ForbiddenTarget::NotHttp), "{text}");
        }
    }
}
