//! Which proxy the environment names for a URL, by curl's rules.

use std::net::IpAddr;

use ureq::Proxy;

use super::NetError;
use super::address::Address;

/// The proxy for this URL; `variable` reads the environment.
pub(super) fn choose(
    address: &Address,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, NetError> {
    let names: &[&'static str] = if address.is_secure() {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
    };
    let set = |name: &&'static str| variable(name).map(|value| (*name, value));
    let Some((name, value)) = names.iter().find_map(set) else {
        return Ok(None);
    };
    let except = ["no_proxy", "NO_PROXY"].iter().find_map(|it| variable(it));
    if value.is_empty() || except.is_some_and(|list| is_excepted(address, &list)) {
        return Ok(None);
    }
    let proxy = Proxy::new(&value).map_err(|_| NetError::Proxy { variable: name })?;
    Ok(Some(proxy))
}

fn is_excepted(address: &Address, list: &str) -> bool {
    let host = address.host().trim_matches(['[', ']']).to_ascii_lowercase();
    let ip: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ']).any(|entry| {
        let entry = entry.trim().to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        if let (Some(ip), Some((network, bits))) = (ip, entry.split_once('/')) {
            return is_within(ip, network, bits);
        }
        let (name, port) = match entry.rsplit_once(':') {
            // Two colons are an address of IPv6.
            Some((name, port)) if !name.contains(':') => (name, Some(port)),
            _ => (entry.as_str(), None),
        };
        if port.is_some_and(|port| port != address.port().to_string()) {
            return false;
        }
        let name = name.trim_start_matches('*').trim_start_matches('.');
        let below = |host: &str| host.strip_suffix(name).is_some_and(|it| it.ends_with('.'));
        !name.is_empty() && (host == name || ip.is_none() && below(&host))
    })
}

/// Whether an address is of the network that `network/bits` names.
fn is_within(ip: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let (ip, network, length) = match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(of)) => (ip.to_bits().into(), of.to_bits().into(), 32),
        (IpAddr::V6(ip), IpAddr::V6(of)) => (ip.to_bits(), of.to_bits(), 128),
        _ => return false,
    };
    let differs: u128 = ip ^ network;
    bits <= length && differs.checked_shr(length - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str, environment: &[(&str, &str)]) -> Option<String> {
        let address = Address::parse(url).expect("a URL");
        let variable = |name: &str| {
            let found = environment.iter().find(|(it, _)| *it == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxy = choose(&address, &variable).expect("a proxy or none");
        proxy.map(|proxy| proxy.host().to_owned())
    }

    #[test]
    fn the_scheme_decides_on_the_variable() {
        let environment = [
            ("https_proxy", "http://secure:1"),
            ("http_proxy", "plain:2"),
            ("ALL_PROXY", "socks5h://all:3"),
        ];
        let by = |url| chosen(url, &environment);
        assert_eq!(by("https://h/").as_deref(), Some("secure"));
        assert_eq!(by("http://h/").as_deref(), Some("plain"));
        let all = chosen("http://h/", &environment[2..]);
        assert_eq!(all.as_deref(), Some("all"));
        let none = [("https_proxy", ""), ("ALL_PROXY", "all:3")];
        assert_eq!(chosen("https://h/", &none), None);
    }

    #[test]
    fn hosts_can_be_excepted() {
        let is_direct = |url: &str, list: &str| {
            chosen(url, &[("all_proxy", "p:1"), ("NO_PROXY", list)]).is_none()
        };
        for (url, list) in [
            ("http://h.example/", "*"),
            ("http://H.example/", "other, h.example"),
            ("http://a.h.example/", "h.example"),
            ("http://a.h.example/", "*.h.example"),
            ("http://h.example:8080/", ".example:8080"),
            ("http://10.1.2.3/", "10.0.0.0/8"),
            ("http://[fd00::1]/", "fd00::/8"),
            ("http://[::1]/", "::1"),
        ] {
            assert!(is_direct(url, list), "{url} {list}");
        }
        for (url, list) in [
            ("http://h.example/", ""),
            ("http://ah.example/", "h.example"),
            ("http://h.example/", "h.example:8080"),
            ("http://11.1.2.3/", "10.0.0.0/8"),
            ("http://11.1.2.3/", "1.2.3"),
        ] {
            assert!(!is_direct(url, list), "{url} {list}");
        }
    }

    #[test]
    fn a_proxy_that_is_none_is_told_without_its_password() {
        let address = Address::parse("https://h/").expect("a URL");
        let variable = |name: &str| (name == "https_proxy").then(|| "gopher://me:secret@p".into());
        let error = choose(&address, &variable).expect_err("no proxy");
        assert_eq!(
            error.to_string(),
            "`https_proxy` in the environment names no proxy"
        );
    }
}
