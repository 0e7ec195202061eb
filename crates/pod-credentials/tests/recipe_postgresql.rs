//! PostgreSQL, configured as `docs/using-certificates.md` says, through a renewal and a change of anchors,
//! and with the modes that kubelet gives files.
//!
//! As root it runs as the user `postgres`, as it wouldn't otherwise; only then there are other owners to try.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

#[path = "recipe/postgres.rs"]
mod postgres;
mod recipe;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::MetadataExt,
    process::Stdio,
};

use postgres::{Account, Postgres};
use recipe::until;
use test_cluster::pod_volume::{Access, Ca};

const WEB: &str = "web.shop.pod.cluster.local";

#[test]
fn postgresql_follows_renewals_and_anchors() {
    let postgres = Postgres::start();
    let web = postgres.client(postgres.ca.leaf().common_name(WEB).bundle());
    assert_eq!(postgres.logs_in(&web), Ok("shop".into()));

    // a session that lives through all that follows
    let mut live = postgres.psql(&web).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut answers) =
        (live.stdin.take().unwrap(), BufReader::new(live.stdout.take().unwrap()).lines());
    let mut ask = |word: &str| {
        writeln!(input, "select '{word}';").unwrap();
        assert_eq!(answers.next().unwrap().unwrap(), word);
    };
    ask("before");
    let renewed = postgres.ca.dns("server.db.svc").bundle();
    postgres.mount(&renewed, &postgres.ca.root());
    postgres.shows(&renewed);
    ask("renewed");
    web.write([
        ("credentials.pem", postgres.ca.leaf().common_name(WEB).bundle()),
        ("server-roots.pem", postgres.ca.root()),
    ]);
    assert_eq!(postgres.logs_in(&web), Ok("shop".into()));

    let clients = Ca::new("clients");
    let renewed = postgres.ca.dns("server.db.svc").bundle();
    postgres.mount(&renewed, &clients.root());
    postgres.shows(&renewed);
    until("the client must hear why", || {
        // the server's alert may be lost with the connection
        postgres.logs_in(&web).unwrap_err().contains("unknown ca").then_some(())
    });
    let of_new_ca = postgres.client(clients.leaf().common_name(WEB).bundle());
    assert_eq!(postgres.logs_in(&of_new_ca), Ok("shop".into()));
    ask("after");
    drop(input);
    assert!(live.wait().unwrap().success());
}

#[test]
fn only_the_cn_of_the_map_logs_in() {
    let postgres = Postgres::start();
    let elsewhere =
        postgres.client(postgres.ca.leaf().common_name("web.elsewhere.pod.cluster.local").bundle());
    let refused = postgres.logs_in(&elsewhere).unwrap_err();
    assert!(refused.contains("certificate authentication failed"), "{refused}");
    assert!(postgres.log().contains("no match in usermap \"pods\" for user \"shop\""), "{}", postgres.log());
    // what a pod of another namespace gets that is *named* like the one of the map; with and without a CN
    let impostor = || postgres.ca.dns(&format!("{WEB}.evil.pod.cluster.local"));
    let longer = format!("{WEB}.evil.pod.cluster.local");
    for bundle in [
        impostor().bundle(),
        impostor().common_name("web").bundle(),
        impostor().common_name("shop").bundle(),
        impostor().common_name(&longer).bundle(),
    ] {
        postgres.logs_in(&postgres.client(bundle)).unwrap_err();
    }
    let spiffe = postgres.client(postgres.ca.uri("spiffe://cluster.local/ns/shop/sa/web").bundle());
    postgres.logs_in(&spiffe).unwrap_err();
    assert!(
        postgres.log().contains(quoted("client certificate contains no user name")),
        "{}",
        postgres.log()
    );
}

/// Words that the page quotes.
fn quoted(words: &str) -> &str {
    let page = include_str!("../../../docs/using-certificates.md");
    assert!(page.contains(&format!("`{words}`")), "the page must quote {words:?}");
    words
}

#[test]
fn the_modes_that_kubelet_gives_work_or_not_as_the_page_says() {
    let postgres = Postgres::start();
    let Account { user, group, switch } = postgres.account;
    let ours = |mode| Access { mode, user: Some(user), group: Some(group) };
    let roots = |mode, group| Access { mode, user: Some(0), group: Some(group) };
    let mut cases = vec![(ours(0o600), true), (ours(0o640), false), (ours(0o644), false)];
    if switch {
        cases.extend([(roots(0o644, 0), false), (roots(0o640, 0), false), (roots(0o640, group), true)]);
    }
    for (access, works) in cases {
        let before = postgres.shown();
        let log = postgres.log().len();
        postgres.volume.set_access(access);
        let renewed = postgres.ca.dns("server.db.svc").bundle();
        postgres.mount(&renewed, &postgres.ca.root());
        let file = fs::metadata(postgres.volume.path("credentials.pem")).unwrap();
        assert_eq!((file.mode() & 0o777, file.uid()), (access.mode, access.user.unwrap()));
        if works {
            postgres.shows(&renewed);
            continue;
        }
        until("the refusal must be said", || {
            postgres.log()[log..].contains(quoted("SSL configuration was not reloaded")).then_some(())
        });
        assert_eq!(postgres.shown(), before, "{access:?}");
    }
}
