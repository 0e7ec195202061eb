//! The real binary: what it says of itself, what it survives, and how it ends.

mod audit_log;
mod bundle_endpoint;
mod ca_injector;
mod leaks;
mod limits;
mod outages;
mod replicas;
mod secure_metrics;
mod sharing;
mod start;
mod status_page;
mod two_clusters;

use test_cluster::{CertificateSource, KeyType};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";

fn source(name: &str) -> CertificateSource {
    CertificateSource::new(name, KeyType::EcdsaP256)
}
