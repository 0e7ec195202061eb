//! `kind: pod-identity`: what the extension says, and what kube-apiserver makes of its user.

use std::{fs, path::PathBuf};

use der::Decode as _;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::{Client, api::PostParams, config::AuthInfo};
use serde_json::json;
use signer_pod_identity::PodIdentity;
use test_cluster::{CertificateSource, Error, KeyType, NewPod, Scope, SentRequest};

use crate::support::{
    ask, eventually,
    issued::issued,
    on_cluster,
    rights::{User, of_every_signer, on_signer, watch_bundles},
    setup::Setup,
};

fn pod(namespace: &str, signer: &str) -> NewPod {
    let source = CertificateSource::new(signer, KeyType::EcdsaP256);
    NewPod::new(namespace, "web-0").service_account("web").certificate(source)
}

#[tokio::test]
async fn the_extension_says_what_the_api_server_knows_of_the_pod() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("pod-identity");
        let manager = Setup::new().signer(&signer, "kind: pod-identity").start(scope);
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        let (pod, request) = ask(&kubelet, pod(&namespace, &signer)).await?;
        let issued = issued(scope, &request).await?;

        let certificate = x509_cert::Certificate::from_der(issued.leaf().der()).unwrap();
        let extensions = certificate.tbs_certificate().extensions().unwrap();
        let extension =
            extensions.iter().find(|extension| extension.extn_id.to_string() == PodIdentity::OID).unwrap();
        assert!(!extension.critical);
        let identity = PodIdentity::from_der(extension.extn_value.as_bytes()).unwrap();
        let spec = &request.read().await?["spec"];
        let object: k8s_openapi::api::core::v1::Namespace =
            kube::Api::all(scope.client()).get(&namespace).await.unwrap();
        let expected = PodIdentity {
            namespace_uid: object.metadata.uid.unwrap(),
            namespace: namespace.clone(),
            service_account_name: "web".into(),
            service_account_uid: spec["serviceAccountUID"].as_str().unwrap().into(),
            pod_name: "web-0".into(),
            pod_uid: pod.uid.clone(),
            node_name: kubelet.node_name().into(),
            node_uid: kubelet.node_uid().into(),
        };
        assert_eq!(identity, expected);
        assert!(issued.leaf().subject().is_empty(), "{}", issued.leaf().subject());
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn without_get_on_namespaces_the_request_waits_and_the_right_is_named() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("pod-identity");
        let user = User::new(scope).await?;
        let mut rights = of_every_signer();
        rights.extend([watch_bundles(), on_signer("sign", &signer), on_signer("attest", &signer)]);
        user.grant(&rights).await;
        let manager = Setup::new().signer(&signer, "kind: pod-identity").start_as(user.client());
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        let (_, request) = ask(&kubelet, pod(&namespace, &signer)).await?;
        manager.readyz(|page| page.body.contains("namespaces \"") && page.body.contains("forbidden")).await;
        user.grant(&[json!({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]})]).await;
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

/// What kube-apiserver takes the holder of a pod's certificate for; its status code if it doesn't.
async fn logged_in(scope: &Scope, request: &SentRequest, chain: &str) -> Result<serde_json::Value, u16> {
    let mut config = scope.cluster().config();
    let encoded = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    config.auth_info = AuthInfo {
        client_certificate_data: Some(encoded(chain)),
        client_key_data: Some(encoded(&request.key.private_key_pem()).into()),
        ..AuthInfo::default()
    };
    let reviews: kube::Api<SelfSubjectReview> = kube::Api::all(Client::try_from(config).unwrap());
    let review = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await;
    match review {
        Ok(review) => Ok(serde_json::to_value(review.status.unwrap().user_info).unwrap()),
        Err(kube::Error::Api(status)) => Err(status.code),
        Err(error) => panic!("{error}"),
    }
}

/// The file of `--client-ca-file`, which kube-apiserver reads again when it changes.
struct ClientCas {
    path: PathBuf,
    original: String,
}

impl ClientCas {
    fn of(scope: &Scope) -> Self {
        let path = scope.cluster().kubeconfig().unwrap().parent().unwrap().join("pki/ca.crt");
        Self { original: fs::read_to_string(&path).unwrap(), path }
    }

    fn and(&self, further: &str) {
        self.write(&format!("{}\n{further}", self.original));
    }

    /// At once, as somebody may be reading it.
    fn write(&self, text: &str) {
        let new = self.path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, &self.path).unwrap();
    }
}

impl Drop for ClientCas {
    fn drop(&mut self) {
        self.write(&self.original);
    }
}

#[tokio::test]
async fn the_api_server_knows_the_service_account_as_long_as_it_trusts_the_root() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("pod-identity");
        let manager = Setup::new().signer(&signer, "kind: pod-identity, format: apiserver").start(scope);
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        let (_, request) = ask(&kubelet, pod(&namespace, &signer)).await?;
        let issued = issued(scope, &request).await?;
        let chain = &issued.status.chain_pem;
        assert_eq!(logged_in(scope, &request, chain).await, Err(401), "whose root isn't trusted");

        let trusted = ClientCas::of(scope);
        trusted.and(&issued.bundle.anchors_pem);
        let user = eventually("a login", async || {
            logged_in(scope, &request, chain).await.map_err(|code| code.to_string())
        })
        .await;
        let name = format!("system:serviceaccount:{namespace}:web");
        assert_eq!(user["username"], name);
        let groups = json!([
            "system:serviceaccounts",
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated"
        ]);
        assert_eq!(user["groups"], groups);
        assert_eq!(user["uid"], request.read().await?["spec"]["serviceAccountUID"]);
        drop(trusted);
        eventually("a refusal", async || match logged_in(scope, &request, chain).await {
            Err(401) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        manager.stop().await;
        Ok(())
    })
    .await
}
