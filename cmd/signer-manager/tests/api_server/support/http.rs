//! What `/livez` and `/readyz` answer.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    sync::{Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::eventually;

/// An answer over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) code: u16,
    pub(crate) body: String,
}

/// An address that nobody listens on, and that no outgoing connection is given: ports that the kernel hands
/// out (from 32768 on) may be taken before they are used.
pub(crate) fn free_address() -> SocketAddr {
    static PORTS: Mutex<Ports> = Mutex::new(Ports { left: 0..0, claims: Vec::new() });
    let mut ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let address = (Ipv4Addr::LOCALHOST, ports.next());
        if let Ok(listener) = TcpListener::bind(address) {
            return listener.local_addr().unwrap();
        }
    }
}

/// Ports that no other process of tests uses, each given away once.
struct Ports {
    left: Range<u16>,
    /// Locks on blocks of ports, until this process ends.
    claims: Vec<File>,
}

impl Ports {
    const FIRST: u16 = 12_000;
    const IN_A_BLOCK: u16 = 64;
    const BLOCKS: u16 = 300;

    fn next(&mut self) -> u16 {
        loop {
            if let Some(port) = self.left.next() {
                return port;
            }
            self.claim();
        }
    }

    fn claim(&mut self) {
        for block in 0..Self::BLOCKS {
            let path = std::env::temp_dir().join(format!("signer-manager-test-ports-{block}"));
            // it may be another user's
            let Ok(file) = File::options().create(true).append(true).open(path) else { continue };
            if file.try_lock().is_ok() {
                let first = Self::FIRST + block * Self::IN_A_BLOCK;
                self.left = first..first + Self::IN_A_BLOCK;
                self.claims.push(file);
                return;
            }
        }
        panic!("all ports for tests are taken");
    }
}

/// Asks for a page.
pub(crate) async fn get(address: SocketAddr, path: &str) -> std::io::Result<Page> {
    let mut connection = TcpStream::connect(address).await?;
    connection
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes())
        .await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
    Ok(Page { code, body: body.to_owned() })
}

/// Waits until `/readyz` answers with a page for which `wanted` holds.
pub(crate) async fn readyz(address: SocketAddr, wanted: impl Fn(&Page) -> bool) -> Page {
    eventually("/readyz", async || match get(address, "/readyz").await {
        Ok(page) if wanted(&page) => Ok(page),
        other => Err(format!("{other:?}")),
    })
    .await
}
