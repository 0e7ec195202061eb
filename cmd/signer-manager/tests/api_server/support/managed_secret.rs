//! A Secret whose pool the manager keeps by itself.

use std::time::Duration;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use signer_core::ca_pool::{CaPool, CertificateAuthority};
use test_cluster::{CertificateSource, Error, KeyType, NewPod, Scope, TrustBundle};

use super::{
    SOON,
    ageing::{age_bundle, aged_pool},
    ask, eventually,
    issued::issued,
    running::Running,
    setup::Setup,
};

const SPIFFE: &str = "kind: spiffe, trustDomain: a.example.com";

/// A Secret, the signer whose pool it holds, and what its replicas run with.
pub(crate) struct ManagedSecret<'a> {
    scope: &'a Scope,
    pub(crate) signer_name: String,
    pub(crate) secrets: Api<Secret>,
    pub(crate) setup: Setup,
}

impl<'a> ManagedSecret<'a> {
    /// An empty Secret, as the manifests ship it, or one with this pool.
    pub(crate) async fn new(scope: &'a Scope, pool: Option<&CaPool>) -> Result<Self, Error> {
        let (namespace, signer_name) = (scope.namespace("ca").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer_in_secret(&signer_name, SPIFFE, &namespace, "ca");
        let secrets: Api<Secret> = Api::namespaced(scope.client(), &namespace);
        let metadata = ObjectMeta { name: Some("ca".into()), ..ObjectMeta::default() };
        let secret = Secret { metadata, data: pool.map(data), ..Secret::default() };
        secrets.create(&PostParams::default(), &secret).await.unwrap();
        Ok(Self { scope, signer_name, secrets, setup })
    }

    pub(crate) fn start(&self) -> Running {
        self.setup.start(self.scope)
    }

    pub(crate) async fn read(&self) -> Result<CaPool, String> {
        let secret = self.secrets.get_opt("ca").await.unwrap().unwrap_or_default();
        let json = secret.data.unwrap_or_default().remove("pool").unwrap_or_default();
        CaPool::from_json(&json.0).map_err(|error| error.to_string())
    }

    /// The pool, once it has these CAs.
    pub(crate) async fn pool_of(&self, ids: &[&str]) -> CaPool {
        eventually("those CAs in the Secret", async || {
            let pool = self.read().await?;
            let found: Vec<&str> = pool.authorities().map(CertificateAuthority::id).collect();
            if found == ids { Ok(pool) } else { Err(format!("{found:?}")) }
        })
        .await
    }

    /// Overwrites what the Secret holds.
    pub(crate) async fn put(&self, change: impl Fn(&mut Secret)) {
        loop {
            let mut secret = self.secrets.get("ca").await.unwrap();
            change(&mut secret);
            match self.secrets.replace("ca", &PostParams::default(), &secret).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                written => return drop(written.unwrap()),
            }
        }
    }

    /// Waits until the bundle says what the pool says.
    pub(crate) async fn published(&self, pool: &CaPool) -> Result<(), Error> {
        let anchors: String = pool.roots().into_iter().map(|root| root.to_pem()).collect();
        let is_it = |bundle: &TrustBundle| bundle.anchors_pem == anchors;
        self.scope.cluster().trust_bundle(&self.signer_name, SOON, is_it).await.map(drop)
    }

    /// Lets time pass: for the pool first, since only both together let a successor sign.
    pub(crate) async fn pass(&self, time: Duration) {
        self.put(|secret| {
            let pool = &mut secret.data.as_mut().unwrap().get_mut("pool").unwrap().0;
            *pool = aged_pool(pool, time);
        })
        .await;
        age_bundle(self.scope, &self.signer_name, time).await;
    }

    /// Who signs now.
    pub(crate) async fn issuer(&self) -> Result<Vec<u8>, Error> {
        let namespace = self.scope.namespace("web").await?;
        let source = CertificateSource::new(&self.signer_name, KeyType::EcdsaP256);
        let pod = NewPod::new(&namespace, "web-0").certificate(source);
        let (_, request) = ask(&self.scope.kubelet().await?, pod).await?;
        Ok(issued(self.scope, &request).await?.leaf().issuer_der().to_vec())
    }
}

pub(crate) fn data(pool: &CaPool) -> std::collections::BTreeMap<String, ByteString> {
    [("pool".to_owned(), ByteString(pool.to_json().unwrap().to_vec()))].into()
}
