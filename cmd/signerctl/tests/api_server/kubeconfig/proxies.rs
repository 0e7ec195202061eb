//! Proxies: of the environment, and of the cluster. `api.example.test` is a name that only the proxies know.

use super::{
    Fails, Row, Works,
    pki::Pair,
    relay::{Relay, serve},
    world::World,
};

pub(crate) async fn rows(world: &World) -> Vec<Row> {
    let pair =
        Pair { certificate: world.pki.join("kube-apiserver.crt"), key: world.pki.join("kube-apiserver.key") };
    let http = serve(Relay::Http(None), None).await;
    let strict = serve(Relay::Http(Some("us@er:pa:ss s3cret")), None).await;
    let https = serve(Relay::Http(None), Some(&pair)).await;
    let socks = serve(Relay::Socks(None), None).await;
    let strict_socks = serve(Relay::Socks(Some(("user", "s3cret"))), None).await;
    let (port, plain) = (world.port(), world.plain);
    let user = world.bearer();
    let remote = |further: &str| {
        format!(
            "server: 'https://api.example.test:{port}', tls-server-name: localhost, {}, {further}",
            world.authority()
        )
    };
    let behind = |name, expected| Row::of(name, &user, remote(""), expected);
    let by =
        |name, url: String, expected| Row::of(name, &user, remote(&format!("proxy-url: '{url}'")), expected);
    let near = |name, expected| Row::of(name, &user, world.cluster(), expected);
    let dead = "http://127.0.0.1:1";
    vec![
        behind("no proxy to a name that is unknown here", Fails(&["api.example.test"])),
        behind("HTTPS_PROXY", Works).env("HTTPS_PROXY", format!("http://127.0.0.1:{http}")),
        behind("https_proxy", Works).env("https_proxy", format!("http://127.0.0.1:{http}")),
        behind("HTTPS_PROXY goes before https_proxy", Works)
            .env("HTTPS_PROXY", format!("127.0.0.1:{http}"))
            .env("https_proxy", dead),
        behind("HTTPS_PROXY without a scheme", Works).env("HTTPS_PROXY", format!("127.0.0.1:{http}")),
        behind("HTTPS_PROXY with TLS", Works).env("HTTPS_PROXY", format!("https://localhost:{https}")),
        behind("HTTPS_PROXY by SOCKS", Works).env("HTTPS_PROXY", format!("socks5://127.0.0.1:{socks}")),
        behind("HTTPS_PROXY with user and password", Works)
            .env("HTTPS_PROXY", format!("http://us%40er:pa%3Ass%20s3cret@127.0.0.1:{strict}")),
        behind("HTTPS_PROXY with a wrong password", Fails(&["HTTPS_PROXY", "user and a password"]))
            .env("HTTPS_PROXY", format!("http://u:s3cret@127.0.0.1:{strict}")),
        behind("HTTPS_PROXY without its password", Fails(&["HTTPS_PROXY", "user and a password"]))
            .env("HTTPS_PROXY", format!("127.0.0.1:{strict}")),
        behind("HTTPS_PROXY of another scheme", Fails(&["HTTPS_PROXY", "\"ftp\" isn't supported"]))
            .env("HTTPS_PROXY", "ftp://u:s3cret@127.0.0.1"),
        behind("HTTPS_PROXY that is away", Fails(&["the proxy http://127.0.0.1:1 (HTTPS_PROXY)", "refused"]))
            .env("HTTPS_PROXY", dead),
        behind("HTTP_PROXY isn't for TLS", Fails(&["api.example.test"]))
            .env("HTTP_PROXY", format!("127.0.0.1:{http}")),
        behind("ALL_PROXY isn't known", Fails(&["api.example.test"]))
            .env("ALL_PROXY", format!("127.0.0.1:{http}")),
        near("a proxy that is away, and an API server on this machine", Works).env("HTTPS_PROXY", dead),
        near("a proxy of another scheme, and an API server on this machine", Works)
            .env("HTTPS_PROXY", "ftp://127.0.0.1"),
        behind("NO_PROXY with the domain", Fails(&["api.example.test"]))
            .env("HTTPS_PROXY", format!("127.0.0.1:{http}"))
            .env("NO_PROXY", "other,example.test"),
        behind("NO_PROXY with the domain behind a dot", Fails(&["api.example.test"]))
            .env("HTTPS_PROXY", format!("127.0.0.1:{http}"))
            .env("no_proxy", ".example.test"),
        behind("NO_PROXY with a star", Fails(&["api.example.test"]))
            .env("HTTPS_PROXY", format!("127.0.0.1:{http}"))
            .env("NO_PROXY", "*"),
        behind("NO_PROXY with another port", Works)
            .env("HTTPS_PROXY", format!("127.0.0.1:{http}"))
            .env("NO_PROXY", "example.test:1"),
        behind("NO_PROXY with networks", Works)
            .env("HTTPS_PROXY", format!("127.0.0.1:{http}"))
            .env("NO_PROXY", "10.0.0.0/8,127.0.0.0/8,fd00::/8"),
        Row::of("HTTP_PROXY", "", format!("server: 'http://api.example.test:{plain}'"), Works)
            .env("HTTP_PROXY", format!("127.0.0.1:{http}")),
        Row::of(
            "HTTP_PROXY with user and password",
            "",
            format!("server: 'api.example.test:{plain}'"),
            Works,
        )
        .env("http_proxy", format!("http://us%40er:pa%3Ass%20s3cret@127.0.0.1:{strict}")),
        Row::of("HTTP_PROXY by SOCKS", "", format!("server: 'http://api.example.test:{plain}'"), Works)
            .env("HTTP_PROXY", format!("socks5://127.0.0.1:{socks}")),
        Row::of(
            "HTTP_PROXY as in CGI",
            "",
            format!("server: 'http://api.example.test:{plain}'"),
            Fails(&["REQUEST_METHOD"]),
        )
        .env("HTTP_PROXY", format!("127.0.0.1:{http}"))
        .env("REQUEST_METHOD", "GET"),
        by("proxy-url", format!("http://127.0.0.1:{http}"), Works),
        by("proxy-url with TLS", format!("https://localhost:{https}"), Works),
        by("proxy-url by SOCKS", format!("socks5://127.0.0.1:{socks}"), Works),
        by(
            "proxy-url by SOCKS with user and password",
            format!("socks5://user:s3cret@127.0.0.1:{strict_socks}"),
            Works,
        ),
        by(
            "proxy-url by SOCKS with a wrong password",
            format!("socks5://user:s3cret2@127.0.0.1:{strict_socks}"),
            Fails(&["the proxy socks5://127.0.0.1", "proxy-url"]),
        ),
        by(
            "proxy-url with user and password",
            format!("http://us%40er:pa%3Ass%20s3cret@127.0.0.1:{strict}"),
            Works,
        ),
        by("proxy-url goes before the environment", format!("http://127.0.0.1:{http}"), Works)
            .env("HTTPS_PROXY", dead)
            .env("NO_PROXY", "*"),
        by(
            "proxy-url of another scheme",
            "ftp://u:s3cret@127.0.0.1".into(),
            Fails(&["\"ftp\" isn't supported", "cluster \"c\" of "]),
        ),
        by(
            "proxy-url without a scheme",
            format!("127.0.0.1:{http}"),
            Fails(&["is not a valid URL of a proxy"]),
        ),
        by("an empty proxy-url", String::new(), Works).env("HTTPS_PROXY", format!("127.0.0.1:{http}")),
        Row::of(
            "proxy-url to an API server on this machine",
            &user,
            format!("{}, proxy-url: '{dead}'", world.cluster()),
            Fails(&["the proxy http://127.0.0.1:1 (proxy-url)"]),
        ),
        Row::of(
            "proxy-url to a server without TLS",
            "",
            format!("server: 'http://api.example.test:{plain}', proxy-url: 'http://127.0.0.1:{http}'"),
            Works,
        ),
    ]
}
