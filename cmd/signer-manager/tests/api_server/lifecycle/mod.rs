//! The whole lifecycle of a signer's CAs on the real API server, with a clock of the test's own: three
//! generations come, sign and go, and at each step every certificate that is valid is shown to every pod, which
//! judges it by the trust bundle that it has by then.
//!
//! By each of two wrong rules it has to break.

mod world;

use std::time::Duration;

use crate::support::on_cluster;
use test_cluster::Error;
use world::{DAY, HOUR, Lifecycle, MINUTE, Rules, Violation};

/// A successor is published; nobody signs under it before its turn, and then everybody does. The machine has
/// two minutes for what it does between 13 minutes and 15.
async fn take_over(
    lifecycle: &mut Lifecycle<'_>,
    before: &str,
    id: &str,
    after: Duration,
) -> Result<(), Violation> {
    lifecycle.rotate(id, after).await?;
    for minutes in [2, 5, 6] {
        lifecycle.pass(minutes * MINUTE).await?;
        // where signing starts early, certificates are the judges
        assert!(
            lifecycle.rules == Rules::SignEarly || lifecycle.signing() == [before],
            "{minutes} minutes later"
        );
    }
    lifecycle.pass(4 * MINUTE).await?;
    assert_eq!(lifecycle.signing(), [id]);
    lifecycle.pass(7 * MINUTE).await?;
    lifecycle.pass(12 * HOUR).await
}

/// The first rotation is as `signerctl` makes it. At the second one the pool's times let the successor sign
/// at once, and the bundle alone holds it back; it comes while the first CA still retires.
async fn three_generations(lifecycle: &mut Lifecycle<'_>) -> Result<(), Violation> {
    lifecycle.pass(HOUR).await?;
    take_over(lifecycle, "1", "2", 15 * MINUTE).await?;
    lifecycle.pass(12 * HOUR).await?;
    assert_eq!(lifecycle.authorities(), ["1", "2"]);
    take_over(lifecycle, "2", "3", Duration::ZERO).await?;
    assert_eq!(lifecycle.authorities(), ["1", "2", "3"]);
    lifecycle.pass(12 * HOUR).await?;
    assert_eq!(lifecycle.authorities(), ["2", "3"]);
    lifecycle.pass(7 * MINUTE).await?;
    lifecycle.pass(DAY).await?;
    assert_eq!(lifecycle.authorities(), ["3"]);
    lifecycle.pass(7 * MINUTE).await?;
    lifecycle.pass(12 * HOUR).await
}

#[tokio::test]
async fn every_live_certificate_is_accepted_by_every_pod_through_three_generations() -> Result<(), Error> {
    on_cluster(async |scope| {
        let mut lifecycle = Lifecycle::begin(scope, Rules::Real).await?;
        three_generations(&mut lifecycle).await.unwrap();
        assert_eq!(lifecycle.issuers(), ["1", "2", "3"]);
        eprintln!("  {}", lifecycle.figures());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_same_life_breaks_when_signing_starts_early() -> Result<(), Error> {
    on_cluster(async |scope| {
        let mut lifecycle = Lifecycle::begin(scope, Rules::SignEarly).await?;
        let Violation(violation) = three_generations(&mut lifecycle).await.unwrap_err();
        assert!(violation.contains("of CA 2") && violation.contains("UnknownIssuer"), "{violation}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_same_life_breaks_when_pruning_comes_early() -> Result<(), Error> {
    on_cluster(async |scope| {
        let mut lifecycle = Lifecycle::begin(scope, Rules::PruneEarly).await?;
        let Violation(violation) = three_generations(&mut lifecycle).await.unwrap_err();
        assert!(violation.contains("of CA 1") && violation.contains("UnknownIssuer"), "{violation}");
        Ok(())
    })
    .await
}
