//! A pool in a Secret: under which keys it may stand, whoever reads it.

use std::fmt;

use zeroize::Zeroizing;

use super::{CaPool, PemNames, PoolError};

/// The values of a Secret that count. An empty one is as good as none: cert-manager leaves `ca.crt` so for
/// issuers that don't tell their CA.
pub struct SecretValues {
    pool: Option<Zeroizing<Vec<u8>>>,
    cert: Option<Zeroizing<Vec<u8>>>,
    key: Option<Zeroizing<Vec<u8>>>,
    root: Option<Zeroizing<Vec<u8>>>,
    /// All keys that the Secret has.
    keys: Vec<String>,
}

/// What a Secret holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretContent {
    /// A pool in JSON (`pool`).
    Pool,
    /// A CA of somebody else's making, who keeps it: `tls.crt` and `tls.key`.
    Tls,
    /// Something that looks like a CA, and that isn't read.
    Other,
    /// No CA.
    Nothing,
}

impl fmt::Debug for SecretValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool: _, cert: _, key: _, root: _, keys } = self;
        f.debug_struct("SecretValues").field("keys", keys).finish_non_exhaustive()
    }
}

impl SecretValues {
    /// The key under which a pool in JSON stands: that of the Go original, whose Secrets work as they are.
    pub const POOL: &'static str = "pool";

    /// Takes them out of a Secret that has these keys.
    ///
    /// # Errors
    /// Those of `value`.
    pub fn read<E>(
        keys: Vec<String>,
        mut value: impl FnMut(&str) -> Result<Option<Zeroizing<Vec<u8>>>, E>,
    ) -> Result<Self, E> {
        let mut filled = |key| Ok(value(key)?.filter(|value| !value.trim_ascii().is_empty()));
        Ok(Self {
            pool: filled(Self::POOL)?,
            cert: filled("tls.crt")?,
            key: filled("tls.key")?,
            root: filled("ca.crt")?,
            keys,
        })
    }

    /// What the Secret holds.
    #[must_use]
    pub fn content(&self) -> SecretContent {
        match self {
            Self { pool: Some(_), .. } => SecretContent::Pool,
            Self { cert: Some(_), key: Some(_), .. } => SecretContent::Tls,
            _ if self.remedy().is_some() => SecretContent::Other,
            _ => SecretContent::Nothing,
        }
    }

    /// The pool, in JSON or as cert-manager and `kubectl create secret tls` leave it; `None` if there is
    /// none. `root` replaces `ca.crt`; `root_name` says how a root can be given, for messages.
    ///
    /// # Errors
    /// If what is there makes no pool.
    pub fn load(&self, root: Option<&[u8]>, root_name: &'static str) -> Result<Option<CaPool>, PoolError> {
        match (&self.pool, &self.cert, &self.key) {
            (Some(json), cert, key) => {
                let pool = CaPool::from_json(json)?;
                let beside = cert.is_some() || key.is_some();
                Ok(Some(if beside { pool.leaving_aside(BESIDE_A_POOL) } else { pool }))
            }
            (None, Some(cert), Some(key)) => {
                let shipped = self.root.as_ref().filter(|_| root.is_none());
                let of_root = if shipped.is_some() { "ca.crt" } else { root_name };
                let names = PemNames { cert: "tls.crt", key: "tls.key", root: of_root };
                CaPool::from_named_pem(cert, key, root.or(shipped.map(|root| root.as_slice())), names)
                    .map(Some)
            }
            (None, ..) => match self.remedy() {
                Some(remedy) => Err(PoolError::OtherKeys { keys: self.list(), remedy }),
                None => Ok(None),
            },
        }
    }

    /// The keys, for messages.
    #[must_use]
    pub fn list(&self) -> String {
        const NAMED: usize = 12;
        let mut named = self.keys.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if self.keys.len() > NAMED {
            named += ", …";
        }
        if named.is_empty() { "no keys".to_owned() } else { format!("the keys {named}") }
    }

    /// How a pool is made of what other tools keep under other keys.
    fn remedy(&self) -> Option<String> {
        let has = |key: &&str| self.keys.iter().any(|found| found == *key);
        match (&self.cert, &self.key) {
            (Some(_), None) => {
                return Some(
                    "It has tls.crt and no tls.key, or an empty one: the CA's private key is missing"
                        .to_owned(),
                );
            }
            (None, Some(_)) => {
                return Some(
                    "It has tls.key and no tls.crt, or an empty one: the CA's certificate is missing"
                        .to_owned(),
                );
            }
            _ => {}
        }
        if let Some(key) = POOLS.iter().find(|key| has(key)) {
            return Some(format!(
                "{key} is where others keep such a pool: copy it into a Secret of its own, with {} and `kubectl -n NAMESPACE create secret generic POOL --from-file=pool=pool.json`",
                saved(key, "pool.json")
            ));
        }
        let (cert, key, root) = PEM.iter().find(|(cert, key, _)| has(cert) && has(key))?;
        let root = root.as_ref().filter(|root| has(root));
        let save_root = root.map_or_else(String::new, |root| format!(", {}", saved(root, "root.pem")));
        let root_file = root.map_or("", |_| " --root-file root.pem");
        Some(format!(
            "{cert} and {key} are a CA in PEM: save it with {}, {}{save_root}, and make a pool of it with `signerctl ca-pool import --namespace NAMESPACE --name POOL --cert-file ca.pem --key-file \
             ca.key{root_file}`",
            saved(cert, "ca.pem"),
            saved(key, "ca.key"),
        ))
    }
}

const BESIDE_A_POOL: &str = "tls.crt and tls.key of the Secret, as its key `pool` counts. Take them out, or keep the pool in a Secret of its own";

/// Keys under which others keep a pool in the same format; kube-agentic-networking is one of them.
const POOLS: [&str; 4] = ["ca-pool.json", "ca-pool", "capool.json", "pool.json"];

/// Keys under which others keep a CA in PEM (certificate, key, root): kubeadm, OpenShift, Strimzi; Istio;
/// Dapr; Linkerd before 2.9; cfssl.
const PEM: [(&str, &str, Option<&str>); 7] = [
    ("ca-cert.pem", "ca-key.pem", Some("root-cert.pem")),
    ("issuer.crt", "issuer.key", Some("ca.crt")),
    ("crt.pem", "key.pem", Some("ca.crt")),
    ("ca.crt", "ca.key", None),
    ("ca.pem", "ca-key.pem", None),
    ("ca.pem", "ca.key", None),
    ("cert.pem", "key.pem", None),
];

fn saved(key: &str, file: &str) -> String {
    format!(
        "`(umask 077; kubectl -n NAMESPACE get secret NAME -o go-template='{{{{index .data \"{key}\" | base64decode}}}}' > {file})`"
    )
}

#[cfg(test)]
mod tests;
