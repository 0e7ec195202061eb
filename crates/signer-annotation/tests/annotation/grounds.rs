//! What a refusal rests on: a running pod is never broken by a change of mind.

use signer_core::{Denial, Grounds, testing::RequestBuilder};

use crate::scenario::{annotated, asking, config, denied, not_selecting, request};

fn grounds(request: RequestBuilder) -> Grounds {
    let Denial { grounds, .. } = denied(&config(), request);
    grounds
}

#[test]
fn what_user_annotations_break_is_broken_for_ever() {
    for (item, value) in [
        ("cn", "a b"),
        ("san", "A.example"),
        ("uris", "/"),
        ("ips", "x"),
        ("usages", "any"),
        ("duration", "1m"),
        ("refresh", "1m"),
        ("other", "x"),
        ("san", "${pod.ip}"),
        ("san", "${pod.name}..example"),
    ] {
        assert_eq!(grounds(asking(item, value)), Grounds::Fixed, "{item} {value}");
        assert_eq!(
            grounds(asking(item, value).running()),
            Grounds::Fixed,
            "the core decides what follows from the phase"
        );
    }
}

#[test]
fn what_pod_annotations_break_may_be_mended() {
    for (item, value) in
        [("cn", "a b"), ("san", "A.example"), ("duration", "1m"), ("other", "x"), ("usages", "")]
    {
        assert_eq!(grounds(annotated(item, value)), Grounds::Changeable, "{item} {value}");
    }
}

#[test]
fn what_services_and_grants_say_may_change() {
    assert_eq!(grounds(asking("san", "example.com")), Grounds::Changeable);
    assert_eq!(grounds(asking("usages", "code signing")), Grounds::Changeable);
    assert_eq!(grounds(asking("san", "api.shop.svc").services([not_selecting("api")])), Grounds::Changeable);
    assert_eq!(grounds(request().pod(|pod| pod.name = "a".repeat(64))), Grounds::Changeable);
}

#[test]
fn what_the_clusters_domain_makes_too_long_may_fit_when_it_is_configured_otherwise() {
    let long = format!("{}.${{cluster.domain}}", "a".repeat(60));
    assert_eq!(grounds(asking("cn", &long)), Grounds::Changeable);
    assert_eq!(grounds(asking("cn", &long.replace("${cluster.domain}", "cluster.local"))), Grounds::Fixed);
}
