//! `NO_PROXY`, as Go's `golang.org/x/net/http/httpproxy` reads it.

use std::net::IpAddr;

/// Whether a host is called without the proxy of the environment.
pub(crate) fn goes_direct(no_proxy: &str, host: &str, port: u16) -> bool {
    if host == "localhost" {
        return true;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    if address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let entries = no_proxy.split(',').map(|entry| entry.trim().to_ascii_lowercase());
    entries.filter(|entry| !entry.is_empty()).any(|entry| matches(&entry, &host, address, port))
}

fn matches(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some(block) =
        entry.split_once('/').and_then(|(block, length)| block.parse().ok().zip(length.parse().ok()))
    {
        return address.is_some_and(|address| contains(block, address));
    }
    let (name, wanted) = name_and_port(entry);
    if wanted.is_some_and(|wanted| wanted != port.to_string()) {
        return false;
    }
    if let Ok(listed) = name.parse::<IpAddr>() {
        return address == Some(listed.to_canonical());
    }
    if address.is_some() || name.is_empty() {
        return false;
    }
    let name = name.strip_prefix("*.").map_or_else(|| name.to_owned(), |domain| format!(".{domain}"));
    // `.example.com` is what stands below it; `example.com` itself too
    host.ends_with(&format!(".{}", name.trim_start_matches('.'))) || host == name
}

/// `host:port` or `[address]:port`; an IPv6 address without brackets has no port.
fn name_and_port(entry: &str) -> (&str, Option<&str>) {
    match entry.rsplit_once(':') {
        Some((name, port)) if name.starts_with('[') && name.ends_with(']') => {
            (&name[1..name.len() - 1], Some(port))
        }
        Some((name, port)) if !name.contains(':') => (name, Some(port).filter(|port| !port.is_empty())),
        _ => (entry, None),
    }
}

fn contains((block, length): (IpAddr, u32), address: IpAddr) -> bool {
    let (block, address, width) = match (block.to_canonical(), address) {
        (IpAddr::V4(block), IpAddr::V4(address)) => {
            (u128::from(block.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(block), IpAddr::V6(address)) => (block.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    length <= width && (length == 0 || (block ^ address) >> (width - length) == 0)
}

#[cfg(test)]
mod tests;
