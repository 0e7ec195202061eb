//! Name constraints held against names of which only the scope is known.

use std::net::IpAddr;

use der::Decode as _;

use super::{Base, ConstrainedName, NameConstraints, elements, lies_under};
use crate::profile::NameScope;

/// What constraints say against the names of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScopeObjection {
    /// It holds for all of them.
    All(String),
    /// It holds for some of them.
    Some(String),
}

/// How much of a scope lies in a subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    Nothing,
    Part,
    Everything,
}

impl NameConstraints {
    /// What speaks against names of a scope, if anything does: for each single name it is what [`objection`](Self::objection) says.
    pub(crate) fn objection_to_scope(&self, scope: &NameScope) -> Option<ScopeObjection> {
        let excluded = self.excluded.iter().filter_map(|base| Some((base.share(scope, true)?, base)));
        let excluded = excluded.max_by_key(|(share, _)| *share);
        let permitted: Vec<(Share, &Base)> =
            self.permitted.iter().filter_map(|base| Some((base.share(scope, false)?, base))).collect();
        let others = || {
            let bases: Vec<String> = permitted.iter().map(|(_, base)| base.to_string()).collect();
            format!("it permits {} alone", bases.join(", "))
        };
        let excludes = |base: &Base| format!("it excludes {base}");
        match (excluded, permitted.iter().map(|(share, _)| *share).max()) {
            (Some((Share::Everything, base)), _) => Some(ScopeObjection::All(excludes(base))),
            (_, Some(Share::Nothing)) => Some(ScopeObjection::All(others())),
            (Some((Share::Part, base)), _) => Some(ScopeObjection::Some(excludes(base))),
            (_, Some(Share::Part)) => Some(ScopeObjection::Some(others())),
            (Some((Share::Nothing, _)) | None, Some(Share::Everything) | None) => None,
        }
    }
}

impl Base {
    /// How much of the scope lies in the subtree; nothing if the subtree is of another kind. `in_doubt`: whether a name of which nobody knows counts.
    fn share(&self, scope: &NameScope, in_doubt: bool) -> Option<Share> {
        let holds = |name| if in_doubt { self.excludes(name) } else { self.permits(name) };
        let of_one = |name| Some(if holds(name)? { Share::Everything } else { Share::Nothing });
        match (self, scope) {
            (Self::Dns(_), NameScope::Dns(name)) => of_one(ConstrainedName::Dns(name.as_str())),
            (Self::Uri(_), NameScope::UriHost(host)) => of_one(ConstrainedName::UriHost(host)),
            (Self::Dns(base), NameScope::DnsUnder(suffix)) => {
                // no base has this label, so it stands for all
                let any = format!("<any>.{suffix}");
                let is_narrower = lies_under(base.trim_start_matches('.'), suffix.as_str());
                Some(match of_one(ConstrainedName::Dns(&any))? {
                    Share::Nothing if is_narrower => Share::Part,
                    share => share,
                })
            }
            (Self::Dns(_), NameScope::AnyDns) => Some(match of_one(ConstrainedName::Dns("<any>"))? {
                Share::Nothing => Share::Part,
                share => share,
            }),
            (Self::Uri(_), NameScope::AnyUri) => Some(match of_one(ConstrainedName::UriHost("<any>"))? {
                Share::Nothing => Share::Part,
                share => share,
            }),
            (Self::Ip { address, mask }, NameScope::Ip { network, prefix_length }) => {
                Some(share_of_range(address, mask, *network, *prefix_length))
            }
            (Self::Directory(base), NameScope::AnyCommonName) => Some(share_of_common_names(base)),
            (Self::Dns(_) | Self::Uri(_) | Self::Ip { .. } | Self::Directory(_) | Self::Irrelevant, _) => {
                None
            }
        }
    }
}

fn share_of_range(address: &[u8], mask: &[u8], network: IpAddr, prefix_length: u8) -> Share {
    let network = match network {
        IpAddr::V4(network) => network.octets().to_vec(),
        IpAddr::V6(network) => network.octets().to_vec(),
    };
    if network.len() != address.len() {
        return Share::Nothing;
    }
    let mut share = Share::Everything;
    for (index, ((network, base), mask)) in network.iter().zip(address).zip(mask).enumerate() {
        let common = usize::from(prefix_length).saturating_sub(index * 8).min(8);
        let common = u8::try_from(0xff00_u16 >> common & 0xff).unwrap_or_default();
        if network & mask & common != base & mask & common {
            return Share::Nothing;
        }
        if mask & !common != 0 {
            share = Share::Part;
        }
    }
    share
}

