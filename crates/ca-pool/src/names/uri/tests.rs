use proptest::prelude::*;

use super::*;

#[test]
fn takes_absolute_uris_as_they_are() {
    for text in [
        "spiffe://cluster.local/ns/a/sa/b",
        "spiffe://my_domain/x",
        "https://example.com",
        "https://example.com/",
        "https://example.com:8443/a/b?c=d#e",
        "https://192.0.2.1/x",
        "https://[2001:db8::1]:443/x",
        "https://example.com/a%20b",
        "https://example.com/...",
    ] {
        assert_eq!(text.parse::<Uri>().unwrap().as_str(), text);
    }
}

#[test]
fn refuses_with_the_rule() {
    let long = format!("https://example.com/{}", "a".repeat(2048));
    for (text, rule) in [
        ("", "absolute"),
        ("example.com", "absolute"),
        ("/path", "absolute"),
        ("urn:uuid:1", "absolute"),
        ("HTTPS://example.com", "scheme"),
        ("1s://example.com", "scheme"),
        ("https://Example.com", "host"),
        ("https://", "host"),
        ("https:///path", "host"),
        ("https://exa..mple/", "host"),
        ("https://user@example.com", "userinfo"),
        ("https://user:pw@example.com", "userinfo"),
        ("https://ex%61mple.com/", "percent-encoded"),
        ("https://example.com:x/", "port"),
        ("https://example.com:70000/", "port"),
        ("https://example.com/../b", "segment"),
        ("https://example.com/a/.", "segment"),
        ("https://example.com/%2E%2e/b", "segment"),
        ("https://example.com/%zz", "hexadecimal"),
        ("https://example.com/a b", "RFC 3986"),
        ("https://exämple.com/", "RFC 3986"),
        (long.as_str(), "2048"),
    ] {
        let error = text.parse::<Uri>().unwrap_err().to_string();
        assert!(error.contains(rule), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn parts_make_the_whole(text in "(https?|spiffe)://[a-z0-9.:@%\\[\\]_-]{0,20}[/a-zA-Z0-9.%?#-]{0,30}") {
        if let Ok(uri) = text.parse::<Uri>() {
            prop_assert_eq!(format!("{}://{}{}", uri.scheme(), uri.authority(), uri.path()), text.clone());
            prop_assert!(!uri.host().contains(['@', '%']) && !text.contains("/../"));
        }
    }
}
