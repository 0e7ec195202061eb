//! TLS connections within the test: no sockets, no clock to wait for.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    io::{Read, Write},
    sync::Arc,
    time::{Duration, SystemTime},
};

use pod_credentials::{CredentialFiles, Credentials, TrustBundle, TrustFile, Watched};
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use rustls_pki_types::{CertificateDer, ServerName};
use test_cluster::pod_volume::Volume;

/// A volume with a file in it that can be replaced, and what follows it.
pub(crate) struct Mounted<T: pod_credentials::Mounted> {
    pub(crate) watched: Watched<T>,
    volume: Volume,
}

pub(crate) fn credentials(bundle: String) -> Mounted<Credentials> {
    let volume = Volume::new();
    volume.write([("file.pem", bundle)]);
    let watched = Watched::once(CredentialFiles::bundle(volume.path("file.pem")), SystemTime::now());
    Mounted { watched, volume }
}

pub(crate) fn trust(roots: String) -> Mounted<TrustBundle> {
    let volume = Volume::new();
    volume.write([("file.pem", roots)]);
    let watched = Watched::once(TrustFile::new(volume.path("file.pem")), SystemTime::now());
    Mounted { watched, volume }
}

impl<T: pod_credentials::Mounted> Mounted<T> {
    /// Replaces the file as kubelet does, and looks.
    pub(crate) fn replace(&self, content: String) {
        self.volume.write([("file.pem", content)]);
        self.watched.look(SystemTime::now());
    }
}

/// A connection whose handshake both ends have finished.
pub(crate) struct Connection {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

/// What came of a handshake: a connection, or what each end says.
pub(crate) type Handshake = Result<Connection, Box<Refused>>;

#[derive(Debug, Default)]
pub(crate) struct Refused {
    pub(crate) by_client: Option<rustls::Error>,
    pub(crate) by_server: Option<rustls::Error>,
}

/// A handshake; the client asks for `web.shop.svc`.
pub(crate) fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Handshake {
    let name = ServerName::try_from("web.shop.svc").unwrap();
    let mut connection = Connection {
        client: ClientConnection::new(Arc::clone(client), name).unwrap(),
        server: ServerConnection::new(Arc::clone(server)).unwrap(),
    };
    let mut refused = Refused::default();
    // Alerts have to arrive too: a client's handshake with TLS 1.3 is done before the server has judged it.
    for _ in 0..10 {
        carry_to_server(&mut connection, &mut refused);
        carry_to_client(&mut connection, &mut refused);
    }
    if refused.by_client.is_some() || refused.by_server.is_some() {
        return Err(Box::new(refused));
    }
    assert!(!connection.client.is_handshaking() && !connection.server.is_handshaking());
    Ok(connection)
}

fn carry_to_server(connection: &mut Connection, refused: &mut Refused) {
    let mut wire = Vec::new();
    while connection.client.wants_write() {
        connection.client.write_tls(&mut wire).unwrap();
    }
    let mut wire = wire.as_slice();
    while !wire.is_empty() && refused.by_server.is_none() {
        connection.server.read_tls(&mut wire).unwrap();
        refused.by_server = connection.server.process_new_packets().err();
    }
}

fn carry_to_client(connection: &mut Connection, refused: &mut Refused) {
    let mut wire = Vec::new();
    while connection.server.wants_write() {
        connection.server.write_tls(&mut wire).unwrap();
    }
    let mut wire = wire.as_slice();
    while !wire.is_empty() && refused.by_client.is_none() {
        connection.client.read_tls(&mut wire).unwrap();
        refused.by_client = connection.client.process_new_packets().err();
    }
}

impl Connection {
    /// Sends a word each way.
    pub(crate) fn talk(&mut self) {
        let mut refused = Refused::default();
        self.client.writer().write_all(b"ping").unwrap();
        carry_to_server(self, &mut refused);
        let mut word = [0; 4];
        self.server.reader().read_exact(&mut word).unwrap();
        self.server.writer().write_all(&word).unwrap();
        carry_to_client(self, &mut refused);
        self.client.reader().read_exact(&mut word).unwrap();
        assert_eq!(&word, b"ping");
    }

    /// The server's certificate, as the client saw it.
    pub(crate) fn server_certificate(&self) -> CertificateDer<'static> {
        self.client.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
