//! The annotations that count for a request, and how to refuse them.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

use signer_core::{Denial, Grounds, Reason, decision::unknown_annotation, reasons};

use crate::{
    keys::{Item, Keys},
    placeholders::CLUSTER_DOMAIN,
    quoted::Quoted,
};

/// Where annotations come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The request's `unverifiedUserAnnotations`, which repeat the volume source of the pod's spec. They
    /// never change.
    UserAnnotations,
    /// The pod's own, which do.
    PodAnnotations,
}

impl Source {
    /// The condition's reason when they break a rule.
    fn reason(self) -> Reason {
        match self {
            Self::UserAnnotations => reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS,
            Self::PodAnnotations => reasons::INVALID_POD_ANNOTATIONS,
        }
    }

    fn grounds(self) -> Grounds {
        match self {
            Self::UserAnnotations => Grounds::Fixed,
            Self::PodAnnotations => Grounds::Changeable,
        }
    }

    fn deny(self, message: String) -> Denial {
        Denial { reason: self.reason(), message, grounds: self.grounds() }
    }

    /// Refuses annotations that don't count as the signer is configured today.
    pub(crate) fn not_read(self, key: &str) -> Denial {
        let rule = "this signer is configured to read the pod's annotations alone (annotationsFrom: pod); annotate the pod";
        Denial { grounds: Grounds::Changeable, ..self.deny(format!("{self} {}: {rule}", Quoted(key))) }
    }

    pub(crate) fn unknown_key(self, key: &str, keys: &Keys) -> Denial {
        let instead = keys.instead_of(key).unwrap_or_default();
        self.deny(format!("{self} {}{instead}", unknown_annotation(key, &keys.all())))
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserAnnotations => "user annotation",
            Self::PodAnnotations => "pod annotation",
        })
    }
}

/// The annotations that count for a request. None of them is empty.
#[derive(Debug)]
pub(crate) struct Annotations<'r> {
    keys: &'r Keys,
    source: Source,
    values: BTreeMap<Item, &'r str>,
}

impl<'r> Annotations<'r> {
    /// # Errors
    /// If one of them is empty.
    pub(crate) fn new(
        keys: &'r Keys,
        source: Source,
        values: BTreeMap<Item, &'r str>,
    ) -> Result<Self, Denial> {
        let annotations = Self { keys, source, values };
        match annotations.values.iter().find(|(_, value)| value.is_empty()) {
            None => Ok(annotations),
            Some((item, _)) => {
                let key = annotations.keys.key(*item);
                Err(source.deny(format!(
                    "{source} {key} is empty; give it a value, or leave it out for its default"
                )))
            }
        }
    }

    /// The annotation of an item.
    pub(crate) fn get(&self, item: Item) -> Option<Annotation<'r>> {
        let value = self.values.get(&item)?;
        Some(Annotation { source: self.source, key: self.keys.key(item), value })
    }

    /// Refuses them together, for something that they break without any defaults.
    pub(crate) fn malformed(&self, rule: impl Display) -> Denial {
        let keys: Vec<String> = self.values.keys().map(|item| self.keys.key(*item)).collect();
        self.source.deny(format!("{}s {}: {rule}", self.source, keys.join(", ")))
    }

    /// Refuses the absence of one of them, where it has no default that could be used.
    pub(crate) fn missing(&self, item: Item, rule: impl Display) -> Denial {
        let message = format!("{} {} is not set: {rule}", self.source, self.keys.key(item));
        Denial { grounds: Grounds::Changeable, ..self.source.deny(message) }
    }
}

/// An annotation of the signer's. It shows as `user annotation <key>`.
#[derive(Clone, Debug)]
pub(crate) struct Annotation<'r> {
    source: Source,
    key: String,
    value: &'r str,
}

impl Display for Annotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.source, self.key)
    }
}

impl<'r> Annotation<'r> {
    pub(crate) fn value(&self) -> &'r str {
        self.value
    }

    /// Refuses it for something that its text breaks. A text that mentions the cluster's domain says
    /// something else when the signer is configured otherwise; all the others stand for what never changes.
    pub(crate) fn malformed(&self, rule: impl Display) -> Denial {
        let grounds =
            if self.value.contains(CLUSTER_DOMAIN) { Grounds::Changeable } else { self.source.grounds() };
        Denial { grounds, ..self.source.deny(format!("{self}: {rule}")) }
    }

    /// Refuses it for something that its text breaks as the signer is configured today.
    pub(crate) fn malformed_for_now(&self, rule: impl Display) -> Denial {
        Denial { grounds: Grounds::Changeable, ..self.malformed(rule) }
    }

    /// Refuses what it asks for, which would be good for another pod or on another day.
    pub(crate) fn refused(&self, reason: Reason, rule: impl Display) -> Denial {
        Denial { reason, message: format!("{self}: {rule}"), grounds: Grounds::Changeable }
    }
}
