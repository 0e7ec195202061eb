//! The examples of the crate's documentation, as they stand, against each other through a renewal of both
//! ends.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Lines},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use test_cluster::pod_volume::{Ca, Volume};

/// Far longer than anything takes.
const SOON: Duration = Duration::from_secs(180);

/// An example's process, which ends with the test, and what it prints.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it must not have ended").unwrap()
    }

    /// Where the server listens: on a port of the kernel's choice.
    fn address(&mut self) -> String {
        self.line().strip_prefix("listening on ").unwrap().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the target directory; tests may be built elsewhere (`build.build-dir`).
fn program(name: &str) -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let deps = std::env::current_exe().unwrap();
    let profile = deps.parent().and_then(Path::parent).and_then(Path::file_name).unwrap();
    let target = Path::new(metadata["target_directory"].as_str().unwrap());
    let program = target.join(profile).join("examples").join(name);
    assert!(
        program.exists(),
        "{} isn't built; run `cargo test -p pod-credentials` as a whole",
        program.display()
    );
    program
}

/// What both have mounted.
struct Mesh {
    ca: Ca,
    volume: Volume,
}

impl Mesh {
    fn new() -> Self {
        let mesh = Self { ca: Ca::new("example"), volume: Volume::new() };
        mesh.mount("first");
        mesh
    }

    /// New certificates; the client's is that of this service account.
    fn mount(&self, account: &str) {
        let id = format!("spiffe://cluster.local/ns/shop/sa/{account}");
        self.volume.write([
            ("server.pem", self.ca.dns("localhost").bundle()),
            ("client.pem", self.ca.uri(&id).bundle()),
            ("roots.pem", self.ca.root()),
        ]);
    }

    fn run(&self, mut command: Command, target: &str, credentials: &str) -> Running {
        command.arg(target).args([credentials, "roots.pem"].map(|file| self.volume.path(file)));
        Running::start(command)
    }

    fn client_of(&self, address: &str) -> Running {
        let port = address.rsplit(':').next().unwrap();
        self.run(Command::new(program("client")), &format!("https://localhost:{port}/"), "client.pem")
    }
}

#[test]
fn examples_speak_with_each_other_through_a_renewal() {
    let mesh = Mesh::new();
    let mut server = mesh.run(Command::new(program("axum_server")), "127.0.0.1:0", "server.pem");
    let mut client = mesh.client_of(&server.address());
    assert_eq!(client.line(), "hello, spiffe://cluster.local/ns/shop/sa/first");
    mesh.mount("second");
    let end = Instant::now() + SOON;
    while client.line() != "hello, spiffe://cluster.local/ns/shop/sa/second" {
        assert!(Instant::now() < end, "a renewal must be seen");
    }
}

#[test]
fn a_server_without_file_descriptors_takes_those_of_clients_that_say_nothing() {
    const MOST: usize = 40;
    let mesh = Mesh::new();
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("ulimit -n {MOST}; exec \"$0\" \"$@\"")).arg(program("axum_server"));
    let mut server = mesh.run(limited, "127.0.0.1:0", "server.pem");
    let address = server.address();
    let open = || fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count();
    let (mut silent, end) = (Vec::new(), Instant::now() + SOON);
    // on a busy machine one may be free whenever it is looked at
    while open() < MOST - 1 {
        assert!(Instant::now() < end, "{} descriptors are open", open());
        // many at a time, as each is closed when it has said nothing for two seconds
        silent.extend((0..10).map(|_| TcpStream::connect(&address).unwrap()));
        // the oldest ones have been closed, and this process has a limit too
        silent.drain(..silent.len().saturating_sub(500));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(mesh.client_of(&address).line(), "hello, spiffe://cluster.local/ns/shop/sa/first");
    drop(silent);
}

/// Comments and blank lines don't count.
#[test]
fn examples_are_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let examples: Vec<_> = files.filter(|file| file.extension() == Some(OsStr::new("rs"))).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let text = fs::read_to_string(&example).unwrap();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        assert!(lines.count() <= 20, "{} has more than 20 lines of code", example.display());
    }
}
