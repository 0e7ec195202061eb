//! Extensions as Go's `processExtensions` reads them.

use std::net::IpAddr;

use const_oid::{ObjectIdentifier, db::rfc5280};

use super::{
    input::{BOOLEAN, INTEGER, Input, OCTET_STRING, OID, SEQUENCE, context, context_constructed, is_oid},
    names::{is_constraint_on_domains, is_mailbox},
    uri::is_uri,
};

/// Why an extension can't be read.
pub(super) enum Unreadable {
    Damaged,
    Because(String),
}

impl From<String> for Unreadable {
    fn from(reason: String) -> Self {
        Self::Because(reason)
    }
}

type Read = Result<(), Unreadable>;

/// Reads the value of an extension, if it is of a kind that Go reads.
pub(super) fn read(oid: ObjectIdentifier, value: &[u8]) -> Read {
    let value = Input(value);
    let whole = |read: Option<()>| read.ok_or(Unreadable::Damaged);
    match oid {
        rfc5280::ID_CE_SUBJECT_ALT_NAME => subject_alternative_names(value),
        rfc5280::ID_CE_NAME_CONSTRAINTS => name_constraints(value),
        rfc5280::ID_CE_CERTIFICATE_POLICIES => certificate_policies(value),
        rfc5280::ID_CE_KEY_USAGE => whole({ value }.bit_string()),
        rfc5280::ID_CE_BASIC_CONSTRAINTS => whole(basic_constraints(value)),
        rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS => whole(crl_distribution_points(value)),
        rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER => whole(authority_key_identifier(value)),
        rfc5280::ID_CE_POLICY_CONSTRAINTS => whole(policy_constraints(value)),
        rfc5280::ID_CE_EXT_KEY_USAGE => whole(each(value, |usages| usages.oid().map(drop))),
        rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER => whole({ value }.element(OCTET_STRING).map(drop)),
        rfc5280::ID_CE_POLICY_MAPPINGS => whole(policy_mappings(value)),
        rfc5280::ID_CE_INHIBIT_ANY_POLICY => whole({ value }.integer(INTEGER)),
        rfc5280::ID_PE_AUTHORITY_INFO_ACCESS => whole(authority_information_access(value)),
        _ => Ok(()),
    }
}

/// Reads a SEQUENCE, element by element.
fn each<'a>(mut value: Input<'a>, mut read: impl FnMut(&mut Input<'a>) -> Option<()>) -> Option<()> {
    let mut elements = value.element(SEQUENCE)?;
    while !elements.is_empty() {
        read(&mut elements)?;
    }
    Some(())
}

fn basic_constraints(mut value: Input<'_>) -> Option<()> {
    let mut fields = value.element(SEQUENCE)?;
    fields.optional(BOOLEAN)?.is_none_or(|is_ca| matches!(is_ca.0, [0 | 0xff])).then_some(())?;
    if fields.has(INTEGER) { fields.integer(INTEGER) } else { Some(()) }
}

fn subject_alternative_names(mut value: Input<'_>) -> Read {
    let mut names = value.element(SEQUENCE).ok_or(Unreadable::Damaged)?;
    while !names.is_empty() {
        let (tag, name) = names.any().ok_or(Unreadable::Damaged)?;
        let (is_readable, kind) = match tag {
            EMAIL => (name.0.is_ascii(), "e-mail address"),
            DNS_NAME => (name.0.is_ascii(), "DNS name"),
            URI => (is_uri(name.0), "URI"),
            IP_ADDRESS => (matches!(name.0.len(), 4 | 16), "IP address"),
            _ => continue,
        };
        if !is_readable {
            let name = if tag == IP_ADDRESS { octets(name.0) } else { quoted(name.0) };
            return Err(format!("has {name}, which is not a valid {kind} for Go").into());
        }
    }
    Ok(())
}

fn name_constraints(mut value: Input<'_>) -> Read {
    let mut subtrees = || {
        let mut fields = value.element(SEQUENCE).filter(|_| value.is_empty())?;
        let permitted = fields.optional(context_constructed(0))?;
        let excluded = fields.optional(context_constructed(1))?;
        fields.is_empty().then(|| [permitted, excluded].map(|side| side.unwrap_or(Input(b""))))
    };
    let subtrees = subtrees().ok_or(Unreadable::Damaged)?;
    if subtrees.iter().all(|side| side.is_empty()) {
        return Err("is empty".to_owned().into());
    }
    for mut side in subtrees {
        while !side.is_empty() {
            let base = side.element(SEQUENCE).and_then(|mut subtree| subtree.any());
            let (tag, base) = base.ok_or(Unreadable::Damaged)?;
            if let Some(kind) = kind_that_it_is_not(tag, base.0) {
                let base = if tag == IP_ADDRESS { octets(base.0) } else { quoted(base.0) };
                return Err(format!("has the base {base}, which is not a valid {kind} for Go").into());
            }
        }
    }
    Ok(())
}

