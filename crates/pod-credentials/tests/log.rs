//! Logs that misbehave: whoever writes the log is foreign code, and can't end the following, nor hold up
//! handshakes.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::{
    fmt,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use pod_credentials::{
    Clients, CredentialFiles, Credentials, Servers, Watched, client_config, server_config,
};
use support::{HOUR, credentials, handshake, trust};
use test_cluster::pod_volume::{Ca, Volume};
use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

const BUNDLE: &str = "credentials.pem";

/// What a test does when something is logged on any thread.
type Act = Arc<dyn Fn(&str) + Send + Sync>;

/// The tests' actions, called one by one and without a lock.
static ACTS: LazyLock<Mutex<Vec<Act>>> = LazyLock::new(|| {
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Acts)).unwrap();
    Mutex::default()
});

struct Acts;

struct Message(String);

impl tracing::field::Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Acts {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let acts = ACTS.lock().unwrap_or_else(PoisonError::into_inner).clone();
        acts.iter().for_each(|act| act(&message.0));
    }
}

fn on_log(act: impl Fn(&str) + Send + Sync + 'static) {
    ACTS.lock().unwrap().push(Arc::new(act));
}

/// Waits for what must come, far longer than it takes.
fn soon(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(180);
    while !what() {
        assert!(Instant::now() < end, "it must come");
        thread::sleep(Duration::from_millis(5));
    }
}

fn follow(volume: &Volume, poll: Duration) -> Watched<Credentials> {
    Watched::follow(CredentialFiles::bundle(volume.path(BUNDLE)), poll).unwrap()
}

fn name(watched: &Watched<Credentials>) -> Option<String> {
    watched.current().map(|current| current.leaf().dns_names.concat())
}

#[test]
fn a_log_may_ask_for_the_status_and_look() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    volume.write([(BUNDLE, ca.dns("reentrant-a").bundle())]);
    let watched = Watched::once(CredentialFiles::bundle(volume.path(BUNDLE)), SystemTime::now());
    let seen = Arc::new(Mutex::new(String::new()));
    on_log({
        let (watched, seen) = (watched.clone(), Arc::clone(&seen));
        move |message| {
            if message.contains("reentrant-b") {
                watched.look(SystemTime::now());
                *seen.lock().unwrap() = format!("{:?} {:?}", name(&watched), watched.status().problem);
            }
        }
    });
    volume.write([(BUNDLE, ca.dns("reentrant-b").bundle())]);
    watched.look(SystemTime::now());
    assert_eq!(*seen.lock().unwrap(), "Some(\"reentrant-b\") None");
}

#[test]
fn a_log_that_panics_does_not_end_the_following() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    volume.write([(BUNDLE, ca.dns("panic-a").bundle())]);
    let watched = follow(&volume, Duration::from_millis(10));
    let panics = Arc::new(AtomicUsize::new(0));
    on_log({
        let panics = Arc::clone(&panics);
        move |message| {
            if message.contains("panic-b") || (message.contains("panicked") && message.contains("10ms")) {
                panics.fetch_add(1, Ordering::Relaxed);
                panic!("the log is full");
            }
        }
    });
    volume.write([(BUNDLE, ca.dns("panic-b").bundle())]);
    soon(|| panics.load(Ordering::Relaxed) == 2);
    assert_eq!(name(&watched).unwrap(), "panic-b");
    volume.write([(BUNDLE, ca.dns("panic-c").bundle())]);
    soon(|| name(&watched).unwrap() == "panic-c");
}

#[test]
fn a_log_that_blocks_holds_up_nobody_and_shows() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    volume.write([(BUNDLE, ca.dns("block-a").bundle())]);
    let watched = follow(&volume, Duration::from_millis(10));
    let (blocked, is_blocked) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let (blocked, goes_on) = (Mutex::new(blocked), Mutex::new(goes_on));
    on_log(move |message| {
        if message.contains("block-b") {
            blocked.lock().unwrap().send(()).unwrap();
            let _ = goes_on.lock().unwrap().recv();
        }
    });
    volume.write([(BUNDLE, ca.dns("block-b").bundle())]);
    is_blocked.recv().unwrap();
    // the thread stands in the log: what others ask for is there, and the last look gets older
    let last_checked = watched.status().last_checked.unwrap();
    assert_eq!(name(&watched).unwrap(), "block-b");
    volume.write([(BUNDLE, ca.dns("block-c").bundle())]);
    thread::sleep(Duration::from_millis(100));
    assert_eq!(watched.status().last_checked, Some(last_checked));
    drop(go_on);
    soon(|| name(&watched).unwrap() == "block-c");
    assert!(watched.status().last_checked > Some(last_checked));
}

/// Threads of this test that look once an hour. They carry the name of the thread that started them until
/// they have one of their own.
fn followers() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim() == "pod-credentials").count()
}

#[test]
fn the_last_clone_ends_the_thread_at_once() {
    let volume = Volume::new();
    let mut hourly: Vec<_> = (0..20).map(|_| follow(&volume, HOUR)).collect();
    soon(|| followers() >= 20);
    let clone = hourly[0].clone();
    hourly.clear();
    // the other tests have one each, at most two at a time
    soon(|| followers() <= 3);
    drop(clone);
}

#[test]
fn a_handshake_without_a_certificate_says_why_once() {
    let ca = Ca::new("test");
    let logged = Arc::new(Mutex::new(Vec::new()));
    on_log({
        let logged = Arc::clone(&logged);
        move |message| {
            if message.contains("handshake") && message.contains("/nowhere/") {
                logged.lock().unwrap().push(message.to_owned());
            }
        }
    });
    let missing = |file| Watched::<Credentials>::once(CredentialFiles::bundle(file), SystemTime::now());
    let (anchors, of_server) = (trust(ca.root()), credentials(ca.dns("web.shop.svc").bundle()));
    let servers = || Servers::by_name(&anchors.watched);

    let server = Arc::new(server_config(&missing("/nowhere/server.pem"), Clients::anonymous()).unwrap());
    let client = Arc::new(client_config(None, servers()).unwrap());
    for _ in 0..3 {
        assert!(handshake(&client, &server).is_err());
    }
    let clients = Clients::required(&anchors.watched, pod_credentials::PeerRule::any_trusted());
    let server = Arc::new(server_config(&of_server.watched, clients).unwrap());
    let client = Arc::new(client_config(Some(&missing("/nowhere/client.pem")), servers()).unwrap());
    for _ in 0..3 {
        assert!(handshake(&client, &server).is_err());
    }
    let logged = logged.lock().unwrap();
    assert_eq!(logged.len(), 2, "{logged:?}");
    for (file, message) in ["/nowhere/server.pem", "/nowhere/client.pem"].iter().zip(&*logged) {
        assert!(message.contains(&format!("{file}: there is no such file")), "{message}");
    }
}
