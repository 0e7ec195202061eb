//! The ca-injector, with the rights that its page gives it, for a real webhook.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{
        Request,
        header::{CONNECTION, CONTENT_TYPE},
    },
    routing::post,
    serve::Listener,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ca_injector::Injector;
use jiff::Timestamp;
use k8s_openapi::api::{admissionregistration::v1::ValidatingWebhookConfiguration, core::v1::ConfigMap};
use kube::{Api, api::PostParams};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::{Value, json};
use signer_core::{SignerName, ca_pool::BUNDLE_PROPAGATION};
use test_cluster::{Certificate, CertificateSource, Error, KeyType, NewPod, Scope, unique};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::support::{
    ageing::age_bundle,
    ask,
    bundle_endpoint::pem_of,
    ca::write_whole,
    eventually,
    http::{Page, free_address, readyz},
    issued::issued,
    on_cluster,
    pool::{change, rotate},
    process::signer_manager,
    rights::{User, owner_of, token_of},
    setup::Setup,
    shipped::yaml_of,
};

const ANNOTATION: &str = "pod-certificate-signers/inject-anchors-of";

const PAGE: &str = "docs/ca-injector.md";

/// Certifies a pod for this machine.
const LOOPBACK: &str =
    r#"kind: annotation, grants: [{namespaces: ["*"], serviceAccounts: ["*"], ips: ["127.0.0.0/8"]}]"#;

/// The certificate that a server shows, which may be exchanged.
#[derive(Debug, Default)]
struct Shown(Mutex<Option<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.lock().unwrap().clone()
    }
}

impl Shown {
    /// Asks the signer for a certificate, and shows it from now on. Returns its issuer.
    async fn renew(&self, scope: &Scope, namespace: &str, signer: &str) -> Result<Vec<u8>, Error> {
        let pod = NewPod::new(namespace, &format!("webhook-{}", unique::label()));
        let pod = pod.annotation(&format!("{signer}-ips"), "127.0.0.1");
        let pod = pod.certificate(CertificateSource::new(signer, KeyType::EcdsaP256));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        let issued = issued(scope, &request).await?;
        let chain = CertificateDer::pem_slice_iter(issued.status.chain_pem.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(request.key.private_key_pem().as_bytes()).unwrap();
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        *self.0.lock().unwrap() = Some(Arc::new(CertifiedKey::new(chain, key)));
        Ok(issued.leaf().issuer_der().to_vec())
    }
}

/// A webhook that admits all; each call is a connection of its own, as with a server that restarts.
struct Webhook {
    url: String,
    calls: Arc<AtomicUsize>,
}

impl Webhook {
    async fn start(shown: Arc<Shown>) -> Self {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_cert_resolver(shown)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        let admit = async move |body: Bytes| {
            count.fetch_add(1, Ordering::Relaxed);
            let review: Value = serde_json::from_slice(&body).unwrap();
            let response = json!({"uid": review["request"]["uid"], "allowed": true});
            let review =
                json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
            ([(CONTENT_TYPE, "application/json"), (CONNECTION, "close")], review.to_string())
        };
        let listener = TlsListener { listener, acceptor };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(admit))).await });
        Self { url, calls }
    }
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, peer) = self.listener.accept().await.unwrap();
            // a client that doesn't trust the certificate hangs up
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A configuration of a webhook for the ConfigMaps of one namespace. It goes with the namespace.
async fn webhooks(scope: &Scope, namespace: &str, url: &str, annotations: Value) -> String {
    let name = format!("webhook-{}.example.test", unique::label());
    let configuration = json!({
        "metadata": {"name": name, "annotations": annotations, "ownerReferences": [owner_of(scope, namespace).await]},
        "webhooks": [{
            "name": name, "clientConfig": {"url": url}, "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "failurePolicy": "Fail", "timeoutSeconds": 5,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
        }],
    });
    let configuration: ValidatingWebhookConfiguration = serde_json::from_value(configuration).unwrap();
    Api::all(scope.client()).create(&PostParams::default(), &configuration).await.unwrap();
    name
}

async fn ca_bundle(scope: &Scope, name: &str) -> Option<Vec<u8>> {
    let configuration: ValidatingWebhookConfiguration = Api::all(scope.client()).get(name).await.unwrap();
    configuration.webhooks.unwrap().remove(0).client_config.ca_bundle.map(|bundle| bundle.0)
}

