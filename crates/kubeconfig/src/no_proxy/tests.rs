use super::*;

#[test]
fn hosts_go_direct_as_with_go() {
    for (no_proxy, host, port, direct) in [
        ("", "api.example.com", 443, false),
        ("*", "api.example.com", 443, true),
        ("a.example, *", "10.0.0.1", 443, true),
        ("api.example.com", "api.example.com", 443, true),
        ("API.Example.com", "api.example.COM", 443, true),
        ("example.com", "api.example.com", 443, true),
        ("example.com", "badexample.com", 443, false),
        (".example.com", "api.example.com", 443, true),
        (".example.com", "example.com", 443, false),
        ("*.example.com", "api.example.com", 443, true),
        ("*.example.com", "example.com", 443, false),
        ("example.com:6443", "api.example.com", 6443, true),
        ("example.com:6443", "api.example.com", 443, false),
        ("10.0.0.1", "10.0.0.1", 443, true),
        ("10.0.0.1:443", "10.0.0.1", 6443, false),
        ("10.0.0.0/8", "10.255.0.1", 443, true),
        ("10.0.0.0/8", "11.0.0.1", 443, false),
        ("0.0.0.0/0", "11.0.0.1", 443, true),
        ("10.0.0.0/33", "10.0.0.0", 443, false),
        ("10.0.0.0/8", "api.example.com", 443, false),
        ("fd00::/8", "[fd12::1]", 443, true),
        ("fd00::/8", "[fe80::1]", 443, false),
        ("[fd12::1]:6443", "[fd12::1]", 6443, true),
        ("fd12::1", "[fd12::1]", 6443, true),
        ("10.0.0.1", "::ffff:10.0.0.1", 443, true),
        (" , ,a.example ", "a.example", 443, true),
        (":443", "a.example", 443, false),
        // never through the proxy, whatever NO_PROXY says
        ("", "localhost", 443, true),
        ("", "127.0.0.1", 443, true),
        ("", "127.9.9.9", 443, true),
        ("", "[::1]", 443, true),
    ] {
        assert_eq!(goes_direct(no_proxy, host, port), direct, "{no_proxy:?} {host} {port}");
    }
}
