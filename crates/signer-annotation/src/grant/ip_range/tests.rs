use proptest::prelude::*;

use super::*;

#[test]
fn holds_its_addresses_and_no_others() {
    for (range, address, held) in [
        ("192.0.2.0/24", "192.0.2.255", true),
        ("192.0.2.0/24", "192.0.3.0", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7/32", "192.0.2.8", false),
        ("0.0.0.0/0", "198.51.100.1", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("2001:db8::1", "2001:db8::1", true),
        ("::/0", "2001:db8::1", true),
        ("::/0", "192.0.2.1", false),
        ("*", "192.0.2.1", true),
        ("*", "2001:db8::1", true),
    ] {
        let parsed: IpRange = range.parse().unwrap();
        assert_eq!(parsed.contains(address.parse().unwrap()), held, "{range} {address}");
    }
}

#[test]
fn refuses_with_the_rule_and_what_is_accepted() {
    for (range, rule) in [
        ("", "no IPv4 or IPv6 address"),
        ("192.0.2", "no IPv4 or IPv6 address"),
        ("192.0.2.0/", "from 0 to 32"),
        ("192.0.2.0/33", "from 0 to 32"),
        ("192.0.2.0/+8", "from 0 to 32"),
        ("192.0.2.0/024", "from 0 to 32"),
        ("192.0.2.0/24/24", "from 0 to 32"),
        ("2001:db8::/129", "from 0 to 128"),
        ("192.0.2.1/24", "the range is 192.0.2.0/24"),
        ("2001:db8::1/64", "the range is 2001:db8::/64"),
        ("::ffff:192.0.2.0/120", "IPv4 address as such"),
        ("::ffff:192.0.2.1", "IPv4 address as such"),
        ("fe80::1%eth0", "no IPv4 or IPv6 address"),
        ("**", "no IPv4 or IPv6 address"),
    ] {
        let error = range.parse::<IpRange>().unwrap_err().to_string();
        assert!(error.contains(rule) && error.contains("192.0.2.0/24"), "{range}: {error}");
    }
}

proptest! {
    #[test]
    fn holds_what_agrees_in_the_prefixs_bits(network: u32, address: u32, prefix in 0_u32..=32) {
        let bits = |number: u32| format!("{number:032b}")[..prefix as usize].to_owned();
        let network = truncate_v4(network.into(), prefix);
        let range: IpRange = format!("{network}/{prefix}").parse().unwrap();
        prop_assert_eq!(range.contains(IpAddr::V4(address.into())), bits(network.into()) == bits(address));
    }

    #[test]
    fn holds_what_agrees_in_the_prefixs_bits_of_ipv6(network: u128, address: u128, prefix in 0_u32..=95) {
        let bits = |number: u128| format!("{number:0128b}")[..prefix as usize].to_owned();
        let network = truncate_v6(network.into(), prefix);
        let range: IpRange = format!("{network}/{prefix}").parse().unwrap();
        prop_assert_eq!(range.contains(IpAddr::V6(address.into())), bits(network.into()) == bits(address));
    }
}
