//! Name constraints (RFC 5280 §4.2.1.10): what a CA lets the certificates below it name. Signing what they
//! forbid would give pods certificates that every verifier refuses.

use std::net::IpAddr;

use const_oid::{AssociatedOid, ObjectIdentifier, db::rfc5280::ID_CE_NAME_CONSTRAINTS};
use der::{Decode, Encode as _, Tag, asn1::AnyRef};

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
    /// Of a kind of name that no leaf carries, by its tag in GeneralName (RFC 5280 §4.2.1.6).
    Other(u32),
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

    /// What is permitted and excluded, for people.
    pub(crate) fn describe(&self) -> String {
        let list = |bases: &[Base]| bases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let sides = [("permits", &self.permitted, " alone"), ("excludes", &self.excluded, "")];
        let sides = sides.into_iter().filter(|(_, bases, _)| !bases.is_empty());
        let sides: Vec<String> =
            sides.map(|(verb, bases, alone)| format!("{verb} {}{alone}", list(bases))).collect();
        sides.join("; ")
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

/// What verifiers make of the constraints themselves, whatever the names are.
impl NameConstraints {
    /// The bases on DNS names and on URIs' hosts.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.bases().filter_map(|base| match base {
            Base::Dns(host) | Base::Uri(host) => Some(host.as_str()),
            Base::Ip { .. } | Base::Directory(_) | Base::Other(_) => None,
        })
    }

    pub(crate) fn has_directory_names(&self) -> bool {
        self.bases().any(|base| matches!(base, Base::Directory(_)))
    }

    pub(crate) fn has_uris(&self) -> bool {
        self.bases().any(|base| matches!(base, Base::Uri(_)))
    }

    /// Go knows constraints on e-mail addresses, DNS names, URIs and IP addresses.
    pub(crate) fn has_kinds_unknown_to_go(&self) -> bool {
        const EMAIL: u32 = 1;
        let is_unknown = |base: &Base| match base {
            Base::Directory(_) => true,
            Base::Other(kind) => *kind != EMAIL,
            Base::Dns(_) | Base::Uri(_) | Base::Ip { .. } => false,
        };
        self.bases().any(is_unknown)
    }

    fn bases(&self) -> impl Iterator<Item = &Base> {
        self.permitted.iter().chain(&self.excluded)
    }
}

impl Base {
    /// RFC 5280: within this profile, minimum is 0 and maximum absent, and DER leaves out what is the
    /// default.
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
            Tag::ContextSpecific { number, .. } => Self::Other(number.value()),
            other => return Err(other.unexpected_error(None).into()),
        })
    }

    /// Whether the name lies in the subtree; nothing if the subtree is of another kind.
    fn permits(&self, name: ConstrainedName<'_>) -> Option<bool> {
        match (self, name) {
            (Self::Dns(base), ConstrainedName::Dns(name)) => Some(lies_under(name, base)),
            (Self::Uri(base), ConstrainedName::UriHost(host)) => Some(host_matches(host, base)),
            (Self::Ip { address, mask }, ConstrainedName::Ip(name)) => Some(in_range(name, address, mask)),
            (Self::Directory(base), ConstrainedName::Subject(subject)) => Some(subject.starts_with(base)),
            (Self::Dns(_) | Self::Uri(_) | Self::Ip { .. } | Self::Directory(_) | Self::Other(_), _) => None,
        }
    }

    /// As `permits`, but in doubt it excludes.
    fn excludes(&self, name: ConstrainedName<'_>) -> Option<bool> {
        match (self, name) {
            // Go's verifier takes these for all names, OpenSSL for none
            (Self::Dns(base), ConstrainedName::Dns(_)) | (Self::Uri(base), ConstrainedName::UriHost(_))
                if base.is_empty() || base == "." =>
            {
                Some(true)
            }
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
            Self::Directory(base) => {
                let name = AnyRef::new(Tag::Sequence, base).and_then(|name| name.to_der());
                let name = name.map(|name| super::distinguished_name::to_text(&name));
                write!(f, "subjects that begin with {}", name.unwrap_or_default())
            }
            Self::Other(_) => f.write_str("names of another kind"),
        }
    }
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the
/// name satisfies the name constraint." A leading dot, which OpenSSL and others know, asks for one label at
/// least.
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

/// "When the constraint begins with a period, it MAY be expanded with one or more labels. When it does not
/// begin with a period, it specifies a host."
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
mod tests;
