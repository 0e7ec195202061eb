//! What the CA's certificates let a leaf say.

use std::collections::BTreeSet;

use const_oid::db::rfc5280::ANY_EXTENDED_KEY_USAGE;

use super::{IssueError, extensions::purpose};
use crate::{
    authority::{CaCertificate, CertificateAuthority, ConstrainedName, ScopeObjection, asn1},
    leaf::{ExtendedKeyUsage, Leaf},
    names::DnsName,
    profile::{LeafProfile, NameScope},
};

/// Checks names and usages against the constraints of each certificate up to the root. RFC 5280 leaves the trust anchor's to the
/// verifier; Go, OpenSSL and webpki all apply them.
pub(super) fn check(leaf: &Leaf, authority: &CertificateAuthority) -> Result<(), IssueError> {
    authority.path().try_for_each(|certificate| {
        check_usages(&leaf.extended_key_usages, certificate)?;
        check_names(leaf, certificate)
    })
}

/// What is refused of the leaves of some profiles.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refused {
    /// All of them.
    All(IssueError),
    /// Some.
    Some(IssueError),
}

/// What [`check`] would say of leaves that a signer is going to issue. Profiles of which nothing is known are refused nothing.
pub(crate) fn foresee(profiles: &[LeafProfile], authority: &CertificateAuthority) -> Option<Refused> {
    let mut refused: Vec<_> = profiles.iter().map(|profile| foresee_one(profile, authority)).collect();
    if refused.iter().all(|refused| matches!(refused, Some(Refused::All(_)))) {
        return refused.into_iter().next().flatten();
    }
    let first = refused.iter_mut().find_map(Option::take)?;
    let (Refused::All(error) | Refused::Some(error)) = first;
    Some(Refused::Some(error))
}

fn foresee_one(profile: &LeafProfile, authority: &CertificateAuthority) -> Option<Refused> {
    let has_dns_name =
        |scope: &NameScope| matches!(scope, NameScope::Dns(_) | NameScope::DnsUnder(_) | NameScope::AnyDns);
    let is_host =
        profile.names.contains(&NameScope::AnyCommonName) && !profile.names.iter().any(has_dns_name);
    // see `common_name_as_host`
    let names = profile.names.iter().chain(is_host.then_some(&NameScope::AnyDns));
    let mut in_part = None;
    for certificate in authority.path() {
        if let Err(error) = check_usages(&profile.extended_key_usages, certificate) {
            return Some(Refused::All(error));
        }
        let Some(constraints) = certificate.name_constraints() else { continue };
        for scope in names.clone() {
            let forbidden = |objection| IssueError::NameForbidden {
                name: scope.to_string(),
                certificate: certificate.to_string(),
                objection,
            };
            match constraints.objection_to_scope(scope) {
                Some(ScopeObjection::All(objection)) => return Some(Refused::All(forbidden(objection))),
                Some(ScopeObjection::Some(objection)) => {
                    in_part.get_or_insert_with(|| Refused::Some(forbidden(objection)));
                }
                None => {}
            }
        }
    }
    in_part
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
    let subject = asn1::subject(leaf.common_name.as_ref())?;
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
    let subject = leaf
        .common_name
        .iter()
        .map(move |name| (ConstrainedName::Subject(subject), format!("the subject CN={name}")));
    dns.chain(uris).chain(addresses).chain(subject).chain(common_name_as_host(leaf))
}

/// OpenSSL holds a common name that reads as a host name against the DNS constraints when there is no DNS name.
fn common_name_as_host(leaf: &Leaf) -> Option<(ConstrainedName<'_>, String)> {
    let name = leaf.common_name.as_ref().filter(|_| leaf.dns_names.is_empty())?;
    name.as_str().parse::<DnsName>().ok()?;
    Some((ConstrainedName::Dns(name.as_str()), format!("the host name CN={name}")))
}
