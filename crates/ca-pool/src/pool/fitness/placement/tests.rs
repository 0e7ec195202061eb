use super::*;

#[test]
fn labels_that_stand_for_any_give_way_to_those_of_a_base() {
    for (name, base, expected) in [
        ("any-example.any-example.svc", "shop.svc", Some("any-example.shop.svc")),
        ("any-example.any-example.svc", ".shop.svc", Some("any-example.shop.svc")),
        ("any-example.any-example.svc", "web.shop.svc", Some("web.shop.svc")),
        ("any-example.any-example.svc", ".web.shop.svc", Some("any-example.web.shop.svc")),
        ("any-example.any-example.svc", "svc", None),
        ("any-example.any-example.svc", "xsvc", None),
        ("any-example.any-example.svc", "shop.svc.cluster.local", None),
        ("any-example.any-example.svc", "", None),
        ("any-example", "corp.example.com", Some("corp.example.com")),
        ("any-example", ".example.com", Some("any-example.example.com")),
        ("any-example", "local", Some("local")),
        ("www.example.com", "example.com", None),
    ] {
        assert_eq!(moved(name, base).as_deref(), expected, "{name} {base}");
    }
}
