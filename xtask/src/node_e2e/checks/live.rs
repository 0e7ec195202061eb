//! A TLS connection that stays open, by openssl.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use crate::{
    error::Error,
    program::{self, blocking},
};

/// For an answer.
const SOON: Duration = Duration::from_secs(60);

/// HTTP/1.1 on one connection, as long as this lives.
pub(super) struct LiveConnection {
    openssl: Child,
    requests: ChildStdin,
    lines: Receiver<String>,
}

impl LiveConnection {
    /// Connects to a server that asks for no client certificate.
    pub(super) fn open(address: &str) -> Result<Self, Error> {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-connect", address]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut openssl = command.spawn().map_err(Error::io("running", "openssl"))?;
        let (Some(requests), Some(output)) = (openssl.stdin.take(), openssl.stdout.take()) else {
            return Err(Error::Unmet("openssl has no input or output".into()));
        };
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { openssl, requests, lines })
    }

    /// Asks on this connection, and expects an answer on it.
    pub(super) fn ask(&mut self) -> Result<(), Error> {
        let request = b"GET /healthz HTTP/1.1\r\nHost: server\r\n\r\n";
        self.requests.write_all(request).map_err(Error::io("writing to", "a live connection"))?;
        while let Ok(line) = self.lines.recv_timeout(SOON) {
            if line.starts_with("HTTP/1.1 200") {
                return Ok(());
            }
        }
        Err(Error::Unmet("a live connection no longer answers".into()))
    }
}

impl Drop for LiveConnection {
    fn drop(&mut self) {
        let _ = self.openssl.kill();
        let _ = self.openssl.wait();
    }
}

/// The serial number of the certificate that a server shows now.
pub(super) async fn serial(address: String) -> Result<String, Error> {
    blocking(move || {
        let mut command = Command::new("sh");
        let show = r#"openssl s_client -connect "$0" </dev/null 2>/dev/null | openssl x509 -noout -serial"#;
        command.args(["-c", show, &address]);
        Ok(program::output(&mut command)?.trim().trim_start_matches("serial=").to_owned())
    })
    .await
}
