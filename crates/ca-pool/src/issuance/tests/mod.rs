//! What leaves say, when they are valid, and when none is issued: a case for each rule.

mod contents;
mod refusals;
mod remote_key;
mod times;

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{KeyPair, PublicKeyData as _};

use super::{IssueError, IssuedCertificate, Terms, issue};
use crate::testing::TestCa;
use crate::{Leaf, PublicKey, SerialNumber, authority::CertificateAuthority};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

fn now() -> Timestamp {
    "2026-11-22T12:00:00.987Z".parse().unwrap()
}

fn public_key(algorithm: &'static rcgen::SignatureAlgorithm) -> PublicKey {
    PublicKey::from_pkix(&KeyPair::generate_for(algorithm).unwrap().subject_public_key_info()).unwrap()
}

fn p256() -> PublicKey {
    public_key(&rcgen::PKCS_ECDSA_P256_SHA256)
}

fn root_authority() -> CertificateAuthority {
    let root = TestCa::root("root");
    root.authority(&[], &root)
}

fn issue_at(
    leaf: &Leaf,
    terms: &Terms,
    authority: &CertificateAuthority,
    now: Timestamp,
) -> Result<IssuedCertificate, IssueError> {
    issue(leaf, &p256(), terms, authority, SerialNumber::from_random([0x8f; 16]), now)
}

fn issued(leaf: &Leaf, terms: &Terms) -> IssuedCertificate {
    issue_at(leaf, terms, &root_authority(), now()).unwrap()
}

fn refused(leaf: &Leaf, authority: &CertificateAuthority) -> IssueError {
    issue_at(leaf, &Terms::default(), authority, now()).unwrap_err()
}

fn server() -> Leaf {
    Leaf::server().dns_name("server.web.svc".parse().unwrap())
}
