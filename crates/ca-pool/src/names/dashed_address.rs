//! Labels that cluster DNS reads as IP addresses.

/// Whether cluster DNS may read a label as an IP address with dashes, such as `10-0-0-5` or `2001-db8--1`. A name that holds one leads to whoever has the
/// address: `10-0-0-5.shop.pod.cluster.local` and, for an endpoint without a hostname, `10-0-0-5.db.shop.svc.cluster.local` (Kubernetes DNS
/// specification 1.1, §2.3.2 and §2.4). So it is never the own name of a pod that is called `10-0-0-5`.
///
/// The forms are those that `CoreDNS` and its predecessors have read over time: four decimal numbers, or hexadecimal groups of which `--` may leave some
/// out, both with leading zeros.
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

/// Eight groups, or fewer with one gap. Eight with a gap are here too: `CoreDNS` adds a `0` to an address that ends in `::`, which may then be one too many.
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
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn knows_addresses_from_names() {
        for label in [
            "10-0-0-5",
            "0-0-0-0",
            "255-255-255-255",
            "010-000-0-00005",
            "2001-db8--1",
            "2001-DB8--1",
            "a--b",
            "0--1",
            "1-2-3-4-5-6-7-8",
            "1-2-3-4-5-6-7--0",
            "64-ff9b--10-0-0-5",
            "00001--00002",
            "fe80--0001",
        ] {
            assert!(is_dashed_address(label), "{label}");
        }
        for label in [
            "web-0",
            "db-0",
            "a",
            "10",
            "*",
            "",
            "10-0-0",
            "10-0-0-5-6",
            "256-0-0-1",
            "10-0-0-x",
            "web--0",
            "a--b--c",
            "1-2-3-4-5-6-7",
            "1-2-3-4-5-6-7-8-9",
            "1--2-3-4-5-6-7-8-9",
            "12345--1",
            "10.0.0.5",
            "web-6c5f7c9d8f-x2x4z",
            "99999999999999999999-0-0-1",
        ] {
            assert!(!is_dashed_address(label), "{label}");
        }
    }

    /// What `CoreDNS` makes of a label (plugin/kubernetes, findPods), with Rust's parser for Go's.
    fn reads_as_address(label: &str) -> bool {
        let by = if label.matches('-').count() == 3 && !label.contains("--") { "." } else { ":" };
        label.replace('-', by).parse::<IpAddr>().is_ok()
    }

    proptest! {
        #[test]
        fn whatever_dns_reads_as_an_address_is_one(label in "[0-9a-f]{1,4}(-{1,2}[0-9a-f]{1,4}){1,8}|[0-9]{1,3}(-[0-9]{1,3}){3}") {
            prop_assert!(!reads_as_address(&label) || is_dashed_address(&label), "{}", label);
        }

        #[test]
        fn the_names_of_endpoints_are_addresses(v4: u32, v6 in proptest::array::uniform8(prop_oneof![Just(0_u16), any::<u16>()])) {
            prop_assert!(is_dashed_address(&Ipv4Addr::from(v4).to_string().replace('.', "-")));
            let v6 = Ipv6Addr::from(v6).to_string();
            // an address that embeds IPv4 has dots, and no label
            if !v6.contains('.') {
                let mut label = v6.replace(':', "-");
                if label.ends_with('-') {
                    label.push('0');
                }
                prop_assert!(label.starts_with('-') || is_dashed_address(&label), "{}", label);
            }
        }
    }
}
