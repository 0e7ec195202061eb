use std::{
    collections::VecDeque,
    iter,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::Poll,
};

use k8s_openapi::api::core::v1::Pod;

use super::*;
use crate::health::Health;

type Item = watcher::Result<Event<DeserializeGuard<Pod>>>;

/// No pauses, counted since the last reset.
#[derive(Clone, Default)]
struct Pauses(Arc<AtomicUsize>);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.fetch_add(1, Relaxed);
        Some(Duration::ZERO)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0.store(0, Relaxed);
    }
}

/// What a watch told of, and what its signer's health and its pauses were then.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    what: &'static str,
    is_ready: bool,
    pauses: usize,
}

fn told(what: &'static str, is_ready: bool, pauses: usize) -> Told {
    Told { what, is_ready, pauses }
}

/// Plays one script after the other, each in a watch of its own; says what was told, and how many watches there were.
async fn play(probation: Duration, scripts: Vec<Vec<Item>>) -> (Vec<Told>, usize) {
    let health = Health::default();
    let signer = health.signer(&"example.com/a".parse().unwrap(), &[Component::Pods]);
    let total = scripts.len();
    let scripts = std::sync::Mutex::new(VecDeque::from(scripts));
    let is_at_end = Arc::<AtomicBool>::default();
    let begin = || {
        let (script, is_at_end) =
            (scripts.lock().unwrap().pop_front().unwrap_or_default(), is_at_end.clone());
        is_at_end.store(false, Relaxed);
        let end = stream::poll_fn(move |_| {
            is_at_end.store(true, Relaxed);
            Poll::Pending
        });
        stream::iter(script).chain(end).boxed()
    };
    let pauses = Pauses::default();
    let mut watch = Watch::new(begin, pauses.clone(), probation, Component::Pods, vec![signer]);
    let is_ready = || health.report().signers[0].problems.is_empty();
    let mut all = Vec::new();
    loop {
        let is_proven = |watch: &Watch<_, _, _>| watch.proven_at.is_none_or(|at| at > Instant::now());
        match time::timeout(Duration::from_millis(200), watch.next()).await {
            Ok(watched) => all.push(told(name(&watched), is_ready(), pauses.0.load(Relaxed))),
            // on a machine that stalls the time may be over before anything was looked at
            Err(_) if is_at_end.load(Relaxed) && is_proven(&watch) => break,
            Err(_) => {}
        }
    }
    all.push(told("silence", is_ready(), pauses.0.load(Relaxed)));
    (all, total - scripts.lock().unwrap().len())
}

fn name(watched: &Watched<Pod>) -> &'static str {
    match watched {
        Watched::Event(Event::Init) => "list",
        Watched::Event(Event::InitDone) => "listed",
        Watched::Event(_) => "change",
        Watched::Unreadable(_) => "unreadable",
        Watched::Failing => "failing",
        Watched::Gone => "gone",
    }
}

const SHORT: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(3600);

fn refused() -> kube::Error {
    kube::Error::Api(kube::core::Status::failure("no", "Forbidden").with_code(403).boxed())
}

fn list() -> [Item; 2] {
    [Ok(Event::Init), Ok(Event::InitDone)]
}

fn lost() -> Item {
    Err(watcher::Error::WatchStartFailed(refused()))
}

fn change() -> Item {
    Ok(Event::Delete(DeserializeGuard(Ok(Pod::default()))))
}

#[tokio::test]
async fn only_a_complete_list_proves_that_it_works() {
    let fails = || vec![Ok(Event::Init), Err(watcher::Error::InitialListFailed(refused()))];
    let scripts = iter::repeat_with(fails).take(2).chain([list().into()]).collect();
    let expected = [
        told("list", false, 0),
        told("failing", false, 1),
        told("list", false, 1),
        told("failing", false, 2),
        told("list", false, 2),
        told("listed", true, 0),
        told("silence", true, 0),
    ];
    assert_eq!(play(LONG, scripts).await, (expected.into(), 3));
}

#[tokio::test]
async fn a_connection_lost_once_is_no_trouble_and_lost_again_it_begins_anew() {
    let once = list().into_iter().chain([lost(), change(), lost(), lost()]).collect();
    let expected = [
        told("list", false, 0),
        told("listed", true, 0),
        told("change", true, 0),
        told("failing", false, 2),
        told("list", false, 2),
        told("listed", false, 2),
        told("silence", true, 0),
    ];
    assert_eq!(play(SHORT, vec![once, list().into()]).await, (expected.into(), 2));
}

#[tokio::test]
async fn lists_that_work_with_a_watch_that_never_does_are_no_proof_and_pauses_grow() {
    let never = || list().into_iter().chain([lost(), lost()]).collect::<Vec<_>>();
    let (all, watches) = play(LONG, vec![never(), never(), never(), list().into()]).await;
    let pauses: Vec<_> = all.iter().filter(|told| told.what == "failing").map(|told| told.pauses).collect();
    assert_eq!((pauses, watches), (vec![2, 3, 4], 4));
    assert_eq!(all.last(), Some(&told("silence", false, 4)), "{all:?}");
}

#[test]
fn failures_are_one_trouble_however_long_the_pauses_have_grown() {
    /// As long as kube's longest with its jitter.
    struct Long;

    impl Iterator for Long {
        type Item = Duration;

        fn next(&mut self) -> Option<Duration> {
            Some(ONE_TROUBLE * 2)
        }
    }

    impl Backoff for Long {
        fn reset(&mut self) {}
    }

    let begin = || stream::pending::<Item>().boxed();
    let mut watch = Watch::new(begin, Long, LONG, Component::Pods, vec![]);
    let failed = || watcher::Error::WatchStartFailed(refused());
    assert!(!watch.fail(&failed()));
    // the pause, as if it had passed
    watch.last_failure.as_mut().unwrap().resumed = Instant::now();
    assert!(watch.fail(&failed()));
    assert!(
        watch.last_failure.unwrap().resumed > Instant::now() + ONE_TROUBLE,
        "it counts from the pause's end"
    );
}

#[tokio::test]
async fn a_watch_that_is_gone_begins_with_a_list_if_somebody_goes_on_with_it() {
    let gone = kube::Error::Api(kube::core::Status::failure("no", "NotFound").with_code(404).boxed());
    let first = list().into_iter().chain([Err(watcher::Error::WatchStartFailed(gone))]).collect();
    let (all, watches) = play(SHORT, vec![first, list().into()]).await;
    let what: Vec<_> = all.iter().map(|told| told.what).collect();
    assert_eq!((what, watches), (vec!["list", "listed", "gone", "list", "listed", "silence"], 2));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_by_name() {
    let metadata = kube::api::ObjectMeta {
        name: Some("web-0".into()),
        namespace: Some("shop".into()),
        ..Default::default()
    };
    let invalid = kube::core::error_boundary::InvalidObject { error: "no".into(), metadata };
    let Watched::Unreadable(name) =
        readable::<Pod>(Event::Apply(DeserializeGuard(Err(invalid))), Component::Pods)
    else {
        panic!("must be unreadable")
    };
    assert_eq!(name, ObjectName { namespace: "shop".into(), name: "web-0".into() });
}
