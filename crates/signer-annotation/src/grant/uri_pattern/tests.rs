use proptest::prelude::*;

use super::*;

fn covers(pattern: &str, uri: &str) -> bool {
    pattern.parse::<UriPattern>().unwrap().matches(&uri.parse().unwrap())
}

#[test]
fn covers_a_uri_a_segment_the_rest_or_everything() {
    for (pattern, uri) in [
        ("https://example.com", "https://example.com"),
        ("https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
        ("https://example.com/**", "https://example.com/"),
        ("https://example.com/**", "https://example.com/a/b/c"),
        ("https://example.com/**", "https://example.com/@a:b;c=d"),
        ("https://example.com/a/**", "https://example.com/a/"),
        ("https://example.com/*/b", "https://example.com/a/b"),
        ("https://example.com/*/*", "https://example.com/a/b"),
        ("https://example.com/*/**", "https://example.com/a/b/c"),
        ("https://example.com:8443/**", "https://example.com:8443/a"),
        ("spiffe://cluster.local/ns/web/sa/server", "spiffe://cluster.local/ns/web/sa/server"),
        ("*", "https://example.com/?a=%20*"),
        ("*", "spiffe://cluster.local/ns/web/sa/server"),
    ] {
        assert!(covers(pattern, uri), "{pattern} {uri}");
    }
}

#[test]
fn covers_nothing_that_only_looks_like_it() {
    for (pattern, uri) in [
        ("https://example.com", "https://example.com/"),
        ("https://example.com/**", "https://example.com"),
        ("https://example.com/**", "https://example.com.evil/"),
        ("https://example.com/**", "https://www.example.com/"),
        ("https://example.com/**", "https://example.com:8443/a"),
        ("https://example.com/**", "http://example.com/a"),
        ("https://example.com/**", "https://example.com?a"),
        ("https://example.com/**", "https://example.com/a?b"),
        ("https://example.com/**", "https://example.com/a#b"),
        ("https://example.com/**", "https://example.com/*"),
        ("https://example.com/a/**", "https://example.com/a"),
        ("https://example.com/a/**", "https://example.com/ab"),
        ("https://example.com/a/**", "https://example.com/a/..%2Fb"),
        ("https://example.com/a/**", "https://example.com/a/..;x/b"),
        ("https://example.com/*/b", "https://example.com/..;/b"),
        ("https://example.com/a/*", "https://example.com/a/b%2fc"),
        ("https://example.com/a/*", "https://example.com/a/b/c"),
        ("https://example.com/a/*", "https://example.com/a/"),
        ("https://example.com/*/b", "https://example.com//b"),
        ("https://example.com/*/b", "https://example.com/a/b/"),
        ("https://example.com/*/b", "https://example.com/a/b?c"),
    ] {
        assert!(!covers(pattern, uri), "{pattern} {uri}");
    }
}

#[test]
fn refuses_with_the_rule() {
    for (pattern, rule) in [
        ("", "absolute"),
        ("**", "absolute"),
        ("https://*.example.com/", "host"),
        ("https://*/a", "host"),
        ("*://example.com/a", "scheme"),
        ("https://example.com:*/a", "port"),
        ("https://example.com@evil/**", "userinfo"),
        ("https://example.com/../**", "segment"),
        ("spiffe://cluster.local/ns/web/sa/*", "without wildcards"),
        ("https://example.com/*?a", "query"),
        ("https://example.com/a*", "whole segment"),
        ("https://example.com/***", "whole segment"),
        ("https://example.com/**/a", "last segment"),
    ] {
        let error = pattern.parse::<UriPattern>().unwrap_err().to_string();
        assert!(error.contains(rule), "{pattern}: {error}");
    }
}

proptest! {
    /// A second opinion that walks both texts by recursion, from the end.
    #[test]
    fn covers_what_comparison_from_the_end_covers(pattern in "(/(a|b|\\*)){0,3}(/\\*\\*)?", uri in "(/[ab%]{0,3}){0,4}") {
        let Ok(parsed) = format!("https://x{pattern}").parse::<UriPattern>() else { return Ok(()) };
        let Ok(uri) = format!("https://x{uri}").parse::<Uri>() else { return Ok(()) };
        let pattern: Vec<&str> = pattern.split('/').collect();
        let path: Vec<&str> = uri.path().split('/').collect();
        prop_assert_eq!(parsed.matches(&uri), is_below(&pattern, &path));
    }
}

fn is_below(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_last(), path.split_last()) {
        (None, None) => true,
        (Some((&"**", pattern)), Some(_)) if pattern.len() < path.len() => {
            let (head, rest) = path.split_at(pattern.len());
            is_below(pattern, head) && !rest.concat().contains('%')
        }
        (Some((&"*", pattern)), Some((segment, path))) => {
            !segment.is_empty() && !segment.contains('%') && is_below(pattern, path)
        }
        (Some((literal, pattern)), Some((segment, path))) => literal == segment && is_below(pattern, path),
        _ => false,
    }
}
