//! URIs as Go's `net/url` reads them.

use std::net::Ipv6Addr;

use super::names::is_domain;

/// Whether `url.Parse` reads it, and its host is a domain to `crypto/x509`.
pub(super) fn is_uri(text: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < b' ' || *byte == 0x7f;
    if !text.is_ascii() || text.iter().any(is_control) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(text) else { return false };
    reads(text).is_some()
}

fn reads(text: &str) -> Option<()> {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    unescaped(fragment, Part::Other)?;
    let (scheme, rest) = split_scheme(text)?;
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    if !rest.starts_with('/') {
        let begins_with_colon = rest.split('/').next().is_some_and(|segment| segment.contains(':'));
        return match scheme {
            Some(_) => Some(()),
            None if begins_with_colon => None,
            None => unescaped(rest, Part::Other).map(drop),
        };
    }
    let has_authority = scheme.is_some() || !rest.starts_with("///");
    let Some(authority) = rest.strip_prefix("//").filter(|_| has_authority) else {
        return unescaped(rest, Part::Other).map(drop);
    };
    let end = authority.find('/').unwrap_or(authority.len());
    let (authority, path) = authority.split_at(end);
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let is_of_user = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(is_of_user) {
        return None;
    }
    unescaped(user, Part::Other)?;
    let host = read_host(scheme.unwrap_or_default(), host)?;
    unescaped(path, Part::Other)?;
    (host.is_empty() || is_domain(&host)).then_some(())
}

/// The scheme, if there is one, and what follows it.
fn split_scheme(text: &str) -> Option<(Option<&str>, &str)> {
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    match text.split_once(|c| !is_of_scheme(c)) {
        _ if text.starts_with(':') => None,
        Some((scheme, _))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && text[scheme.len()..].starts_with(':') =>
        {
            Some((Some(scheme), &text[scheme.len() + 1..]))
        }
        _ => Some((None, text)),
    }
}

fn read_host(scheme: &str, host: &str) -> Option<Vec<u8>> {
    let is_port = |port: &str| {
        port.strip_prefix(':').map_or(port.is_empty(), |port| port.bytes().all(|b| b.is_ascii_digit()))
    };
    match host.rfind('[') {
        Some(0) => {
            let (address, port) = host[1..].rsplit_once(']')?;
            let (address, zone) = address.split_at(address.find("%25").unwrap_or(address.len()));
            let (address, zone) = (unescaped(address, Part::Host)?, unescaped(zone, Part::Zone)?);
            let is_address = std::str::from_utf8(&address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
            // a zone is not only its `%`
            let is_whole = is_address && zone.len() != 1 && is_port(port);
            is_whole.then(|| [&b"["[..], &address, &zone, b"]", port.as_bytes()].concat())
        }
        Some(_) => None,
        None => {
            let is_web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
            let colon = if is_web { host.find(':') } else { host.rfind(':') };
            let port = colon.map_or("", |colon| &host[colon..]);
            is_port(port).then(|| unescaped(host, Part::Host)).flatten()
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Zone,
    Other,
}

/// With each `%xx` replaced, if this part may have it.
fn unescaped(text: &str, part: Part) -> Option<Vec<u8>> {
    let is_of_host = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte) || !byte.is_ascii()
    };
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    loop {
        (rest, _) = match rest {
            [] => return Some(bytes),
            [b'%', escaped @ ..] => {
                let (digits, rest) = escaped.split_at_checked(2)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                let byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
                let may_be = match part {
                    Part::Host => byte >= 0x80 || byte == b'%',
                    Part::Zone => byte == b'%' || byte == b' ' || is_of_host(byte),
                    Part::Other => true,
                };
                (rest, may_be.then(|| bytes.push(byte))?)
            }
            [byte, rest @ ..] => {
                let may_be = part == Part::Other || is_of_host(*byte);
                (rest, may_be.then(|| bytes.push(*byte))?)
            }
        };
    }
}
