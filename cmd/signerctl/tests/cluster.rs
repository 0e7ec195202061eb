//! Which cluster `signerctl` works in, and what it says when there is no way to it.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

fn signerctl(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signerctl"));
    command.current_dir(directory).env("KUBECONFIG", "kubeconfig").env("HOME", directory);
    command.arg("ca-pool").args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn complains(directory: &Path, arguments: &[&str]) -> String {
    let output = signerctl(directory, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A context for each of these servers.
fn kubeconfig(file: &Path, servers: &[(&str, &str)]) {
    let list = |entry: &dyn Fn(&str, &str) -> String| {
        servers.iter().map(|(name, server)| entry(name, server)).collect::<Vec<_>>().join(", ")
    };
    let clusters = list(&|name, server| format!("{{name: {name}, cluster: {{server: \"{server}\"}}}}"));
    let contexts = list(&|name, _| format!("{{name: {name}, context: {{cluster: {name}, user: me}}}}"));
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {}\nclusters: [{clusters}]\ncontexts: [{contexts}]\nusers: [{{name: me, user: {{}}}}]\n",
        servers[0].0
    );
    fs::write(file, text).unwrap();
}

/// An API server that has nothing, and whose clock is off by that much.
fn empty_server(off: SignedDuration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), off);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, off: SignedDuration) {
    let request = BufReader::new(stream.try_clone().unwrap()).lines();
    for line in request.map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
    }
    let body = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not found","reason":"NotFound","code":404}"#;
    let date = Timestamp::now().checked_add(off).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT");
    let head = format!(
        "HTTP/1.1 404 Not Found\r\nDate: {date}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

const SECRET: [&str; 4] = ["--namespace", "mesh", "--name", "ca"];

#[test]
fn an_api_server_that_does_not_answer_is_named_with_cause_and_remedy() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    kubeconfig(&directory.join("kubeconfig"), &[("away", &closed)]);
    let error = complains(directory, &[&["show"], &SECRET[..]].concat());
    for expected in [&format!("context away, server {closed}"), "refused", "--context", "--kubeconfig"] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(!error.contains("ServiceError"), "{error}");
}

#[test]
fn context_and_kubeconfig_choose_the_cluster() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    let (first, second) = (empty_server(SignedDuration::ZERO), empty_server(SignedDuration::ZERO));
    kubeconfig(&directory.join("kubeconfig"), &[("first", &first), ("second", &second)]);
    kubeconfig(&directory.join("my other"), &[("third", &second)]);
    for (arguments, context, server) in [
        (&[][..], "first", &first),
        (&["--context", "second"], "second", &second),
        (&["--kubeconfig", "my other"], "third", &second),
    ] {
        let error = complains(directory, &[&["prune"], &SECRET[..], arguments].concat());
        let cluster = format!("Secret mesh/ca doesn't exist in context {context}, server {server}.");
        assert!(error.contains(&cluster), "{cluster} {error}");
    }
    let error = complains(directory, &[&["show"], &SECRET[..], &["--kubeconfig", "my other"]].concat());
    assert!(error.contains("create --namespace mesh --name ca --kubeconfig 'my other'"), "{error}");
    let error = complains(directory, &[&["show"], &SECRET[..], &["--context", "none"]].concat());
    assert!(error.contains("no context \"none\"; it has: first, second"), "{error}");
    let error = complains(directory, &[&["show"], &SECRET[..], &["--kubeconfig", "missing"]].concat());
    assert!(error.contains("missing") && error.contains("--kubeconfig PATH"), "{error}");
    let import = ["import", "--file", "pool.json", "--from-secret", "mesh/tls", "--context", "second"];
    assert!(complains(directory, &import).contains("Secret mesh/tls doesn't exist in context second"));
}

#[test]
fn a_clock_that_differs_from_the_api_servers_is_refused() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    let ahead = empty_server(SignedDuration::from_hours(72));
    let behind = empty_server(SignedDuration::from_hours(-50));
    kubeconfig(&directory.join("kubeconfig"), &[("ahead", &ahead), ("behind", &behind)]);
    for (context, says) in [("ahead", "3 days behind it"), ("behind", "2 days ahead of it")] {
        for command in ["create", "rotate", "prune"] {
            let error = complains(directory, &[&[command], &SECRET[..], &["--context", context]].concat());
            assert!(error.contains(says) && error.contains("timedatectl"), "{says}: {error}");
        }
        let import = ["import", "--file", "pool.json", "--from-secret", "mesh/tls", "--context", context];
        assert!(complains(directory, &import).contains(says));
    }
}

#[test]
fn a_server_without_a_scheme_that_cannot_be_called_is_told_with_the_remedy() {
    let directory = TempDir::new().unwrap();
    for server in ["127.0.0.1:18099", "localhost:18099", "ftp://localhost"] {
        kubeconfig(&directory.path().join("kubeconfig"), &[("here", server)]);
        let output = signerctl(directory.path(), &["show", "--namespace", "signers", "--name", "web-ca"]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(
            error.contains(&format!("{server:?}")) && error.contains("server: https://HOST:PORT"),
            "{error}"
        );
    }
}
