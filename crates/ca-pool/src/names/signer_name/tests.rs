use super::*;

#[test]
fn takes_what_the_api_server_takes() {
    for name in ["row-major.net/spiffe", "coolcert.example.com/foo", "a.b/c.d", "1.2/3"] {
        let parsed: SignerName = name.parse().unwrap();
        assert_eq!(parsed.to_string(), name);
        assert_eq!(format!("{}/{}", parsed.domain(), parsed.path()), name);
    }
}

#[test]
fn refuses_with_the_rule() {
    let long = format!("example.com/{}", vec!["a".repeat(60); 4].join("."));
    for (name, rule) in [
        ("", "no '/'"),
        ("example.com", "no '/'"),
        ("localhost/foo", "two lowercase labels"),
        ("Example.com/foo", "two lowercase labels"),
        ("example..com/foo", "two lowercase labels"),
        ("example.com/", "after '/'"),
        ("example.com/a/b", "after '/'"),
        ("example.com/Foo", "after '/'"),
        ("example.com/foo_bar", "after '/'"),
        ("kubernetes.io/kubelet-serving", "kubernetes.io"),
        ("x.kubernetes.io/y", "kubernetes.io"),
        (long.as_str(), "too long"),
    ] {
        let error = name.parse::<SignerName>().unwrap_err().to_string();
        assert!(error.contains(rule), "{name}: {error}");
    }
}
