//! Labels that select objects, as Kubernetes' `LabelSelector` does.

use std::{collections::BTreeMap, fmt};

/// Selects objects by their labels: all that is required must hold, and what requires nothing selects all.
///
/// ```
/// use signer_core::cluster::{LabelRequirement, LabelSelector};
///
/// let shop = LabelSelector::new([("team".to_owned(), "shop".to_owned())], [LabelRequirement::DoesNotExist("frozen".to_owned())]);
/// assert!(shop.matches(&[("team".to_owned(), "shop".to_owned())].into()));
/// assert_eq!(shop.to_string(), "team=shop, !frozen");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<LabelRequirement>,
}

/// What a label must be (`matchExpressions` of the API).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelRequirement {
    /// The label of this key has one of these values.
    In(String, Vec<String>),
    /// It has none of these values, or isn't there.
    NotIn(String, Vec<String>),
    /// It is there.
    Exists(String),
    /// It isn't there.
    DoesNotExist(String),
}

impl LabelSelector {
    /// Selects by labels that have one value (`matchLabels`), and by further requirements (`matchExpressions`).
    pub fn new(
        match_labels: impl IntoIterator<Item = (String, String)>,
        match_expressions: impl IntoIterator<Item = LabelRequirement>,
    ) -> Self {
        let equal = match_labels.into_iter().map(|(key, value)| LabelRequirement::In(key, vec![value]));
        Self { requirements: equal.chain(match_expressions).collect() }
    }

    /// Whether an object with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(labels))
    }
}

impl LabelRequirement {
    fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => labels.contains_key(key),
            Self::DoesNotExist(key) => !labels.contains_key(key),
        }
    }
}

/// As kubectl writes it.
impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for LabelRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(key, values) if values.len() == 1 => write!(f, "{key}={}", values[0]),
            Self::In(key, values) => write!(f, "{key} in ({})", values.join(",")),
            Self::NotIn(key, values) => write!(f, "{key} notin ({})", values.join(",")),
            Self::Exists(key) => f.write_str(key),
            Self::DoesNotExist(key) => write!(f, "!{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator_is_that_of_kubernetes() {
        use LabelRequirement::{DoesNotExist, Exists, In, NotIn};
        let labels = |list: &[(&str, &str)]| {
            list.iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        let (key, values) = (|| "k".to_owned(), || vec!["a".to_owned(), "b".to_owned()]);
        let (none, a, c) = (labels(&[]), labels(&[("k", "a"), ("x", "y")]), labels(&[("k", "c")]));
        for (requirement, of_none, of_a, of_c, text) in [
            (In(key(), values()), false, true, false, "k in (a,b)"),
            (NotIn(key(), values()), true, false, true, "k notin (a,b)"),
            (Exists(key()), false, true, true, "k"),
            (DoesNotExist(key()), true, false, false, "!k"),
            (In(key(), vec!["a".into()]), false, true, false, "k=a"),
        ] {
            let selector = LabelSelector::new([], [requirement]);
            let found = [&none, &a, &c].map(|labels| selector.matches(labels));
            assert_eq!((found, selector.to_string().as_str()), ([of_none, of_a, of_c], text));
        }
        assert!(LabelSelector::default().matches(&none), "what requires nothing selects all");
        let both = LabelSelector::new([("k".into(), "a".into())], [Exists("z".into())]);
        assert!(!both.matches(&a), "all must hold");
    }
}
