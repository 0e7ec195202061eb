//! From before the files are there, through renewals, to SIGTERM.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, SystemTime},
};

use support::{Demo, Pod, demo};
use test_cluster::pod_volume::{Ca, Volume};

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";

#[test]
fn both_start_without_files_say_what_is_missing_and_go_on_when_they_come() {
    let ca = Ca::new("mesh");
    let [server, client] = [(); 2].map(|()| Pod { ca: &ca, volume: Volume::new() });
    let running = server.serve_spiffe(&[]);
    let unready = running.probe("/healthz", "");
    assert!(unready.starts_with("HTTP/1.1 503"), "{unready}");
    assert!(
        unready.contains(&format!("not ready: {}: there is no such file; mount", server.credentials())),
        "{unready}"
    );
    let polls = client.fetch(&running.url("/spiffe-echo"), &[]);
    polls.line(&["poll failed", &client.credentials(), "no such file"]);

    client.renew(CART);
    polls.line(&["poll failed", "TLS with localhost"]);
    server.mount(ca.dns("localhost").bundle(), String::new());
    let unready = running.probe_until("/healthz", "roots.pem: it has no certificate");
    assert!(unready.starts_with("HTTP/1.1 503"), "{unready}");
    server.renew("localhost");
    running.probe_until("/healthz", "200 OK");
    polls.line(&["poll", "status=200", CART]);
}

#[test]
fn renewals_of_both_ends_are_met_by_the_next_poll_and_live_connections_go_on() {
    let ca = Ca::new("old");
    let (server, client) = (Pod::new(&ca, "localhost"), Pod::new(&ca, CART));
    let running = server.serve_spiffe(&[]);
    let polls = client.fetch(&running.url("/spiffe-echo"), &[]);
    polls.line(&["status=200", CART]);
    let mut live = Live::open(&running.address(), &client);
    assert_eq!(live.get("/spiffe-echo"), CART);

    server.renew("localhost");
    let renewed = serial_in_use(&running.probe_until("/status", "once since start"));
    polls.next(&["status=200", &format!("serial={renewed:?}")]);
    client.renew("spiffe://cluster.local/ns/shop/sa/other");
    polls.next(&["status=200", "/sa/other\""]);
    assert_eq!(live.get("/spiffe-echo"), CART, "a live connection keeps the identity of its handshake");

    // a new root, as CA rotation brings it: trusted by all first, then signed with
    let new = Ca::new("new");
    let both = || new.root() + &ca.root();
    server.mount(ca.dns("localhost").bundle(), both());
    client.mount(ca.uri(CART).bundle(), both());
    for end in [&running, &polls] {
        end.line(&["in use from now on: trust anchors", "CN=new"]);
    }
    running.probe_until("/status", "twice since start");
    server.mount(new.dns("localhost").bundle(), both());
    client.mount(new.uri(CART).bundle(), both());
    let renewed = serial_in_use(&running.probe_until("/status", "3 times since start"));
    polls.next(&["status=200", CART, &format!("serial={renewed:?}")]);
    assert!(!polls.text().contains("TLS with"), "no poll must have failed:\n{}", polls.text());
    assert_eq!(live.get("/spiffe-echo"), CART);
}

fn serial_in_use(status: &str) -> String {
    let line = status.lines().find(|line| line.trim_start().starts_with("serial")).unwrap();
    line.split_whitespace().last().unwrap().to_owned()
}

/// A connection of other people's software (openssl), over which requests go one after the other.
struct Live {
    openssl: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _files: Volume,
}

impl Live {
    fn open(address: &str, client: &Pod<'_>) -> Self {
        let files = Volume::new();
        let copy = std::fs::read_to_string(client.credentials()).unwrap();
        files.write([("client.pem", copy), ("roots.pem", client.ca.root())]);
        let pem = files.path("client.pem");
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", "-verify_hostname", "localhost"]);
        command.args(["-connect", address]).arg("-CAfile").arg(files.path("roots.pem"));
        command.arg("-cert").arg(&pem).arg("-key").arg(&pem);
        let mut openssl =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (openssl.stdin.take().unwrap(), openssl.stdout.take().unwrap());
        Self { openssl, input, output: BufReader::new(output), _files: files }
    }

