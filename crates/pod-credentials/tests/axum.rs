//! `TlsListener` and `Peer` under `axum::serve`, with real connections.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod over_axum;
mod support;

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo, routing::get, serve::ListenerExt};
use over_axum::{Mesh, connect, connect_from_elsewhere, listen, serve, soon, text};
use pod_credentials::{Peer, PeerError};
use rustls::{AlertDescription, Error};
use support::credentials;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";

/// Tells a peer who it is.
fn echo() -> Router {
    Router::new().route("/", get(who))
}

async fn who(ConnectInfo(peer): ConnectInfo<Peer>) -> String {
    let id = peer.spiffe_id().map_or_else(ToString::to_string, ToString::to_string);
    let names = peer.certificate().map_or_else(ToString::to_string, |own| own.names().join(","));
    format!("{} {id} ({names})", peer.address())
}

#[tokio::test]
async fn the_handler_knows_the_peer() {
    let mesh = Mesh::new();
    let server = serve(listen(mesh.server()).await, echo());
    let cart = credentials(mesh.ca.uri(CART).and_dns("cart.shop.svc").bundle());
    let mut connection = connect(server.address, &mesh.client(Some(&cart.watched))).await;
    let expected = format!("{} {CART} (cart.shop.svc,{CART})", connection.address);
    assert_eq!(connection.get("/").await, expected);
    assert_eq!(connection.get("/").await, expected);
}

#[tokio::test]
async fn a_peer_without_a_certificate_is_known_as_such() {
    let mesh = Mesh::new();
    let server = serve(listen(mesh.server()).await, echo());
    let mut connection = connect(server.address, &mesh.client(None)).await;
    let none = PeerError::NoCertificate;
    assert_eq!(connection.get("/").await, format!("{} {none} ({none})", connection.address));
}

#[tokio::test]
async fn a_peer_with_a_certificate_for_something_else_gets_no_connection() {
    let mesh = Mesh::new();
    let server = serve(listen(mesh.server()).await, echo());
    let wrong = credentials(mesh.ca.dns("cart.shop.svc").bundle());
    let config = mesh.client(Some(&wrong.watched));
    let tcp = TcpStream::connect(server.address).await.unwrap();
    let name = "web.shop.svc".try_into().unwrap();
    let mut tls = tokio_rustls::TlsConnector::from(config).connect(name, tcp).await.unwrap();
    // with TLS 1.3 the client is done before the server has judged it
    let refused = tls.read_u8().await.unwrap_err();
    let alert = refused.get_ref().and_then(|error| error.downcast_ref::<Error>());
    assert_eq!(alert, Some(&Error::AlertReceived(AlertDescription::CertificateUnknown)), "{refused}");
    assert!(connect(server.address, &mesh.client(None)).await.get("/").await.contains("no certificate"));
}

