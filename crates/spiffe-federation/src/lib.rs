//! SPIFFE federation: fetches the bundle of another trust domain from its endpoint (SPIFFE Federation §5).
//!
//! Profile, URL and trust domain are configured, and never inferred or tried one after the other (§7.2). What is
//! done with a bundle, and when it is fetched again, is up to the caller.

mod fetch;
mod url;

pub use fetch::{FetchError, Limits, fetch};
pub use url::{EndpointUrl, InvalidUrl};

use std::path::PathBuf;

use spiffe_id::SpiffeId;

/// An endpoint that serves a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where.
    pub url: EndpointUrl,
    /// How its server is verified.
    pub profile: Profile,
}

/// How the server of an endpoint is verified (§5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// By the name in its URL, and by the CAs of this file in PEM; without one, by those that the system trusts.
    HttpsWeb {
        /// The file.
        ca_file: Option<PathBuf>,
    },
    /// By its SPIFFE ID, and by the latest bundle of its trust domain. The host's name doesn't count.
    HttpsSpiffe {
        /// The server's ID.
        endpoint_id: SpiffeId,
    },
}
