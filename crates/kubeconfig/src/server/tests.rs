use super::*;

#[test]
fn a_server_is_read_as_client_go_reads_it() {
    for (text, uri) in [
        ("https://10.0.0.1:6443/", "https://10.0.0.1:6443"),
        ("HTTPS://api.example.com", "https://api.example.com"),
        ("https://[::1]:6443", "https://[::1]:6443"),
        ("https://[fd00::1]", "https://[fd00::1]"),
        ("https://r.example.com/k8s/clusters/c-1/", "https://r.example.com/k8s/clusters/c-1"),
        ("https://r.example.com/k8s/?x=y#z", "https://r.example.com/k8s"),
        ("https://r.example.com:/k8s", "https://r.example.com/k8s"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:18099", "http://127.0.0.1:18099"),
        ("localhost:18099", "http://localhost:18099"),
        ("api.example.com", "http://api.example.com"),
        ("[::1]:6443/", "http://[::1]:6443"),
    ] {
        let server = Server::parse(text).unwrap();
        assert_eq!(server.to_string(), uri);
        assert_eq!(server.without_scheme.is_some(), !text.contains("://"), "{text}");
    }
}

#[test]
fn what_cannot_be_called_is_refused_without_its_password() {
    for text in [
        "ftp://api.example.com",
        "/k8s/clusters/c-1",
        "10.0.0.1:6443/k8s",
        "https://",
        "https:///x",
        "https:/host",
        "https://a b",
        "https://host:99999",
        "https://host:port",
        "unix:///run/x",
        "",
        "://",
        "https://a\nb",
    ] {
        let error = Server::parse(text).err().unwrap();
        assert!(error.starts_with(&format!("the API server's URL is {text:?}; it needs")), "{error}");
    }
    for text in ["ftp://admin:secret@api.example.com", "admin:secret@10.0.0.1/x", "ftp://a:se@cret@h"] {
        let error = Server::parse(text).err().unwrap();
        assert!(!error.contains("secret") && !error.contains("cret"), "{error}");
    }
    for odd in ["/", "?", "#", "@/", "@?", "12/", "12#", " /", "%/"] {
        for scheme in ["https://", "http://", "ftp://", ""] {
            let error = Server::parse(&format!("{scheme}admin:se{odd}cret@api.example.com/x")).err().unwrap();
            assert!(!error.contains("admin") && !error.contains("cret"), "{error}");
            assert!(error.contains("%2F") && error.contains("api.example.com"), "{error}");
        }
    }
}

#[test]
fn user_and_password_of_the_url_are_taken_out() {
    let without_scheme = Server::parse("admin:secret@10.0.0.1:8080").unwrap().without_scheme;
    assert_eq!(without_scheme.as_deref(), Some("10.0.0.1:8080"));
    let server = Server::parse("https://ad%40min:pa%3Ass@r.example.com/x").unwrap();
    assert_eq!(server.to_string(), "https://r.example.com/x");
    let (user, password) = server.basic.unwrap();
    assert_eq!((user.as_str(), password.as_str()), ("ad@min", "pa:ss"));
}
