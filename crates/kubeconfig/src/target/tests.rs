use std::path::Path;

use super::super::{
    Environment, Error,
    document::Document,
    fields::Content,
    target::{Login, Target, Trust},
};

/// A kubeconfig whose one context has these fields of user and cluster.
fn document(user: &str, cluster: &str) -> Document {
    let text = format!(
        "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: 'https://h:6443', {cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
    );
    Document::parse(text.as_bytes(), Path::new("/etc/kube/config")).unwrap()
}

fn target(user: &str, cluster: &str) -> Result<Target, Error> {
    Target::resolve(&document(user, cluster), None, &Environment::default()).map(Option::unwrap)
}

fn refused(user: &str, cluster: &str) -> String {
    target(user, cluster).err().unwrap_or_else(|| panic!("{user} {cluster}")).to_string()
}

#[test]
fn empty_values_are_absent() {
    for empty in ["\"\"", "null", "~"] {
        let user = format!(
            "token: abc, tokenFile: {empty}, client-certificate: {empty}, client-certificate-data: {empty}, client-key: {empty}, client-key-data: {empty}, \
             username: {empty}, password: {empty}, as: {empty}, as-uid: {empty}, as-groups: null, as-user-extra: null, exec: null, auth-provider: null, extensions: null"
        );
        let cluster = format!(
            "certificate-authority: {empty}, certificate-authority-data: {empty}, tls-server-name: {empty}, proxy-url: {empty}, insecure-skip-tls-verify: {empty}, extensions: null"
        );
        let target = target(&user, &cluster).unwrap();
        assert!(
            matches!(&target.login, Login::Token { given: Some(token), file: None } if token.as_str() == "abc")
        );
        assert!(matches!(target.trust, Trust::System));
        assert!(target.certificate.is_none() && target.proxy.is_none() && target.tls_server_name.is_none());
        assert!(target.impersonation.is_empty());
    }
    let nothing =
        target("token: \"\", client-certificate-data: Y2VydA==, client-key-data: a2V5", "").unwrap();
    assert!(matches!(nothing.login, Login::Nothing) && nothing.certificate.is_some());
}

#[test]
fn a_context_without_a_user_calls_as_nobody() {
    for (context, warns) in [
        ("{cluster: c}", 0),
        ("{cluster: c, user: \"\"}", 0),
        ("{cluster: c, user: null}", 0),
        ("{cluster: c, user: gone}", 1),
    ] {
        let text = format!(
            "current-context: x\ncontexts: [{{name: x, context: {context}}}]\nclusters: [{{name: c, cluster: {{server: 'https://h'}}}}]\n"
        );
        let document = Document::parse(text.as_bytes(), Path::new("/k")).unwrap();
        let target = Target::resolve(&document, None, &Environment::default()).unwrap().unwrap();
        assert!(matches!(target.login, Login::Nothing));
        assert_eq!(target.warnings.len(), warns, "{context}");
    }
}

#[test]
fn a_context_is_chosen_or_current() {
    let document = document("token: t", "");
    assert!(Target::resolve(&document, Some(""), &Environment::default()).unwrap().is_some());
    let error = Target::resolve(&document, Some("none"), &Environment::default()).err().unwrap();
    assert_eq!(error.to_string(), "the kubeconfig has no context \"none\"; it has: x");
    assert!(Target::resolve(&Document::default(), None, &Environment::default()).unwrap().is_none());
}

#[test]
fn what_kubectl_refuses_is_refused_with_entry_file_and_remedy() {
    for (user, cluster, says) in [
        ("token: s3cret, username: me, password: s3cret", "", "keep one of them"),
        ("tokenFile: t, username: me", "", "keep one of them"),
        ("token: 123456", "", "`token` must be a text; put it in quotes"),
        ("token: [s3cret]", "", "`token` must be a text"),
        ("client-certificate-data: \"s3cret!\"", "", "`client-certificate-data` isn't base64"),
        ("client-certificate-data: YQ==, client-certificate: f", "", "are both given"),
        ("client-certificate-data: YQ==, client-key-data: YQ==, client-key: f", "", "are both given"),
        ("client-certificate-data: YQ==", "", "without its key"),
        ("client-certificate: f, client-key: \"\"", "", "without its key"),
        ("as-uid: u", "", "without `as`"),
        ("as-groups: [g]", "", "without `as`"),
        ("as: a, as-groups: g", "", "`as-groups` must be a list"),
        ("as: \"a\\nb\"", "", "`as` holds what no header"),
        ("as: a, as-user-extra: {k: [\"a\\r\"]}", "", "`as-user-extra` holds what no header"),
        (
            "exec: {command: c, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}, auth-provider: {name: oidc}",
            "",
            "`exec` and `auth-provider`",
        ),
        ("exec: {apiVersion: client.authentication.k8s.io/v1}", "", "no `command`"),
        ("exec: {command: c}", "", "it must be client.authentication.k8s.io/v1"),
        (
            "exec: {command: c, apiVersion: client.authentication.k8s.io/v1alpha1}",
            "",
            "it must be client.authentication.k8s.io/v1",
        ),
        ("exec: {command: c, apiVersion: client.authentication.k8s.io/v1}", "", "`interactiveMode`"),
        (
            "exec: {command: c, apiVersion: client.authentication.k8s.io/v1beta1, env: [{value: s3cret}]}",
            "",
            "`env` must be",
        ),
        ("auth-provider: {name: gcp, config: null}", "", "gke-gcloud-auth-plugin"),
        ("auth-provider: {name: azure, config: {access-token: s3cret}}", "", "Azure/kubelogin"),
        ("auth-provider: {name: openstack}", "", "isn't known"),
        ("auth-provider: {config: {}}", "", "no `name`"),
        ("auth-provider: {name: oidc, config: null}", "", "`idp-issuer-url`"),
        (
            "auth-provider: {name: oidc, config: {idp-issuer-url: u, client-id: c, refresh-token: s3cret, id-token: null}}",
            "",
            "kubelogin",
        ),
        ("", "certificate-authority: f, certificate-authority-data: YQ==", "are both given"),
        ("", "certificate-authority: f, insecure-skip-tls-verify: true", "remove one of them"),
        ("", "insecure-skip-tls-verify: maybe", "must be true or false"),
        ("", "proxy-url: 'ftp://u:s3cret@squid'", "\"ftp\" isn't supported"),
        ("", "proxy-url: 'u:s3cret@squid:1'", "is not a valid URL of a proxy"),
        ("", "server: ''", "it has no `server`"),
        ("", "server: 'ftp://u:s3cret@h'", "server: https://HOST:PORT"),
    ] {
        let error = refused(user, cluster);
        assert!(error.contains(says), "{user} {cluster}: {error}");
        assert!(
            error.starts_with("user \"u\" of /etc/kube/config: ")
                || error.starts_with("cluster \"c\" of /etc/kube/config: "),
            "{error}"
        );
        assert!(!error.contains("s3cret") && !error.contains("123456"), "{error}");
    }
}