fn kind_that_it_is_not(tag: u8, base: &[u8]) -> Option<&'static str> {
    let is_address = || std::str::from_utf8(base).is_ok_and(|text| text.parse::<IpAddr>().is_ok());
    let (is_readable, kind) = match tag {
        DNS_NAME => (is_constraint_on_domains(base), "domain"),
        EMAIL if base.contains(&b'@') => (base.is_ascii() && is_mailbox(base), "mailbox"),
        EMAIL => (is_constraint_on_domains(base), "domain"),
        URI => (is_constraint_on_domains(base) && !is_address(), "domain"),
        IP_ADDRESS => {
            let is_range = matches!(base.len(), 8 | 32) && is_prefix(&base[base.len() / 2..]);
            (is_range, "range of IP addresses")
        }
        _ => return None,
    };
    (!is_readable).then_some(kind)
}

/// Whether a mask is some ones, then zeros alone.
fn is_prefix(mask: &[u8]) -> bool {
    let ones = |byte: &u8| byte.leading_ones() + byte.trailing_zeros() == 8 || *byte == 0xff;
    let zeros = mask.iter().skip_while(|byte| **byte == 0xff).skip(1);
    mask.iter().all(ones) && zeros.into_iter().all(|byte| *byte == 0)
}

fn certificate_policies(value: Input<'_>) -> Read {
    let mut policies: Vec<&[u8]> = Vec::new();
    let is_whole = each(value, |all| {
        let policy = all.element(SEQUENCE)?.element(OID)?.0;
        policies.push(policy);
        // numbers of any length, but not in more octets than they need
        let is_short = policy.split_inclusive(|octet| octet & 0x80 == 0).all(|number| number[0] != 0x80);
        (is_short && policy.last()? & 0x80 == 0).then_some(())
    });
    is_whole.ok_or(Unreadable::Damaged)?;
    policies.sort_unstable();
    match policies.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err("has a policy twice".to_owned().into()),
        false => Ok(()),
    }
}

fn crl_distribution_points(value: Input<'_>) -> Option<()> {
    each(value, |points| {
        let mut point = points.element(SEQUENCE)?;
        let Some(mut name) = point.optional(context_constructed(0))? else { return Some(()) };
        let mut full_name = name.element(context_constructed(0))?;
        while full_name.has(context(6)) {
            full_name.any()?;
        }
        Some(())
    })
}

fn authority_key_identifier(mut value: Input<'_>) -> Option<()> {
    value.element(SEQUENCE)?.optional(context(0)).map(drop)
}

fn policy_constraints(mut value: Input<'_>) -> Option<()> {
    let mut fields = value.element(SEQUENCE)?;
    for tag in [context(0), context(1)] {
        if fields.has(tag) {
            fields.integer(tag)?;
        }
    }
    Some(())
}

fn policy_mappings(value: Input<'_>) -> Option<()> {
    each(value, |mappings| {
        let mut mapping = mappings.element(SEQUENCE)?;
        mapping.element(OID).and_then(|_| mapping.element(OID)).map(drop)
    })
}

fn authority_information_access(value: Input<'_>) -> Option<()> {
    each(value, |accesses| {
        let mut access = accesses.element(SEQUENCE)?;
        access.oid()?;
        access.optional(context(6)).map(drop)
    })
}

/// Whether Go reads the number of an extension.
pub(super) fn has_readable_number(oid: ObjectIdentifier) -> bool {
    is_oid(oid.as_bytes())
}

/// For a message: not all of what somebody made long.
fn quoted(value: &[u8]) -> String {
    const SHOWN: usize = 60;
    let text: String = String::from_utf8_lossy(value).chars().take(SHOWN).collect();
    format!("{text:?}")
}

/// An address and its mask, or what stands in their place.
fn octets(value: &[u8]) -> String {
    const OF_IPV4: usize = 4;
    let dotted = |octets: &[u8]| octets.iter().map(u8::to_string).collect::<Vec<_>>().join(".");
    match value.split_at_checked(OF_IPV4) {
        Some((address, mask)) if mask.len() == OF_IPV4 => format!("{}/{}", dotted(address), dotted(mask)),
        _ => format!("of {} octets", value.len()),
    }
}

const EMAIL: u8 = context(1);
const DNS_NAME: u8 = context(2);
const URI: u8 = context(6);
const IP_ADDRESS: u8 = context(7);
