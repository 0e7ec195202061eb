//! A manager at work as its service account, and all that it does in its installation.

use axum::http::Method;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use test_cluster::{
    BoundPod, CertificateSource, Error, KeyType, Kubelet, NewPod, NewService, ObjectEvent, Scope,
    SentRequest, unique,
};

use crate::{
    manifests::isolated_install::{Names, deny_rules, start_with_all_settings},
    support::{
        SOON, eventually,
        fault_proxy::{Fate, Gate},
        issued::issued,
        rights::User,
        running::Running,
        shipped::{renamed, signer_names},
    },
};

/// The signers of the shipped configuration, under names of their own, run by a service account with given
/// rights.
pub(super) struct Installation<'a> {
    scope: &'a Scope,
    kubelet: &'a Kubelet,
    pub(super) account: User<'a>,
    gate: Gate,
    manager: Running,
    namespace: String,
    signers: Vec<String>,
    pod: BoundPod,
}

impl<'a> Installation<'a> {
    /// Starts it, and a pod behind a Service that wants a certificate of each signer.
    pub(super) async fn begin(
        scope: &'a Scope,
        kubelet: &'a Kubelet,
        names: &Names,
        rules: &[Value],
    ) -> Result<Self, Error> {
        let namespace = names[0].1.clone();
        let id = format!("signer-manager-{}", unique::label());
        let account = User::service_account(scope, &namespace, &id).await?;
        account.grant(rules).await;
        account.grant_in(&namespace, &deny_rules(scope, names).await).await;
        in_force(&account, rules).await;
        let signers: Vec<_> = signer_names().iter().map(|name| renamed(name, names)).collect();
        // of another name than the pod's, so that the pod's own name under Services rests on there being none
        let service = format!("service-of-{id}");
        scope.create_service(NewService::new(&namespace, &service).selects("app", &id)).await?;
        let pod = NewPod::new(&namespace, &id).label("app", &id);
        let source = |name: &String| CertificateSource::new(name, KeyType::EcdsaP256);
        let pod = kubelet.start_pod(signers.iter().map(source).fold(pod, NewPod::certificate)).await?;
        let gate = Gate::open(account.client()).await;
        let manager = start_with_all_settings(names, gate.client());
        Ok(Self { scope, kubelet, account, gate, manager, namespace, signers, pod })
    }

    /// Waits until all signers are ready, and have issued a certificate each.
    pub(super) async fn works(&self) -> Result<(), Error> {
        for request in self.ask_all().await? {
            issued(self.scope, &request).await?;
        }
        self.manager.ready().await;
        Ok(())
    }

