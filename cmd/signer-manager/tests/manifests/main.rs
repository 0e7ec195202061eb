//! The manifests, as far as they can be judged without a cluster: complete, and of one mind with each other.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod controller;
mod examples;
mod folders;
mod secure_metrics;
mod self_keeping;
#[path = "../api_server/support/shipped.rs"]
mod shipped;