/// Waits until the webhook's `caBundle` has so many anchors.
async fn has_anchors(scope: &Scope, name: &str, count: usize) {
    eventually("anchors in caBundle", async || {
        let bundle = ca_bundle(scope, name).await.unwrap_or_default();
        let anchors = Certificate::all(&String::from_utf8(bundle).unwrap()).unwrap_or_default();
        if anchors.len() == count { Ok(()) } else { Err(format!("{} anchors", anchors.len())) }
    })
    .await;
}

/// Makes a ConfigMap, which the webhook is asked about.
async fn admission(scope: &Scope, namespace: &str) -> Result<(), kube::Error> {
    let maps: Api<ConfigMap> = Api::namespaced(scope.client(), namespace);
    let map = json!({"metadata": {"name": format!("map-{}", unique::label())}});
    maps.create(&PostParams::default(), &serde_json::from_value(map).unwrap()).await.map(|_| ())
}

/// A kubeconfig of a service account that has the rights of the page, for these targets and this signer.
async fn kubeconfig(scope: &Scope, setup: &Setup, targets: &[&str], signer: &str) -> Result<PathBuf, Error> {
    let namespace = scope.namespace("ca-injector").await?;
    let account = User::service_account(scope, &namespace, "ca-injector").await?;
    let role = yaml_of(PAGE).into_iter().find(|object| object["kind"] == "ClusterRole").unwrap();
    let mut rules = role["rules"].as_array().unwrap().clone();
    assert_eq!(rules[0]["resources"], json!(["validatingwebhookconfigurations"]));
    rules[0]["resourceNames"] = json!(targets);
    assert_eq!(rules[1]["resources"], json!(["clustertrustbundles"]));
    rules[1]["resourceNames"] = json!([signer.parse::<SignerName>().unwrap().bundle_name()]);
    account.grant(&rules).await;
    let config = scope.cluster().config();
    let ca: String = config.root_cert.iter().flatten().map(|der| pem_of("CERTIFICATE", der)).collect();
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{"name": "a", "cluster": {
            "server": config.cluster_url.to_string(), "certificate-authority-data": STANDARD.encode(ca),
        }}],
        "users": [{"name": "a", "user": {"token": token_of(scope, &namespace, "ca-injector").await?}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    });
    let path = setup.dir.path().join("ca-injector.kubeconfig");
    write_whole(&path, text.to_string().as_bytes());
    Ok(path)
}

#[tokio::test]
async fn a_webhook_is_trusted_through_a_rotation_and_no_other_is_touched() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("webhooks");
        let setup = Setup::new().signer(&signer, LOOPBACK);
        let manager = setup.start(scope);
        manager.ready().await;
        let namespace = scope.namespace("webhooks").await?;
        let shown = Arc::new(Shown::default());
        let first = shown.renew(scope, &namespace, &signer).await?;
        let webhook = Webhook::start(Arc::clone(&shown)).await;
        let kept = webhooks(scope, &namespace, &webhook.url, json!({ANNOTATION: signer})).await;
        let quiet = scope.namespace("quiet").await?;
        let other = webhooks(scope, &quiet, &webhook.url, json!({})).await;

        let refused = admission(scope, &namespace).await.unwrap_err().to_string();
        assert!(refused.contains("failed to verify certificate"), "{refused}");
        let http = free_address();
        let mut injector = signer_manager();
        injector.arg("ca-injector").args(["--http-bind", &http.to_string()]).arg("--kubeconfig");
        injector.arg(kubeconfig(scope, &setup, &[&kept, &other], &signer).await?);
        for target in [&kept, &other] {
            injector.arg(format!("--target=validatingwebhookconfigurations/{target}"));
        }
        let injector = injector.spawn().unwrap();
        has_anchors(scope, &kept, 1).await;
        let lacks =
            |page: &Page| page.body.contains(&format!("{other}: not ready\n  - it lacks the annotation"));
        let page = readyz(http, |page| page.code == 503 && lacks(page)).await;
        assert!(!page.body.contains(&kept), "{}", page.body);
        // kube-apiserver learns of it by a watch of its own
        eventually("an admission", async || {
            admission(scope, &namespace).await.map_err(|error| error.to_string())
        })
        .await;

        let path = setup.pool_path(&signer);
        rotate(&path);
        has_anchors(scope, &kept, 2).await;
        admission(scope, &namespace).await.unwrap();
        age_bundle(scope, &signer, BUNDLE_PROPAGATION).await;
        eventually("the successor to sign", async || {
            admission(scope, &namespace).await.unwrap();
            match shown.renew(scope, &namespace, &signer).await.unwrap() {
                issuer if issuer != first => Ok(()),
                _ => Err("the first CA still signs".to_owned()),
            }
        })
        .await;
        admission(scope, &namespace).await.unwrap();
        change(&path, |pool| pool.without_compromised("1", None, Timestamp::now()).unwrap());
        has_anchors(scope, &kept, 1).await;
        for _ in 0..20 {
            admission(scope, &namespace).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(webhook.calls.load(Ordering::Relaxed) > 23);
        assert_eq!(ca_bundle(scope, &other).await, None);
        drop(injector);
        manager.stop().await;
        Ok(())
    })
    .await
}

