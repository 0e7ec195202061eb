//! SPIFFE X.509-SVIDs, by the `spiffe` crate's own rules.

use ca_pool::{ExtendedKeyUsage, Leaf};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use spiffe::X509Svid;

use crate::{Question, assert_accepted, authorities::POOLS, issued, pods};

const ID: &str = "spiffe://cluster.local/ns/web/sa/server";

fn svid() -> Leaf {
    Leaf::new([ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]).uri(ID.parse().unwrap())
}

#[test]
fn svids_of_all_key_types_under_all_cas_pass() {
    for pool in POOLS.iter() {
        for key in pods::KEYS.iter() {
            let issued = issued(pool, &svid(), &pods::public(key));
            let chain: Vec<u8> = CertificateDer::pem_slice_iter(issued.chain_pem.as_bytes())
                .flat_map(|certificate| certificate.unwrap().to_vec())
                .collect();
            let parsed = X509Svid::parse_from_der(&chain, &key.serialize_der());
            let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", pool.signing()));
            assert_eq!(parsed.spiffe_id().to_string(), ID);
            assert_eq!(parsed.cert_chain().len(), 1 + pool.signing().intermediates().len());
        }
    }
}

#[test]
fn svid_is_accepted_as_a_client() {
    for pool in POOLS.iter() {
        let issued = issued(pool, &svid(), &pods::public(&pods::KEYS[2]));
        assert_accepted(pool, &issued, Question::Client);
    }
}
