use super::{
    super::{
        BETWEEN_WRITES, DesiredBundle, Repair,
        desired::tests::{now, pool, resource, signer},
    },
    *,
};
use crate::api::ClusterTrustBundle;
use ca_pool::CaPool;

const HOUR: Duration = Duration::from_secs(3600);

struct Replica {
    trust_domain: &'static str,
    started: Timestamp,
    dispute: Dispute,
    writes: usize,
}

impl Replica {
    fn new(trust_domain: &'static str, started: Timestamp) -> Self {
        Self { trust_domain, started, dispute: Dispute::default(), writes: 0 }
    }

    /// Compares and writes, as the keeper of a bundle does.
    fn look(&mut self, bundle: &mut ClusterTrustBundle, pool: &CaPool, at: Timestamp) {
        let (signer, labels) = (signer(), labels_of(self.trust_domain));
        let desired = || DesiredBundle::new(&signer, &labels, pool).of_replica(self.started);
        let repair = match desired().repair(bundle, at) {
            Repair::OthersLabels if self.dispute.is_over(at) => {
                desired().with_labels_of_its_own().repair(bundle, at)
            }
            repair => repair,
        };
        match repair {
            Repair::InOrder => self.dispute.settle(),
            Repair::OthersLabels => {}
            Repair::Write(repaired) => {
                self.writes += 1;
                *bundle = *repaired;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn labels_of(trust_domain: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("trust-domain".to_owned(), trust_domain.to_owned())])
}

fn trust_domain(bundle: &ClusterTrustBundle) -> &str {
    &bundle.metadata.labels.as_ref().unwrap()["spiffe.row-major.net/trust-domain"]
}

fn created(pool: &CaPool, by: &Replica) -> ClusterTrustBundle {
    let (signer, labels) = (signer(), labels_of(by.trust_domain));
    DesiredBundle::new(&signer, &labels, pool).of_replica(by.started).created(&resource(), now())
}

/// Both look all the time, for so long; returns how often the bundle had the label of the second.
fn side_by_side(
    replicas: &mut [Replica; 2],
    bundle: &mut ClusterTrustBundle,
    pool: &CaPool,
    from: Timestamp,
    lasting: Duration,
) -> f64 {
    let looks = u32::try_from(lasting.as_secs() / BETWEEN_WRITES.as_secs()).unwrap();
    let mut with_second = 0;
    for look in 0..looks {
        let at = from + BETWEEN_WRITES * look;
        replicas.iter_mut().for_each(|replica| replica.look(bundle, pool, at));
        with_second += u32::from(trust_domain(bundle) == replicas[1].trust_domain);
    }
    f64::from(with_second) / f64::from(looks)
}

#[test]
fn in_a_stuck_rollout_the_newest_configuration_holds_and_nobody_fights() {
    let pool = pool();
    let mut replicas = [Replica::new("old", now()), Replica::new("new", now() + HOUR)];
    let mut bundle = created(&pool, &replicas[0]);
    let share = side_by_side(&mut replicas, &mut bundle, &pool, now() + HOUR, HOUR * 24);
    let writes = replicas[0].writes + replicas[1].writes;
    assert!(share > 0.99 && writes < 80, "{share} {writes}");
    assert_eq!(trust_domain(&bundle), "new");
}

#[test]
fn after_a_rollback_the_replicas_that_stayed_get_their_labels_back() {
    let pool = pool();
    let mut replicas = [Replica::new("old", now()), Replica::new("new", now() + HOUR)];
    let mut bundle = created(&pool, &replicas[0]);
    let ten_minutes = HOUR / 6;
    side_by_side(&mut replicas, &mut bundle, &pool, now() + HOUR, ten_minutes);
    assert_eq!(trust_domain(&bundle), "new");
    // the new one is gone
    let [old, _] = &mut replicas;
    (0..240)
        .for_each(|look| old.look(&mut bundle, &pool, now() + HOUR + ten_minutes + BETWEEN_WRITES * look));
    assert_eq!(trust_domain(&bundle), "old");
}

#[test]
fn a_note_without_the_label_that_each_configuration_has_is_nobodys() {
    let label =
        |value: &str| BTreeMap::from([("spiffe.row-major.net/canarying".to_owned(), value.to_owned())]);
    let (own, planted) = (Labels::new(now(), label("live")), Labels::new(now() + HOUR / 6, label("dead")));
    assert_eq!(own.find(&label("dead"), Some(&planted.to_note()), now()), Found::Drifted);
}

#[test]
fn what_a_person_has_changed_is_repaired_at_once_whoever_wrote_it_last() {
    let pool = pool();
    let mut replica = Replica::new("old", now());
    let mut bundle = created(&pool, &Replica::new("new", now() + HOUR));
    for edit in ["edited", ""] {
        let labels = bundle.metadata.labels.as_mut().unwrap();
        labels.insert("spiffe.row-major.net/trust-domain".into(), edit.into());
        replica.look(&mut bundle, &pool, now() + HOUR);
        assert_eq!(trust_domain(&bundle), "old");
    }
}

#[test]
fn a_note_of_a_clock_that_was_wrong_and_one_that_cannot_be_read_count_as_none() {
    let own = Labels::new(now(), labels_of("own"));
    let found = |note: &str| own.find(&labels_of("other"), Some(note), now());
    let of = |since| Labels::new(since, labels_of("other")).to_note();
    assert_eq!(found(&of(now() + PROPAGATION)), Found::OfAnother);
    assert_eq!(found(&of(now() + HOUR)), Found::Drifted);
    assert_eq!(found("{}"), Found::Drifted);
    assert_eq!(own.find(&labels_of("other"), None, now()), Found::Drifted);
}
