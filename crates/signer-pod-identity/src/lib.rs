//! The pod-identity signer: a client certificate that says which pod it is.
//!
//! | format | Subject | extension |
//! |---|---|---|
//! | [`Format::Kep`] | empty | [`PodIdentity`], not critical |
//! | [`Format::ApiServer`] | the service account as a user of kube-apiserver | none |
//!
//! Neither has subject alternative names; both have the extended key usage clientAuth. The extension is that of
//! KEP-4317 as it stood until October 2025; no kube-apiserver reads it. What kube-apiserver reads of a client
//! certificate is the common name (the user), organizations (groups) and, from 1.34 on, the attribute
//! 1.3.6.1.4.1.57683.2 (the user's UID).

mod identity;
mod signer;

pub use identity::{PodIdentity, PodIdentityError};
pub use signer::{Format, OidError, PodIdentityConfig, PodIdentitySigner};
