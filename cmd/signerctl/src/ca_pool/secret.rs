//! Pools in Secrets.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, Client, api::ObjectMeta, api::PostParams};
use signer_core::CaPool;

use super::edit::{Opened, Version};
use crate::error::Error;

/// The key of the Go original, whose Secrets work as they are.
pub(super) const POOL_KEY: &str = "pool";

/// Creates a Secret that holds the pool.
pub(super) fn create(namespace: &str, name: &str, json: &[u8]) -> Result<(), Error> {
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        type_: Some("Opaque".to_owned()),
        data: Some(BTreeMap::from([(POOL_KEY.to_owned(), ByteString(json.to_vec()))])),
        ..Secret::default()
    };
    let place = (namespace, name);
    let created = block_on(async {
        let api: Api<Secret> = Api::namespaced(client().await?, namespace);
        api.create(&PostParams::default(), &secret).await.map_err(|error| explain(error, place))
    });
    match created {
        Err(exists @ Error::SecretExists { .. }) => fill(namespace, name, json)?.ok_or(exists),
        other => other.map(|_| ()),
    }
}

/// Manifests ship the Secret without content. `None`: this one has some.
fn fill(namespace: &str, name: &str, json: &[u8]) -> Result<Option<()>, Error> {
    let opened = open(namespace, name);
    let Ok(Opened { pool: None, version: Version::Secret(secret) }) = opened else { return Ok(None) };
    let is_empty = secret.data.as_ref().is_none_or(|data| data.values().all(|value| value.0.is_empty()));
    Ok((is_empty && replace(*secret, json)?).then_some(()))
}

/// Reads the pool in a Secret: in JSON, or as cert-manager and `kubectl create secret tls` leave it, with the root's certificate if it isn't in there.
pub(super) fn load(namespace: &str, name: &str, root: Option<&[u8]>) -> Result<CaPool, Error> {
    let place = (namespace, name);
    let secret = block_on(async {
        let api: Api<Secret> = Api::namespaced(client().await?, namespace);
        api.get(name).await.map_err(|error| explain(error, place))
    })?;
    let data = secret.data.unwrap_or_default();
    let value = |key: &str| data.get(key).map(|value| value.0.as_slice());
    let pool = match (value(POOL_KEY), value("tls.crt"), value("tls.key")) {
        (Some(json), _, _) => CaPool::from_json(json),
        (None, Some(cert), Some(key)) => CaPool::from_pem(cert, key, root.or(value("ca.crt"))),
        _ => return Err(not_a_pool(place, &data)),
    };
    pool.map_err(|source| Error::Pool { place: format!("Secret {namespace}/{name}"), source: source.into() })
}

/// Reads the Secret, for its pool to be replaced.
pub(super) fn open(namespace: &str, name: &str) -> Result<Opened, Error> {
    let place = (namespace, name);
    let secret = block_on(async {
        let api: Api<Secret> = Api::namespaced(client().await?, namespace);
        api.get(name).await.map_err(|error| explain(error, place))
    })?;
    let json = secret.data.as_ref().and_then(|data| data.get(POOL_KEY)).filter(|json| !json.0.is_empty());
    let pool = match json {
        Some(json) => Some(CaPool::from_json(&json.0).map_err(|source| Error::Pool {
            place: format!("Secret {namespace}/{name}"),
            source: source.into(),
        })?),
        None if secret.data.as_ref().is_some_and(|data| data.contains_key("tls.key")) => {
            return Err(Error::TlsSecret { namespace: namespace.to_owned(), name: name.to_owned() });
        }
        None => None,
    };
    Ok(Opened { pool, version: Version::Secret(secret.into()) })
}

/// Writes a pool into the Secret that was read. False: it has changed since.
pub(super) fn replace(mut secret: Secret, json: &[u8]) -> Result<bool, Error> {
    let namespace = secret.metadata.namespace.clone().unwrap_or_default();
    let name = secret.metadata.name.clone().unwrap_or_default();
    secret.data.get_or_insert_default().insert(POOL_KEY.to_owned(), ByteString(json.to_vec()));
    block_on(async {
        let api: Api<Secret> = Api::namespaced(client().await?, &namespace);
        match api.replace(&name, &PostParams::default(), &secret).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(explain(error, (&namespace, &name))),
        }
    })
}

fn not_a_pool((namespace, name): (&str, &str), data: &BTreeMap<String, ByteString>) -> Error {
    let keys: Vec<&str> = data.keys().map(String::as_str).collect();
    let found = if keys.is_empty() { "no keys".to_owned() } else { format!("the keys {}", keys.join(", ")) };
    Error::NotAPool { namespace: namespace.to_owned(), name: name.to_owned(), found }
}

fn explain(error: kube::Error, (namespace, name): (&str, &str)) -> Error {
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    match error {
        kube::Error::Api(status) => match (status.code, status.reason.as_str()) {
            (409, "AlreadyExists") => Error::SecretExists { namespace, name },
            // A missing namespace is said in the name of the namespace.
            (404, _) if status.message.contains("namespaces \"") => Error::NoNamespace { namespace },
            (404, _) => Error::NoSecret { namespace, name },
            (401 | 403, _) => Error::Forbidden { message: status.message },
            _ => Error::Refused { message: status.message },
        },
        other => Error::NoCluster { source: other.into() },
    }
}

async fn client() -> Result<Client, Error> {
    Client::try_default().await.map_err(|error| Error::NoCluster { source: error.into() })
}

fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(work)
}