    /// The first line of a page.
    fn get(&mut self, path: &str) -> String {
        write!(self.input, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut lines = self.output.by_ref().lines().map(|line| line.expect("the connection must live"));
        assert!(lines.next().expect("an answer").starts_with("HTTP/1.1 200"));
        lines.find(String::is_empty).unwrap();
        lines.next().unwrap()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.openssl.kill();
        let _ = self.openssl.wait();
    }
}

#[test]
fn a_bad_file_changes_nothing_but_the_status() {
    let ca = Ca::new("mesh");
    let server = Pod::new(&ca, "localhost");
    let running = server.serve(&[]);
    running.probe_until("/healthz", "200 OK");
    server.mount(ca.root(), ca.root());
    // while a volume changes, a file may be missing for a moment, which is a problem too
    let status = running.probe_until("/status", "has no private key (it has 1 certificate)");
    assert!(status.contains("PROBLEM") && status.contains("localhost"), "{status}");
    assert!(running.probe("/healthz", "").contains("200 OK"));
    server.fetch_anonymously(&running.url("/healthz"), &[]).line(&["status=200", "ok"]);
}

#[test]
fn an_expired_certificate_makes_the_server_unready() {
    let ca = Ca::new("mesh");
    let server = Pod::new(&ca, "localhost");
    let running = server.serve(&[]);
    running.probe_until("/healthz", "200 OK");
    let taken = [4, 16, 64].into_iter().any(|seconds| takes_a_certificate_of(seconds, &running, &server));
    assert!(taken, "a certificate must be seen before it expires");
    let unready = running.probe_until("/healthz", "503");
    assert!(unready.contains("has expired at") && unready.contains("no newer one has come"), "{unready}");
    server.renew("localhost");
    running.probe_until("/healthz", "200 OK");
}

/// Mounts a certificate that expires in some seconds. A slow machine may see it too late, and never use it.
fn takes_a_certificate_of(seconds: u64, running: &Demo, server: &Pod<'_>) -> bool {
    const HOUR: Duration = Duration::from_secs(3600);
    let name = format!("{seconds}.seconds.example");
    let leaf = server.ca.dns("localhost").and_dns(&name);
    let leaf = leaf.valid(SystemTime::now() - HOUR, HOUR + Duration::from_secs(seconds));
    let logged = running.logged();
    server.mount(leaf.bundle(), server.ca.root());
    running.line_after(logged, &[&["in use from now on", &name], &["has expired at"]]).contains(&name)
}

#[test]
fn sigterm_ends_both_at_once_though_connections_live() {
    let ca = Ca::new("mesh");
    let (server, client) = (Pod::new(&ca, "localhost"), Pod::new(&ca, CART));
    let mut running = server.serve_spiffe(&[]);
    let mut polls = client.fetch(&running.url("/spiffe-echo"), &[]);
    polls.line(&["status=200"]);
    let mut live = Live::open(&running.address(), &client);
    assert_eq!(live.get("/spiffe-echo"), CART);
    polls.terminate();
    running.terminate();
    assert!(polls.ended().success() && running.ended().success());
    running.line(&["ended"]);
}

#[test]
fn what_can_not_work_is_said_at_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut running = demo(&["server", "--listen", &address, "--server-creds", "/nowhere"]);
    assert_eq!(running.ended().code(), Some(1));
    running.line(&["--listen", &address, "choose an address of this machine and a free port"]);
    let elsewhere = ["--allow-spiffe-id", "spiffe://elsewhere.example/a", "--enable-spiffe-client-support"];
    let options = [
        "server",
        "--listen",
        "127.0.0.1:0",
        "--server-creds",
        "/nowhere",
        "--spiffe-trust-bundle",
        "/nowhere",
    ];
    let mut running = demo(&[&options[..], &elsewhere].concat());
    assert_eq!(running.ended().code(), Some(1));
    running.line(&["isn't in the trust domain cluster.local; set --spiffe-trust-domain elsewhere.example"]);
}
