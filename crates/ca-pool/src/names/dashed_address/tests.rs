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
