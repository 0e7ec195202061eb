//! Pools in Secrets.

use std::{collections::BTreeMap, fmt, rc::Rc};

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, api::ObjectMeta, api::PostParams};
use signer_core::{CaPool, PemNames, PoolError};

use super::cluster::Cluster;
use crate::error::Error;

/// The key of the Go original, whose Secrets work as they are.
pub(super) const POOL_KEY: &str = "pool";

/// A Secret in a cluster.
#[derive(Clone)]
pub(super) struct SecretPlace {
    pub(super) cluster: Rc<Cluster>,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// The Secret as it was read.
pub(super) struct Original<'a> {
    place: &'a SecretPlace,
    read: Box<Secret>,
}

impl SecretPlace {
    /// Creates a Secret that holds the pool, or fills an empty one, as manifests ship it.
    pub(super) fn create(&self, json: &[u8]) -> Result<(), Error> {
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                ..ObjectMeta::default()
            },
            type_: Some("Opaque".to_owned()),
            data: Some(BTreeMap::from([(POOL_KEY.to_owned(), ByteString(json.to_vec()))])),
            ..Secret::default()
        };
        match self.cluster.wait_for(self.api().create(&PostParams::default(), &secret)) {
            Ok(_) => Ok(()),
            Err(error) => match self.explain(error) {
                exists @ Error::SecretExists { .. } if !self.fill(json)? => Err(exists),
                Error::SecretExists { .. } => Ok(()),
                other => Err(other),
            },
        }
    }

    /// False: it has content already, or got some meanwhile.
    fn fill(&self, json: &[u8]) -> Result<bool, Error> {
        let original = Original { place: self, read: self.get()?.into() };
        let data = original.read.data.as_ref();
        let is_empty = data.is_none_or(|data| data.values().all(|value| value.0.is_empty()));
        Ok(is_empty && original.replace(json)?)
    }

    /// Reads the pool: in JSON, or as cert-manager and `kubectl create secret tls` leave it, with the root's certificate if it isn't in there.
    pub(super) fn load(&self, root: Option<&[u8]>) -> Result<CaPool, Error> {
        let data = self.get()?.data.unwrap_or_default();
        let value = |key: &str| data.get(key).map(|value| value.0.as_slice());
        let of_root = if root.is_some() { "--root-file" } else { "ca.crt" };
        let names = PemNames { cert: "tls.crt", key: "tls.key", root: of_root };
        let pool = match (value(POOL_KEY), value("tls.crt"), value("tls.key")) {
            (Some(_), _, _) if root.is_some() => return Err(Error::RootOfPool { place: self.to_string() }),
            (Some(json), _, _) => CaPool::from_json(json),
            (None, Some(cert), Some(key)) => {
                CaPool::from_named_pem(cert, key, root.or(value("ca.crt")), names)
            }
            _ => return Err(self.not_a_pool(&data)),
        };
        pool.map_err(|source| self.bad(source))
    }

    /// Reads the Secret, for its pool to be replaced.
    pub(super) fn open(&self) -> Result<(Option<CaPool>, Original<'_>), Error> {
        let secret = self.get()?;
        let json = secret.data.as_ref().and_then(|data| data.get(POOL_KEY)).filter(|json| !json.0.is_empty());
        let pool = match json {
            Some(json) => Some(CaPool::from_json(&json.0).map_err(|source| self.bad(source))?),
            None if secret.data.as_ref().is_some_and(|data| data.contains_key("tls.key")) => {
                return Err(Error::TlsSecret {
                    secret: format!("{}/{}", self.namespace, self.name),
                    arguments: format!("{}-pool{}", self.own_arguments(), self.cluster.arguments()),
                });
            }
            None => None,
        };
        Ok((pool, Original { place: self, read: secret.into() }))
    }

    /// How a command line leads to it.
    pub(super) fn arguments(&self) -> String {
        format!("{}{}", self.own_arguments(), self.cluster.arguments())
    }

    fn own_arguments(&self) -> String {
        format!("--namespace {} --name {}", self.namespace, self.name)
    }

    fn api(&self) -> Api<Secret> {
        Api::namespaced(self.cluster.client(), &self.namespace)
    }

    fn get(&self) -> Result<Secret, Error> {
        self.cluster.wait_for(self.api().get(&self.name)).map_err(|error| self.explain(error))
    }

    fn bad(&self, source: PoolError) -> Error {
        Error::Pool { place: self.to_string(), source: source.into() }
    }

    fn not_a_pool(&self, data: &BTreeMap<String, ByteString>) -> Error {
        let keys: Vec<&str> = data.keys().map(String::as_str).collect();
        let found =
            if keys.is_empty() { "no keys".to_owned() } else { format!("the keys {}", keys.join(", ")) };
        Error::NotAPool { place: self.to_string(), found }
    }

    fn explain(&self, error: kube::Error) -> Error {
        let kube::Error::Api(status) = error else { return self.cluster.unreachable(&error) };
        let (cluster, secret) = (self.cluster.to_string(), self.to_string());
        let kubectl = format!("kubectl{} -n {}", self.cluster.arguments(), self.namespace);
        match (status.code, status.reason.as_str()) {
            (409, "AlreadyExists") => Error::SecretExists {
                delete: format!("{kubectl} delete secret {}", self.name),
                arguments: self.arguments(),
                secret,
                cluster,
            },
            // A missing namespace is said in the name of the namespace.
            (404, _) if status.message.contains("namespaces \"") => Error::NoNamespace {
                make: format!("kubectl{} create namespace {}", self.cluster.arguments(), self.namespace),
                namespace: self.namespace.clone(),
                cluster,
            },
            (404, _) => Error::NoSecret { secret, cluster, arguments: self.arguments() },
            (401, _) => Error::NotLoggedIn { cluster, cause: status.message },
            (403, _) => Error::Forbidden { cluster, message: status.message },
            _ => Error::Refused { cluster, message: status.message },
        }
    }
}

impl Original<'_> {
    /// Writes a pool into the Secret that was read. False: it has changed since.
    pub(super) fn replace(self, json: &[u8]) -> Result<bool, Error> {
        let Self { place, read: mut secret } = self;
        secret.data.get_or_insert_default().insert(POOL_KEY.to_owned(), ByteString(json.to_vec()));
        match place.cluster.wait_for(place.api().replace(&place.name, &PostParams::default(), &secret)) {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(place.explain(error)),
        }
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret {}/{}", self.namespace, self.name)
    }
}
