//! Certificates of what a signer decides.

use ca_pool::{AuthorityError, IssueError, IssuedCertificate, Leaf, Terms};
use jiff::Timestamp;

use crate::{
    decision::Decision,
    preview::Previewer,
    request::Request,
    signer::{BoxError, Signer},
};

/// Why a request ends with no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestIssueError {
    /// `decide` has failed.
    #[error("the signer fails: {0}")]
    Signer(BoxError),
    /// It denies, or waits.
    #[error("the signer doesn't issue: {0:?}")]
    NotIssued(Decision),
    /// The leaf breaks a rule that holds for all certificates.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The leaf is of a kind that the signer doesn't speak of.
    #[error(
        "no leaf of `Signer::examples` is like this one ({kind}), so that a CA that forbids it would be found out by pods; add one like it"
    )]
    NoExample {
        /// Its purposes and the kinds of its names.
        kind: String,
    },
    /// The CA for the test can't be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// Lets a signer decide on a request, and issues what it decides as the controller would, from a CA that is
/// made for it. The leaf must be of the kind of one of [`Signer::examples`], if there are any: with the same
/// purposes, kinds of names and extensions.
///
/// ```
/// # use signer_core::*;
/// # struct TeamSigner(SignerName);
/// # impl Signer for TeamSigner {
/// #     fn name(&self) -> &SignerName { &self.0 }
/// #     async fn decide(&self, _: &Request) -> Result<Decision, BoxError> {
/// #         Ok(Decision::issue(Leaf::client().uri("https://example.com/teams/shop".parse()?)))
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// use signer_core::testing::{RequestBuilder, issue};
///
/// let request = RequestBuilder::new("teams.example.com/member").namespace("shop").build();
/// let issued = issue(&TeamSigner(request.signer_name().clone()), &request).await?;
/// assert!(issued.chain_pem.starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If it isn't issued, or no example is like it.
pub async fn issue(signer: &impl Signer, request: &Request) -> Result<IssuedCertificate, TestIssueError> {
    let leaf = match signer.decide(request).await.map_err(TestIssueError::Signer)? {
        Decision::Issue(leaf) => leaf,
        other => return Err(TestIssueError::NotIssued(other)),
    };
    let (examples, kind) = (signer.examples(), kind(&leaf));
    if !examples.is_empty() && !examples.iter().any(|example| self::kind(example) == kind) {
        return Err(TestIssueError::NoExample { kind });
    }
    let terms = Terms {
        max_lifetime: request.signer_max_lifetime(),
        requested_max: request.requested_max_lifetime(),
        ..Terms::default()
    };
    Ok(Previewer::new(Timestamp::now())?.issue(&leaf, request.public_key(), &terms)?)
}

/// What CAs may constrain of a leaf.
fn kind(leaf: &Leaf) -> String {
    let usages = leaf.extended_key_usages.iter().map(|usage| format!("{usage:?}"));
    let names = [
        (leaf.common_name.is_some(), "a common name"),
        (!leaf.subject_attributes.is_empty(), "subject attributes"),
        (!leaf.dns_names.is_empty(), "DNS names"),
        (!leaf.uris.is_empty(), "URIs"),
        (!leaf.ip_addresses.is_empty(), "IP addresses"),
    ];
    let names = names.into_iter().filter(|(is_there, _)| *is_there).map(|(_, name)| name.to_owned());
    let extensions = leaf.extensions.iter().map(|extension| format!("extension {}", extension.oid()));
    let all: Vec<String> = usages.chain(names).chain(extensions).collect();
    if all.is_empty() { "without names".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests;
