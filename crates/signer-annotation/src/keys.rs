//! Which annotations are a signer's.

use std::collections::BTreeMap;

use signer_core::{Request, SignerName};

use crate::{
    annotations::{Annotations, Source},
    config::AnnotationsFrom,
};

/// What an annotation of an annotation signer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    CommonName,
    DnsNames,
    Uris,
    IpAddresses,
    Usages,
    Duration,
    Refresh,
}

impl Item {
    pub(crate) const ALL: [Self; 7] = [
        Self::CommonName,
        Self::DnsNames,
        Self::Uris,
        Self::IpAddresses,
        Self::Usages,
        Self::Duration,
        Self::Refresh,
    ];

    /// The last part of its key.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CommonName => "cn",
            Self::DnsNames => "san",
            Self::Uris => "uris",
            Self::IpAddresses => "ips",
            Self::Usages => "usages",
            Self::Duration => "duration",
            Self::Refresh => "refresh",
        }
    }
}

/// The longest path of a signer's name that leaves room for `-duration`: what follows the `/` of an annotation's key has 63 characters at
/// most (the API server's rule for qualified names).
pub(crate) const LONGEST_PATH: usize = 63 - "-".len() - Item::Duration.as_str().len();

/// Which keys are a signer's: `<its name>-<item>`, unless a longer name of another signer fits as well.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
    longer_prefixes: Vec<String>,
}

impl Keys {
    pub(crate) fn new(name: &SignerName, others: &[SignerName]) -> Self {
        let prefix = name.annotation_key("");
        let prefixes = others.iter().map(|other| other.annotation_key(""));
        let longer_prefixes =
            prefixes.filter(|other| other.len() > prefix.len() && other.starts_with(&prefix)).collect();
        Self { prefix, longer_prefixes }
    }

    /// The key of an item.
    pub(crate) fn key(&self, item: Item) -> String {
        format!("{}{}", self.prefix, item.as_str())
    }

    /// All keys, for messages.
    pub(crate) fn all(&self) -> [String; Item::ALL.len()] {
        Item::ALL.map(|item| self.key(item))
    }

    /// What stands behind the signer's name in a key of its.
    pub(crate) fn item_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        let item = key.strip_prefix(&self.prefix)?;
        let is_others = self.longer_prefixes.iter().any(|other| key.starts_with(other));
        (!is_others).then_some(item)
    }

    /// The annotations that count for a request: its user annotations or its pod's annotations, as the signer is configured. Where either may count, the
    /// pod's do only if there are no user annotations.
    ///
    /// # Errors
    /// If a key that is the signer's names no item, or a user annotation isn't the signer's or isn't read. The volume source that holds user annotations
    /// is for this signer alone, so such a key is a mistake; a pod's annotations are for everybody.
    pub(crate) fn read<'r>(
        &'r self,
        request: &'r Request,
        from: AnnotationsFrom,
    ) -> Result<Annotations<'r>, signer_core::Denial> {
        let (user, pods) = (request.user_annotations(), &request.pod().annotations);
        // user annotations that hold none of this signer's keys hold an unknown one, unless they are empty
        let (source, all) = match (from, user.first_key_value()) {
            (AnnotationsFrom::Volume, _) | (AnnotationsFrom::Either, Some(_)) => {
                (Source::UserAnnotations, user)
            }
            (AnnotationsFrom::Pod | AnnotationsFrom::Either, None) => (Source::PodAnnotations, pods),
            (AnnotationsFrom::Pod, Some((key, _))) => return Err(Source::UserAnnotations.not_read(key)),
        };
        let mut values = BTreeMap::new();
        for (key, value) in all {
            let item = match (self.item_of(key), source) {
                (None, Source::PodAnnotations) => continue,
                (item, _) => item.and_then(|item| Item::ALL.into_iter().find(|known| known.as_str() == item)),
            };
            let item = item.ok_or_else(|| source.unknown_key(key, self))?;
            values.insert(item, value.as_str());
        }
        Annotations::new(self, source, values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_two_names_that_fit_a_key_the_longer_owns_it() {
        let names: Vec<SignerName> = ["a.b/foo", "a.b/foo-bar", "a.b/foo-bar-baz", "a.b/fo", "b.b/foo"]
            .map(|name| name.parse().unwrap())
            .into();
        let item = |name: usize, key: &str| Keys::new(&names[name], &names).item_of(key).map(str::to_owned);
        assert_eq!(item(0, "a.b/foo-cn").as_deref(), Some("cn"));
        assert_eq!(item(0, "a.b/foo-bar").as_deref(), Some("bar"), "which isn't <a.b/foo-bar>-<item>");
        assert_eq!(item(0, "a.b/foo-bar-cn"), None);
        assert_eq!(item(1, "a.b/foo-bar-cn").as_deref(), Some("cn"));
        assert_eq!(item(1, "a.b/foo-bar-baz-cn"), None);
        assert_eq!(item(3, "a.b/foo-cn"), None);
        assert_eq!(item(4, "a.b/foo-cn"), None);
    }

    proptest! {
        #[test]
        fn a_key_has_one_owner_at_most(names in proptest::collection::vec("a\\.b/[xy](-?[xy]){0,3}", 1..5), key in "a\\.b/[xy](-?[xy]){0,4}-[xy]?") {
            let names: Vec<SignerName> = names.iter().map(|name| name.parse().unwrap()).collect();
            let longest = names.iter().filter(|name| key.starts_with(&format!("{name}-"))).max_by_key(|name| name.as_str().len());
            for name in &names {
                let is_owner = Keys::new(name, &names).item_of(&key).is_some();
                prop_assert_eq!(is_owner, longest == Some(name), "{} {}", name, key);
            }
        }
    }
}
