use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// What was written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What `log` logs with this filter.
fn logged(filter: &str, log: impl FnOnce()) -> String {
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt().with_env_filter(parse(filter).unwrap());
    let subscriber = subscriber.with_writer(written.clone()).finish().with(without_bodies());
    tracing::subscriber::with_default(subscriber, log);
    let bytes = written.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// As kube-client logs bodies, within its span, and others what they send.
fn others() {
    let span = tracing::debug_span!(target: "kube_client::client::builder", "HTTP", http.url = "a-canary");
    let _entered = span.enter();
    tracing::warn!(target: "kube_client::client", "a-canary");
    tracing::debug!(target: "kube_client::client", "a-canary");
    tracing::error!(target: "kube_client::client::builder", "a-canary");
    tracing::debug!(target: "hyper::proto::h1::io", "a-canary");
    tracing::trace!(target: "rustls::client", "a-canary");
    tracing::info!(target: "tower", "a-canary");
    tracing::info!(target: "log", "a-canary");
}

#[test]
fn no_filter_lets_bodies_pass() {
    for filter in [
        "trace",
        "TRACE",
        "kube_client=debug",
        "KUBE_CLIENT=TRACE",
        "kube_client::client=trace",
        "trace,kube_client=trace,hyper=trace,rustls=trace",
        "[HTTP]=trace",
        "kube_client[HTTP{http.url}]=trace",
        "[{http.url}]=trace",
        "info,log=trace",
    ] {
        assert_eq!(logged(filter, others), "", "{filter}");
    }
}

#[test]
fn what_is_ours_is_logged_as_the_filter_says() {
    let ours = || {
        tracing::trace!(target: "signer_core::controller", "one");
        tracing::debug!(target: "signer_manager::run", "two");
        tracing::info!(target: "audit", "three");
    };
    let lines = |filter| logged(filter, ours).lines().count();
    assert_eq!([lines("trace"), lines("debug"), lines("info"), lines("warn")], [3, 2, 1, 0]);
}

#[test]
fn warnings_of_others_are_logged() {
    let warn = || tracing::warn!(target: "kube_runtime::watcher", "a warning");
    assert!(logged("info", warn).contains("a warning"));
    assert_eq!(logged("error", warn), "");
}
