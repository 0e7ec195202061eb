//! Certificates that are issued: what each signer puts in, and what others' software says of them.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod annotation;
mod any_signer;
mod authorities;
mod service_dns;
mod spiffe;
#[path = "../support/mod.rs"]
mod support;

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";
