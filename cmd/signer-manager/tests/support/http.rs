//! What `/livez` and `/readyz` answer.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
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

/// An address that nobody listens on, and that no outgoing connection is given: ports that the kernel hands out (from 32768 on) may be taken before they are used.
pub(crate) fn free_address() -> SocketAddr {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    loop {
        let port = 12_000 + (std::process::id() * 64 + TRIED.fetch_add(1, Ordering::Relaxed)) % 20_000;
        let address = (Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap());
        if let Ok(listener) = TcpListener::bind(address) {
            return listener.local_addr().unwrap();
        }
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