#[test]
fn relative_paths_count_from_their_kubeconfig() {
    let target =
        target("tokenFile: t, client-certificate: ../c, client-key: /abs/k", "certificate-authority: pki/ca")
            .unwrap();
    let path = |content: &Content| match content {
        Content::File(path) => path.display().to_string(),
        Content::Data(_) => panic!(),
    };
    assert!(
        matches!(&target.login, Login::Token { given: None, file: Some(file) } if file == Path::new("/etc/kube/t"))
    );
    let (certificate, key) = target.certificate.as_ref().unwrap();
    assert_eq!((path(certificate), path(key)), ("/etc/kube/../c".into(), "/abs/k".into()));
    assert!(matches!(&target.trust, Trust::Authorities(content) if path(content) == "/etc/kube/pki/ca"));
}

#[test]
fn without_tls_no_credentials_are_sent() {
    for server in ["http://h:8080", "h:8080", "localhost:8080"] {
        let target = target("token: t, as: somebody", &format!("server: '{server}'")).unwrap();
        assert!(matches!(target.login, Login::Nothing) && target.impersonation.len() == 1);
        assert!(
            target.warnings[0].contains("aren't sent to http://")
                && target.warnings[0].contains("https://HOST:PORT")
        );
    }
}

#[test]
fn whom_to_act_as_becomes_headers() {
    let target =
        target("token: t, as: bob, as-uid: u1, as-groups: [g1, g2], as-user-extra: {'a/b%': [x, y]}", "")
            .unwrap();
    let headers: Vec<_> =
        target.impersonation.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let expected = [
        ("impersonate-user", "bob"),
        ("impersonate-uid", "u1"),
        ("impersonate-group", "g1"),
        ("impersonate-group", "g2"),
        ("impersonate-extra-a%2fb%25", "x"),
        ("impersonate-extra-a%2fb%25", "y"),
    ];
    assert_eq!(headers, expected);
}

#[test]
fn a_cluster_that_is_nowhere_is_named() {
    let text =
        "current-context: x\ncontexts: [{name: x, context: {cluster: gone}}, {name: y, context: {}}]\n";
    let document = Document::parse(text.as_bytes(), Path::new("/k")).unwrap();
    for (context, says) in [("x", "its cluster \"gone\" is in no kubeconfig"), ("y", "it names no `cluster`")]
    {
        let error =
            Target::resolve(&document, Some(context), &Environment::default()).err().unwrap().to_string();
        assert!(
            error.starts_with(&format!("context {context:?} of /k: ")) && error.contains(says),
            "{error}"
        );
    }
}

#[test]
fn yes_and_on_are_true_as_in_yaml_1_1() {
    for (flag, anybody) in
        [("yes", true), ("on", true), ("True", true), ("no", false), ("off", false), ("false", false)]
    {
        let target = target("", &format!("insecure-skip-tls-verify: {flag}")).unwrap();
        assert_eq!(matches!(target.trust, Trust::Anybody), anybody, "{flag}");
    }
}

#[test]
fn the_proxy_of_the_cluster_goes_before_that_of_the_environment() {
    let environment = Environment {
        https_proxy: Some("env:1".into()),
        no_proxy: Some("*".into()),
        ..Environment::default()
    };
    let of = |cluster: &str, environment: &Environment| {
        let target = Target::resolve(&document("", cluster), None, environment).unwrap().unwrap();
        target.proxy.map(|proxy| proxy.to_string())
    };
    assert_eq!(of("proxy-url: 'socks5://s'", &environment).as_deref(), Some("socks5://s:1080 (proxy-url)"));
    assert_eq!(of("", &environment), None);
    let environment = Environment { no_proxy: None, ..environment };
    assert_eq!(of("", &environment).as_deref(), Some("http://env:1 (HTTPS_PROXY)"));
}
