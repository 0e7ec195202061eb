//! Labels that cluster DNS reads as IP addresses.

/// Whether cluster DNS may read a label as an IP address with dashes, such as `10-0-0-5` or `2001-db8--1`. A
/// name that holds one leads to whoever has the address: `10-0-0-5.shop.pod.cluster.local` and, for an
/// endpoint without a hostname, `10-0-0-5.db.shop.svc.cluster.local` (Kubernetes DNS specification 1.1,
/// §2.3.2 and §2.4). So it is never the own name of a pod that is called `10-0-0-5`.
///
/// The forms are those that `CoreDNS` and its predecessors have read over time: four decimal numbers, or
/// hexadecimal groups of which `--` may leave some out, both with leading zeros.
///
/// ```
/// use ca_pool::names::is_dashed_address;
///
/// assert!(is_dashed_address("10-0-0-5") && is_dashed_address("2001-db8--1"));
/// assert!(!is_dashed_address("web-0") && !is_dashed_address("db-0"));
/// ```
#[must_use]
pub fn is_dashed_address(label: &str) -> bool {
    let groups: Vec<&str> = label.split('-').collect();
    is_ipv4(&groups) || is_ipv6(&groups)
}

fn is_ipv4(groups: &[&str]) -> bool {
    groups.len() == 4 && groups.iter().all(|group| is_number(group, 10, 0xff))
}

/// Eight groups, or fewer with one gap. Eight with a gap are here too: `CoreDNS` adds a `0` to an address
/// that ends in `::`, which may then be one too many.
fn is_ipv6(groups: &[&str]) -> bool {
    let gaps = groups.iter().filter(|group| group.is_empty()).count();
    let numbers = groups.len() - gaps;
    let is_complete = (gaps == 0 && numbers == 8) || (gaps == 1 && (1..=8).contains(&numbers));
    is_complete && groups.iter().all(|group| group.is_empty() || is_number(group, 16, 0xffff))
}

fn is_number(group: &str, radix: u32, most: u32) -> bool {
    let digits = group.trim_start_matches('0');
    // the standard library would take a sign, and no empty text
    let is_zero = digits.is_empty() && !group.is_empty();
    is_zero
        || (!digits.starts_with('+') && u32::from_str_radix(digits, radix).is_ok_and(|number| number <= most))
}

#[cfg(test)]
mod tests;
