//! What the API server has a say in, on a real one: a module a subject.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod bundles;
mod clocks;
mod denied;
mod deny;
mod failing;
mod fairness;
mod faults;
mod federation;
mod handle;
mod issued;
mod kubeconfig;
mod lifecycle;
mod manifests;
mod memory;
mod metrics;
mod namespace_labels;
mod pending;
mod process;
mod rotation;
mod secret_pool;
mod speed;
mod stream;
mod support;
#[cfg(feature = "two-versions")]
mod two_versions;
mod unreadable;
mod withheld;
mod wrong_pool;