    /// What else happens in its installation: conflicts, renewals, denials, and bundles that others change.
    pub(super) async fn everything_works(&self) -> Result<(), Error> {
        self.conflict(1);
        for request in self.ask_all().await? {
            issued(self.scope, &request).await?;
        }
        assert_eq!(self.gate.outstanding(), 0, "no conflict");
        issued(self.scope, &self.ask_again().await?).await?;
        let denied = self.denied().await?;
        eventually("an event", async || match self.events_of(&denied).await {
            Ok(events) if !events.is_empty() => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        self.change_bundles().await?;
        for signer in &self.signers {
            self.scope.cluster().trust_bundle(signer, SOON, |bundle| !is_changed(&bundle.labels)).await?;
        }
        self.manager.readyz(|page| page.code == 200 && !page.body.contains("not ready")).await;
        Ok(())
    }

    /// Asks each signer for a certificate of the pod.
    pub(super) async fn ask_all(&self) -> Result<Vec<SentRequest>, Error> {
        let mut requests = Vec::new();
        for source in &self.pod.sources {
            requests.push(self.kubelet.request(&self.pod, source).await?);
        }
        Ok(requests)
    }

    /// A renewal for which the manager has read the pod. As long as it hasn't heard that the pod runs, it
    /// issues to the one that it knows.
    pub(super) async fn refresh_that_reads_its_pod(&self) -> Result<SentRequest, Error> {
        self.gate.interfere(Method::GET, &format!("/pods/{}", self.pod.name), Fate::Noted, 1);
        loop {
            let refresh = self.ask_again().await?;
            tokio::select! {
                () = self.gate.all_came() => return Ok(refresh),
                outcome = refresh.outcome(SOON) => { outcome?.issued()?; }
            }
        }
    }

    /// Asks for a renewal, as the pod runs.
    pub(super) async fn ask_again(&self) -> Result<SentRequest, Error> {
        self.kubelet.set_phase(&self.pod, "Running").await?;
        self.kubelet.request(&self.pod, &self.pod.sources[0]).await
    }

    /// Has the next outcomes meet a conflict, as if another replica had been faster.
    pub(super) fn conflict(&self, times: usize) {
        self.gate.interfere(Method::PUT, "/status", Fate::Refused(409), times);
    }

    /// A pod whose request is denied: it wants a name that isn't its own.
    pub(super) async fn denied(&self) -> Result<BoundPod, Error> {
        let signer = self.signers.last().unwrap();
        let pod = NewPod::new(&self.namespace, &format!("denied-{}", unique::label()));
        let pod = pod.annotation(&format!("{signer}-san"), "not-granted.example.org");
        let pod = self
            .kubelet
            .start_pod(pod.certificate(CertificateSource::new(signer, KeyType::EcdsaP256)))
            .await?;
        let request = self.kubelet.request(&pod, &pod.sources[0]).await?;
        assert_eq!(request.outcome(SOON).await?.denied()?.0, "IdentityNotGranted");
        Ok(pod)
    }

    /// The same, and the manager has tried to say so in an event.
    pub(super) async fn denied_in_an_event(&self) -> Result<BoundPod, Error> {
        self.gate.interfere(Method::POST, "/events", Fate::Noted, 1);
        let pod = self.denied().await?;
        self.gate.all_came().await;
        Ok(pod)
    }

    pub(super) async fn events_of(&self, pod: &BoundPod) -> Result<Vec<ObjectEvent>, Error> {
        self.scope.events(&pod.namespace, &pod.uid).await
    }

    /// Takes the label off every bundle by which pods find it.
    pub(super) async fn change_bundles(&self) -> Result<(), Error> {
        let bundles = self.scope.cluster().trust_bundle_api()?;
        for signer in &self.signers {
            let bundle = self.scope.cluster().trust_bundle(signer, SOON, |_| true).await?;
            let key = bundle.labels.keys().find(|key| key.ends_with(CANARYING)).unwrap();
            let patch = Patch::Merge(json!({"metadata": {"labels": {key: "changed"}}}));
            bundles.patch(&bundle.name, &PatchParams::default(), &patch).await.unwrap();
        }
        Ok(())
    }

    /// Waits until `/readyz` says all of these.
    pub(super) async fn says(&self, texts: &[String]) -> Result<String, Error> {
        let page = self.manager.readyz(|page| texts.iter().all(|text| page.body.contains(text))).await;
        let line = page.body.lines().find(|line| line.contains(&texts[texts.len() - 1]));
        Ok(line.unwrap_or_default().trim().to_owned())
    }
}

const CANARYING: &str = "/canarying";

fn is_changed(labels: &std::collections::BTreeMap<String, String>) -> bool {
    labels.iter().any(|(key, value)| key.ends_with(CANARYING) && value == "changed")
}

/// The API server learns of a role a moment after its creation, and of all of its rules at once.
async fn in_force(account: &User<'_>, rules: &[Value]) {
    let rule = &rules[0];
    let attributes =
        json!({"group": rule["apiGroups"][0], "resource": rule["resources"][0], "verb": rule["verbs"][0]});
    eventually("the role in force", async || match account.may(&attributes).await {
        true => Ok(()),
        false => Err(format!("{attributes} isn't permitted")),
    })
    .await;
}
