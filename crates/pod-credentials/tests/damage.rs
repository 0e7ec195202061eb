//! Files that were cut or damaged on their way: refused, or as good as the whole, and never the end of the
//! program.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{sync::LazyLock, time::SystemTime};

use pod_credentials::{Certificate, CredentialFiles, Credentials, TrustBundle, TrustFile};
use proptest::prelude::*;
use test_cluster::pod_volume::{Ca, Volume};

/// A bundle, and a root.
static WHOLE: LazyLock<(String, String)> = LazyLock::new(|| {
    let ca = Ca::new("test");
    let leaf = ca.dns("web.shop.svc").and_uri("spiffe://cluster.local/ns/shop/sa/web");
    (leaf.bundle() + &ca.root(), ca.root() + &Ca::new("other").root())
});

/// Loads the bytes as both; what is taken must be able to say what it is.
fn load(bytes: &[u8]) -> (bool, bool) {
    let volume = Volume::new();
    std::fs::write(volume.path("file.pem"), bytes).unwrap();
    let files = CredentialFiles::bundle(volume.path("file.pem"));
    let credentials = Credentials::load(&files, SystemTime::now());
    let trust = TrustBundle::load(&TrustFile::new(volume.path("file.pem")));
    let shown = format!("{credentials:?} {trust:?}");
    assert!(!shown.contains("PRIVATE KEY-----"), "{shown}");
    (credentials.is_ok(), trust.is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_file_that_was_cut_is_taken_only_at_the_end_of_a_block(part in 0.0..1.0_f64) {
        for (whole, is_bundle) in [(&WHOLE.0, true), (&WHOLE.1, false)] {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a file")]
            let cut = &whole[..(part * whole.len() as f64) as usize];
            let (credentials, trust) = load(cut.as_bytes());
            let ended = cut.lines().filter(|line| line.starts_with("-----END ") && line.ends_with("-----")).count();
            let whole_blocks = cut.matches("-----BEGIN ").count() == ended;
            prop_assert!(!(credentials || trust) || whole_blocks, "{cut}");
            let the_other_kind = if is_bundle { trust } else { credentials };
            prop_assert!(!the_other_kind);
        }
    }

    #[test]
    fn damage_never_ends_the_program(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for whole in [&WHOLE.0, &WHOLE.1] {
            let mut bytes = whole.clone().into_bytes();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            load(&bytes);
        }
    }

    #[test]
    fn damaged_certificates_never_end_the_program(place in any::<prop::sample::Index>(), byte in any::<u8>(), junk in prop::collection::vec(any::<u8>(), 0..300)) {
        use rustls_pki_types::{CertificateDer, pem::PemObject};
        let mut der = CertificateDer::from_pem_slice(WHOLE.0.as_bytes()).unwrap().to_vec();
        let place = place.index(der.len());
        der[place] = byte;
        let _ = Certificate::from_der(&der);
        let _ = Certificate::from_der(&junk);
        let _ = pod_credentials::peer_spiffe_id(Some(&[der.into()]));
    }
}
