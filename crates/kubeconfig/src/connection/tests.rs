use std::{fs, path::Path};

use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::{Environment, document::Document};

const LONG: Duration = Duration::from_secs(60);

/// A target whose user has these fields, in a kubeconfig of this directory.
fn target(directory: &Path, user: &str) -> Target {
    let text = format!(
        "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: 'https://h', insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n"
    );
    let document = Document::parse(text.as_bytes(), &directory.join("config")).unwrap();
    Target::resolve(&document, None, &Environment::default()).unwrap().unwrap()
}

async fn caller(directory: &Path, user: &str) -> Result<Arc<Caller>, Error> {
    let target = target(directory, user);
    let plugin = match &target.login {
        Login::Exec(exec) => exec.run().await?,
        _ => ExecCredential::default(),
    };
    let state = Mutex::new(State::new(&target, plugin, LONG)?);
    Ok(Arc::new(Caller { target, read: LONG, state }))
}

/// The header of the next call, a minute after the last one.
async fn next(caller: &Caller) -> String {
    let mut state = caller.state.lock().await;
    state.read_at = Instant::now().checked_sub(FRESH).unwrap();
    caller.refresh(&mut state).await.unwrap();
    state.authorization.as_ref().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn the_path_of_a_server_goes_before_that_of_a_call() {
    for (server, joined) in [
        ("https://10.0.0.1:6443", "https://10.0.0.1:6443/api/v1/pods?watch=1"),
        ("https://[::1]", "https://[::1]/api/v1/pods?watch=1"),
        (
            "https://r.example.com/k8s/clusters/c-1",
            "https://r.example.com/k8s/clusters/c-1/api/v1/pods?watch=1",
        ),
    ] {
        let call = Uri::from_static("/api/v1/pods?watch=1");
        assert_eq!(join(&server.parse().unwrap(), &call).unwrap(), joined);
    }
}

#[tokio::test]
async fn a_token_file_is_read_again_and_its_last_token_kept() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, "first\n").unwrap();
    let caller = caller(directory.path(), "tokenFile: token").await.unwrap();
    assert_eq!(next(&caller).await, "Bearer first");
    fs::write(&file, "second").unwrap();
    let mut state = caller.state.lock().await;
    caller.refresh(&mut state).await.unwrap();
    assert_eq!(state.authorization.as_ref().unwrap(), "Bearer first", "a minute hasn't passed");
    drop(state);
    assert_eq!(next(&caller).await, "Bearer second");
    for broken in [None, Some(""), Some("a\nb")] {
        match broken {
            None => fs::remove_file(&file).unwrap(),
            Some(text) => fs::write(&file, text).unwrap(),
        }
        assert_eq!(next(&caller).await, "Bearer second");
    }
}

fn write_pair(directory: &Path) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["me".to_owned()]).unwrap().self_signed(&key).unwrap();
    fs::write(directory.join("c"), certificate.pem()).unwrap();
    fs::write(directory.join("k"), key.serialize_pem()).unwrap();
}

#[tokio::test]
async fn a_renewed_client_certificate_is_used_on_new_connections() {
    let directory = tempfile::tempdir().unwrap();
    write_pair(directory.path());
    let caller = caller(directory.path(), "token: t, client-certificate: c, client-key: k").await.unwrap();
    let in_use = async || {
        next(&caller).await;
        let plugin = ExecCredential::default();
        caller.state.lock().await.files == TlsFiles::read(&caller.target, &plugin).unwrap()
    };
    assert!(in_use().await);
    write_pair(directory.path());
    assert!(in_use().await, "the new pair is read");
    let good = fs::read(directory.path().join("k")).unwrap();
    write_pair(directory.path());
    fs::write(directory.path().join("k"), &good).unwrap();
    assert!(!in_use().await, "a pair that is half written isn't taken");
}

