//! `signerctl` on a real API server: a module a subject.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod kubeconfig;
mod operations;
mod pools;
mod rotation;
