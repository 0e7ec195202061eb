//! The bundle's labels, where replicas are configured differently: in a rollout, or in one that is stuck.
//!
//! Labels have no generation. The replica that started last has the newest configuration, as far as anyone knows, so its labels hold: whoever writes labels notes them and its own start in
//! an annotation. Labels that are as that note says were written by a replica of another configuration; all others are drift, and repaired at once. A replica that started before
//! the writer leaves its labels, since it would be overwritten at once; but as that one may be gone, after a rollback, it tries again after growing pauses.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use ca_pool::PROPAGATION;

/// The annotation `<path>.<domain>/labels`: the labels as they were written last, and since when the process runs that wrote them.
pub(super) const LABELS: &str = "labels";

/// The labels of one configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Labels {
    /// Since when the process runs that has it.
    since: Timestamp,
    labels: BTreeMap<String, String>,
}

/// What is to be done about the labels that a bundle has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// They are right.
    InOrder,
    /// They are to be written.
    Drifted,
    /// A replica that is configured differently, and started later, has written them.
    OfAnother,
}

impl Labels {
    pub(super) fn new(since: Timestamp, labels: BTreeMap<String, String>) -> Self {
        Self { since, labels }
    }

    pub(super) fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// For the annotation. A map of strings and a time always have a JSON form.
    pub(super) fn to_note(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Compares with what a bundle has, and with the note on it. A time in the future was noted by a clock that was wrong, and would hold until then.
    pub(super) fn find(
        &self,
        current: &BTreeMap<String, String>,
        note: Option<&str>,
        now: Timestamp,
    ) -> Found {
        if self.are_among(current) {
            return Found::InOrder;
        }
        let latest = now.checked_add(PROPAGATION).unwrap_or(Timestamp::MAX);
        let writer = note.and_then(|note| serde_json::from_str::<Self>(note).ok());
        match writer {
            Some(writer)
                if writer.are_among(current)
                    && writer > *self
                    && writer.since <= latest
                    && writer.has_the_common_label_of(self) =>
            {
                Found::OfAnother
            }
            Some(_) | None => Found::Drifted,
        }
    }

    /// Each configuration has the label by which pods select the bundle; a note without it is nobody's.
    fn has_the_common_label_of(&self, other: &Self) -> bool {
        let mut common = other.labels.iter().filter(|(key, _)| key.ends_with("/canarying"));
        common.all(|(key, value)| self.labels.get(key) == Some(value))
    }

    fn are_among(&self, current: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(key, value)| current.get(key) == Some(value))
    }
}

/// When a replica tries again that has left its labels to another one's.
#[derive(Clone, Debug)]
pub(super) struct Dispute {
    next: Option<Timestamp>,
    pause: Duration,
}

impl Dispute {
    const SHORTEST: Duration = Duration::from_secs(60);
    const LONGEST: Duration = Duration::from_secs(3600);

    /// Notes that the bundle has another one's labels; the pause is over if they are to be overwritten now.
    pub(super) fn is_over(&mut self, now: Timestamp) -> bool {
        let next = *self.next.get_or_insert_with(|| after(now, self.pause));
        if now < next {
            return false;
        }
        self.next = None;
        self.pause = (self.pause * 2).min(Self::LONGEST);
        true
    }

    /// How long it still waits.
    pub(super) fn left(&self, now: Timestamp) -> Duration {
        let left = self.next.map(|next| next.duration_since(now));
        left.and_then(|left| Duration::try_from(left).ok()).unwrap_or(self.pause)
    }

    /// Notes that the bundle has the own labels.
    pub(super) fn settle(&mut self) {
        self.next = None;
    }
}

impl Default for Dispute {
    fn default() -> Self {
        Self { next: None, pause: Self::SHORTEST }
    }
}

fn after(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            BETWEEN_WRITES, DesiredBundle, Repair,
            desired_tests::{now, pool, resource, signer},
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
        (0..240).for_each(|look| {
            old.look(&mut bundle, &pool, now() + HOUR + ten_minutes + BETWEEN_WRITES * look)
        });
        assert_eq!(trust_domain(&bundle), "old");
    }

    #[test]
    fn a_note_without_the_label_that_each_configuration_has_is_nobodys() {
        let label =
            |value: &str| BTreeMap::from([("spiffe.row-major.net/canarying".to_owned(), value.to_owned())]);
        let (own, planted) =
            (Labels::new(now(), label("live")), Labels::new(now() + HOUR / 6, label("dead")));
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
}
