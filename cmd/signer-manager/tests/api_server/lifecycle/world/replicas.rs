//! Two replicas of the manager: a changed pool reaches one at once, and the other ten minutes later.

use std::{fs, path::PathBuf, time::Duration};

use signer_core::ca_pool::CaPool;
use test_cluster::Scope;

use crate::support::{ageing::aged_pool, ca::write_whole, running::Running, setup::Setup};

const LAG: Duration = Duration::from_secs(10 * 60);

pub(super) struct Replicas<'a> {
    scope: &'a Scope,
    fast: Replica,
    slow: Replica,
    /// How long the slow one hasn't heard of a change yet.
    behind_for: Option<Duration>,
}

struct Replica {
    setup: Setup,
    pool: PathBuf,
    running: Option<Running>,
}

impl Replica {
    fn new(signer_name: &str, json: &[u8]) -> Self {
        let setup = Setup::new().signer_without_pool(signer_name, "kind: spiffe, trustDomain: cluster.local");
        let pool = setup.pool_path(signer_name);
        write_whole(&pool, json);
        Self { setup, pool, running: None }
    }

    fn read(&self) -> Vec<u8> {
        fs::read(&self.pool).unwrap()
    }
}

impl<'a> Replicas<'a> {
    pub(super) async fn start(scope: &'a Scope, signer_name: &str, first: CaPool) -> Self {
        let json = first.to_json().unwrap();
        let (fast, slow) = (Replica::new(signer_name, &json), Replica::new(signer_name, &json));
        let mut replicas = Self { scope, fast, slow, behind_for: None };
        replicas.restart().await;
        replicas
    }

    pub(super) async fn stop(&mut self) {
        for replica in [&mut self.fast, &mut self.slow] {
            if let Some(running) = replica.running.take() {
                running.stop().await;
            }
        }
    }

    pub(super) async fn restart(&mut self) {
        for replica in [&mut self.fast, &mut self.slow] {
            replica.running = Some(replica.setup.start(self.scope));
        }
        for running in [&self.fast, &self.slow].into_iter().filter_map(|replica| replica.running.as_ref()) {
            running.ready().await;
        }
    }

    /// So much time has passed; of that, so much by the test's clock alone.
    pub(super) fn grow_older(&mut self, time: Duration, by: Duration) {
        for replica in [&self.fast, &self.slow] {
            write_whole(&replica.pool, &aged_pool(&replica.read(), by));
        }
        self.behind_for = self.behind_for.map(|before| before + time);
        if self.behind_for.is_some_and(|time| time >= LAG) {
            self.catch_up();
        }
    }

    /// The one that learns of changes late has the newest version too.
    pub(super) fn catch_up(&mut self) {
        write_whole(&self.slow.pool, &self.fast.read());
        self.behind_for = None;
    }

    /// The newest version of the pool.
    pub(super) fn pool(&self) -> CaPool {
        CaPool::from_json(&self.fast.read()).unwrap()
    }

    /// Changes it, while both run.
    pub(super) fn change(&mut self, change: impl FnOnce(CaPool) -> CaPool) {
        write_whole(&self.fast.pool, &change(self.pool()).to_json().unwrap());
        self.behind_for = Some(Duration::ZERO);
    }
}
