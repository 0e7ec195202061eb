//! What rustls says of an example leaf, by its verifier and with its algorithms.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use crate::{
    authority::{CaCertificate, CertificateAuthority, objections},
    leaf::{ExtendedKeyUsage, Leaf},
};

/// That rustls refuses leaves of a kind, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rustls (webpki) refuses certificates with {names}: {error}; {reason}")]
pub struct Rejection {
    names: String,
    error: String,
    reason: String,
}

/// Verifies a leaf for the uses of TLS that it is for. One that isn't for TLS isn't rustls' business.
pub(super) fn verify(
    leaf: &Leaf,
    der: &[u8],
    authority: &CertificateAuthority,
    roots: &[&CaCertificate],
    at: Timestamp,
) -> Result<(), Rejection> {
    let rejected = |error: Error| Rejection {
        names: Names(leaf).to_string(),
        reason: reason(&error, leaf, authority),
        error: name_of(&error),
    };
    let certificate = |ca: &CaCertificate| CertificateDer::from(ca.der().to_vec());
    let own = certificate(authority.root());
    anchor_from_trusted_cert(&own).map_err(rejected)?;
    let roots: Vec<_> = roots.iter().map(|root| certificate(root)).collect();
    let anchors: Vec<_> = roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
    let intermediates: Vec<_> = authority.intermediates().iter().map(certificate).collect();
    let der = CertificateDer::from(der);
    let end_entity = EndEntityCert::try_from(&der).map_err(rejected)?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)));
    let algorithms = default_provider().signature_verification_algorithms.all;
    usages(leaf).into_iter().try_for_each(|usage| {
        let verified =
            end_entity.verify_for_usage(algorithms, &anchors, &intermediates, at, usage, None, None);
        verified.map(|_| ()).map_err(rejected)
    })
}

/// What TLS asks of the leaf.
fn usages(leaf: &Leaf) -> Vec<KeyUsage> {
    let of = |usage, tls| {
        let has = leaf.extended_key_usages.is_empty() || leaf.extended_key_usages.contains(&usage);
        has.then_some(tls)
    };
    let server = of(ExtendedKeyUsage::ServerAuth, KeyUsage::server_auth());
    server.into_iter().chain(of(ExtendedKeyUsage::ClientAuth, KeyUsage::client_auth())).collect()
}

/// As webpki's documentation has it, without what it carries.
fn name_of(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Which certificate it is about, and what it has that webpki doesn't take.
fn reason(error: &Error, leaf: &Leaf, authority: &CertificateAuthority) -> String {
    let found: Vec<String> = match error {
        Error::NameConstraintViolation => {
            authority.path().filter_map(|certificate| objections::webpki_names(certificate, leaf)).collect()
        }
        Error::UnsupportedCriticalExtension => {
            authority.intermediates().iter().filter_map(objections::webpki_extensions).collect()
        }
        Error::RequiredEkuNotFoundContext(_) => {
            authority.intermediates().iter().filter_map(objections::webpki_usages).collect()
        }
        _ => Vec::new(),
    };
    if found.is_empty() {
        let path: Vec<String> = authority.path().map(ToString::to_string).collect();
        return format!("the chain is {}", path.join(", under "));
    }
    found.join("; ")
}

/// The kinds of names of a leaf, for people.
struct Names<'a>(&'a Leaf);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Leaf { common_name, dns_names, uris, ip_addresses, .. } = self.0;
        let kinds = [
            dns_names.first().map(|name| format!("DNS names (such as {name})")),
            uris.first().map(|uri| format!("URI names (such as {uri})")),
            ip_addresses.first().map(|address| format!("IP addresses (such as {address})")),
            common_name.as_ref().map(|name| format!("a common name (such as {name})")),
        ];
        let kinds: Vec<String> = kinds.into_iter().flatten().collect();
        f.write_str(&kinds.join(" and "))
    }
}
