//! The reasons of conditions and events. Names are a contract: users alert on them.

use crate::reason::Reason;

/// Condition: the certificate is in the status.
pub const ISSUED: Reason = Reason::from_static("Issued");

/// Denied: the signer doesn't take this type of key.
pub const UNSUPPORTED_KEY_TYPE: Reason = Reason::from_static("UnsupportedKeyType");
/// Denied: a user annotation of the volume source is unknown, or has a value that breaks a rule.
pub const INVALID_UNVERIFIED_USER_ANNOTATIONS: Reason =
    Reason::from_static("InvalidUnverifiedUserAnnotations");
/// Denied: an annotation of the pod is unknown to the signer, or has a value that breaks a rule.
pub const INVALID_POD_ANNOTATIONS: Reason = Reason::from_static("InvalidPodAnnotations");
/// Denied: the pod never asked for this, or is another pod.
pub const REQUEST_DOES_NOT_MATCH_POD: Reason = Reason::from_static("RequestDoesNotMatchPod");
/// Denied: no grant gives the pod this name, or the use of this signer.
pub const IDENTITY_NOT_GRANTED: Reason = Reason::from_static("IdentityNotGranted");
/// Denied: a Service that the pod named doesn't select it.
pub const SERVICE_DOES_NOT_SELECT_POD: Reason = Reason::from_static("ServiceDoesNotSelectPod");

/// Pending: a Service that the pod needs isn't there yet.
pub const WAITING_FOR_SERVICE: Reason = Reason::from_static("WaitingForService");
/// Pending: there is no CA that can sign now.
pub const CERTIFICATE_AUTHORITY_UNAVAILABLE: Reason = Reason::from_static("CertificateAuthorityUnavailable");
/// Pending: the API server doesn't show the pod (yet).
pub const POD_NOT_FOUND: Reason = Reason::from_static("PodNotFound");
/// Pending: a running pod would be denied today; it keeps the certificate that it has.
pub const REFRESH_WITHHELD: Reason = Reason::from_static("RefreshWithheld");
/// Pending: a deny rule of the operator blocks the pod until it is lifted.
pub const BLOCKED_BY_DENY_RULE: Reason = Reason::from_static("BlockedByDenyRule");
/// Pending: the operator's deny rules haven't been read since the controller started.
pub const DENY_RULES_UNAVAILABLE: Reason = Reason::from_static("DenyRulesUnavailable");
/// Pending: the request's key can't be seen in the API version that is served.
pub const PUBLIC_KEY_MISSING: Reason = Reason::from_static("PublicKeyMissing");
/// Pending: the signer wants a certificate that breaks a bound (100 names, 64 KiB of chain), or says nothing.
pub const LEAF_REFUSED: Reason = Reason::from_static("LeafRefused");
/// Pending: the pod, or a Service of its namespace, can't be read; the message names it.
pub const OBJECT_UNREADABLE: Reason = Reason::from_static("ObjectUnreadable");
/// Pending: the request can't be finished, and that lasts: the API server refuses or doesn't answer, or the
/// signer fails.
pub const ISSUANCE_FAILING: Reason = Reason::from_static("IssuanceFailing");

/// Those of a condition `Denied`.
#[cfg(test)]
pub(crate) const OF_DENIALS: [Reason; 6] = [
    UNSUPPORTED_KEY_TYPE,
    INVALID_UNVERIFIED_USER_ANNOTATIONS,
    INVALID_POD_ANNOTATIONS,
    REQUEST_DOES_NOT_MATCH_POD,
    IDENTITY_NOT_GRANTED,
    SERVICE_DOES_NOT_SELECT_POD,
];

/// Those of an event about a request that waits.
#[cfg(test)]
pub(crate) const OF_WAITS: [Reason; 10] = [
    WAITING_FOR_SERVICE,
    CERTIFICATE_AUTHORITY_UNAVAILABLE,
    POD_NOT_FOUND,
    REFRESH_WITHHELD,
    BLOCKED_BY_DENY_RULE,
    DENY_RULES_UNAVAILABLE,
    PUBLIC_KEY_MISSING,
    LEAF_REFUSED,
    OBJECT_UNREADABLE,
    ISSUANCE_FAILING,
];
