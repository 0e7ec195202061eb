//! Requests that wait: why, who hears of it, and that they are issued once it is mended.

mod authorities;
mod pods;
mod services;

use test_cluster::{CertificateSource, KeyType};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";
const SERVICE_DNS: &str = "kind: service-dns";

fn source(name: &str) -> CertificateSource {
    CertificateSource::new(name, KeyType::EcdsaP256)
}
