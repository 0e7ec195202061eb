//! Pools in Secrets.

use std::{fmt, rc::Rc};

use api_client::{SecretDocument, SecretError, Secrets};
use ca_pool::{CaPool, PoolError, SecretContent, SecretValues};

use zeroize::Zeroizing;

use crate::error::Error;
use crate::store::cluster::Cluster;

pub(crate) const POOL_KEY: &str = SecretValues::POOL;

/// A Secret in a cluster.
#[derive(Clone)]
pub(crate) struct SecretPlace {
    pub(crate) cluster: Rc<Cluster>,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// The Secret as it was read.
pub(crate) struct Original<'a> {
    place: &'a SecretPlace,
    read: SecretDocument,
}

impl SecretPlace {
    /// Creates a Secret that holds the pool, or fills an empty one, as manifests ship it.
    pub(crate) fn create(&self, json: &[u8]) -> Result<(), Error> {
        let secret = SecretDocument::new(&self.namespace, &self.name);
        let secret = secret.with_value(POOL_KEY, json).map_err(|error| self.explain(error))?;
        match self.cluster.wait_for(self.secrets().create(&secret)) {
            Ok(()) => Ok(()),
            Err(error) => match self.explain(error) {
                exists @ Error::SecretExists { .. } if !self.fill(json)? => Err(exists),
                Error::SecretExists { .. } => Ok(()),
                other => Err(other),
            },
        }
    }

    /// False: it has content already, or got some meanwhile.
    fn fill(&self, json: &[u8]) -> Result<bool, Error> {
        let original = Original { place: self, read: self.get()? };
        for key in original.read.keys().map_err(|error| self.explain(error))? {
            if !self.value(&original.read, &key)?.is_none_or(|value| value.is_empty()) {
                return Ok(false);
            }
        }
        original.replace(json)
    }

    /// Reads the pool: in JSON, or as cert-manager and `kubectl create secret tls` leave it, with the root's
    /// certificate if it isn't in there.
    pub(crate) fn load(&self, root: Option<&[u8]>) -> Result<CaPool, Error> {
        let values = self.values(&self.get()?)?;
        if root.is_some() && values.content() == SecretContent::Pool {
            return Err(Error::RootOfPool { place: self.to_string() });
        }
        let pool = values.load(root, "--root-file").map_err(|source| self.bad(source))?;
        pool.ok_or_else(|| Error::NotAPool { place: self.to_string(), found: values.list() })
    }

    /// Whether whoever made the Secret keeps a CA in it that can't be changed here.
    pub(crate) fn is_tls(&self) -> Result<bool, Error> {
        Ok(self.values(&self.get()?)?.content() == SecretContent::Tls)
    }

    /// Reads the Secret, for its pool to be replaced.
    pub(crate) fn open(&self) -> Result<(Option<CaPool>, Original<'_>), Error> {
        let secret = self.get()?;
        let values = self.values(&secret)?;
        if values.content() == SecretContent::Tls {
            return Err(Error::TlsSecret {
                secret: format!("{}/{}", self.namespace, self.name),
                arguments: format!("{}-pool{}", self.own_arguments(), self.cluster.arguments()),
            });
        }
        let pool = values.load(None, "--root-file").map_err(|source| self.bad(source))?;
        Ok((pool, Original { place: self, read: secret }))
    }

    fn values(&self, secret: &SecretDocument) -> Result<SecretValues, Error> {
        let keys = secret.keys().map_err(|error| self.explain(error))?;
        SecretValues::read(keys, |key| self.value(secret, key))
    }

    /// How a command line leads to it.
    pub(crate) fn arguments(&self) -> String {
        format!("{}{}", self.own_arguments(), self.cluster.arguments())
    }

    fn own_arguments(&self) -> String {
        format!("--namespace {} --name {}", self.namespace, self.name)
    }

    fn secrets(&self) -> Secrets {
        Secrets::new(self.cluster.client(), &self.namespace)
    }

    fn get(&self) -> Result<SecretDocument, Error> {
        let read = self.cluster.wait_for(self.secrets().get(&self.name));
        read.map_err(|error| self.explain(error))?.ok_or_else(|| self.missing())
    }

    fn value(&self, secret: &SecretDocument, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        secret.value(key).map_err(|error| self.explain(error))
    }

    fn bad(&self, source: PoolError) -> Error {
        Error::Pool { place: self.to_string(), source: source.into() }
    }

    fn missing(&self) -> Error {
        let (cluster, secret) = (self.cluster.to_string(), self.to_string());
        Error::NoSecret { secret, cluster, arguments: self.arguments() }
    }

    fn explain(&self, error: SecretError) -> Error {
        let status = match error {
            SecretError::Call(kube::Error::Api(status)) => status,
            SecretError::Call(error) => return self.cluster.unreachable(&error),
            error => return Error::BadSecret { place: self.to_string(), cause: error.to_string() },
        };
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
            (404, _) => self.missing(),
            _ => self.cluster.refused(kube::Error::Api(status)),
        }
    }
}

impl Original<'_> {
    /// Writes a pool into the Secret that was read. False: it has changed since.
    pub(crate) fn replace(self, json: &[u8]) -> Result<bool, Error> {
        let Self { place, read } = self;
        let secret = read.with_value(POOL_KEY, json).map_err(|error| place.explain(error))?;
        match place.cluster.wait_for(place.secrets().replace(&place.name, &secret)) {
            Ok(()) => Ok(true),
            Err(SecretError::Call(kube::Error::Api(status))) if status.code == 409 => Ok(false),
            Err(error) => Err(place.explain(error)),
        }
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret {}/{}", self.namespace, self.name)
    }
}
