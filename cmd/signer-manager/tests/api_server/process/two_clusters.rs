//! Two clusters, each with a control plane and a trust domain of its own, whose pods speak mTLS.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use pod_credentials::{
    Clients, CredentialFolder, PeerRule, Servers, SpiffeRule, client_config, server_config,
};
use rustls_pki_types::ServerName;
use signer_core::ca_pool::BUNDLE_PROPAGATION;
use test_cluster::{
    CertificateSource, Cluster, ControlPlane, Error, KeyType, NewPod, Scope, own_control_plane,
    pod_volume::Volume, unique,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::support::{
    SOON,
    ageing::age_bundle,
    ask,
    ca::write_whole,
    eventually,
    http::free_address,
    issued::issued,
    on_cluster,
    pool::{change, published, read, rotate},
    process::{Process, signer_manager},
    setup::Setup,
};

/// Longer than an answer of a bundle endpoint counts.
const NEWER_ANSWER: Duration = Duration::from_secs(6);

const A: &str = "a.example";
const B: &str = "b.example";

/// A cluster, with a signer of its trust domain, and a pod that has its certificate and both domains' anchors.
struct Side<'a> {
    scope: &'a Scope,
    domain: &'static str,
    signer: String,
    namespace: String,
    setup: Setup,
    endpoint: SocketAddr,
    volume: Volume,
    folder: CredentialFolder,
}

impl<'a> Side<'a> {
    async fn new(scope: &'a Scope, domain: &'static str) -> Result<Self, Error> {
        let signer = scope.signer_name("spiffe");
        scope.owns_signer_name(&format!("{signer}-federation"));
        let setup = Setup::new().signer(&signer, "");
        let volume = Volume::new();
        let folder = CredentialFolder::once(volume.dir(), SystemTime::now());
        let namespace = scope.namespace("shop").await?;
        Ok(Self { scope, domain, signer, namespace, setup, endpoint: free_address(), volume, folder })
    }

    /// The SPIFFE ID of its bundle endpoint.
    fn id(&self) -> String {
        format!("spiffe://{}/bundle-endpoint", self.domain)
    }

    /// Its signer, which fetches the other's bundle at the start: what a roll of the Deployment does too.
    async fn start(&self, other: &Self) -> Process {
        let first = self.setup.dir.path().join("first.pem");
        if !first.exists() {
            let pool = read(&other.setup.pool_path(&other.signer));
            write_whole(&first, pool.authority(0).root().to_pem().as_bytes());
        }
        let fields = format!(
            "kind: spiffe, trustDomain: {}, federation: [{{trustDomain: {}, bundleEndpointURL: \"https://{}/{}\", \
             bundleEndpointProfile: {{type: https_spiffe, endpointSPIFFEID: \"{}\"}}, trustBundle: {{file: {}}}}}]",
            self.domain,
            other.domain,
            other.endpoint,
            other.domain,
            other.id(),
            first.display()
        );
        let bind = self.endpoint.to_string();
        let further = ["--bundle-endpoint", &bind, "--bundle-endpoint-spiffe-id", &self.id()];
        let setup = self.setup.changed(&self.signer, &fields);
        let process = setup.spawn_by(signer_manager(), self.scope.cluster(), &further);
        process.ready().await;
        process
    }

    /// The anchors of the other domain, once there are so many.
    async fn of_other(&self, count: usize) -> Result<String, Error> {
        let name = format!("{}-federation", self.signer);
        let has_all = |pem: &str| pem.matches("BEGIN CERTIFICATE").count() == count;
        let bundle =
            self.scope.cluster().trust_bundle(&name, SOON, |bundle| has_all(&bundle.anchors_pem)).await?;
        Ok(bundle.anchors_pem)
    }

