//! nginx, configured as `docs/using-certificates.md` says, through a renewal and a change of anchors.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod recipe;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    sync::Arc,
    time::SystemTime,
};

use pod_credentials::{Certificate, CredentialFiles, Servers, TrustFile, Watched, client_config};
use recipe::{Process, adapted, free_port, program, until};
use rustls::{ClientConnection, StreamOwned};
use tempfile::TempDir;
use test_cluster::pod_volume::{Ca, Volume};

const WEB: &str = "web.shop.pod.cluster.local";

/// nginx with its reloading loop, and the volume that they see.
struct Nginx {
    port: u16,
    volume: Volume,
    ca: Ca,
    server: Process,
    reloading: Process,
    _dir: TempDir,
}

impl Nginx {
    fn start() -> Self {
        let nginx = program("nginx", &["/usr/local/sbin", "/usr/sbin", "/sbin"], "nginx-light");
        let (dir, volume, port, ca) =
            (TempDir::new().unwrap(), Volume::new(), free_port(), Ca::new("servers"));
        let (tls, tmp) = (volume.dir().to_str().unwrap().to_owned(), dir.path().to_str().unwrap().to_owned());
        let listen = format!("listen 127.0.0.1:{port}");
        // the volume last, since its path has /tmp/ too
        let changes = [("/tmp/", &*format!("{tmp}/")), ("listen 8443", &listen), ("/run/tls", &tls)];
        let configuration = adapted("nginx.conf", &changes);
        let file = dir.path().join("nginx.conf");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(&file, configuration).unwrap();
        volume.write([("credentials.pem", ca.dns("localhost").bundle()), ("client-roots.pem", ca.root())]);
        let call = format!("{} -c {} -e stderr", nginx.display(), file.display());
        let nginx = nginx.to_str().unwrap();
        let script = adapted(
            "nginx-reload.sh",
            &[("/run/tls", &tls), ("sleep 5", "sleep 0.2"), ("nginx -s", &format!("{call} -s"))],
        );
        let mut command = as_nobody(nginx);
        command.arg("-c").arg(&file).args(["-e", "stderr", "-g", "daemon off;"]);
        let server = Process::start(&mut command, &dir.path().join("nginx.log"));
        until("nginx must listen", || TcpStream::connect(("127.0.0.1", port)).ok());
        let first = until("nginx must have a worker", || server.children().pop());
        let reloading = Process::start(as_nobody("sh").args(["-c", &script]), &dir.path().join("reload.log"));
        let nginx = Self { port, volume, ca, server, reloading, _dir: dir };
        // the loop begins with a reload for which there is no need
        nginx.succeeds(&first);
        nginx
    }

    /// The worker, once it alone is there, and not the one before. While a reload goes on, either may take a
    /// connection, and the old one may close it.
    fn succeeds(&self, before: &str) -> String {
        until("a new worker must be there, and the old one gone", || match &*self.server.children() {
            [worker] if worker != before => Some(worker.clone()),
            _ => None,
        })
    }

    fn mount(&self, bundle: String, client_roots: String) {
        self.volume.write([("credentials.pem", bundle), ("client-roots.pem", client_roots)]);
    }

    fn connect(&self, client: &Client) -> StreamOwned<ClientConnection, TcpStream> {
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let name = "localhost".try_into().unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&client.0), name).unwrap(), tcp)
    }

    /// The answer, and the serial number of the certificate that nginx has shown; none if the connection was
    /// closed.
    fn get(&self, client: &Client) -> Option<(String, String)> {
        let mut stream = self.connect(client);
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        Some((answer, serial(&stream.conn)))
    }

    fn answers(&self, client: &Client, wanted: &str) {
        until(wanted, || self.get(client)?.0.contains(wanted).then_some(()));
    }

    fn shows(&self, client: &Client, bundle: &str) {
        let expected = serial_of(bundle);
        until("nginx must show the renewed certificate", || (self.get(client)?.1 == expected).then_some(()));
    }
}

/// Pods mostly run as anybody but root.
fn as_nobody(program: &str) -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout != b"0\n" {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", program]);
    command
}

struct Client(Arc<rustls::ClientConfig>);

/// A client of `ca` that trusts the servers' CA.
fn client(servers: &Ca, ca: &Ca, common_name: &str) -> Client {
    client_of(servers, ca.leaf().common_name(common_name).bundle())
}

