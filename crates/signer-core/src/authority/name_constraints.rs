//! Name constraints (RFC 5280 §4.2.1.10): what a CA lets the certificates below it name. Signing what they forbid would give
//! pods certificates that every verifier refuses.

use std::net::IpAddr;

use const_oid::{AssociatedOid, ObjectIdentifier, db::rfc5280::ID_CE_NAME_CONSTRAINTS};
use der::{Decode, Tag, asn1::AnyRef};

use super::asn1::elements;

/// The name constraints of one CA certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameConstraints {
    permitted: Vec<Base>,
    excluded: Vec<Base>,
}

/// A name that a leaf is about to carry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ConstrainedName<'a> {
    Dns(&'a str),
    /// A URI's host.
    UriHost(&'a str),
    Ip(IpAddr),
    /// The subject, as the content of its RDNSequence.
    Subject(&'a [u8]),
}

/// The base of a subtree.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Base {
    Dns(String),
    Uri(String),
    Ip {
        address: Vec<u8>,
        mask: Vec<u8>,
    },
    Directory(Vec<u8>),
    /// Of a kind of name that no leaf carries.
    Irrelevant,
}

impl AssociatedOid for NameConstraints {
    const OID: ObjectIdentifier = ID_CE_NAME_CONSTRAINTS;
}

impl NameConstraints {
    pub(super) fn from_der(der: &[u8]) -> der::Result<Self> {
        let mut constraints = Self { permitted: Vec::new(), excluded: Vec::new() };
        for subtrees in elements(sequence(der)?)? {
            let bases = elements(subtrees.value())?.into_iter().map(Base::read);
            match subtrees.header().tag() {
                PERMITTED => constraints.permitted = bases.collect::<der::Result<_>>()?,
                EXCLUDED => constraints.excluded = bases.collect::<der::Result<_>>()?,
                other => return Err(other.unexpected_error(None).into()),
            }
        }
        Ok(constraints)
    }

    /// What speaks against the name, if anything does.
    pub(crate) fn objection(&self, name: ConstrainedName<'_>) -> Option<String> {
        if let Some(base) = self.excluded.iter().find(|base| base.excludes(name) == Some(true)) {
            return Some(format!("it excludes {base}"));
        }
        let same_kind: Vec<&Base> =
            self.permitted.iter().filter(|base| base.permits(name).is_some()).collect();
        if same_kind.is_empty() || same_kind.iter().any(|base| base.permits(name) == Some(true)) {
            return None;
        }
        let permitted: Vec<String> = same_kind.iter().map(ToString::to_string).collect();
        Some(format!("it permits {} alone", permitted.join(", ")))
    }
}

impl Base {
    /// RFC 5280: within this profile, minimum is 0 and maximum absent, and DER leaves out what is the default.
    fn read(subtree: AnyRef<'_>) -> der::Result<Self> {
        let base: AnyRef<'_> = subtree.sequence(AnyRef::decode)?;
        let text = || Ok::<_, der::Error>(std::str::from_utf8(base.value())?.to_ascii_lowercase());
        Ok(match base.header().tag() {
            DNS_NAME => Self::Dns(text()?),
            URI => Self::Uri(text()?),
            IP_ADDRESS => match base.value() {
                range if range.len() == 8 || range.len() == 32 => {
                    let (address, mask) = range.split_at(range.len() / 2);
                    Self::Ip { address: address.to_vec(), mask: mask.to_vec() }
                }
                _ => return Err(Tag::OctetString.length_error().into()),
            },
            DIRECTORY_NAME => Self::Directory(sequence(base.value())?.to_vec()),
            _ => Self::Irrelevant,
        })
    }

    /// Whether the name lies in the subtree; nothing if the subtree is of another kind.
    fn permits(&self, name: ConstrainedName<'_>) -> Option<bool> {
        match (self, name) {
            (Self::Dns(base), ConstrainedName::Dns(name)) => Some(lies_under(name, base)),
            (Self::Uri(base), ConstrainedName::UriHost(host)) => Some(host_matches(host, base)),
            (Self::Ip { address, mask }, ConstrainedName::Ip(name)) => Some(in_range(name, address, mask)),
            (Self::Directory(base), ConstrainedName::Subject(subject)) => Some(subject.starts_with(base)),
            (Self::Dns(_) | Self::Uri(_) | Self::Ip { .. } | Self::Directory(_) | Self::Irrelevant, _) => {
                None
            }
        }
    }

    /// As `permits`, but in doubt it excludes.
    fn excludes(&self, name: ConstrainedName<'_>) -> Option<bool> {
        match (self, name) {
            (Self::Dns(base), ConstrainedName::Dns(name)) => {
                Some(lies_under(name, base) || wildcard_covers(name, base))
            }
            // No URI constraint says anything of an address, so none can clear it.
            (Self::Uri(_), ConstrainedName::UriHost(host)) if is_address(host) => Some(true),
            _ => self.permits(name),
        }
    }
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dns(base) => write!(f, "DNS:{base}"),
            Self::Uri(base) => write!(f, "URI:{base}"),
            Self::Ip { address, mask } => write!(f, "IP:{}/{}", dotted(address), dotted(mask)),
            Self::Directory(_) => f.write_str("other subjects"),
            Self::Irrelevant => f.write_str("names of another kind"),
        }
    }
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name
/// satisfies the name constraint." A leading dot, which OpenSSL and others know, asks for one label at least.
fn lies_under(name: &str, base: &str) -> bool {
    match name.strip_suffix(base) {
        _ if base.is_empty() => true,
        Some("") => !base.starts_with('.'),
        Some(left) => base.starts_with('.') || left.ends_with('.'),
        None => false,
    }
}

