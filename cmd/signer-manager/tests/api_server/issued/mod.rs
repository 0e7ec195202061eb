//! Certificates that are issued: what each signer puts in, and what others' software says of them.

mod annotation;
mod any_signer;
mod authorities;
mod pod_identity;
mod service_dns;
mod spiffe;

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";
