//! What a spiffe signer has.

use signer_core::SignerName;
use signer_spiffe::SpiffeConfig;

use super::{error::Problems, field::Mapping};

pub(super) const FIELDS: [&str; 1] = ["trustDomain"];

pub(super) const TRUST_DOMAIN: &str = "the SPIFFE trust domain, such as prod.example.com";

/// The fields of a spiffe signer.
pub(super) fn spiffe(
    name: Option<SignerName>,
    signer: &Mapping<'_>,
    problems: &mut Problems,
) -> Option<SpiffeConfig> {
    let field = problems.ok(signer.required("trustDomain", TRUST_DOMAIN));
    let trust_domain = field.and_then(|field| problems.ok(field.parse(TRUST_DOMAIN)));
    Some(SpiffeConfig { name: name?, trust_domain: trust_domain? })
}
