//! What `/livez` and `/readyz` answer.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

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

/// An address that nobody listens on.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
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
