//! Plays kubelet for the cast, and gathers what became of each request.

use std::time::{Duration, Instant};

use test_cluster::{BoundPod, Kubelet, NewService, Outcome, Scope, SentRequest};

use super::{
    cast::{Namespaces, Role, roles, services},
    verdict::{Row, judge},
};
use crate::{error::Error, terminal::Steps};

/// For an answer, an event or a trust bundle. It takes milliseconds; a loaded machine may take longer.
const SOON: Duration = Duration::from_secs(120);

/// A request under way, with the role that it belongs to.
struct Asked<'a> {
    role: &'a Role,
    pod: &'a BoundPod,
    /// Which of the pod's sources.
    index: usize,
    request: SentRequest,
}

/// Runs the whole play. Every row is what its role expects, and every chain is verified; anything else is an
/// error.
pub(super) async fn play(scope: &Scope, namespaces: &Namespaces, steps: &Steps) -> Result<Vec<Row>, Error> {
    let roles = roles(namespaces, scope.cluster().served().has_user_annotations());
    let kubelet = scope.kubelet().await?;
    let what = format!("creating a Node, {} pods and {} Services", roles.len(), services(namespaces).len());
    let pods = steps.quiet(&what, populate(scope, &kubelet, namespaces, &roles)).await?;

    let count: usize = pods.iter().map(|pod| pod.sources.len()).sum();
    let what = format!(
        "making keys and asking for {count} certificates as node {}, under NodeRestriction",
        kubelet.node_name()
    );
    let asked = steps.quiet(&what, ask(&kubelet, &roles, &pods)).await?;

    for waiting in &asked {
        if let Some(service) = &waiting.role.waits_for {
            bring_service(scope, waiting, service, steps).await?;
        }
    }
    let outcomes = steps.quiet("waiting for every answer", answers(&asked)).await?;
    let verify = async {
        let mut rows = Vec::new();
        for (asked, outcome) in asked.iter().zip(outcomes) {
            let Asked { role, pod, index, request } = asked;
            rows.push(
                judge(scope.cluster(), pod, &pod.sources[*index], request, &role.expected[*index], outcome)
                    .await?,
            );
        }
        Ok(rows)
    };
    steps.quiet("verifying every chain against the published trust bundle", verify).await
}

async fn populate(
    scope: &Scope,
    kubelet: &Kubelet,
    namespaces: &Namespaces,
    roles: &[Role],
) -> Result<Vec<BoundPod>, Error> {
    scope.create_services(services(namespaces)).await?;
    Ok(kubelet.start_pods(roles.iter().map(|role| role.pod.clone())).await?)
}

async fn ask<'a>(
    kubelet: &Kubelet,
    roles: &'a [Role],
    pods: &'a [BoundPod],
) -> Result<Vec<Asked<'a>>, Error> {
    let mut asked = Vec::new();
    for (role, pod) in roles.iter().zip(pods) {
        for (index, source) in pod.sources.iter().enumerate() {
            asked.push(Asked { role, pod, index, request: kubelet.request(pod, source).await? });
        }
    }
    Ok(asked)
}

/// Shows that a request waits for a Service, and is answered as soon as that appears.
async fn bring_service(
    scope: &Scope,
    asked: &Asked<'_>,
    service: &NewService,
    steps: &Steps,
) -> Result<(), Error> {
    let Asked { pod, request, .. } = asked;
    let name = format!("{}/{}", pod.namespace, pod.name);
    let waits = async {
        let event = scope.event(&request.namespace, &request.uid, "WaitingForService", SOON).await?;
        Ok(request.stays_pending(Duration::from_millis(300)).await.map(|()| event)?)
    };
    let event = steps.quiet(&format!("seeing {name} wait for its Service"), waits).await?;
    steps.tell(&format!("event {}: {}", event.reason, event.message));
    let appears = async {
        scope.create_service(service.clone()).await?;
        let created = Instant::now();
        request.outcome(SOON).await?.issued()?;
        Ok(created.elapsed())
    };
    let took = steps.quiet(&format!("creating the Service that {name} waits for"), appears).await?;
    steps.tell(&format!("the certificate was there {} ms later", took.as_millis()));
    Ok(())
}

async fn answers(asked: &[Asked<'_>]) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = Vec::new();
    for Asked { request, .. } in asked {
        outcomes.push(request.outcome(SOON).await?);
    }
    Ok(outcomes)
}
