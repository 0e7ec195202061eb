//! The extension that says which pod it is.

use der::{Decode, Encode, Sequence, asn1::Utf8StringRef};
use signer_core::Request;

/// Who a pod is (KEP-4317, `PodIdentity`): a SEQUENCE of eight UTF8Strings, with the implicit tags 0 to 7.
///
/// ```
/// use signer_core::testing::RequestBuilder;
/// use signer_pod_identity::PodIdentity;
///
/// let request = RequestBuilder::new("example.com/identity").build();
/// let namespace = request.namespace_object()?.clone();
/// let identity = PodIdentity::of(&request, &namespace.uid);
/// assert_eq!(PodIdentity::from_der(&identity.to_der()?)?, identity);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the extension's definition")]
pub struct PodIdentity {
    pub namespace: String,
    pub namespace_uid: String,
    pub service_account_name: String,
    pub service_account_uid: String,
    pub pod_name: String,
    pub pod_uid: String,
    pub node_name: String,
    pub node_uid: String,
}

/// The bytes aren't a `PodIdentity`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a PodIdentity in DER: {0}")]
pub struct PodIdentityError(#[from] der::Error);

#[derive(Sequence)]
struct Encoded<'a> {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    namespace: Utf8StringRef<'a>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT")]
    namespace_uid: Utf8StringRef<'a>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    service_account_name: Utf8StringRef<'a>,
    #[asn1(context_specific = "3", tag_mode = "IMPLICIT")]
    service_account_uid: Utf8StringRef<'a>,
    #[asn1(context_specific = "4", tag_mode = "IMPLICIT")]
    pod_name: Utf8StringRef<'a>,
    #[asn1(context_specific = "5", tag_mode = "IMPLICIT")]
    pod_uid: Utf8StringRef<'a>,
    #[asn1(context_specific = "6", tag_mode = "IMPLICIT")]
    node_name: Utf8StringRef<'a>,
    #[asn1(context_specific = "7", tag_mode = "IMPLICIT")]
    node_uid: Utf8StringRef<'a>,
}

impl PodIdentity {
    /// The object identifier of the extension, unless it is configured.
    pub const OID: &'static str = "1.3.6.1.4.1.57683.1";

    /// That of a request's pod. Service account and node are the pod's own; that their UIDs are too, the API
    /// server has checked for requests of nodes.
    #[must_use]
    pub fn of(request: &Request, namespace_uid: &str) -> Self {
        let pod = request.pod();
        Self {
            namespace: pod.namespace.clone(),
            namespace_uid: namespace_uid.to_owned(),
            service_account_name: pod.service_account_name.clone(),
            service_account_uid: request.claimed_service_account_uid().to_owned(),
            pod_name: pod.name.clone(),
            pod_uid: pod.uid.clone(),
            node_name: pod.node_name.clone(),
            node_uid: request.claimed_node_uid().to_owned(),
        }
    }

    /// Its DER, the extension's value.
    ///
    /// # Errors
    /// If a text is longer than DER's lengths reach here (256 MiB).
    pub fn to_der(&self) -> Result<Vec<u8>, PodIdentityError> {
        let encoded = Encoded {
            namespace: Utf8StringRef::new(&self.namespace)?,
            namespace_uid: Utf8StringRef::new(&self.namespace_uid)?,
            service_account_name: Utf8StringRef::new(&self.service_account_name)?,
            service_account_uid: Utf8StringRef::new(&self.service_account_uid)?,
            pod_name: Utf8StringRef::new(&self.pod_name)?,
            pod_uid: Utf8StringRef::new(&self.pod_uid)?,
            node_name: Utf8StringRef::new(&self.node_name)?,
            node_uid: Utf8StringRef::new(&self.node_uid)?,
        };
        Ok(encoded.to_der()?)
    }

    /// Reads the extension's value.
    ///
    /// # Errors
    /// If it is another structure, or has something behind it.
    pub fn from_der(der: &[u8]) -> Result<Self, PodIdentityError> {
        let encoded = Encoded::from_der(der)?;
        let text = |text: Utf8StringRef<'_>| text.as_str().to_owned();
        Ok(Self {
            namespace: text(encoded.namespace),
            namespace_uid: text(encoded.namespace_uid),
            service_account_name: text(encoded.service_account_name),
            service_account_uid: text(encoded.service_account_uid),
            pod_name: text(encoded.pod_name),
            pod_uid: text(encoded.pod_uid),
            node_name: text(encoded.node_name),
            node_uid: text(encoded.node_uid),
        })
    }
}

#[cfg(test)]
mod tests;
