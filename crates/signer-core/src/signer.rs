//! The trait that a signer implements.

use std::{collections::BTreeMap, future::Future};

use crate::{decision::Decision, request::Request};
use ca_pool::Leaf;
use ca_pool::names::SignerName;

/// Any error: it is logged, and the request tried again later.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Decides who a pod is. The core does everything else: it watches requests, verifies them against their
/// pods, issues what the signer decides, writes the outcome and publishes the trust anchors. A signer never
/// sees a CA key and never writes status.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signer",
    label = "this type doesn't implement `signer_core::Signer`",
    note = "implement `fn name(&self) -> &SignerName` and `async fn decide(&self, request: &Request) -> Result<Decision, BoxError>`"
)]
pub trait Signer: Send + Sync + 'static {
    /// The name under which pods ask for it.
    fn name(&self) -> &SignerName;

    /// Decides on a request that has been verified against its pod. An `Err` means "try again"; what a user
    /// must see is a [`Decision`]. Called again whenever something that the request waits for may have come,
    /// so it should be quick and must be free of side effects. One that hasn't ended after 10 seconds is
    /// dropped, and the request tried again: give lookups a timeout of their own, whose error says what was
    /// slow.
    fn decide(&self, request: &Request) -> impl Future<Output = Result<Decision, BoxError>> + Send;

    /// Whether [`Request::services`] is read. One watch of Services then runs for all signers that do, and
    /// requests that wait are looked at again when a Service of their namespace changes.
    fn reads_services(&self) -> bool {
        false
    }

    /// Whether [`Request::namespace_object`] is read. It costs a call to the API server for each evaluation, and
    /// takes the verb `get` on namespaces.
    fn reads_namespaces(&self) -> bool {
        false
    }

    /// Examples of the leaves that it issues, one of each kind. They are issued from each CA of its pool when
    /// that is loaded, and verified: what the CA's constraints forbid, and what verifiers refuse, is told
    /// then, not found out by pods; and a CA that is of use for none of them isn't chosen while another one
    /// may sign. In their DNS names, the hosts of their URIs and their common name, leading labels
    /// [`ANY_LABEL`](crate::ANY_LABEL) stand for any. An empty list says that nothing is known; then the
    /// usual kinds are tried.
    ///
    /// ```
    /// use signer_core::{ANY_LABEL, Leaf};
    ///
    /// // any Service of any namespace
    /// let leaf = Leaf::server().dns_name(format!("{ANY_LABEL}.{ANY_LABEL}.svc").parse()?);
    /// assert_eq!(leaf.dns_names[0].as_str(), "any-example.any-example.svc");
    /// # Ok::<(), signer_core::ca_pool::DnsNameError>(())
    /// ```
    fn examples(&self) -> Vec<Leaf> {
        Vec::new()
    }

    /// Labels for the trust bundle beside `<path>.<domain>/canarying: live`; keys without a `/` get the
    /// prefix `<path>.<domain>/`.
    fn bundle_labels(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
