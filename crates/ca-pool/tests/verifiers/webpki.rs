//! rustls-webpki, the verifier of all Rust.

use std::time::Duration;

use ca_pool::{CaPool, IssuedCertificate};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::Question;

pub(crate) fn verify(
    pool: &CaPool,
    issued: &IssuedCertificate,
    question: Question<'_>,
) -> Result<(), String> {
    let roots: Vec<CertificateDer<'_>> =
        pool.roots().iter().map(|root| CertificateDer::from(root.der())).collect();
    let anchors: Vec<_> = roots.iter().map(|root| anchor_from_trusted_cert(root).unwrap()).collect();
    let chain: Vec<CertificateDer<'_>> =
        CertificateDer::pem_slice_iter(issued.chain_pem.as_bytes()).map(Result::unwrap).collect();
    let leaf = EndEntityCert::try_from(&chain[0]).map_err(|error| error.to_string())?;
    let usage = match question {
        Question::Server(_) => KeyUsage::server_auth(),
        Question::Client => KeyUsage::client_auth(),
    };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(
        u64::try_from(jiff::Timestamp::now().as_second()).unwrap(),
    ));
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &chain[1..], now, usage, None, None)
        .map_err(|error| format!("{error:?}"))?;
    if let Question::Server(name) = question {
        let name = ServerName::try_from(name).unwrap();
        leaf.verify_is_valid_for_subject_name(&name).map_err(|error| format!("{error:?}"))?;
    }
    Ok(())
}
