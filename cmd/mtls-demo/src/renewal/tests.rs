use super::*;

#[test]
fn an_estimate_says_that_it_is_one() {
    let leaf = certificate();
    let half = leaf.not_before + leaf.not_after.duration_since(leaf.not_before).unwrap() / 2;
    let text = expected(&leaf, half - Duration::from_secs(600));
    assert!(text.starts_with(&format!("about {} (in 10m); most signers", utc(half))), "{text}");
    let text = expected(&leaf, half + Duration::from_secs(600));
    assert!(text.starts_with("later than") && text.contains("10m ago), or overdue"), "{text}");
}

fn certificate() -> Certificate {
    let volume = test_cluster::pod_volume::Volume::new();
    volume.write([("c.pem", test_cluster::pod_volume::Ca::new("test").dns("a").bundle())]);
    let files = pod_credentials::CredentialFiles::bundle(volume.path("c.pem"));
    pod_credentials::Credentials::load(&files, SystemTime::now()).unwrap().leaf().clone()
}
