//! The kind configurations switch on what each version of Kubernetes leaves off, and nothing else. What it
//! can serve, its API server tells.

use std::collections::BTreeSet;

use serde_json::Value;
use test_cluster::{Error, Minor, workspace_dir};

use crate::support::{
    on_cluster,
    shipped::{documents, read},
};

/// What pod certificates take, on every component.
const GATES: [&str; 3] = ["PodCertificateRequest", "ClusterTrustBundle", "ClusterTrustBundleProjection"];

#[test]
fn there_is_one_for_each_version() {
    let files = std::fs::read_dir(workspace_dir().join("kind")).unwrap();
    let files: BTreeSet<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let versions: BTreeSet<_> = Minor::all().unwrap().iter().map(|minor| format!("{minor}.yaml")).collect();
    assert_eq!(files, versions);
}

#[test]
fn each_names_the_image_of_its_version() {
    for minor in Minor::all().unwrap() {
        let config = documents(&read(format!("kind/{minor}.yaml"))).unwrap().remove(0);
        let images: Vec<_> =
            config["nodes"].as_array().unwrap().iter().map(|node| node["image"].as_str()).collect();
        let begin = format!("kindest/node:v{minor}.");
        assert!(
            images
                .iter()
                .all(|image| image
                    .is_some_and(|image| image.starts_with(&begin) && image.contains("@sha256:")))
        );
    }
}

#[tokio::test]
async fn it_switches_on_what_this_version_leaves_off() -> Result<(), Error> {
    on_cluster(async |scope| {
        let served = scope.cluster().served();
        let config = documents(&read(format!("kind/1.{}.yaml", served.minor))).unwrap().remove(0);
        assert_eq!(
            (&config["kind"], &config["apiVersion"]),
            (&"Cluster".into(), &"kind.x-k8s.io/v1alpha4".into())
        );
        // with v1 the gates became on by default, and v1 is served; all before it is off (kube_features.go,
        // kube-apiserver's default API versions)
        let is_released = served.request_versions.contains(&"v1");
        let keys = |field: &str| -> BTreeSet<String> {
            config[field].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
        };
        let gates = if is_released { BTreeSet::new() } else { GATES.map(str::to_owned).into() };
        assert_eq!(keys("featureGates"), gates);
        assert!(gates.iter().all(|gate| config["featureGates"][gate] == Value::Bool(true)));
        let api = |resource: kube::core::ApiResource| format!("{}/{}", resource.api_version, resource.plural);
        let apis = [served.request_resource()?, served.trust_bundle_resource()?].map(api);
        let apis = if is_released { BTreeSet::new() } else { apis.into() };
        assert_eq!(keys("runtimeConfig"), apis);
        assert!(apis.iter().all(|api| config["runtimeConfig"][api] == "true"));
        Ok(())
    })
    .await
}
