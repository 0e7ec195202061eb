use super::*;

#[test]
fn a_pod_calls_with_its_service_account() {
    let directory = tempfile::tempdir().unwrap();
    let of = |host: &str| {
        let service = Some((host.to_owned(), "443".to_owned()));
        let environment = Environment {
            service,
            https_proxy: Some("squid:3128".into()),
            no_proxy: Some("10.96.0.0/12,fd00::/8".into()),
            ..Environment::default()
        };
        target_in(&environment, directory.path()).unwrap()
    };
    assert!(of("10.96.0.1").is_none(), "a pod without a token");
    for (file, content) in [("token", "t"), ("ca.crt", ""), ("namespace", "mesh\n")] {
        std::fs::write(directory.path().join(file), content).unwrap();
    }
    assert!(target_in(&Environment::default(), directory.path()).unwrap().is_none(), "no pod");
    for (host, url) in [("10.96.0.1", "https://10.96.0.1:443"), ("fd00::1", "https://[fd00::1]:443")] {
        let target = of(host).unwrap();
        assert_eq!(target.server.to_string(), url);
        assert_eq!(target.user, "the pod's service account in namespace mesh");
        assert!(target.proxy.is_none() && target.context.is_none());
        assert!(
            matches!(&target.login, Login::Token { given: None, file: Some(file) } if file.ends_with("token"))
        );
    }
    assert!(of("kubernetes.example").unwrap().proxy.is_some(), "as client-go does");
}
