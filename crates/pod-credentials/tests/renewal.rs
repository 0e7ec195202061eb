//! What becomes of connections and handshakes when certificates and anchors change.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::{sync::Arc, time::SystemTime};

use pod_credentials::{
    Certificate, Clients, CredentialFiles, Credentials, PeerRule, Servers, SpiffeRule, Watched,
    client_config, peer_spiffe_id, server_config,
};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, HandshakeKind, ServerConfig,
    sign::SingleCertAndKey,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use support::{Connection, HOUR, Mounted, credentials, handshake, trust};
use test_cluster::pod_volume::{Ca, Volume};

const WEB: &str = "web.shop.svc";
const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";

/// A server that requires a SPIFFE client, and such a client.
struct Scene {
    ca: Ca,
    of_server: Mounted<Credentials>,
    of_client: Mounted<Credentials>,
    trusted_by_server: Mounted<pod_credentials::TrustBundle>,
    trusted_by_client: Mounted<pod_credentials::TrustBundle>,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

fn scene() -> Scene {
    let ca = Ca::new("old");
    let (of_server, of_client) = (credentials(ca.dns(WEB).bundle()), credentials(ca.uri(CART).bundle()));
    let (trusted_by_server, trusted_by_client) = (trust(ca.root()), trust(ca.root()));
    let rule = SpiffeRule::in_trust_domain("cluster.local".parse().unwrap());
    let clients = Clients::required(&trusted_by_server.watched, PeerRule::spiffe(rule));
    let servers = Servers::by_name(&trusted_by_client.watched);
    Scene {
        server: Arc::new(server_config(&of_server.watched, clients).unwrap()),
        client: Arc::new(client_config(Some(&of_client.watched), servers).unwrap()),
        ca,
        of_server,
        of_client,
        trusted_by_server,
        trusted_by_client,
    }
}

impl Scene {
    fn connect(&self) -> Connection {
        handshake(&self.client, &self.server).unwrap()
    }
}

fn serial(der: &[u8]) -> String {
    Certificate::from_der(der).unwrap().serial
}

#[test]
fn renewed_certificates_are_shown_in_the_next_handshake_and_live_connections_go_on() {
    let scene = scene();
    let mut live = scene.connect();
    live.talk();
    let first = serial(&live.server_certificate());

    scene.of_server.replace(scene.ca.dns(WEB).bundle());
    scene.of_client.replace(scene.ca.uri("spiffe://cluster.local/ns/shop/sa/other").bundle());
    live.talk();
    let mut next = scene.connect();
    next.talk();
    live.talk();
    assert_eq!(serial(&next.server_certificate()), scene.of_server.watched.current().unwrap().leaf().serial);
    assert_ne!(serial(&next.server_certificate()), first);
    assert_eq!(peer_spiffe_id(live.server.peer_certificates()).unwrap().to_string(), CART);
    let renewed = peer_spiffe_id(next.server.peer_certificates()).unwrap();
    assert_eq!(pod_credentials::service_account(&renewed), Some(("shop", "other")));
}

#[test]
fn a_new_root_is_trusted_in_the_next_handshake_and_an_old_one_no_longer() {
    let (scene, new) = (scene(), Ca::new("new"));
    let mut live = scene.connect();

    scene.of_server.replace(new.dns(WEB).bundle());
    let refused = handshake(&scene.client, &scene.server).err().unwrap();
    assert_eq!(refused.by_client, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    scene.trusted_by_client.replace(scene.ca.root() + &new.root());
    scene.connect().talk();
    scene.trusted_by_client.replace(new.root());
    scene.connect().talk();

    scene.trusted_by_server.replace(new.root());
    let refused = handshake(&scene.client, &scene.server).err().unwrap();
    assert_eq!(refused.by_server, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    assert_eq!(refused.by_client, Some(Error::AlertReceived(AlertDescription::UnknownCA)));
    scene.of_client.replace(new.uri(CART).bundle());
    scene.connect().talk();
    live.talk();
}

#[test]
fn no_session_is_resumed_by_clients_that_would() {
    let scene = scene();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = Arc::new(eager_client(&scene, version));
        for _ in 0..3 {
            let mut connected = handshake(&client, &scene.server).unwrap();
            connected.talk();
            assert_eq!(connected.client.handshake_kind(), Some(HandshakeKind::Full));
            assert_eq!(connected.client.tls13_tickets_received(), 0);
        }
    }
}

#[test]
fn no_session_is_resumed_with_servers_that_would() {
    let scene = scene();
    let credentials = scene.of_server.watched.current().unwrap();
    let server = Arc::new(
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(
                credentials.certified_key().as_ref().clone(),
            ))),
    );
    for (client, last) in [
        (Arc::new(eager_client(&scene, &rustls::version::TLS13)), HandshakeKind::Resumed),
        (Arc::clone(&scene.client), HandshakeKind::Full),
    ] {
        handshake(&client, &server).unwrap().talk();
        assert_eq!(handshake(&client, &server).unwrap().client.handshake_kind(), Some(last));
    }
}

/// A client of rustls alone, which resumes sessions where it can.
fn eager_client(scene: &Scene, version: &'static rustls::SupportedProtocolVersion) -> ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(scene.ca.root().as_bytes()).unwrap()).unwrap();
    let credentials = scene.of_client.watched.current().unwrap();
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(
            credentials.certified_key().as_ref().clone(),
        )))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[test]
fn an_expired_certificate_is_refused_by_the_peer_until_a_newer_one_comes() {
    let scene = scene();
    let now = SystemTime::now();
    let short = scene.ca.dns(WEB).valid(now - 2 * HOUR, HOUR).bundle();
    scene.of_server.replace(short.clone());
    scene.connect().talk();
    // loaded while it was valid, as in a pod that kubelet has stopped to serve
    let volume = Volume::new();
    volume.write([("c.pem", short)]);
    let stale: Watched<Credentials> =
        Watched::once(CredentialFiles::bundle(volume.path("c.pem")), now - HOUR - HOUR / 2);
    let server = Arc::new(server_config(&stale, Clients::anonymous()).unwrap());
    let refused = handshake(&scene.client, &server).err().unwrap();
    let Some(Error::InvalidCertificate(CertificateError::ExpiredContext { .. })) = refused.by_client else {
        panic!("{refused:?}")
    };
    volume.write([("c.pem", scene.ca.dns(WEB).bundle())]);
    stale.look(now);
    handshake(&scene.client, &server).unwrap().talk();
}

#[test]
fn without_files_handshakes_fail_and_say_why() {
    let scene = scene();
    let missing = || Watched::once(CredentialFiles::bundle("/nowhere/c.pem"), SystemTime::now());
    let server = Arc::new(server_config(&missing(), Clients::anonymous()).unwrap());
    assert!(handshake(&scene.client, &server).err().unwrap().by_server.is_some());

    let no_trust = Watched::once(pod_credentials::TrustFile::new("/nowhere/roots.pem"), SystemTime::now());
    let client = Arc::new(client_config(None, Servers::by_name(&no_trust)).unwrap());
    let said = handshake(&client, &scene.server).err().unwrap().by_client.unwrap().to_string();
    assert!(said.contains("/nowhere/roots.pem: there is no such file"), "{said}");

    let servers = Servers::by_name(&scene.trusted_by_client.watched);
    let client = Arc::new(client_config(Some(&missing()), servers).unwrap());
    let refused = handshake(&client, &scene.server).err().unwrap();
    assert_eq!(refused.by_server, Some(Error::NoCertificatesPresented));
}
