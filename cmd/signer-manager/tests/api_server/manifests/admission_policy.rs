//! Who may ask for a pod's certificate: the kubelet of its node, and nobody else.

use kube::{Api, Client, api::DynamicObject};
use serde_json::{Value, json};
use test_cluster::{BoundPod, CertificateSource, Error, KeyType, Kubelet, NewPod, Scope, unique};

use crate::{
    manifests::isolated_install::{apply, really},
    support::{
        eventually, on_cluster,
        rights::{User, owner_of},
        shipped::{CONTROLLER, named},
    },
};

const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";
const SHIPPED: &str = "only-nodes-request-pod-certificates";

/// Puts the shipped policy in force for one namespace alone, with which it goes.
async fn policy_for(scope: &Scope, namespace: &str) {
    let name = format!("only-nodes-{}", unique::label());
    let metadata = json!({"name": name, "ownerReferences": [owner_of(scope, namespace).await]});
    let (mut policy, mut binding) = (named(CONTROLLER, POLICY, SHIPPED), named(CONTROLLER, BINDING, SHIPPED));
    assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
    assert_eq!(
        (&policy["spec"]["failurePolicy"], &binding["spec"]["validationActions"]),
        (&json!("Fail"), &json!(["Deny"]))
    );
    policy["metadata"] = metadata.clone();
    binding["metadata"] = metadata;
    binding["spec"]["policyName"] = name.into();
    let here = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
    binding["spec"]["matchResources"] = json!({"namespaceSelector": here});
    for object in [policy, binding] {
        apply(&scope.client(), &object, &really()).await.unwrap();
    }
}

/// A pod, and a request for its certificate as its kubelet made it.
struct Stage {
    namespace: String,
    kubelet: Kubelet,
    pod: BoundPod,
    request: Value,
}

impl Stage {
    async fn new(scope: &Scope) -> Result<Self, Error> {
        let (namespace, kubelet) = (scope.namespace("victim").await?, scope.kubelet().await?);
        let source = CertificateSource::new(&scope.signer_name("spiffe"), KeyType::EcdsaP256);
        let pod = kubelet.start_pod(NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let request = kubelet.request(&pod, &pod.sources[0]).await?.read().await?;
        Ok(Self { namespace, kubelet, pod, request })
    }

    /// Copies the request, as somebody.
    async fn copied_by(&self, scope: &Scope, client: Client) -> kube::Result<DynamicObject> {
        let resource = scope.cluster().served().request_resource().unwrap();
        let api = Api::<DynamicObject>::namespaced_with(client, &self.namespace, &resource);
        let spec = json!({"spec": self.request["spec"]});
        let mut copy = DynamicObject::new(&format!("copy-{}", unique::label()), &resource).data(spec);
        copy.metadata.namespace = Some(self.namespace.clone());
        api.create(&Default::default(), &copy).await
    }

    /// Waits until somebody's copy is refused by the policy, and returns what he is told.
    async fn refusal(&self, scope: &Scope, client: Client) -> String {
        eventually("the policy in force", async || match self.copied_by(scope, client.clone()).await {
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(status.message.clone()),
            other => Err(format!("{other:?}")),
        })
        .await
    }
}

#[tokio::test]
async fn only_the_kubelet_of_its_node_may_ask_for_a_pods_certificate() -> Result<(), Error> {
    on_cluster(async |scope| {
        let stage = Stage::new(scope).await?;
        let admin = "kubernetes-admin";
        let as_admin = scope.cluster().client_as(admin, &["system:masters", "system:authenticated"])?;
        stage.copied_by(scope, as_admin.clone()).await.expect("without the policy, an administrator may");
        policy_for(scope, &stage.namespace).await;

        let node = stage.kubelet.node_name();
        let told = |user: &str| {
            format!(
                "only the kubelet of node {node} (system:node:{node}) may create a PodCertificateRequest for a pod there, and {user} isn't it"
            )
        };
        let refusal = stage.refusal(scope, as_admin).await;
        assert!(refusal.contains(&told(admin)), "{refusal}");

        // somebody of a node's name whom NodeRestriction doesn't know as one; and another node, in whose case
        // the policy alone judges, too
        let nodes = [node.to_owned(), scope.kubelet().await?.node_name().to_owned()];
        for named in nodes.map(|node| format!("system:node:{node}")) {
            let client = scope.cluster().client_as(&named, &["system:masters", "system:authenticated"])?;
            let refusal = stage.refusal(scope, client).await;
            assert!(refusal.contains(&told(&named)), "{refusal}");
        }

        let account = User::service_account(scope, &stage.namespace, "builder").await?;
        let rule = json!({"apiGroups": ["certificates.k8s.io"], "resources": ["podcertificaterequests"], "verbs": ["create"]});
        account.grant_in(&stage.namespace, &[rule]).await;
        let builder = format!("system:serviceaccount:{}:builder", stage.namespace);
        let refusal = eventually("the role in force", async || {
            let refusal = stage.refusal(scope, account.client()).await;
            if refusal.contains("cannot create resource") { Err(refusal) } else { Ok(refusal) }
        });
        let refusal = refusal.await;
        assert!(refusal.contains(&told(&builder)), "{refusal}");

        stage.kubelet.request(&stage.pod, &stage.pod.sources[0]).await?;
        Ok(())
    })
    .await
}
