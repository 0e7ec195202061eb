use std::future::pending;

use tokio::sync::oneshot;

use super::*;

#[tokio::test]
async fn each_end_is_noticed_with_its_kind() {
    let mut supervisor = Supervisor::new();
    supervisor.spawner().spawn("one that goes on", pending());
    supervisor.spawner().spawn("one that panics", async { panic!("a bug") });
    let end = supervisor.next_end().await;
    assert_eq!(end.to_string(), "the task \"one that panics\" has ended: it panicked");
    supervisor.spawner().spawn("one that returns", async {});
    assert_eq!(supervisor.next_end().await.to_string(), "the task \"one that returns\" has ended");
}

#[tokio::test]
async fn tasks_end_with_their_owner_though_they_start_others() {
    let supervisor = Supervisor::new();
    let (spawner, (held, dropped)) = (supervisor.spawner().clone(), oneshot::channel::<()>());
    supervisor.spawner().spawn("outer", async move {
        spawner.spawn("inner", async move {
            let _held = held;
            pending().await
        });
        pending().await
    });
    tokio::task::yield_now().await;
    drop(supervisor);
    assert!(dropped.await.is_err());
}
