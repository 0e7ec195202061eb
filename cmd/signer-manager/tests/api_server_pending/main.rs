//! Requests that wait: why, who hears of it, and that they are issued once it is mended.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod authorities;
mod pods;
mod services;
#[path = "../support/mod.rs"]
mod support;

use test_cluster::{CertificateSource, KeyType};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";
const SERVICE_DNS: &str = "kind: service-dns";

fn source(name: &str) -> CertificateSource {
    CertificateSource::new(name, KeyType::EcdsaP256)
}
