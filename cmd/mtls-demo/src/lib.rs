//! An example server and client that speak TLS, or mutual TLS, with the certificates of their pods. Both
//! stand on `pod-credentials`, and go on while certificates and trust anchors are renewed.

mod body_text;
pub mod cli;
pub mod client;
mod fetch;
mod handlers;
mod html;
mod renewal;
mod report;
pub mod server;
mod status;
mod termination;
mod times;
