use super::*;

fn environment(https: &str, no_proxy: &str) -> Environment {
    Environment { https_proxy: Some(https.into()), no_proxy: Some(no_proxy.into()), ..Environment::default() }
}

fn of_environment(https: &str, no_proxy: &str, server: &str) -> Option<String> {
    let server = Server::parse(server).unwrap();
    let proxy = Proxy::of_environment(&environment(https, no_proxy), &server).unwrap();
    proxy.map(|proxy| proxy.to_string())
}

#[test]
fn the_environment_names_a_proxy_unless_no_proxy_has_the_server() {
    for (proxy, shown) in [
        ("http://squid:3128", "http://squid:3128 (HTTPS_PROXY)"),
        ("squid:3128", "http://squid:3128 (HTTPS_PROXY)"),
        ("squid", "http://squid:80 (HTTPS_PROXY)"),
        ("HTTPS://squid/", "https://squid:443 (HTTPS_PROXY)"),
        ("socks5://u:p@[::1]", "socks5://[::1]:1080 (HTTPS_PROXY)"),
        ("socks5h://s:1", "socks5://s:1 (HTTPS_PROXY)"),
        ("user:pass@squid:3128", "http://squid:3128 (HTTPS_PROXY)"),
    ] {
        assert_eq!(of_environment(proxy, "", "https://api.example.com").as_deref(), Some(shown));
        assert_eq!(of_environment(proxy, "example.com", "https://api.example.com"), None);
        assert_eq!(of_environment(proxy, "", "https://127.0.0.1:6443"), None);
        assert_eq!(of_environment(proxy, "", "http://api.example.com"), None, "HTTPS_PROXY isn't for http");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
    let server = Server::parse("https://api.example.com").unwrap();
    for (proxy, says) in [
        ("ftp://u:secret@squid", "\"ftp\" isn't supported"),
        ("socks4://squid", "\"socks4\" isn't supported"),
        ("http://u:secret@squid:x", "\"http://squid:x\" is not a valid URL"),
        ("http://u:secret@", "\"http://\" is not a valid URL"),
    ] {
        let error = Proxy::of_environment(&environment(proxy, ""), &server).err().unwrap().to_string();
        assert!(error.starts_with("HTTPS_PROXY in the environment: ") && error.contains(says), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    for odd in ["/", "?", "#", "@/", "12/", "12#"] {
        for scheme in ["http://", "socks5://", ""] {
            let proxy = format!("{scheme}user:se{odd}cret@squid:3128");
            let error = Proxy::of_environment(&environment(&proxy, ""), &server).err().unwrap().to_string();
            assert!(!error.contains("cret") && !error.contains("user:"), "{error}");
            assert!(error.contains("%2F") && error.contains("squid:3128"), "{error}");
        }
    }
    for (proxy, says) in
        [("squid:3128", "is not a valid URL"), ("socks5h://s", "socks5h"), ("//s", "is not a valid URL")]
    {
        let error = Proxy::of_cluster(proxy).err().unwrap();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn user_and_password_go_into_a_header() {
    let proxy = Proxy::of_cluster("http://us%40er:pa%3Ass@squid:3128").unwrap();
    let header = proxy.authorization().unwrap();
    assert!(header.is_sensitive());
    assert_eq!(header.to_str().unwrap(), "Basic dXNAZXI6cGE6c3M=");
    assert!(Proxy::of_cluster("http://squid").unwrap().authorization().is_none());
}

#[test]
fn as_in_cgi_http_proxy_is_not_believed() {
    let environment =
        Environment { http_proxy: Some("squid".into()), is_cgi: true, ..Environment::default() };
    let server = Server::parse("http://api.example.com").unwrap();
    assert!(Proxy::of_environment(&environment, &server).is_err());
}