/// Creates an object by its path, and returns what reads it.
async fn created(scope: &Scope, collection: &str, object: &Value) -> impl AsyncFn() -> Value {
    let client = scope.client();
    let body = object.to_string().into_bytes();
    client.request::<Value>(Request::post(collection).body(body).unwrap()).await.unwrap();
    let path = format!("{collection}/{}", object["metadata"]["name"].as_str().unwrap());
    async move || client.request(Request::get(&path).body(Vec::new()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn mutating_webhooks_api_services_and_conversions_are_kept_too() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("webhooks");
        let setup = Setup::new().signer(&signer, LOOPBACK);
        let manager = setup.start(scope);
        manager.ready().await;
        let published = scope.cluster().trust_bundles(&signer).await?.remove(0).anchors_pem;
        let group = format!("g{}.example.test", unique::label());
        let owner = owner_of(scope, &scope.namespace("kinds").await?).await;
        let metadata = |name: &str| {
            json!({"name": name, "annotations": {ANNOTATION: signer}, "ownerReferences": [owner]})
        };
        let service = json!({"namespace": "nowhere", "name": "nobody"});
        let mutating = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": metadata(&group),
            "webhooks": [{
                "name": group, "clientConfig": {"service": service}, "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "rules": [],
            }],
        });
        let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}});
        let converted = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata(&format!("things.{group}")),
            "spec": {
                "group": group, "scope": "Namespaced", "versions": [version],
                "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
                "conversion": {"strategy": "Webhook", "webhook": {
                    "clientConfig": {"service": service}, "conversionReviewVersions": ["v1"],
                }},
            },
        });
        let aggregated = json!({
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": metadata(&format!("v1.aggregated.{group}")),
            "spec": {"group": format!("aggregated.{group}"), "version": "v1", "service": service, "groupPriorityMinimum": 1, "versionPriority": 1},
        });
        let kinds = [
            ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", mutating, "/webhooks/0/clientConfig/caBundle"),
            ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", converted, "/spec/conversion/webhook/clientConfig/caBundle"),
            ("/apis/apiregistration.k8s.io/v1/apiservices", aggregated, "/spec/caBundle"),
        ];
        for (collection, object, place) in kinds {
            let read = created(scope, collection, &object).await;
            let plural = collection.rsplit('/').next().unwrap();
            let target = format!("{plural}/{}", object["metadata"]["name"].as_str().unwrap());
            let (injector, mut state) = Injector::new(scope.client(), vec![target.parse().unwrap()]);
            tokio::select! {
                () = injector.run() => {}
                looked = state.changed() => looked.unwrap(),
            }
            assert!(state.borrow().readiness().0, "{target}: {:?}", state.borrow());
            let object = read().await;
            let bundle = object.pointer(place).and_then(Value::as_str).unwrap_or_default();
            assert_eq!(String::from_utf8(STANDARD.decode(bundle).unwrap()).unwrap(), published, "{target}");
            let delete = Request::delete(format!("{collection}/{}", target.split_once('/').unwrap().1));
            scope.client().request::<Value>(delete.body(Vec::new()).unwrap()).await.unwrap();
        }
        manager.stop().await;
        Ok(())
    })
    .await
}