/// Whether a wildcard stands for names that the base excludes, though it doesn't lie under the base itself.
fn wildcard_covers(name: &str, base: &str) -> bool {
    let base = base.strip_prefix('.').unwrap_or(base);
    match (name.strip_prefix("*."), base.split_once('.')) {
        (Some(domain), Some((_, parent))) => domain == parent,
        _ => false,
    }
}

/// "When the constraint begins with a period, it MAY be expanded with one or more labels. When it does not begin with
/// a period, it specifies a host."
fn host_matches(host: &str, base: &str) -> bool {
    if is_address(host) {
        return false;
    }
    if base.starts_with('.') { host.len() > base.len() && host.ends_with(base) } else { host == base }
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<IpAddr>().is_ok()
}

fn in_range(name: IpAddr, address: &[u8], mask: &[u8]) -> bool {
    let name = match name {
        IpAddr::V4(name) => name.octets().to_vec(),
        IpAddr::V6(name) => name.octets().to_vec(),
    };
    name.len() == address.len()
        && name.iter().zip(address).zip(mask).all(|((name, base), mask)| name & mask == base & mask)
}

fn dotted(bytes: &[u8]) -> String {
    match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
        (Ok(bytes), _) => IpAddr::from(bytes).to_string(),
        (_, Ok(bytes)) => IpAddr::from(bytes).to_string(),
        _ => String::new(),
    }
}

fn sequence(der: &[u8]) -> der::Result<&[u8]> {
    let sequence = AnyRef::from_der(der)?;
    sequence.header().tag().assert_eq(Tag::Sequence)?;
    Ok(sequence.value())
}

const fn context_specific(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { number: der::TagNumber(number), constructed }
}

