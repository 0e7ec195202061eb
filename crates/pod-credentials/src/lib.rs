//! Live with Kubernetes pod certificates.
//!
//! Kubelet mounts a certificate that it renews while the pod runs, and trust anchors that change while the
//! pod runs. A program that reads both once works until the certificate ends, which is hours after everybody
//! has tested it. With this crate, it goes on:
//!
//! - [`Watched`] follows the mounted files. A good one replaces the last; a missing, partial, expired or
//!   foreign one is reported ([`LoadError`]: file, rule, remedy), and what was good stays in use.
//! - [`server_config`] and [`client_config`] are rustls configurations in which **each handshake** shows the
//!   certificate, and trusts the anchors, that are in use at that moment. Connections that live go on.
//! - [`CredentialFolder`] follows a folder with the anchors of several SPIFFE trust domains, which it never mixes.
//! - [`PeerRule`] and [`SpiffeRule`] say which peers may come, on either side; [`peer_spiffe_id`] tells a
//!   handler who the peer is.
//!
//! It needs rustls and a thread for each watched file, and no async runtime, no Kubernetes client and no
//! permission. The feature `axum` adds a listener for `axum::serve`, and with it tokio.
//!
//! # A server
//! With axum and the feature `axum`: `TlsListener` does the handshakes, and `Peer` tells the handler who the
//! client is. Clients are workloads of one trust domain:
//! ```no_run
#![doc = include_str!("../examples/axum_server.rs")]
//! ```
//!
//! Other servers take the configuration as they take any of rustls, such as `tokio_rustls::TlsAcceptor`, and ask [`peer_spiffe_id`].
//!
//! # A client
//! With hyper-rustls and hyper-util. The server has a certificate for its DNS name; the client shows its own to whoever asks:
//! ```no_run
#![doc = include_str!("../examples/client.rs")]
//! ```
//! A connection in a pool keeps the certificates and the verdict of its handshake as long as it is in use. This client has no pool, so that each request meets what both ends
//! have mounted, at the price of a handshake. A client of many requests leaves `pool_max_idle_per_host` out, and makes a new `Client` now and then: hourly, say.
//!
//! Both are complete programs in `examples/`; a test runs them against each other through a renewal.
//!
//! # What to know
//! - **The volume.** Prefer `credentialBundlePath`, one file: separate key and chain files may be read in the middle of a renewal. This crate then looks again at once, and if they
//!   still don't fit, keeps the last pair until the next poll. Don't mount with `subPath`: kubelet never updates such a mount.
//! - **Sessions aren't resumed.** A resumed session takes over what an earlier handshake has verified; changed anchors, or an identity that has ended, would
//!   not count. Each connection costs a full handshake: where that counts, keep connections, as HTTP clients with pools do.
//! - **Connections outlive certificates.** TLS verifies at the handshake alone. A server that must not talk for long with a peer whose certificate has ended closes connections after
//!   some hours.
//! - **Anchors come before what is signed under them**, by minutes; so a poll of seconds ([`DEFAULT_POLL`]) loses nothing.
//! - **Peers judge by their clocks.** An expired certificate stays in use until a better one comes, and one that isn't valid yet by this machine's clock is taken; [`Status::problem`]
//!   says so. A file that has expired when it is first seen is refused.
//! - **One bad anchor doesn't cost the others.** A certificate in a trust bundle that can't be an anchor is passed over; [`Status::problem`], [`TrustBundle::skipped`] and the log name it.
//!   PEM that is damaged, any other kind of block, or no anchor at all: the whole file is refused, with the line, and the last good one stays.
//! - **Probes.** Ready: [`Watched::ready`] of each file. To be looked into, but no reason to stop: [`Status::problem`]. Alive: [`Status::last_checked`] isn't older than several polls.
//! - **Order means nothing in a trust bundle.** Kubelet shuffles it; that counts as no change.
//! - **What changes is logged** with `tracing`, keys never; [`Watched::status`] tells the same to a readiness probe.

mod certificate;
mod client;
#[cfg(feature = "axum")]
mod connected_peer;
#[cfg(feature = "axum")]
mod connection_log;
mod credential_folder;
mod credentials;
#[cfg(feature = "axum")]
mod evicting_queue;
mod load_error;
mod peer;
mod pem;
mod presented;
mod server;
#[cfg(feature = "axum")]
mod tls_listener;
mod trust;
mod trust_bundle;
mod watched;

pub use certificate::{Certificate, CertificateError};
pub use client::{Servers, client_config};
#[cfg(feature = "axum")]
pub use connected_peer::Peer;
pub use credential_folder::CredentialFolder;
pub use credentials::{CredentialFiles, Credentials};
pub use load_error::{LoadError, Problem, SkippedCertificate};
pub use peer::{PeerError, PeerRule, SpiffeRule, peer_spiffe_id, refusal};
pub use server::{Clients, server_config};
pub use spiffe_id::{
    InvalidSpiffeId, SpiffeId, TrustDomain, parse_spiffe_id, parse_trust_domain, service_account,
};
#[cfg(feature = "axum")]
pub use tls_listener::TlsListener;
pub use trust::Trust;
pub use trust_bundle::{TrustBundle, TrustFile};
pub use watched::{DEFAULT_POLL, Files, Look, Mounted, NotReady, Status, Watched};

/// aws-lc-rs: it alone signs and verifies P-521, which kubelet may make keys of. Given explicitly, so that a
/// process with another default works too.
fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