    /// Gives the pod its next certificate, and what is published now, as its kubelet would. Returns the issuer.
    async fn renew(&self, other: &str, anchors_of_other: usize) -> Result<Vec<u8>, Error> {
        let pod = NewPod::new(&self.namespace, &format!("web-{}", unique::label())).service_account("web");
        let pod = pod.certificate(CertificateSource::new(&self.signer, KeyType::EcdsaP256));
        let (_, request) = ask(&self.scope.kubelet().await?, pod).await?;
        let issued = issued(self.scope, &request).await?;
        let own = self.scope.cluster().trust_bundle(&self.signer, SOON, |_| true).await?.anchors_pem;
        let of = |domain: &str| format!("{domain}.spiffe-trust-bundle.x509.pem");
        let credentials = request.key.private_key_pem() + &issued.status.chain_pem;
        self.volume.write([
            ("credential-bundle.private-key.x509.pem", credentials),
            (&of(self.domain), own),
            (&of(other), self.of_other(anchors_of_other).await?),
        ]);
        self.folder.look(SystemTime::now());
        Ok(issued.leaf().issuer_der().to_vec())
    }
}

/// Each admits the service account `web` of the other's domain, whatever its namespace, and nobody of its own.
fn rule(domain: &str) -> PeerRule {
    PeerRule::spiffe(SpiffeRule::in_trust_domain(domain.parse().unwrap()))
}

/// A connection from one to the other, over which something is said.
async fn meet(client: &Side<'_>, server: &Side<'_>) {
    let of_server =
        server_config(server.folder.credentials(), Clients::required(&server.folder, rule(client.domain)));
    let of_client = client_config(
        Some(client.folder.credentials()),
        Servers::by_rule(&client.folder, rule(server.domain)),
    );
    let (near, far) = tokio::io::duplex(16 * 1024);
    let acceptor = TlsAcceptor::from(Arc::new(of_server.unwrap()));
    let connector = TlsConnector::from(Arc::new(of_client.unwrap()));
    let connected = connector.connect(ServerName::try_from("web.shop.svc").unwrap(), near);
    let (connected, accepted) = tokio::join!(connected, acceptor.accept(far));
    let (mut connected, mut accepted) = (connected.unwrap(), accepted.unwrap());
    accepted.write_all(b"hello").await.unwrap();
    accepted.flush().await.unwrap();
    let mut said = [0; 5];
    connected.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"hello");
}

async fn meet_both_ways(a: &Side<'_>, b: &Side<'_>) {
    meet(a, b).await;
    meet(b, a).await;
}

#[tokio::test]
async fn pods_of_two_clusters_speak_mtls_through_a_rotation_in_one() -> Result<(), Error> {
    let Some(options) = own_control_plane()? else {
        eprintln!("not run: a second control plane is needed, and tests use a foreign cluster");
        return Ok(());
    };
    let plane = tokio::task::spawn_blocking(move || ControlPlane::start(&options)).await.unwrap()?;
    let second = Cluster::of(&plane).await?;
    on_cluster(async |scope| second.run(async |other| through_a_rotation(scope, other).await).await).await
}

async fn through_a_rotation(in_a: &Scope, in_b: &Scope) -> Result<(), Error> {
    let (a, b) = (Side::new(in_a, A).await?, Side::new(in_b, B).await?);
    let (_of_a, of_b) = (a.start(&b).await, b.start(&a).await);
    let first = a.renew(B, 1).await?;
    b.renew(A, 1).await?;
    meet_both_ways(&a, &b).await;

    // the successor is in both clusters before it signs
    let path = a.setup.pool_path(&a.signer);
    rotate(&path);
    published(in_a, &a.signer, &read(&path)).await?;
    drop(of_b);
    tokio::time::sleep(NEWER_ANSWER).await;
    let of_b = b.start(&a).await;
    a.renew(B, 1).await?;
    b.renew(A, 2).await?;
    meet_both_ways(&a, &b).await;
    age_bundle(in_a, &a.signer, BUNDLE_PROPAGATION).await;
    eventually("the successor to sign", async || {
        let issuer = a.renew(B, 1).await.unwrap();
        meet_both_ways(&a, &b).await;
        if issuer == first { Err("the first CA still signs".to_owned()) } else { Ok(()) }
    })
    .await;

    // and the first one ends in both
    change(&path, |pool| pool.without_compromised("1", None, Timestamp::now()).unwrap());
    published(in_a, &a.signer, &read(&path)).await?;
    drop(of_b);
    tokio::time::sleep(NEWER_ANSWER).await;
    let _of_b = b.start(&a).await;
    b.renew(A, 1).await?;
    a.renew(B, 1).await?;
    meet_both_ways(&a, &b).await;
    Ok(())
}
