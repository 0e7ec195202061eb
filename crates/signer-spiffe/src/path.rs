//! The path of SPIFFE IDs.

use std::fmt;

use spiffe_id::{InvalidSpiffeId, SpiffeId, TrustDomain};

/// What follows the trust domain in the IDs of a signer: segments that stand as they are, and those of the
/// pod's namespace and service account. Both of these are in it, each as a segment of its own, so that no two
/// service accounts have one ID.
///
/// ```
/// use signer_spiffe::PathTemplate;
///
/// let path = PathTemplate::parse("/clusters/${cluster.name}/${pod.namespace}/${pod.serviceAccountName}", Some("eu-1"))?;
/// assert_eq!(path.to_string(), "/clusters/eu-1/${pod.namespace}/${pod.serviceAccountName}");
/// assert!(PathTemplate::parse("/ns/${pod.namespace}", None).is_err(), "two service accounts would have one ID");
/// # Ok::<(), signer_spiffe::PathTemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Namespace,
    ServiceAccount,
}

/// A text isn't a path of IDs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathTemplateError {
    /// It doesn't begin where the trust domain ends.
    #[error("it must begin with '/'; write it as {DEFAULT}")]
    NoSlash,
    /// One of the two is missing.
    #[error("{0} must be in it, or two service accounts would have one ID; write it as {DEFAULT}")]
    Missing(&'static str),
    /// A placeholder shares its segment with other text, so that it couldn't be told where a name ends.
    #[error("{0:?} mixes a placeholder with other text; a placeholder is a whole segment, between two '/'")]
    Mixed(String),
    /// It is none of the three: what else is known of a pod isn't verified, or changes.
    #[error(
        "{0} is not a placeholder here; the placeholders are {NAMESPACE}, {SERVICE_ACCOUNT} and {CLUSTER}"
    )]
    Unknown(String),
    /// The configuration has no name for the cluster.
    #[error("{CLUSTER} has no value; set clusterName, beside signers")]
    NoClusterName,
    /// A segment isn't one of a SPIFFE ID (SPIFFE-ID §2.2).
    #[error(transparent)]
    Illegal(#[from] InvalidSpiffeId),
}

const NAMESPACE: &str = "${pod.namespace}";
const SERVICE_ACCOUNT: &str = "${pod.serviceAccountName}";
const CLUSTER: &str = "${cluster.name}";
const DEFAULT: &str = "/ns/${pod.namespace}/sa/${pod.serviceAccountName}";

impl PathTemplate {
    /// Parses a path. `cluster_name` stands for `${cluster.name}`.
    ///
    /// # Errors
    /// If a segment isn't legal in a SPIFFE ID, a placeholder is unknown or no whole segment, or namespace or
    /// service account is missing.
    pub fn parse(text: &str, cluster_name: Option<&str>) -> Result<Self, PathTemplateError> {
        let segments = text.strip_prefix('/').ok_or(PathTemplateError::NoSlash)?.split('/');
        let segments = segments.map(|text| segment(text, cluster_name)).collect::<Result<Vec<_>, _>>()?;
        for (needed, name) in [(Segment::Namespace, NAMESPACE), (Segment::ServiceAccount, SERVICE_ACCOUNT)] {
            if !segments.contains(&needed) {
                return Err(PathTemplateError::Missing(name));
            }
        }
        let path = Self(segments);
        path.id(&spiffe_id::parse_trust_domain("example.com")?, "namespace", "service-account")?;
        Ok(path)
    }

    /// The ID of a service account.
    ///
    /// # Errors
    /// If a name isn't a legal segment (those that the API server takes are), or the ID would be longer than
    /// 2048 bytes.
    pub fn id(
        &self,
        trust_domain: &TrustDomain,
        namespace: &str,
        service_account: &str,
    ) -> Result<SpiffeId, InvalidSpiffeId> {
        let Self(segments) = self;
        let texts = segments.iter().map(|segment| match segment {
            Segment::Literal(text) => text.as_str(),
            Segment::Namespace => namespace,
            Segment::ServiceAccount => service_account,
        });
        spiffe_id::id_of_segments(trust_domain, &texts.collect::<Vec<_>>())
    }

    /// Whether a service account may have an ID of this path.
    #[must_use]
    pub fn may_give(&self, id: &SpiffeId) -> bool {
        let Self(segments) = self;
        let texts: Vec<&str> = id.path().split('/').skip(1).collect();
        let fits = |(segment, text): (&Segment, &&str)| match segment {
            Segment::Literal(literal) => literal == text,
            Segment::Namespace | Segment::ServiceAccount => true,
        };
        texts.len() == segments.len() && segments.iter().zip(&texts).all(fits)
    }
}

fn segment(text: &str, cluster_name: Option<&str>) -> Result<Segment, PathTemplateError> {
    match text {
        NAMESPACE => Ok(Segment::Namespace),
        SERVICE_ACCOUNT => Ok(Segment::ServiceAccount),
        CLUSTER => Ok(Segment::Literal(cluster_name.ok_or(PathTemplateError::NoClusterName)?.to_owned())),
        _ if !text.contains('$') => Ok(Segment::Literal(text.to_owned())),
        _ => {
            let text: String = text.chars().take(100).collect();
            let is_whole = text.starts_with("${") && text.find('}') == Some(text.len() - 1);
            Err(if is_whole { PathTemplateError::Unknown(text) } else { PathTemplateError::Mixed(text) })
        }
    }
}

impl Default for PathTemplate {
    /// `/ns/<namespace>/sa/<service account>`
    fn default() -> Self {
        let literal = |text: &str| Segment::Literal(text.to_owned());
        Self(vec![literal("ns"), Segment::Namespace, literal("sa"), Segment::ServiceAccount])
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(segments) = self;
        segments.iter().try_for_each(|segment| match segment {
            Segment::Literal(text) => write!(f, "/{text}"),
            Segment::Namespace => write!(f, "/{NAMESPACE}"),
            Segment::ServiceAccount => write!(f, "/{SERVICE_ACCOUNT}"),
        })
    }
}

#[cfg(test)]
mod tests;
