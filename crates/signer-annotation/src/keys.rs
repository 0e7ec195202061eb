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

/// The longest path of a signer's name that leaves room for `-duration`: what follows the `/` of an
/// annotation's key has 63 characters at most (the API server's rule for qualified names).
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

    /// The annotations that count for a request: its user annotations or its pod's annotations, as the signer
    /// is configured. Where either may count, the pod's do only if there are no user annotations.
    ///
    /// # Errors
    /// If a key that is the signer's names no item, or a user annotation isn't the signer's or isn't read.
    /// The volume source that holds user annotations is for this signer alone, so such a key is a mistake; a
    /// pod's annotations are for everybody.
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
mod tests;