/// A client with this certificate.
fn client_of(servers: &Ca, bundle: String) -> Client {
    let volume = Volume::new();
    volume.write([("c.pem", bundle), ("roots.pem", servers.root())]);
    let now = SystemTime::now();
    let own = Watched::once(CredentialFiles::bundle(volume.path("c.pem")), now);
    let roots = Watched::once(TrustFile::new(volume.path("roots.pem")), now);
    Client(Arc::new(client_config(Some(&own), Servers::by_name(&roots)).unwrap()))
}

fn serial(connection: &ClientConnection) -> String {
    let shown = connection.peer_certificates().map(|chain| Certificate::from_der(&chain[0]).unwrap().serial);
    shown.unwrap_or_default()
}

fn serial_of(bundle: &str) -> String {
    let volume = Volume::new();
    volume.write([("c.pem", bundle.to_owned())]);
    let files = CredentialFiles::bundle(volume.path("c.pem"));
    pod_credentials::Credentials::load(&files, SystemTime::now()).unwrap().leaf().serial.clone()
}

#[test]
fn nginx_follows_renewals_and_anchors() {
    let nginx = Nginx::start();
    let web = client(&nginx.ca, &nginx.ca, WEB);
    let (answer, _) = nginx.get(&web).unwrap();
    assert!(answer.contains("200 OK") && answer.ends_with(&format!("hello, CN={WEB}\n")), "{answer}");
    let other = client(&nginx.ca, &nginx.ca, "web.elsewhere.pod.cluster.local");
    assert!(nginx.get(&other).unwrap().0.contains("403 Forbidden"));
    // what a pod of another namespace gets that is *named* web.shop.pod.cluster.local; with and without a CN
    // of a single label
    let impostor = nginx.ca.dns(&format!("{WEB}.evil.pod.cluster.local")).bundle();
    let named = nginx.ca.dns(&format!("{WEB}.evil.pod.cluster.local")).common_name("web").bundle();
    let longer = nginx.ca.leaf().common_name(&format!("{WEB}.evil.pod.cluster.local")).bundle();
    for bundle in [impostor, named, longer] {
        assert!(nginx.get(&client_of(&nginx.ca, bundle)).unwrap().0.contains("403 Forbidden"));
    }

    // A request that runs while the certificate is renewed: nginx has read its beginning with the end of the
    // request before, which it has answered.
    let first = nginx.server.children().pop().unwrap();
    let mut live = nginx.connect(&web);
    let begun = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n";
    live.write_all(begun).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(format!("hello, CN={WEB}\n").as_bytes()) {
        let mut byte = [0];
        live.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let renewed = nginx.ca.dns("localhost").bundle();
    nginx.mount(renewed.clone(), nginx.ca.root());
    nginx.shows(&web, &renewed);
    live.write_all(b"Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = live.read_to_string(&mut answer);
    assert!(answer.contains("200 OK"), "a request that runs must finish: {answer}");
    assert_ne!(serial(&live.conn), serial_of(&renewed));
    drop(live);
    nginx.succeeds(&first);

    let mut idle = nginx.connect(&web);
    idle.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    idle.read_exact(&mut [0]).unwrap();

    // files of no use: the old ones serve on
    nginx.mount("broken".into(), nginx.ca.root());
    until("the failed reload must be said", || nginx.reloading.log().contains("emerg").then_some(()));
    assert_eq!(nginx.get(&web).unwrap().1, serial_of(&renewed));

    let clients = Ca::new("clients");
    let renewed = nginx.ca.dns("localhost").bundle();
    nginx.mount(renewed.clone(), clients.root());
    let of_new_ca = client(&nginx.ca, &clients, WEB);
    nginx.shows(&of_new_ca, &renewed);
    idle.sock.set_read_timeout(Some(recipe::SOON)).unwrap();
    let closed = idle.read_to_end(&mut Vec::new());
    assert!(closed.is_ok(), "an idle connection is closed by a reload: {closed:?}");
    // the loop may have reloaded once more, as it did when the files changed under it
    nginx.answers(&of_new_ca, "200 OK");
    nginx.answers(&web, "400 The SSL certificate error");
    assert!(!nginx.server.log().contains("[crit]"), "{}", nginx.server.log());
}

#[test]
fn the_page_shows_the_example_of_the_crate() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/axum_server.rs");
    assert_eq!(recipe::block("axum_server.rs"), fs::read_to_string(example).unwrap());
}
