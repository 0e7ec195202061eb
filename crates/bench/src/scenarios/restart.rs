//! A replica that is killed in the middle of a burst, and started again.

use rustix::process::Signal;
use tokio::time::{Duration, Instant, sleep};

use super::Extent;
use crate::{
    Result,
    fleet::{Fleet, Replica},
    report::{Figure, Row, Section},
    stage::{SERVICE_DNS, Stage},
};

pub(super) async fn measure(stage: &Stage, extent: Extent) -> Result<Section> {
    let (mut first, mut slowest) = (vec![], vec![]);
    for _ in 0..extent.rounds {
        let mut fleet = Fleet::of(stage, &[SERVICE_DNS], 1).await?;
        let burst = stage.load.burst(stage, stage.asks(&SERVICE_DNS), extent.burst);
        let restart = async {
            sleep(Duration::from_millis(300)).await;
            fleet.end_first(Signal::KILL).await?;
            // what that one has written is shown by then
            sleep(Duration::from_millis(500)).await;
            let began = Instant::now();
            let replica = Replica::spawn(stage, &[SERVICE_DNS], stage.kubeconfig())?;
            let written = stage.load.next_outcome().await;
            fleet.replicas.push(replica);
            crate::Result::Ok(written.saturating_duration_since(began.into_std()))
        };
        let (answers, after) = tokio::join!(burst, restart);
        slowest.push(answers?.complete()?.slowest().as_secs_f64() * 1000.0);
        first.push(after?.as_secs_f64() * 1000.0);
        fleet.stop().await?;
        stage.clear().await?;
    }
    Ok(Section {
        name: "restart".into(),
        title: format!(
            "The only replica is killed in the middle of a burst of {}, and started again",
            extent.burst
        ),
        columns: vec!["from exec to the first certificate", "slowest request"],
        rows: vec![Row {
            subject: "1 replica".into(),
            figures: vec![Figure::of(&first, "ms"), Figure::of(&slowest, "ms")],
        }],
        plots: vec![],
    })
}
