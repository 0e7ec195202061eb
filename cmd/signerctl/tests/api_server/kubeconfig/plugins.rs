//! Who calls: programs that give credentials, and the auth providers before them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Fails, Row, Works, pki::read, world::World};

pub(crate) fn rows(world: &World) -> Vec<Row> {
    let mut rows = plugins(world);
    rows.extend(providers(world));
    rows
}

/// A plugin is a script that prints this credential.
fn plugins(world: &World) -> Vec<Row> {
    const V1: &str = "client.authentication.k8s.io/v1";
    let exec = |fields: &str| format!("exec: {{apiVersion: {V1}, interactiveMode: Never, {fields}}}");
    let credential = |version: &str, status: &str| {
        format!(r#"{{"apiVersion": "{version}", "kind": "ExecCredential", "status": {{{status}}}}}"#)
    };
    let of = |name, user: &str, answer: &str, expected| {
        Row::of(name, user, world.cluster(), expected).file("answer", answer)
    };
    let token = credential(V1, &format!(r#""token": "{}""#, world.token));
    let escape = |pem: Vec<u8>| serde_json::to_string(&String::from_utf8(pem).unwrap()).unwrap();
    let pair = format!(
        r#""clientCertificateData": {}, "clientKeyData": {}"#,
        escape(read(&world.pki.join("admin.crt"))),
        escape(read(&world.pki.join("admin.key")))
    );
    let cat = exec("command: cat, args: [answer]");
    let checks = r#"exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: sh, env: [{name: WHO, value: me}], provideClusterInfo: true,
      args: ['-c', 'case "$KUBERNETES_EXEC_INFO$WHO" in *certificate-authority-data*me) cat answer;; *) exit 9;; esac']}"#;
    vec![
        of("a plugin's token", &cat, &token, Works),
        of("a plugin's certificate", &cat, &credential(V1, &pair), Works),
        of(
            "a plugin that answers in YAML",
            &cat,
            &format!("apiVersion: {V1}\nkind: ExecCredential\nstatus:\n  token: {}\n", world.token),
            Works,
        ),
        of(
            "a plugin that is told of the cluster",
            checks,
            &token.replace(V1, "client.authentication.k8s.io/v1beta1"),
            Works,
        ),
        of(
            "a plugin of another version",
            &cat,
            &token.replace(V1, "client.authentication.k8s.io/v1beta1"),
            Fails(&["another kind or version"]),
        ),
        of(
            "a plugin without a version",
            "exec: {command: cat, args: [answer]}",
            &token,
            Fails(&["client.authentication.k8s.io/v1"]),
        ),
        of(
            "a plugin without a mode",
            &format!("exec: {{apiVersion: {V1}, command: cat, args: [answer]}}"),
            &token,
            Fails(&["`interactiveMode`"]),
        ),
        of(
            "a plugin that isn't installed",
            &exec("command: no-such-plugin, installHint: 'Install it with brew.'"),
            "",
            Fails(&["no-such-plugin", "isn't installed", "Install it with brew."]),
        ),
        of(
            "a plugin that fails",
            &exec("command: sh, args: ['-c', 'echo s3cret; exit 3']"),
            "",
            Fails(&["the plugin \"sh\" failed"]),
        ),
        of(
            "a plugin that prints nonsense",
            &exec("command: echo, args: ['s3cret: [']"),
            "",
            Fails(&["no ExecCredential"]),
        ),
        of(
            "a plugin without a status",
            &cat,
            &format!(r#"{{"apiVersion": "{V1}", "kind": "ExecCredential"}}"#),
            Fails(&["without a `status`"]),
        ),
        of(
            "a plugin that gives nothing",
            &cat,
            &credential(V1, r#""token": """#),
            Fails(&["neither a token nor a certificate"]),
        ),
        of("a plugin and a token", &format!("{cat}, {}", world.bearer()), "", Works),
        of(
            "a plugin and an auth provider",
            &format!("{cat}, auth-provider: {{name: oidc}}"),
            &token,
            Fails(&["keep one of them"]),
        ),
        Row::of(
            "a plugin relative to the kubeconfig",
            exec("command: ./plugin"),
            world.cluster(),
            Fails(&["can't be run"]),
        )
        .file("plugin", "#!/bin/sh\n"),
    ]
}

fn providers(world: &World) -> Vec<Row> {
    let of = |name, user: &str, expected| Row::of(name, user, world.cluster(), expected);
    let jwt =
        |expires: u64| format!("e30.{}.s3cret", URL_SAFE_NO_PAD.encode(format!(r#"{{"exp": {expires}}}"#)));
    let oidc = |fields: &str| {
        format!(
            "auth-provider: {{name: oidc, config: {{idp-issuer-url: 'https://127.0.0.1:1', client-id: c, {fields}}}}}"
        )
    };
    vec![
        of(
            "the auth provider gcp",
            "auth-provider: {name: gcp, config: null}",
            Fails(&["gke-gcloud-auth-plugin"]),
        ),
        of(
            "the auth provider azure",
            "auth-provider: {name: azure, config: {access-token: s3cret}}",
            Fails(&["kubelogin"]),
        ),
        of("an unknown auth provider", "auth-provider: {name: openstack}", Fails(&["isn't known"])),
        of("an OIDC token", &oidc(&format!("id-token: {}", world.token)), Works),
        of(
            "an OIDC token of nobody",
            &oidc(&format!("id-token: {}", jwt(4_000_000_000))),
            Fails(&["doesn't know you"]),
        ),
        of(
            "an OIDC token that has expired",
            &oidc(&format!("id-token: {}", jwt(1_000_000_000))),
            Fails(&["expired at 2001-09-09", "kubelogin"]),
        ),
        of(
            "an expired OIDC token that could be renewed",
            &oidc(&format!("id-token: {}, refresh-token: s3cret", jwt(1_000_000_000))),
            Fails(&["any call of `kubectl` renews it", "kubelogin"]),
        ),
        of("OIDC without a token", &oidc("refresh-token: s3cret"), Fails(&["no `id-token`", "kubelogin"])),
    ]
}
