//! Ranges of IP addresses.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use super::PatternError;

/// IP addresses that a grant gives: a range in CIDR notation (RFC 4632), an address, or `*` for everything.
///
/// ```
/// use signer_annotation::IpRange;
///
/// let range: IpRange = "192.0.2.0/24".parse()?;
/// assert!(range.contains("192.0.2.7".parse()?) && !range.contains("192.0.3.7".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpRange(Range);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Everything,
    V4 { network: Ipv4Addr, prefix: u32 },
    V6 { network: Ipv6Addr, prefix: u32 },
}

impl IpRange {
    /// Whether an address lies in it. A range holds addresses of its own family alone.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.0, address) {
            (Range::Everything, _) => true,
            (Range::V4 { network, prefix }, IpAddr::V4(address)) => truncate_v4(address, prefix) == network,
            (Range::V6 { network, prefix }, IpAddr::V6(address)) => truncate_v6(address, prefix) == network,
            _ => false,
        }
    }

    /// The first address that it covers; of each family, if it covers both.
    pub(crate) fn examples(&self) -> Vec<IpAddr> {
        match self.0 {
            Range::Everything => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            Range::V4 { network, .. } => vec![network.into()],
            Range::V6 { network, .. } => vec![network.into()],
        }
    }
}

/// The address with all bits behind the prefix cleared.
fn truncate_v4(address: Ipv4Addr, prefix: u32) -> Ipv4Addr {
    let host_bits = u32::MAX.checked_shr(prefix).unwrap_or(0);
    Ipv4Addr::from_bits(address.to_bits() & !host_bits)
}

/// The address with all bits behind the prefix cleared.
fn truncate_v6(address: Ipv6Addr, prefix: u32) -> Ipv6Addr {
    let host_bits = u128::MAX.checked_shr(prefix).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & !host_bits)
}

impl FromStr for IpRange {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self(Range::Everything));
        }
        let error = |rule: &str| PatternError::ip_range(text, rule);
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| error("that is no IPv4 or IPv6 address"))?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(prefix) => prefix_length(prefix, longest)
                .ok_or_else(|| error(&format!("the part behind '/' must be a number from 0 to {longest}")))?,
        };
        let (range, network) = match address {
            IpAddr::V4(address) => {
                let network = truncate_v4(address, prefix);
                (Range::V4 { network, prefix }, IpAddr::V4(network))
            }
            IpAddr::V6(address) => {
                if prefix >= 96 && address.to_ipv4_mapped().is_some() {
                    return Err(error("write an IPv4 address as such"));
                }
                let network = truncate_v6(address, prefix);
                (Range::V6 { network, prefix }, IpAddr::V6(network))
            }
        };
        if network != address {
            return Err(error(&format!("it has bits behind its prefix; the range is {network}/{prefix}")));
        }
        Ok(Self(range))
    }
}

fn prefix_length(text: &str, longest: u32) -> Option<u32> {
    let is_decimal =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|length| is_decimal && *length <= longest)
}

#[cfg(test)]
mod tests;
