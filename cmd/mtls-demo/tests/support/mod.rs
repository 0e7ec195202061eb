//! The real binary on loopback, with certificates of rcgen's in volumes like kubelet's.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use test_cluster::pod_volume::{Ca, Volume};

/// Far longer than anything takes.
pub(crate) const SOON: Duration = Duration::from_secs(180);
/// Often enough that tests don't wait.
const RELOAD: [&str; 2] = ["--reload-interval", "50ms"];

/// A running mtls-demo; dropped, it is killed.
pub(crate) struct Demo {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

/// The binary with these options, files looked at often.
pub(crate) fn demo(options: &[&str]) -> Demo {
    let (first, rest) = options.split_first().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mtls-demo"));
    command.arg(first).args(RELOAD).args(rest).env_remove("RUST_LOG");
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let (log, stderr) = (Arc::new(Mutex::new(Vec::new())), child.stderr.take().unwrap());
    let lines = Arc::clone(&log);
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
    Demo { child, log }
}

impl Demo {
    /// The first line of the log, from `from` on, that holds all that one of the alternatives names.
    pub(crate) fn line_after(&self, from: usize, alternatives: &[&[&str]]) -> String {
        let fits = |line: &&String| alternatives.iter().any(|all| all.iter().all(|text| line.contains(text)));
        until(|| self.log.lock().unwrap().iter().skip(from).find(fits).cloned())
            .unwrap_or_else(|| panic!("no line with {alternatives:?} in\n{}", self.text()))
    }

    pub(crate) fn line(&self, wanted: &[&str]) -> String {
        self.line_after(0, &[wanted])
    }

    /// The first line with these that is logged from now on.
    pub(crate) fn next(&self, wanted: &[&str]) -> String {
        self.line_after(self.logged(), &[wanted])
    }

    /// How many lines there are yet.
    pub(crate) fn logged(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    /// Where TLS is served.
    pub(crate) fn address(&self) -> String {
        self.line(&["TLS on 127"]).rsplit(' ').next().unwrap().to_owned()
    }

    /// Its port, under a name that certificates can have.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address().rsplit(':').next().unwrap())
    }

    /// A page without TLS.
    pub(crate) fn probe(&self, path: &str, headers: &str) -> String {
        let address = self.line(&["without TLS on"]).rsplit(' ').next().unwrap().to_owned();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    /// Waits for a page without TLS that holds this.
    pub(crate) fn probe_until(&self, path: &str, wanted: &str) -> String {
        until(|| Some(self.probe(path, "")).filter(|page| page.contains(wanted)))
            .unwrap_or_else(|| panic!("no {wanted:?} in\n{}", self.probe(path, "")))
    }

    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        until(|| self.child.try_wait().unwrap()).expect("the process must end")
    }

    pub(crate) fn text(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("its log:\n{}", self.text());
        }
    }
}

/// Tries until there is something.
pub(crate) fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + SOON;
    loop {
        let found = attempt();
        if found.is_some() || Instant::now() > end {
            return found;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// A CA and a volume: `credentials.pem` and `roots.pem`.
pub(crate) struct Pod<'a> {
    pub(crate) ca: &'a Ca,
    pub(crate) volume: Volume,
}

impl<'a> Pod<'a> {
    /// With a certificate for a DNS name or a SPIFFE ID.
    pub(crate) fn new(ca: &'a Ca, name: &str) -> Self {
        let pod = Self { ca, volume: Volume::new() };
        pod.renew(name);
        pod
    }

    /// Gives it another certificate.
    pub(crate) fn renew(&self, name: &str) {
        let leaf = if name.contains("://") { self.ca.uri(name) } else { self.ca.dns(name) };
        self.mount(leaf.bundle(), self.ca.root());
    }

    pub(crate) fn mount(&self, bundle: String, roots: String) {
        self.volume.write([("credentials.pem", bundle), ("roots.pem", roots)]);
    }

    pub(crate) fn credentials(&self) -> String {
        self.volume.path("credentials.pem").to_str().unwrap().to_owned()
    }

    pub(crate) fn roots(&self) -> String {
        self.volume.path("roots.pem").to_str().unwrap().to_owned()
    }

    /// A server with this certificate, and these options too.
    pub(crate) fn serve(&self, options: &[&str]) -> Demo {
        let credentials = self.credentials();
        let fixed = [
            "server",
            "--listen",
            "127.0.0.1:0",
            "--status-listen",
            "127.0.0.1:0",
            "--server-creds",
            &credentials,
        ];
        demo(&[&fixed[..], options].concat())
    }

    /// A server that echoes SPIFFE IDs.
    pub(crate) fn serve_spiffe(&self, options: &[&str]) -> Demo {
        let roots = self.roots();
        let spiffe = ["--enable-spiffe-client-support", "--spiffe-trust-bundle", &roots];
        self.serve(&[&spiffe[..], options].concat())
    }

    /// A client with this certificate, and these options too.
    pub(crate) fn fetch(&self, url: &str, options: &[&str]) -> Demo {
        let credentials = self.credentials();
        self.fetch_anonymously(url, &[&["--client-cred-bundle", &credentials], options].concat())
    }

    pub(crate) fn fetch_anonymously(&self, url: &str, options: &[&str]) -> Demo {
        let roots = self.roots();
        let fixed =
            ["client", "--fetch-url", url, "--server-trust-bundle", &roots, "--poll-interval", "100ms"];
        demo(&[&fixed[..], options].concat())
    }
}
