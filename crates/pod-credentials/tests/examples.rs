//! The examples of the crate's documentation, as they stand, against each other through a renewal of both ends.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use test_pod_volume::{Ca, Volume};

const SOON: Duration = Duration::from_secs(60);

/// An example's process, which ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn example(name: &str, arguments: [&Path; 4]) -> Running {
    let deps = std::env::current_exe().unwrap();
    let program = deps.parent().unwrap().with_file_name("examples").join(name);
    assert!(
        program.exists(),
        "{} isn't built; run `cargo test -p pod-credentials` as a whole",
        program.display()
    );
    let arguments = arguments.into_iter().filter(|argument| !argument.as_os_str().is_empty());
    Running(Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap())
}

#[test]
fn examples_speak_with_each_other_through_a_renewal() {
    let (ca, volume) = (Ca::new("example"), Volume::new());
    let write = |account: &str| {
        let id = format!("spiffe://cluster.local/ns/shop/sa/{account}");
        volume.write([
            ("server.pem", ca.dns("web.shop.svc").bundle()),
            ("client.pem", ca.uri(&id).bundle()),
            ("roots.pem", ca.root()),
        ]);
    };
    write("first");
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (address, roots) = (Path::new(&address), volume.path("roots.pem"));
    let _server = example("axum_server", [address, &volume.path("server.pem"), &roots, Path::new("")]);
    let end = Instant::now() + SOON;
    while TcpStream::connect(address.to_str().unwrap()).is_err() {
        assert!(Instant::now() < end, "the server must listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut client =
        example("client", [address, Path::new("web.shop.svc"), &volume.path("client.pem"), &roots]);
    let mut lines = BufReader::new(client.0.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "hello, spiffe://cluster.local/ns/shop/sa/first");
    write("second");
    let renewed = "hello, spiffe://cluster.local/ns/shop/sa/second";
    assert!(lines.by_ref().take(60).any(|line| line.unwrap() == renewed), "a renewal must be seen");
}
