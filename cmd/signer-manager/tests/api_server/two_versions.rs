//! An upgrade in the middle of a rotation: replicas of another version and of this one, side by side, each of
//! which changes the pool once. `hack/two-versions` builds the other one, and runs this by the feature
//! `two-versions`.

use std::{path::PathBuf, time::Duration};

use signer_core::ca_pool::{ACTIVATION_GRACE, AutomaticRotation, BUNDLE_PROPAGATION, CaPool};
use test_cluster::{Error, Scope};

use crate::support::{
    ca::{new_authority_of, subject},
    eventually,
    managed_secret::ManagedSecret,
    on_cluster,
    process::Process,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Longer than a replica waits between two looks at the Secret.
const BETWEEN_LOOKS: Duration = Duration::from_secs(12);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    This,
    Other,
}

impl Version {
    fn spawn(self, scope: &Scope, managed: &ManagedSecret<'_>) -> Process {
        match self {
            Self::This => managed.setup.spawn(scope.cluster()),
            Self::Other => {
                let program = std::env::var_os("OTHER_SIGNER_MANAGER").expect("hack/two-versions sets it");
                managed.setup.spawn_program(scope.cluster(), &PathBuf::from(program))
            }
        }
    }
}

/// One of the versions alone, which changes the pool; then both, and each of them alone, sign with this CA.
async fn changed_by(
    changes: Version,
    ids: &[&str],
    signs: usize,
    (scope, managed): (&Scope, &ManagedSecret<'_>),
) -> Result<CaPool, Error> {
    let mut first = changes.spawn(scope, managed);
    let pool = managed.pool_of(ids).await;
    managed.published(&pool).await?;
    first.ready().await;
    signs_with(managed, &pool, signs).await;
    let joins = if changes == Version::This { Version::Other } else { Version::This };
    let mut second = joins.spawn(scope, managed);
    second.ready().await;
    tokio::time::sleep(BETWEEN_LOOKS).await;
    first.ready().await;
    assert_eq!(subject(&managed.pool_of(ids).await, signs), subject(&pool, signs), "both leave it as it is");
    signs_with(managed, &pool, signs).await;
    first.terminate();
    assert_eq!(first.ended().await.code(), Some(0));
    signs_with(managed, &pool, signs).await;
    second.terminate();
    assert_eq!(second.ended().await.code(), Some(0));
    Ok(pool)
}

async fn signs_with(managed: &ManagedSecret<'_>, pool: &CaPool, index: usize) {
    eventually("that CA to sign", async || match managed.issuer().await.unwrap() {
        issuer if issuer == subject(pool, index) => Ok(()),
        _ => Err("another CA signs".to_owned()),
    })
    .await;
}

async fn rotated(adds: Version, removes: Version) -> Result<(), Error> {
    on_cluster(async |scope| {
        let old = new_authority_of("1", 250 * DAY, 365 * DAY);
        let managed = ManagedSecret::new(scope, Some(&CaPool::first(old, DAY).unwrap())).await?;
        changed_by(adds, &["1", "2"], 0, (scope, &managed)).await?;
        managed.pass(AutomaticRotation::DEFAULT_PROPAGATION).await;
        changed_by(removes, &["1", "2"], 1, (scope, &managed)).await?;
        managed.pass(ACTIVATION_GRACE + DAY + BUNDLE_PROPAGATION * 2).await;
        changed_by(removes, &["2"], 0, (scope, &managed)).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_the_other_version_begins_this_one_ends() -> Result<(), Error> {
    rotated(Version::Other, Version::This).await
}

#[tokio::test]
async fn what_this_version_begins_the_other_one_ends() -> Result<(), Error> {
    rotated(Version::This, Version::Other).await
}