/// A leaf's subject is one attribute; a base that is one common name can be such a subject.
fn share_of_common_names(base: &[u8]) -> Share {
    const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];
    let is_common_name = |base: &[u8]| -> der::Result<bool> {
        let [set] = elements(base)?[..] else { return Ok(false) };
        let attribute = der::asn1::AnyRef::from_der(set.value())?;
        Ok(attribute.value().starts_with(COMMON_NAME))
    };
    match base {
        [] => Share::Everything,
        base if is_common_name(base).unwrap_or_default() => Share::Part,
        _ => Share::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn constraints(permitted: &[Base], excluded: &[Base]) -> NameConstraints {
        NameConstraints { permitted: permitted.to_vec(), excluded: excluded.to_vec() }
    }

    fn dns(base: &str) -> Base {
        Base::Dns(base.to_owned())
    }

    fn under(suffix: &str) -> NameScope {
        NameScope::DnsUnder(suffix.parse().unwrap())
    }

    fn says(constraints: &NameConstraints, scope: &NameScope) -> &'static str {
        match constraints.objection_to_scope(scope) {
            None => "permitted",
            Some(ScopeObjection::Some(_)) => "partly",
            Some(ScopeObjection::All(_)) => "forbidden",
        }
    }

    #[test]
    fn a_scope_is_permitted_or_excluded_as_a_whole_or_in_part() {
        let (host, other) = (NameScope::UriHost("cluster.local".into()), Base::Uri("other".into()));
        for (base, scope, permitted, excluded) in [
            (dns("local"), under("svc.cluster.local"), "permitted", "forbidden"),
            (dns("svc.cluster.local"), under("svc.cluster.local"), "permitted", "forbidden"),
            (dns(".svc.cluster.local"), under("svc.cluster.local"), "permitted", "forbidden"),
            (dns("shop.svc.cluster.local"), under("svc.cluster.local"), "partly", "partly"),
            (dns(".shop.svc.cluster.local"), under("svc.cluster.local"), "partly", "partly"),
            (dns("corp.example.com"), under("svc.cluster.local"), "forbidden", "permitted"),
            (dns("xsvc.cluster.local"), under("svc.cluster.local"), "forbidden", "permitted"),
            (dns(""), under("svc"), "permitted", "forbidden"),
            (dns("example.com"), NameScope::AnyDns, "partly", "partly"),
            (dns(""), NameScope::AnyDns, "permitted", "forbidden"),
            (dns("example.com"), NameScope::Dns("example.com".parse().unwrap()), "permitted", "forbidden"),
            (dns("a.example.com"), NameScope::Dns("example.com".parse().unwrap()), "forbidden", "permitted"),
            (Base::Uri("cluster.local".into()), host.clone(), "permitted", "forbidden"),
            (Base::Uri(".local".into()), host.clone(), "permitted", "forbidden"),
            (other.clone(), host.clone(), "forbidden", "permitted"),
            (other, NameScope::AnyUri, "partly", "partly"),
            (dns("example.com"), host, "permitted", "permitted"),
            (Base::Directory(vec![]), NameScope::AnyCommonName, "permitted", "forbidden"),
        ] {
            let bases = std::slice::from_ref(&base);
            let both = (constraints(bases, &[]), constraints(&[], bases));
            let found = (says(&both.0, &scope), says(&both.1, &scope));
            assert_eq!(found, (permitted, excluded), "{base} {scope}");
        }
    }

    #[test]
    fn an_organisation_that_a_subject_must_have_leaves_no_common_name() {
        let attribute = |oid: u8| {
            let content = [&[0x06, 3, 0x55, 4, oid, 0x0c, 1][..], b"a"].concat();
            let attribute = [&[0x30, u8::try_from(content.len()).unwrap()], &content[..]].concat();
            Base::Directory([&[0x31, u8::try_from(attribute.len()).unwrap()], &attribute[..]].concat())
        };
        let (organisation, common_name) = (attribute(10), attribute(3));
        assert_eq!(says(&constraints(&[organisation], &[]), &NameScope::AnyCommonName), "forbidden");
        assert_eq!(says(&constraints(&[common_name], &[]), &NameScope::AnyCommonName), "partly");
    }

    #[test]
    fn the_objection_names_the_constraint() {
        let of = |constraints: NameConstraints| constraints.objection_to_scope(&under("svc")).unwrap();
        let permitted = of(constraints(&[dns("a.com"), dns("b.com")], &[]));
        assert_eq!(permitted, ScopeObjection::All("it permits DNS:a.com, DNS:b.com alone".into()));
        let excluded = of(constraints(&[], &[dns("web.shop.svc"), dns("svc")]));
        assert_eq!(excluded, ScopeObjection::All("it excludes DNS:svc".into()));
    }

    proptest! {
        /// What is said of a scope holds for each name in it.
        #[test]
        fn agrees_with_what_is_said_of_each_name(
            permitted in proptest::option::of("\\.?[ab](\\.[ab]){0,3}"),
            excluded in proptest::option::of("\\.?[ab](\\.[ab]){0,3}"),
            suffix in "[ab](\\.[ab]){0,2}",
            labels in "([abc]\\.){1,3}",
        ) {
            let bases = |base: Option<String>| base.map(Base::Dns).into_iter().collect::<Vec<_>>();
            let constraints = constraints(&bases(permitted), &bases(excluded));
            let name = format!("{labels}{suffix}");
            let single = constraints.objection(ConstrainedName::Dns(&name)).is_some();
            match constraints.objection_to_scope(&under(&suffix)) {
                None => prop_assert!(!single),
                Some(ScopeObjection::All(_)) => prop_assert!(single),
                Some(ScopeObjection::Some(_)) => {}
            }
        }

        #[test]
        fn agrees_with_what_is_said_of_each_address(base: u32, network: u32, address: u32, of_base in 0_u8..=32, prefix_length in 0_u8..=32) {
            let mask = |bits: u8| u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            // few bits, so that ranges meet
            let (base, network) = (base & 0xc000_0000, network & 0xc000_0000 & mask(prefix_length));
            let address = Ipv4Addr::from_bits(network | (address & !mask(prefix_length)));
            let base = Base::Ip {
                address: base.to_be_bytes().to_vec(),
                mask: mask(of_base).to_be_bytes().to_vec(),
            };
            let constraints = constraints(&[base], &[]);
            let single = constraints.objection(ConstrainedName::Ip(address.into())).is_some();
            let scope = NameScope::Ip { network: Ipv4Addr::from_bits(network).into(), prefix_length };
            match constraints.objection_to_scope(&scope) {
                None => prop_assert!(!single),
                Some(ScopeObjection::All(_)) => prop_assert!(single),
                Some(ScopeObjection::Some(_)) => prop_assert!(of_base > prefix_length),
            }
        }
    }
}
