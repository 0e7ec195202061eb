use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

async fn read_all(mut client: TcpStream) -> String {
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn who_opens_many_connections_pushes_out_their_own() {
    let mut connections = Connections::default();
    let [kubelet, flood] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
    connections.begin(kubelet, std::future::pending());
    for _ in 0..10 * MAX_CONNECTIONS {
        connections.begin(flood, std::future::pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(connections.oldest_first.len(), MAX_CONNECTIONS);
    let (first, connection) = &connections.oldest_first[0];
    assert!(*first == kubelet && !connection.is_finished(), "{first}");
}

#[tokio::test]
async fn silent_clients_keep_nobody_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route("/livez", get(|| async { "ok\n" }));
    let server = tokio::spawn(serve(listener, Plain, routes, LIMITS));
    let mut silent = Vec::new();
    for _ in 0..5 * MAX_CONNECTIONS {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    // read to the end: the connection isn't kept
    let answer = read_all(client).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
    // the first of the silent ones has been hung up on, without an answer
    assert_eq!(read_all(silent.remove(0)).await, "");
    server.abort();
}

#[tokio::test]
async fn a_client_that_does_not_ask_is_hung_up_on() {
    let (soon, late) = (Duration::from_millis(20), Duration::from_secs(3600));
    for limits in [Limits { request: soon, exchange: late }, Limits { request: late, exchange: soon }] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, Plain, Router::new(), limits));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
        assert_eq!(read_all(client).await, "");
        server.abort();
    }
}
