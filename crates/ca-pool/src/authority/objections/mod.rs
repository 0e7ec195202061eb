//! What verifiers, and the API server, object to in the certificates of a CA: rules of theirs that an example
//! leaf doesn't show, since it is verified by rustls alone.

mod api_server;
mod contents;
mod critical;
mod key_identifiers;
mod openssl;

use std::collections::HashMap;

use const_oid::{ObjectIdentifier, db::rfc5280};

use self::{contents::Contents, critical::Verifier};
use super::{CaCertificate, CertificateAuthority};
use crate::leaf::Leaf;

/// Why the API server takes none of what the CA signs, or not its root, if that is so.
pub(crate) fn api_server(authority: &CertificateAuthority) -> Option<String> {
    authority.path().find_map(|certificate| {
        let rule = api_server::broken_rule(certificate, &Contents::of(certificate)?)?;
        Some(format!(
            "the API server can't use {certificate}: {rule}. So neither a trust bundle nor a request's status can have it; issue it anew without that"
        ))
    })
}

/// The rule by which the API server takes no trust bundle with a certificate, if there is one.
pub(crate) fn broken_rule(certificate: &CaCertificate) -> Option<String> {
    api_server::broken_rule(certificate, &Contents::of(certificate)?)
}

/// What Go and OpenSSL refuse of what the CA signs, or strict verifiers do, though others take it.
pub(crate) fn caveats(authority: &CertificateAuthority) -> Vec<String> {
    let path: Vec<(&CaCertificate, Contents)> =
        authority.path().filter_map(|certificate| Some((certificate, Contents::of(certificate)?))).collect();
    let path: Vec<_> = path.iter().map(|(certificate, contents)| (*certificate, contents)).collect();
    no_subject(authority).into_iter().chain(caveats_of(&path)).collect()
}

fn caveats_of(path: &[(&CaCertificate, &Contents)]) -> Vec<String> {
    let mut caveats = Vec::new();
    for (index, (certificate, contents)) in path.iter().enumerate() {
        let is_root = index + 1 == path.len();
        for verifier in [Verifier::Go, Verifier::OpenSsl] {
            caveats.extend(critical::unknown(certificate, contents, verifier));
        }
        let issuer = path.get(index + 1).unwrap_or(&path[index]);
        caveats.extend(key_identifiers::mismatch((certificate, contents), *issuer, is_root));
        caveats.extend(openssl::any_purpose(certificate));
        caveats.extend(openssl::strict(certificate, contents, is_root));
        caveats.extend(contents.overlong_serial(certificate));
    }
    caveats
}

/// How much stands against a way up, whatever is issued below it; the less the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hindrances {
    unreadable_for_api_server: bool,
    not_for_tls: bool,
    constrains_names: bool,
    caveats: usize,
}

/// Compares ways up that have certificates in common.
#[derive(Default)]
pub(super) struct Comparison {
    contents: HashMap<usize, Option<Contents>>,
}

impl Comparison {
    /// What stands against a way, given by the positions of its certificates, the root last.
    pub(super) fn hindrances(&mut self, way: &[usize], all: &[CaCertificate]) -> Hindrances {
        for index in way {
            self.contents.entry(*index).or_insert_with(|| Contents::of(&all[*index]));
        }
        let contents = |index: &usize| Some((&all[*index], self.contents.get(index)?.as_ref()?));
        let path: Vec<(&CaCertificate, &Contents)> = way.iter().filter_map(contents).collect();
        let any = |is: &dyn Fn(&CaCertificate) -> bool| path.iter().any(|(certificate, _)| is(certificate));
        Hindrances {
            unreadable_for_api_server: path
                .iter()
                .any(|(certificate, contents)| api_server::broken_rule(certificate, contents).is_some()),
            not_for_tls: any(&|certificate| {
                certificate
                    .extended_key_usages()
                    .is_some_and(|usages| !usages.iter().any(|usage| FOR_TLS.contains(usage)))
            }),
            constrains_names: any(&|certificate| certificate.name_constraints().is_some()),
            caveats: caveats_of(&path).len(),
        }
    }
}

const FOR_TLS: [ObjectIdentifier; 3] =
    [rfc5280::ID_KP_SERVER_AUTH, rfc5280::ID_KP_CLIENT_AUTH, rfc5280::ANY_EXTENDED_KEY_USAGE];

/// What webpki doesn't take of a certificate's extensions.
pub(crate) fn webpki_extensions(certificate: &CaCertificate) -> Option<String> {
    critical::unknown(certificate, &Contents::of(certificate)?, Verifier::Webpki)
}

/// Why webpki refuses the names of a leaf below a certificate, whatever the names are.
pub(crate) fn webpki_names(certificate: &CaCertificate, leaf: &Leaf) -> Option<String> {
    let constraints = certificate.name_constraints()?;
    if constraints.has_directory_names() {
        return Some(format!(
            "{certificate} has name constraints on directory names (subjects), under which webpki refuses every certificate. Use a CA whose constraints are on DNS names and IP addresses alone"
        ));
    }
    if constraints.has_uris() && !leaf.uris.is_empty() {
        return Some(format!(
            "{certificate} has name constraints on URIs, under which webpki refuses every URI. Use a CA without constraints on URIs"
        ));
    }
    Some(format!("{certificate} {}", constraints.describe()))
}

/// Why webpki misses a purpose of a leaf in a certificate above it.
pub(crate) fn webpki_usages(certificate: &CaCertificate) -> Option<String> {
    let is_for_any = certificate.extended_key_usages()?.contains(&rfc5280::ANY_EXTENDED_KEY_USAGE);
    is_for_any.then(|| {
        format!(
            "{certificate} has the extendedKeyUsage anyExtendedKeyUsage, which webpki doesn't take for others. Use a CA without the extension, or with serverAuth and clientAuth"
        )
    })
}

fn no_subject(authority: &CertificateAuthority) -> Option<String> {
    authority.root().has_empty_subject().then(|| {
        format!(
            "{authority}: the root has no subject, as those of mesh-example's meshtool. Go takes what it signs; OpenSSL refuses leaves without a \
             subject, since issuer and subject are equal then. Rotate to a CA with a subject: signerctl ca-pool rotate"
        )
    })
}

#[cfg(test)]
mod tests;
