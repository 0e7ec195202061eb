//! What the CA's certificates let a leaf say.

use std::collections::BTreeSet;

use const_oid::db::rfc5280::ANY_EXTENDED_KEY_USAGE;

use super::{IssueError, extensions::purpose};
use crate::{
    authority::{CaCertificate, CertificateAuthority, ConstrainedName, asn1},
    leaf::{ExtendedKeyUsage, Leaf},
    names::DnsName,
};

/// Checks names and usages against the constraints of each certificate up to the root. RFC 5280 leaves the
/// trust anchor's to the verifier; Go, OpenSSL and webpki all apply them.
pub(crate) fn check(leaf: &Leaf, authority: &CertificateAuthority) -> Result<(), IssueError> {
    authority.path().try_for_each(|certificate| {
        check_usages(&leaf.extended_key_usages, certificate)?;
        check_names(leaf, certificate)
    })
}

fn check_usages(usages: &BTreeSet<ExtendedKeyUsage>, certificate: &CaCertificate) -> Result<(), IssueError> {
    let Some(allowed) = certificate.extended_key_usages() else { return Ok(()) };
    if allowed.contains(&ANY_EXTENDED_KEY_USAGE) {
        return Ok(());
    }
    match usages.iter().find(|usage| !allowed.contains(&purpose(**usage))) {
        None => Ok(()),
        Some(usage) => Err(IssueError::UsageForbidden {
            usage: format!("{usage:?}"),
            certificate: certificate.to_string(),
        }),
    }
}

fn check_names(leaf: &Leaf, certificate: &CaCertificate) -> Result<(), IssueError> {
    let Some(constraints) = certificate.name_constraints() else { return Ok(()) };
    let subject = asn1::subject(leaf)?;
    for (name, text) in names(leaf, &subject) {
        if let Some(objection) = constraints.objection(name) {
            let certificate = certificate.to_string();
            return Err(IssueError::NameForbidden { name: text, certificate, objection });
        }
    }
    Ok(())
}

fn names<'a>(leaf: &'a Leaf, subject: &'a [u8]) -> impl Iterator<Item = (ConstrainedName<'a>, String)> {
    let dns = leaf.dns_names.iter().map(|name| (ConstrainedName::Dns(name.as_str()), format!("DNS:{name}")));
    let uris = leaf.uris.iter().map(|uri| (ConstrainedName::UriHost(uri.host()), format!("URI:{uri}")));
    let addresses = leaf.ip_addresses.iter().map(|ip| (ConstrainedName::Ip(*ip), format!("IP:{ip}")));
    let text = match &leaf.common_name {
        Some(name) => format!("the subject CN={name}"),
        None => "the subject".to_owned(),
    };
    let subject = (!leaf.has_empty_subject()).then_some((ConstrainedName::Subject(subject), text));
    dns.chain(uris).chain(addresses).chain(subject).chain(common_name_as_host(leaf))
}

/// OpenSSL holds a common name that reads as a host name against the DNS constraints when there is no DNS
/// name.
fn common_name_as_host(leaf: &Leaf) -> Option<(ConstrainedName<'_>, String)> {
    let name = leaf.common_name.as_ref().filter(|_| leaf.dns_names.is_empty())?;
    name.as_str().parse::<DnsName>().ok()?;
    Some((ConstrainedName::Dns(name.as_str()), format!("the host name CN={name}")))
}
