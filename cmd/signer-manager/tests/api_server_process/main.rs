//! The real binary: what it says of itself, what it survives, and how it ends.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod leaks;
mod limits;
mod outages;
mod replicas;
mod start;
#[path = "../support/mod.rs"]
mod support;

use test_cluster::{CertificateSource, KeyType};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";

fn source(name: &str) -> CertificateSource {
    CertificateSource::new(name, KeyType::EcdsaP256)
}
