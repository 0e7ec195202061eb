//! The controller, as its manifests run it.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use super::{
    super::{
        kubectl::{Kubectl, Seen, until},
        layout,
    },
    pods::{self, Pod},
    startup,
};
use crate::{
    error::Error,
    program::{self, blocking},
    terminal::Progress,
};

const NAMESPACE: &str = "mesh-controller";

/// Each signer of the shipped configuration, with its pool's Secret.
const POOLS: [(&str, &str); 3] = [
    ("row-major.net/service-dns", "service-dns-ca-pool"),
    ("row-major.net/spiffe", "spiffe-ca-pool"),
    ("coolcert.example.com/foo", "coolcert-ca-pool"),
];

/// The kubelet brings a new Secret into a volume with its next sync of the pod, up to 90 s later.
const TAKEN_UP: Duration = Duration::from_secs(300);

const STARTED: Duration = Duration::from_secs(300);

/// Applies its folder, and waits until all replicas run, none of them ready.
pub(super) async fn starts_without_pools(kubectl: &Kubectl, progress: &Progress) -> Result<String, Error> {
    let applied = pods::apply(kubectl, "controller-manifests").await?;
    until(
        STARTED,
        |missing| progress.tell(missing),
        async || {
            let pods = pods::of(kubectl, NAMESPACE).await?;
            if pods.is_empty() || !pods.iter().all(Pod::runs) {
                return Ok(Seen::Missing("its pods don't run yet".into()));
            }
            if let Some(pod) = pods.iter().find(|pod| pod.is_ready() || pod.restarts() > 0) {
                let why = format!("{} is ready without a CA pool, or has restarted", pod.name());
                return Err(Error::Unmet(why));
            }
            Ok(Seen::Done(format!("{applied}; {} replicas run, not ready", pods.len())))
        },
    )
    .await
}

/// Has signerctl create the pools' Secrets, and waits until all replicas are ready.
pub(super) async fn takes_pools_up(kubectl: &Kubectl, progress: &Progress) -> Result<String, Error> {
    let signerctl = layout::image_root().join("signerctl");
    for (signer, secret) in POOLS {
        let mut create = Command::new(&signerctl);
        create.env("KUBECONFIG", &kubectl.kubeconfig).args(["ca-pool", "create", "--signer", signer]);
        create.args(["--namespace", NAMESPACE, "--name", secret]);
        blocking(move || program::output(&mut create)).await?;
    }
    let began = Instant::now();
    ready(kubectl, progress).await?;
    Ok(format!(
        "ready {} s after the last of {} Secrets, at the pace of kubelet's mounts",
        began.elapsed().as_secs(),
        POOLS.len()
    ))
}

/// Deletes all its pods at once, and creates another's pod at the same time.
pub(super) async fn restarted(kubectl: &Kubectl, progress: &Progress) -> Result<String, Error> {
    let before = pods::of(kubectl, NAMESPACE).await?;
    kubectl.run(&format!("delete pods --all --wait=false --namespace {NAMESPACE}")).await?;
    let took = startup::replace_a_pod(kubectl, "service-dns-spiffe-client", "server", progress).await?;
    ready(kubectl, progress).await?;
    let after = pods::of(kubectl, NAMESPACE).await?;
    if let Some(old) = after.iter().find(|pod| before.iter().any(|old| old.uid() == pod.uid())) {
        return Err(Error::Unmet(format!("{} wasn't replaced", old.name())));
    }
    let (replicas, seconds) = (before.len(), took.as_secs_f32());
    Ok(format!("all {replicas} replicas were replaced; a pod created meanwhile ran after {seconds:.1} s"))
}

async fn ready(kubectl: &Kubectl, progress: &Progress) -> Result<(), Error> {
    until(
        TAKEN_UP,
        |missing| progress.tell(missing),
        async || {
            let pods = pods::of(kubectl, NAMESPACE).await?;
            let ready = pods.iter().filter(|pod| pod.is_ready()).count();
            if pods.is_empty() || ready < pods.len() {
                return Ok(Seen::Missing(format!("{ready} of {} replicas are ready", pods.len())));
            }
            Ok(Seen::Done(()))
        },
    )
    .await
}
