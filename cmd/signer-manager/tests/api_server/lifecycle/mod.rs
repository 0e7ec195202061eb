//! The whole life of a signer's CAs on the real API server, with a clock of the test's own: three generations
//! come, sign and go, and at each step every certificate that lives is shown to every pod, which judges it by
//! the trust bundle that it has by then.
//!
//! The same life is lived by two wrong rules, and then must break.

mod world;

use std::time::Duration;

use crate::support::on_cluster;
use test_cluster::Error;
use world::{DAY, HOUR, Life, MINUTE, Rules, Violation};

/// A successor is published; nobody signs under it before its turn, and then everybody does. The machine has
/// two minutes for what it does between 13 minutes and 15.
async fn take_over(life: &mut Life<'_>, before: &str, id: &str, after: Duration) -> Result<(), Violation> {
    life.rotate(id, after).await?;
    for minutes in [2, 5, 6] {
        life.pass(minutes * MINUTE).await?;
        // where signing starts early, certificates are the judges
        assert!(life.rules == Rules::SignEarly || life.signing() == [before], "{minutes} minutes later");
    }
    life.pass(4 * MINUTE).await?;
    assert_eq!(life.signing(), [id]);
    life.pass(7 * MINUTE).await?;
    life.pass(12 * HOUR).await
}

/// The first rotation is as `signerctl` makes it. At the second one the pool's times let the successor sign
/// at once, and the bundle alone holds it back; it comes while the first CA still retires.
async fn three_generations(life: &mut Life<'_>) -> Result<(), Violation> {
    life.pass(HOUR).await?;
    take_over(life, "1", "2", 15 * MINUTE).await?;
    life.pass(12 * HOUR).await?;
    assert_eq!(life.authorities(), ["1", "2"]);
    take_over(life, "2", "3", Duration::ZERO).await?;
    assert_eq!(life.authorities(), ["1", "2", "3"]);
    life.pass(12 * HOUR).await?;
    assert_eq!(life.authorities(), ["2", "3"]);
    life.pass(7 * MINUTE).await?;
    life.pass(DAY).await?;
    assert_eq!(life.authorities(), ["3"]);
    life.pass(7 * MINUTE).await?;
    life.pass(12 * HOUR).await
}

#[tokio::test]
async fn every_live_certificate_is_accepted_by_every_pod_through_three_generations() -> Result<(), Error> {
    on_cluster(async |scope| {
        let mut life = Life::begin(scope, Rules::Real).await?;
        three_generations(&mut life).await.unwrap();
        assert_eq!(life.issuers(), ["1", "2", "3"]);
        eprintln!("  {}", life.figures());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_same_life_breaks_when_signing_starts_early() -> Result<(), Error> {
    on_cluster(async |scope| {
        let mut life = Life::begin(scope, Rules::SignEarly).await?;
        let Violation(violation) = three_generations(&mut life).await.unwrap_err();
        assert!(violation.contains("of CA 2") && violation.contains("UnknownIssuer"), "{violation}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_same_life_breaks_when_pruning_comes_early() -> Result<(), Error> {
    on_cluster(async |scope| {
        let mut life = Life::begin(scope, Rules::PruneEarly).await?;
        let Violation(violation) = three_generations(&mut life).await.unwrap_err();
        assert!(violation.contains("of CA 1") && violation.contains("UnknownIssuer"), "{violation}");
        Ok(())
    })
    .await
}