const PERMITTED: Tag = context_specific(0, true);
const EXCLUDED: Tag = context_specific(1, true);
const DNS_NAME: Tag = context_specific(2, false);
const DIRECTORY_NAME: Tag = context_specific(4, true);
const URI: Tag = context_specific(6, false);
const IP_ADDRESS: Tag = context_specific(7, false);

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// Name constraints with one base of a given kind, permitted (0xa0) or excluded (0xa1).
    fn constraints(side: u8, kind: u8, base: &[u8]) -> NameConstraints {
        let subtree = tlv(0x30, &tlv(kind, base));
        NameConstraints::from_der(&tlv(0x30, &tlv(side, &subtree))).unwrap()
    }

    fn permits(kind: u8, base: &[u8], name: ConstrainedName<'_>) -> bool {
        constraints(0xa0, kind, base).objection(name).is_none()
    }

    fn excludes(kind: u8, base: &[u8], name: ConstrainedName<'_>) -> bool {
        constraints(0xa1, kind, base).objection(name).is_some()
    }

    #[test]
    fn dns_names_lie_under_a_domain() {
        for (base, name, inside) in [
            ("example.com", "example.com", true),
            ("example.com", "a.b.example.com", true),
            ("Example.COM", "a.example.com", true),
            ("example.com", "badexample.com", false),
            ("example.com", "example.com.evil.net", false),
            (".example.com", "a.example.com", true),
            (".example.com", "example.com", false),
            ("", "anything.at.all", true),
            ("example.com", "*.example.com", true),
        ] {
            let name = ConstrainedName::Dns(name);
            assert_eq!(permits(0x82, base.as_bytes(), name), inside, "{base} {name:?}");
            assert_eq!(excludes(0x82, base.as_bytes(), name), inside, "{base} {name:?}");
        }
    }

    #[test]
    fn wildcard_that_covers_an_excluded_name_is_excluded() {
        let wildcard = ConstrainedName::Dns("*.example.com");
        assert!(excludes(0x82, b"secret.example.com", wildcard));
        assert!(!excludes(0x82, b"very.secret.example.com", wildcard));
        assert!(!permits(0x82, b"secret.example.com", wildcard));
    }

    #[test]
    fn uris_are_held_by_their_host() {
        for (base, host, inside) in [
            ("example.com", "example.com", true),
            ("example.com", "a.example.com", false),
            (".example.com", "a.example.com", true),
            (".example.com", "example.com", false),
        ] {
            let name = ConstrainedName::UriHost(host);
            assert_eq!(permits(0x86, base.as_bytes(), name), inside, "{base} {host}");
            assert_eq!(excludes(0x86, base.as_bytes(), name), inside, "{base} {host}");
        }
        for address in ["192.0.2.1", "[2001:db8::1]"] {
            let name = ConstrainedName::UriHost(address);
            assert!(!permits(0x86, b"example.com", name) && excludes(0x86, b"example.com", name));
        }
    }

    #[test]
    fn addresses_are_held_by_their_range() {
        let range = [192, 0, 2, 0, 255, 255, 255, 0];
        for (name, inside) in [("192.0.2.255", true), ("192.0.3.0", false), ("2001:db8::1", false)] {
            let name = ConstrainedName::Ip(name.parse().unwrap());
            assert_eq!(permits(0x87, &range, name), inside, "{name:?}");
            assert_eq!(excludes(0x87, &range, name), inside, "{name:?}");
        }
        assert!(
            NameConstraints::from_der(&tlv(0x30, &tlv(0xa0, &tlv(0x30, &tlv(0x87, &[1, 2, 3]))))).is_err()
        );
    }

    #[test]
    fn subjects_are_held_by_their_first_attributes() {
        let rdn =
            |value: &[u8]| tlv(0x31, &tlv(0x30, &[&[0x06, 3, 0x55, 4, 3][..], &tlv(0x0c, value)].concat()));
        let (ours, other) = (rdn(b"ours"), rdn(b"other"));
        let base = tlv(0x30, &ours);
        for (subject, inside) in [(&ours, true), (&other, false)] {
            let name = ConstrainedName::Subject(subject);
            assert_eq!(permits(0xa4, &base, name), inside);
            assert_eq!(excludes(0xa4, &base, name), inside);
        }
        assert!(permits(0xa4, &tlv(0x30, b""), ConstrainedName::Subject(&ours)));
    }

    #[test]
    fn kinds_do_not_touch_each_other() {
        let dns = ConstrainedName::Dns("a.b");
        for kind in [0x81, 0x86, 0x87, 0xa4] {
            let base: &[u8] = match kind {
                0x87 => &[0; 8],
                0xa4 => &[0x30, 0],
                _ => b"example.com",
            };
            assert!(permits(kind, base, dns) && !excludes(kind, base, dns), "{kind:x}");
        }
    }

    #[test]
    fn damaged_constraints_are_refused() {
        for der in [&b""[..], b"\x31\x00", b"\x30\x02\x05\x00", b"\x30\x04\xa0\x02\x30\x00"] {
            assert!(NameConstraints::from_der(der).is_err(), "{der:x?}");
        }
    }
}
