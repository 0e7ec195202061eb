//! Keys by which other programs are asked for what an item of ours says. They aren't taken, as a second key
//! for an item could contradict the first; who brings one is told ours.

use crate::keys::{Item, Keys};

/// The last part of such a key, our item, and how its value is written here where that differs.
///
/// The first two are those of pod-certificate-signer 2 (`docs/configuration.md` of
/// RafPe/pod-certificate-signer), whose other keys are ours. The rest are those of cert-manager's CSI driver
/// (`pkg/apis/v1alpha1` of cert-manager/csi-driver), and of its annotations of Ingresses.
const FOREIGN: [(&str, Item, &str); 10] = [
    ("ip-san", Item::IpAddresses, ""),
    ("eku", Item::Usages, ", with \"server auth\" for server and \"client auth\" for client"),
    ("common-name", Item::CommonName, ""),
    ("dns-names", Item::DnsNames, ""),
    ("alt-names", Item::DnsNames, ""),
    ("uri-sans", Item::Uris, ""),
    ("ip-sans", Item::IpAddresses, ""),
    ("key-usages", Item::Usages, ""),
    ("renew-before", Item::Refresh, ""),
    ("duration", Item::Duration, ""),
];

/// The domains of keys that aren't made of a signer's name.
const PREFIXES: [&str; 2] = ["csi.cert-manager.io/", "cert-manager.io/"];

impl Keys {
    /// What to write instead of a key of another program, as a sentence to append.
    pub(crate) fn instead_of(&self, key: &str) -> Option<String> {
        let item =
            PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix)).or_else(|| self.item_of(key))?;
        let (_, ours, value) = FOREIGN.iter().find(|(foreign, ..)| *foreign == item)?;
        Some(format!(". Instead of it, write {}{value}", self.key(*ours)))
    }
}