/// A plugin that counts how often it is run.
fn plugin(directory: &Path, expires: &str) -> String {
    let answer = format!(
        r#"printf '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"t%s","expirationTimestamp":"{expires}"}}}}' $(wc -l < {0})"#,
        directory.join("runs").display()
    );
    let script = format!("#!/bin/sh\necho run >> {}\n{answer}\n", directory.join("runs").display());
    fs::write(directory.join("plugin.sh"), script).unwrap();
    "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [plugin.sh], interactiveMode: Never}"
        .replace("plugin.sh", &directory.join("plugin.sh").display().to_string())
}

#[tokio::test]
async fn a_plugin_is_run_again_once_its_token_has_expired_or_was_refused() {
    let directory = tempfile::tempdir().unwrap();
    let caller = caller(directory.path(), &plugin(directory.path(), "2999-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(next(&caller).await, "Bearer t1");
    assert_eq!(next(&caller).await, "Bearer t1");
    caller.state.lock().await.is_rejected = true;
    assert_eq!(next(&caller).await, "Bearer t2");
    assert_eq!(next(&caller).await, "Bearer t2");

    let directory = tempfile::tempdir().unwrap();
    let caller =
        self::caller(directory.path(), &plugin(directory.path(), "2000-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(next(&caller).await, "Bearer t2");
    assert_eq!(next(&caller).await, "Bearer t3");
}

/// A plugin whose first token has expired, and that waits for a file before it gives the next.
fn slow_plugin(directory: &Path) -> String {
    let user = plugin(directory, "2000-01-01T00:00:00Z");
    let (path, at) = (directory.join("plugin.sh"), directory.display());
    let script = fs::read_to_string(&path).unwrap();
    let next = format!("until [ -e {at}/go ]; do sleep 0.02; done\n{}", script.replace("2000-", "2999-"));
    fs::write(directory.join("next.sh"), next.replace("echo run", "true")).unwrap();
    fs::write(
        &path,
        script.replace("printf", &format!("[ $(wc -l < {at}/runs) = 1 ] || exec sh {at}/next.sh\nprintf")),
    )
    .unwrap();
    user
}

#[tokio::test]
async fn a_plugin_that_is_slower_than_a_call_serves_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let caller = caller(directory.path(), &slow_plugin(directory.path())).await.unwrap();
    let runs = || fs::read_to_string(directory.path().join("runs")).unwrap().lines().count();
    for _ in 0..3 {
        assert!(tokio::time::timeout(Duration::from_millis(200), caller.ready()).await.is_err());
    }
    fs::write(directory.path().join("go"), "").unwrap();
    let authorization = caller.ready().await.ok().unwrap().authorization.unwrap();
    assert_eq!((authorization.to_str().unwrap(), runs()), ("Bearer t2", 2));
}

#[tokio::test]
async fn a_refusal_of_former_credentials_is_no_refusal_of_those_of_now() {
    let directory = tempfile::tempdir().unwrap();
    let caller = caller(directory.path(), &plugin(directory.path(), "2999-01-01T00:00:00Z")).await.unwrap();
    let ready = async || {
        let ready = caller.ready().await.ok().unwrap();
        (ready.authorization.unwrap().to_str().unwrap().to_owned(), ready.run)
    };
    let (_, first) = ready().await;
    caller.rejected(first).await;
    let (second, run) = ready().await;
    assert_eq!(second, "Bearer t2");
    caller.rejected(first).await;
    assert_eq!(ready().await, (second, run), "an answer that came late");
    caller.rejected(run).await;
    assert_eq!(ready().await.0, "Bearer t3");
}

#[tokio::test]
async fn a_plugin_that_answers_without_end_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let user = "exec: {apiVersion: client.authentication.k8s.io/v1, command: 'yes', interactiveMode: Never}";
    let error = caller(directory.path(), user).await.err().unwrap().to_string();
    assert!(error.contains("the plugin \"yes\" answers with more than 256 KiB"), "{error}");
}
