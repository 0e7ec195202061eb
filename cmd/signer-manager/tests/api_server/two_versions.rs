//! An upgrade in the middle of a rotation: replicas of another version and of this one, side by side, each of
//! which changes the pool once. `hack/two-versions` builds the other one, and runs this by the feature
//! `two-versions`.

use std::{path::PathBuf, time::Duration};

use signer_core::ca_pool::{ACTIVATION_GRACE, AutomaticRotation, BUNDLE_PROPAGATION, CaPool};
use test_cluster::{Error, Scope};

use crate::support::{
    ca::{new_authority_of, subject},
    eventually,
    managed_secret::Kept,
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
    fn spawn(self, scope: &Scope, kept: &Kept<'_>) -> Process {
        match self {
            Self::This => kept.setup.spawn(scope.cluster()),
            Self::Other => {
                let program = std::env::var_os("OTHER_SIGNER_MANAGER").expect("hack/two-versions sets it");
                kept.setup.spawn_program(scope.cluster(), &PathBuf::from(program))
            }
        }
    }
}

/// One of the versions alone, which changes the pool; then both, and each of them alone, sign with this CA.
async fn changed_by(
    changes: Version,
    ids: &[&str],
    signs: usize,
    (scope, kept): (&Scope, &Kept<'_>),
) -> Result<CaPool, Error> {
    let mut first = changes.spawn(scope, kept);
    let pool = kept.pool_of(ids).await;
    kept.published(&pool).await?;
    first.ready().await;
    signs_with(kept, &pool, signs).await;
    let joins = if changes == Version::This { Version::Other } else { Version::This };
    let mut second = joins.spawn(scope, kept);
    second.ready().await;
    tokio::time::sleep(BETWEEN_LOOKS).await;
    first.ready().await;
    assert_eq!(subject(&kept.pool_of(ids).await, signs), subject(&pool, signs), "both leave it as it is");
    signs_with(kept, &pool, signs).await;
    first.terminate();
    assert_eq!(first.ended().await.code(), Some(0));
    signs_with(kept, &pool, signs).await;
    second.terminate();
    assert_eq!(second.ended().await.code(), Some(0));
    Ok(pool)
}

async fn signs_with(kept: &Kept<'_>, pool: &CaPool, index: usize) {
    eventually("that CA to sign", async || match kept.issuer().await.unwrap() {
        issuer if issuer == subject(pool, index) => Ok(()),
        _ => Err("another CA signs".to_owned()),
    })
    .await;
}

async fn rotated(adds: Version, removes: Version) -> Result<(), Error> {
    on_cluster(async |scope| {
        let old = new_authority_of("1", 250 * DAY, 365 * DAY);
        let kept = Kept::new(scope, Some(&CaPool::first(old, DAY).unwrap())).await?;
        changed_by(adds, &["1", "2"], 0, (scope, &kept)).await?;
        kept.pass(AutomaticRotation::DEFAULT_PROPAGATION).await;
        changed_by(removes, &["1", "2"], 1, (scope, &kept)).await?;
        kept.pass(ACTIVATION_GRACE + DAY + BUNDLE_PROPAGATION * 2).await;
        changed_by(removes, &["2"], 0, (scope, &kept)).await?;
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
