//! The manifests on an API server: they are valid, the demos' pods get what they ask for, and each right is needed.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod admission_policy;
mod corner;
mod demos;
mod kind_clusters;
mod permissions;
mod priority_class;
mod self_keeping;
#[path = "../support/mod.rs"]
mod support;
mod validation;
