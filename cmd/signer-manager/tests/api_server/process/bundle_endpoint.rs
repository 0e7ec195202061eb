//! The bundle endpoint, and the client of others' endpoints, judged by SPIFFE's own library for Go.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use test_cluster::Error;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::OnceCell,
};

use crate::support::{
    SOON,
    bundle_endpoint::certificate,
    ca::{new_authority, write_whole},
    eventually,
    http::free_address,
    on_cluster,
    process::signer_manager,
    setup::Setup,
};

static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();

/// Made once for all tests.
async fn go_spiffe() -> Command {
    let program = PROGRAM.get_or_init(async || {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-spiffe");
        let mut go = Command::new("go");
        go.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../hack/go-spiffe"));
        go.envs([("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOWORK", "off")]);
        let output = go.args(["build", "-o"]).arg(&program).arg(".").output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        program
    });
    Command::new(program.await)
}

/// The bundle as the library has understood it.
async fn fetched(arguments: &[&str]) -> Result<Value, String> {
    let output = go_spiffe().await.arg("fetch").args(arguments).output().await.unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

const ID: &str = "spiffe://own.example/bundle-endpoint";

#[tokio::test]
async fn go_spiffe_fetches_our_bundle_by_both_profiles() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&signer, "kind: spiffe, trustDomain: own.example");
        let (by_id, by_files) = (free_address(), free_address());
        let web = new_authority("web");
        let (cert, key) = certificate(&web, "spiffe://web.example/a");
        let path = |name: &str| setup.dir.path().join(name).to_str().unwrap().to_owned();
        for (name, content) in
            [("tls.crt", cert.as_str()), ("tls.key", &key), ("web.pem", &web.root().to_pem())]
        {
            write_whole(Path::new(&path(name)), content.as_bytes());
        }
        let bind = by_id.to_string();
        let further = ["--bundle-endpoint", &bind, "--bundle-endpoint-spiffe-id", ID];
        let issued = setup.spawn_by(signer_manager(), scope.cluster(), &further);
        let (bind, cert, key) = (by_files.to_string(), path("tls.crt"), path("tls.key"));
        let files = ["--bundle-endpoint-cert-file", &cert, "--bundle-endpoint-key-file", &key];
        let further = [&["--bundle-endpoint", &bind][..], &files].concat();
        let filed = setup.spawn_by(signer_manager(), scope.cluster(), &further);
        issued.ready().await;
        filed.ready().await;
        let published = scope.cluster().trust_bundles(&signer).await?.remove(0);
        write_whole(Path::new(&path("anchors.pem")), published.anchors_pem.as_bytes());

        let url = format!("https://{by_id}/own.example");
        let anchors = path("anchors.pem");
        let bundle =
            eventually("a bundle", async || fetched(&["own.example", &url, "spiffe", ID, &anchors]).await)
                .await;
        assert_eq!(bundle["spiffe_sequence"].to_string(), published.resource_version);
        assert_eq!(
            (bundle["spiffe_refresh_hint"].as_u64(), bundle["keys"].as_array().unwrap().len()),
            (Some(300), 1)
        );
        let another = "spiffe://own.example/another";
        let refused = fetched(&["own.example", &url, "spiffe", another, &anchors]).await.unwrap_err();
        assert!(refused.contains("unexpected ID"), "{refused}");

        let url = format!("https://{by_files}/");
        let by_web = fetched(&["own.example", &url, "web", &path("web.pem")]).await.unwrap();
        assert_eq!(by_web, bundle);
        let unknown =
            fetched(&["own.example", &format!("{url}other.example"), "web", &path("web.pem")]).await;
        assert!(unknown.is_err(), "{unknown:?}");

        let audited = issued.audit("Issued");
        assert_eq!((&audited[0]["purpose"], &audited[0]["uris"]), (&"bundle-endpoint".into(), &ID.into()));
        Ok(())
    })
    .await
}

/// Serves a bundle of a CA, with a certificate of another one. It ends when it is dropped.
async fn served(setup: &Setup, of: &str, cert: (String, String)) -> (Child, String) {
    let file = |name: &str, content: &str| {
        let path = setup.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let mut serve = go_spiffe().await;
    serve
        .args(["serve", "partner.example"])
        .arg(file("served.crt", &cert.0))
        .arg(file("served.key", &cert.1));
    serve.arg(file("served.pem", of)).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = serve.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().unwrap();
    (child, format!("https://{address}/"))
}

#[tokio::test]
async fn our_client_fetches_what_go_spiffe_serves_by_both_profiles() -> Result<(), Error> {
    on_cluster(async |scope| {
        let partner = new_authority("partner");
        let pem = partner.root().to_pem();
        let id = "spiffe://partner.example/server";
        let dir = Setup::new();
        // the server's certificate is of that root, for its SPIFFE ID and for its address
        let (_server, url) = served(&dir, &pem, certificate(&partner, id)).await;
        let first = dir.dir.path().join("served.pem");
        let first = first.display();
        for profile in [
            format!("bundleEndpointProfile: {{type: https_spiffe, endpointSPIFFEID: \"{id}\"}}, trustBundle: {{file: {first}}}"),
            format!("bundleEndpointProfile: {{type: https_web, caFile: {first}}}"),
        ] {
            let signer = scope.signer_name("spiffe");
            scope.owns_signer_name(&format!("{signer}-federation"));
            let federation = format!("[{{trustDomain: partner.example, bundleEndpointURL: \"{url}\", {profile}}}]");
            let fields = format!("kind: spiffe, trustDomain: own.example, federation: {federation}");
            let manager = Setup::new().signer(&signer, &fields).start(scope);
            let is_it = |bundle: &test_cluster::TrustBundle| bundle.anchors_pem == pem;
            let bundle = scope.cluster().trust_bundle(&format!("{signer}-federation"), SOON, is_it).await?;
            let annotations = scope.cluster().trust_bundle_api()?.get(&bundle.name).await.unwrap();
            let annotations = annotations.metadata.annotations.unwrap();
            assert!(annotations.values().any(|value| value == "42"), "{annotations:?}");
            manager.stop().await;
        }
        Ok(())
    })
    .await
}
