use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::*;

#[test]
fn reads_back_and_has_the_length_that_was_foretold() {
    for length in [1, 2, 3, 47, 48, 49, 1000] {
        let der: Vec<u8> = (0..length).map(|byte| u8::try_from(byte % 256).unwrap()).collect();
        let pem = certificate(&der);
        assert_eq!(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().as_ref(), der);
        assert_eq!(pem.len(), certificate_len(der.len()), "{length}");
        assert!(pem.lines().all(|line| line.len() <= 64) && pem.ends_with("-----\n") && !pem.contains('\r'));
    }
}