#[tokio::test]
async fn silent_clients_hold_up_nobody() {
    let mesh = Mesh::new();
    // fewer than those that say nothing
    let listener = listen(mesh.server()).await.handshakes_at_once(4).silent_at_once(8);
    let server = serve(listener, echo());
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(server.silent().await);
    }
    assert!(connect(server.address, &mesh.client(None)).await.get("/").await.contains("no certificate"));
    // the oldest have made room
    assert_eq!(soon(silent[0].read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_first_message_that_never_ends_counts_as_none() {
    let mesh = Mesh::new();
    let server = serve(listen(mesh.server()).await.handshakes_at_once(1), echo());
    let mut slow = Vec::new();
    for _ in 0..5 {
        let mut tcp = server.silent().await;
        // the header of a TLS record, and the first byte of a ClientHello
        tcp.write_all(&[22, 3, 1, 1, 0, 1]).await.unwrap();
        slow.push(tcp);
    }
    assert!(connect(server.address, &mesh.client(None)).await.get("/").await.contains("no certificate"));
}

#[tokio::test]
async fn clients_have_a_time_limit() {
    let mesh = Mesh::new();
    let none = Duration::from_millis(1);
    let server = serve(listen(mesh.server()).await.first_message_timeout(none), echo());
    assert_eq!(soon(server.silent().await.read(&mut [0])).await.unwrap(), 0);
    let server = serve(listen(mesh.server()).await.handshake_timeout(none), echo());
    assert_eq!(soon(server.silent().await.read(&mut [0])).await.unwrap(), 0);
}

/// If more handshakes ran, the one that has to wait would be done long before those that another client makes
/// meanwhile.
#[tokio::test]
async fn one_address_has_a_share_of_the_handshakes_and_the_others_go_on() {
    let mesh = Mesh::new();
    let server = serve(listen(mesh.server()).await.handshakes_at_once(5), echo());
    let (address, config) = (server.address, mesh.client(None));
    let stalled = [server.stalled(&config).await, server.stalled(&config).await];
    let waiting = tokio::spawn({
        let config = Arc::clone(&config);
        async move { connect(address, &config).await.get("/").await }
    });
    for _ in 0..20 {
        connect_from_elsewhere(address, &config).await.get("/").await;
    }
    assert!(!waiting.is_finished());
    drop(stalled);
    assert!(waiting.await.unwrap().contains("no certificate"));
}

#[tokio::test]
async fn no_more_handshakes_run_at_once_than_may() {
    let mesh = Mesh::new();
    let server = serve(listen(mesh.server()).await.handshakes_at_once(1), echo());
    let other = serve(listen(mesh.server()).await, echo());
    let (address, config) = (server.address, mesh.client(None));
    let stalled = server.stalled(&config).await;
    let waiting = tokio::spawn({
        let config = Arc::clone(&config);
        async move { connect_from_elsewhere(address, &config).await.get("/").await }
    });
    for _ in 0..20 {
        connect(other.address, &config).await.get("/").await;
    }
    assert!(!waiting.is_finished());
    drop(stalled);
    assert!(waiting.await.unwrap().contains("no certificate"));
}

#[tokio::test]
async fn renewed_certificates_are_met_by_the_next_connection_and_live_ones_go_on() {
    let mesh = Mesh::new();
    let server = serve(listen(mesh.server()).await, echo());
    let cart = credentials(mesh.ca.uri(CART).bundle());
    let config = mesh.client(Some(&cart.watched));
    let mut live = connect(server.address, &config).await;
    assert!(live.get("/").await.contains(CART));

    mesh.of_server.replace(mesh.ca.dns("web.shop.svc").bundle());
    cart.replace(mesh.ca.uri("spiffe://cluster.local/ns/shop/sa/renewed").bundle());
    let mut next = connect(server.address, &config).await;
    assert_eq!(next.server_serial, mesh.of_server.watched.current().unwrap().leaf().serial);
    assert_ne!(next.server_serial, live.server_serial);
    assert!(next.get("/").await.contains("/sa/renewed"));
    assert!(live.get("/").await.contains(CART));
}

#[tokio::test]
async fn a_shutdown_lets_requests_finish_and_closes_all_else() {
    let mesh = Mesh::new();
    let (begun, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let long = {
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        async move || {
            begun.add_permits(1);
            drop(go_on.acquire().await.unwrap());
            "finished"
        }
    };
    let mut server = serve(listen(mesh.server()).await, echo().route("/long", get(long)));
    let config = mesh.client(None);
    let (mut idle, mut busy) =
        (connect(server.address, &config).await, connect(server.address, &config).await);
    idle.get("/").await;
    let request = tokio::spawn(async move { busy.request("/long").await.unwrap() });
    drop(begun.acquire().await.unwrap());
    let mut silent = server.silent().await;

    server.shut_down();
    idle.closed().await;
    // it may have been in the kernel's queue still, and is then reset
    assert!(matches!(soon(silent.read(&mut [0])).await, Ok(0) | Err(_)));
    assert!(!request.is_finished());
    go_on.add_permits(1);
    assert_eq!(text(request.await.unwrap()).await, "finished");
    server.ended().await;
}

#[tokio::test]
async fn a_listener_that_is_tapped_knows_the_peer_too() {
    let mesh = Mesh::new();
    let listener = listen(mesh.server()).await;
    let address = listener.local_addr().unwrap();
    let tapped = listener.tap_io(|tls| tls.get_ref().0.set_nodelay(true).unwrap());
    let app = echo().into_make_service_with_connect_info::<Peer>();
    let served = tokio::spawn(async { axum::serve(tapped, app).await });
    let cart = credentials(mesh.ca.uri(CART).bundle());
    assert!(connect(address, &mesh.client(Some(&cart.watched))).await.get("/").await.contains(CART));
    served.abort();
}
