//! The URL of the API server.

use super::{Fails, Remedy, Row, Works, world::World};

pub(crate) fn rows(world: &World) -> Vec<Row> {
    let (user, port, plain, below) = (world.bearer(), world.port(), world.plain, world.below);
    let https = |server: &str| format!("server: '{server}', {}", world.authority());
    vec![
        Row::of("a slash at its end", &user, https(&format!("{}/", world.server)), Works),
        Row::of("a scheme in capitals", &user, https(&format!("HTTPS://127.0.0.1:{port}")), Works),
        Row::of("a query and a fragment", &user, https(&format!("https://127.0.0.1:{port}/?x=y#z")), Works),
        Row::of(
            "an @ in the query",
            &user,
            https(&format!("https://127.0.0.1:{port}/?x=y@z")),
            Remedy(&["an @ is written %40"]),
        ),
        Row::of("a name", &user, https(&format!("https://localhost:{port}")), Works),
        Row::of(
            "an IPv4 address written as an IPv6 one",
            &user,
            https(&format!("https://[::ffff:127.0.0.1]:{port}")),
            Works,
        ),
        Row::of("plain HTTP", "", format!("server: 'http://127.0.0.1:{plain}'"), Works),
        Row::of(
            "plain HTTP, and a token that isn't sent",
            "token: s3cret",
            format!("server: 'http://127.0.0.1:{plain}'"),
            Works,
        ),
        Row::of("no scheme, to a server without TLS", "", format!("server: '127.0.0.1:{plain}'"), Works),
        Row::of(
            "no scheme and a name, to a server without TLS",
            "",
            format!("server: 'localhost:{plain}'"),
            Works,
        ),
        Row::of("no scheme and a slash", "", format!("server: 'localhost:{plain}/'"), Works),
        Row::of(
            "no scheme, to a server with TLS",
            &user,
            https(&format!("127.0.0.1:{port}")),
            Fails(&["cluster \"c\" of ", "server: https://HOST:PORT"]),
        ),
        Row::of(
            "no scheme, and nobody there",
            "",
            "server: 'localhost:1'",
            Fails(&["\"localhost:1\" has no scheme", "server: https://HOST:PORT"]),
        ),
        Row::of(
            "plain HTTP to a server with TLS",
            &user,
            https(&format!("http://127.0.0.1:{port}")),
            Fails(&["wants TLS", "server: https://HOST:PORT"]),
        ),
        Row::of(
            "TLS to a server without",
            &user,
            https(&format!("https://127.0.0.1:{plain}")),
            Fails(&["doesn't speak TLS"]),
        ),
        Row::of(
            "no scheme and a path",
            "",
            format!("server: '127.0.0.1:{below}/k8s/clusters/c-1'"),
            Fails(&["it needs a scheme"]),
        ),
        Row::of("a path", "", format!("server: 'http://127.0.0.1:{below}/k8s/clusters/c-1'"), Works),
        Row::of(
            "a path with a slash at its end",
            "",
            format!("server: 'http://127.0.0.1:{below}/k8s/clusters/c-1/'"),
            Works,
        ),
        Row::of(
            "another scheme",
            &user,
            "server: 'ftp://u:s3cret@127.0.0.1'",
            Fails(&["\"ftp://127.0.0.1\"", "server: https://HOST:PORT"]),
        ),
        Row::of("no server", &user, "server: ''", Fails(&["it has no `server`"])),
        Row::of(
            "a user in the URL goes before the token",
            &user,
            https(&format!("https://u:s3cret@127.0.0.1:{port}")),
            Fails(&[
                "system:anonymous",
                "without credentials that it knows",
                "kubectl config set-credentials",
            ]),
        ),
        Row::of("nobody there", &user, https("https://127.0.0.1:1"), Fails(&["refused"])),
    ]
}
