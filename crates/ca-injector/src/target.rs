//! Which objects are kept.

use std::{fmt, str::FromStr};

/// An object with a `caBundle`, named on the command line: only what is named there is looked at, as RBAC can allow it
/// by name.
///
/// ```
/// use ca_injector::Target;
///
/// let target: Target = "validatingwebhookconfigurations/web".parse()?;
/// assert_eq!(target.to_string(), "validatingwebhookconfigurations/web");
/// assert!("secrets/web".parse::<Target>().is_err());
/// # Ok::<(), ca_injector::InvalidTarget>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its kind.
    pub kind: TargetKind,
    /// Its name.
    pub name: String,
}

/// What has a `caBundle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetKind {
    /// `ValidatingWebhookConfiguration`
    ValidatingWebhooks,
    /// `MutatingWebhookConfiguration`
    MutatingWebhooks,
    /// `APIService`
    ApiService,
    /// `CustomResourceDefinition`, for its conversion webhook
    CrdConversion,
}

/// The text isn't a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a valid target; write validatingwebhookconfigurations/NAME, mutatingwebhookconfigurations/NAME, apiservices/NAME or customresourcedefinitions/NAME"
)]
pub struct InvalidTarget(String);

const KINDS: [(TargetKind, &str, &str); 4] = [
    (
        TargetKind::ValidatingWebhooks,
        "validatingwebhookconfigurations",
        "/apis/admissionregistration.k8s.io/v1",
    ),
    (TargetKind::MutatingWebhooks, "mutatingwebhookconfigurations", "/apis/admissionregistration.k8s.io/v1"),
    (TargetKind::ApiService, "apiservices", "/apis/apiregistration.k8s.io/v1"),
    (TargetKind::CrdConversion, "customresourcedefinitions", "/apis/apiextensions.k8s.io/v1"),
];

impl TargetKind {
    fn row(self) -> (&'static str, &'static str) {
        let found = KINDS.iter().find(|(kind, ..)| *kind == self);
        found.map_or(("", ""), |(_, plural, group)| (*plural, *group))
    }
}

impl Target {
    /// Where the API server has it.
    pub(crate) fn path(&self) -> String {
        let (plural, group) = self.kind.row();
        format!("{group}/{plural}/{}", self.name)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.row().0, self.name)
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget(text.chars().take(300).collect());
        let (plural, name) = text.split_once('/').ok_or_else(invalid)?;
        let kind = KINDS.iter().find(|(_, known, _)| *known == plural).map(|(kind, ..)| *kind);
        // what the API server takes in a path; it says itself which names it doesn't
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let is_good = !name.is_empty() && name.len() <= 253 && name.chars().all(is_name);
        match kind {
            Some(kind) if is_good => Ok(Self { kind, name: name.to_owned() }),
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_target_is_refused() {
        for text in [
            "",
            "web",
            "secrets/web",
            "apiservices/",
            "apiservices/a/b",
            "apiservices/../x",
            "apiservices/A?b",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
        let target: Target = "apiservices/v1.metrics.example.com".parse().unwrap();
        assert_eq!(target.path(), "/apis/apiregistration.k8s.io/v1/apiservices/v1.metrics.example.com");
    }
}
