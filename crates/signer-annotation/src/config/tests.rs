use super::*;

fn check(name: &str, cluster_domain: &str) -> Result<(), ConfigError> {
    AnnotationSignerConfig::new(name.parse().unwrap(), cluster_domain.parse().unwrap()).check()
}

#[test]
fn refuses_what_could_never_work() {
    let longest = format!("example.com/{}", "a".repeat(LONGEST_PATH));
    assert_eq!(check(&longest, "cluster.local"), Ok(()));
    assert_eq!(format!("{}-duration", "a".repeat(LONGEST_PATH)).len(), 63, "the API server's limit");
    for (name, cluster_domain, rule) in [
        (format!("{longest}a").as_str(), "cluster.local", "longer than Kubernetes lets"),
        ("example.com/a", "*.local", "wildcard"),
        ("example.com/a", "svc", "short Service names"),
    ] {
        let error = check(name, cluster_domain).unwrap_err().to_string();
        assert!(error.contains(rule), "{error}");
    }
}
