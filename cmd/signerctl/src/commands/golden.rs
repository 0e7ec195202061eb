//! What people read, at a fixed time: `UPDATE_GOLDEN=1 cargo test -p signerctl` writes `tests/golden` anew,
//! to be looked at.

use std::{fs, path::Path, time::Duration};

use ca_pool::{CaPool, CertificateAuthority, NewRoot, RotationPlan, SerialNumber, SigningKey};
use jiff::{SignedDuration, Timestamp};

use crate::terminal::Look;
use crate::{
    commands::prune, commands::revoke, commands::takeover, report::outlook::Outlook, report::page,
    store::place::Label,
};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
const QUARTER: Duration = Duration::from_secs(15 * 60);

pub(crate) fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

pub(crate) fn hours(hours: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_hours(hours)).unwrap()
}

/// The same each time: the key is made of its ID.
pub(crate) fn ca(id: u8, made: Timestamp, validity: Duration) -> CertificateAuthority {
    // RFC 8410 §7: a version, the algorithm, and the key in two OCTET STRINGs
    let mut pkcs8 = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    pkcs8.extend([id; 32]);
    let root = NewRoot {
        id: id.to_string(),
        common_name: format!("row-major.net/spiffe CA {id} 0000000{id}").parse().unwrap(),
        uri: None,
        validity,
    };
    let key = SigningKey::from_pkcs8(&pkcs8).unwrap();
    CertificateAuthority::new_root(root, key, SerialNumber::from_random([id; 16]), made).unwrap()
}

/// A pool whose first CA was made 100 days ago, and which was rotated that many hours ago.
pub(crate) fn rotated(ago: &[i64]) -> CaPool {
    let first = CaPool::new(vec![ca(1, hours(-2400), NewRoot::DEFAULT_VALIDITY)]).unwrap();
    ago.iter().zip(2..).fold(first, |pool, (ago, id)| {
        let made = hours(-ago);
        let rotation_plan = RotationPlan {
            signs_from: made.checked_add(QUARTER).unwrap(),
            max_leaf_lifetime: Some(24 * HOUR),
            predecessor_max_leaf_lifetime: Some(24 * HOUR),
        };
        pool.with_successor(ca(id, made, NewRoot::DEFAULT_VALIDITY), rotation_plan, made).unwrap()
    })
}

/// A pool whose CA gives certificates for so long at most.
fn recorded(longest: Duration) -> CaPool {
    let first = ca(1, hours(-2400), NewRoot::DEFAULT_VALIDITY);
    CaPool::beginning_with(first, None, Some(longest)).unwrap()
}

/// A pool as the manager keeps it.
fn automatic() -> CaPool {
    let mut document: serde_json::Value = serde_json::from_slice(&rotated(&[3]).to_json().unwrap()).unwrap();
    document["Rotation"] = "automatic".into();
    CaPool::from_json(document.to_string().as_bytes()).unwrap()
}

/// A pool of a CA and one that takes over then.
fn followed(first: CertificateAuthority, activation: Timestamp) -> CaPool {
    let day = Some(24 * HOUR);
    let rotation_plan =
        RotationPlan { signs_from: hours(-20), max_leaf_lifetime: day, predecessor_max_leaf_lifetime: day };
    let successor = ca(2, hours(-21), NewRoot::DEFAULT_VALIDITY);
    let pool =
        CaPool::new(vec![first]).unwrap().with_successor(successor, rotation_plan, hours(-21)).unwrap();
    let mut document: serde_json::Value = serde_json::from_slice(&pool.to_json().unwrap()).unwrap();
    document["CAs"][1]["SignsFrom"] = activation.to_string().into();
    CaPool::from_json(document.to_string().as_bytes()).unwrap()
}

fn label() -> Label {
    Label {
        pool: "CA pool Secret mesh-controller/spiffe-ca-pool".to_owned(),
        cluster: Some("context kind-mesh, server https://127.0.0.1:6443".to_owned()),
        arguments: "--namespace mesh-controller --name spiffe-ca-pool".to_owned(),
    }
}

fn shows(pool: &CaPool, look: Look) -> String {
    let outlook = Outlook::new(pool, Some(label().arguments), now());
    page::shown(&label(), None, &outlook, look)
}

fn is_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == text, "{} is different:\n{text}", path.display());
}

#[test]
fn pools_are_shown_as_they_stand() {
    for (name, pool) in [
        ("show-without-times.txt", rotated(&[])),
        ("show-just-rotated.txt", rotated(&[0])),
        ("show-retiring.txt", rotated(&[3])),
        ("show-gone.txt", rotated(&[72])),
        ("show-three-generations.txt", rotated(&[40, 20, 0])),
        ("show-ending.txt", CaPool::new(vec![ca(1, hours(-150), 200 * HOUR)]).unwrap()),
        ("show-twelve-hours.txt", recorded(12 * HOUR)),
        ("show-ninety-days.txt", CaPool::new(vec![ca(1, now(), 90 * 24 * HOUR)]).unwrap()),
        ("show-automatic.txt", automatic()),
        ("show-ending-now.txt", CaPool::new(vec![ca(1, hours(-24), 30 * HOUR)]).unwrap()),
        ("show-last-hour.txt", CaPool::new(vec![ca(1, hours(-24), 24 * HOUR + 2 * QUARTER)]).unwrap()),
        ("show-activation-after-the-end.txt", followed(ca(1, hours(-24), 240 * HOUR), hours(720))),
        (
            "show-nobody-yet.txt",
            CaPool::beginning_with(ca(1, now(), 2400 * HOUR), Some(hours(720)), None).unwrap(),
        ),
        ("show-shortened.txt", followed(ca(1, hours(-24), 40 * HOUR), hours(4))),
        ("show-expired.txt", CaPool::new(vec![ca(1, hours(-24), 20 * HOUR)]).unwrap()),
        ("show-not-yet-valid.txt", CaPool::new(vec![ca(1, hours(24), 200 * HOUR)]).unwrap()),
    ] {
        is_golden(name, &shows(&pool, Look::PLAIN));
    }
}

#[test]
fn a_terminal_gets_colours_and_short_lines() {
    is_golden("show-colours.txt", &shows(&rotated(&[3]), Look { has_colours: true, ..Look::PLAIN }));
    for width in [40, 60, 80, 100] {
        let shown = shows(&rotated(&[40, 20, 0]), Look { width, ..Look::PLAIN });
        let is_command = |line: &str| line.trim_start().starts_with("signerctl ");
        let too_long = shown.lines().find(|line| line.chars().count() > width && !is_command(line));
        assert_eq!(too_long, None, "{width}");
        is_golden(&format!("show-{width}-columns.txt"), &shown);
    }
}

#[test]
fn a_rotation_tells_what_happens_when() {
    is_golden("rotate.txt", &takeover::added(&label(), &rotated(&[0]), "2", Look::PLAIN, now()));
}

/// That of the pools here, whose first CA has no times.
fn first(ids: &[u8]) -> CaPool {
    CaPool::new(ids.iter().map(|id| ca(*id, hours(-2400), NewRoot::DEFAULT_VALIDITY)).collect()).unwrap()
}

#[test]
fn an_emergency_tells_what_breaks() {
    for (name, pool, id, new) in [
        ("emergency-alone.txt", rotated(&[]), "1", Some(2)),
        ("emergency-with-one-waiting.txt", rotated(&[0]), "1", None),
        ("emergency-with-one-retiring.txt", rotated(&[3]), "2", Some(3)),
        ("emergency-with-one-gone.txt", rotated(&[72]), "2", Some(3)),
        ("emergency-with-one-only-trusted.txt", first(&[1, 2]), "1", Some(3)),
        ("emergency-of-one-retiring.txt", rotated(&[3]), "1", None),
        ("emergency-of-one-waiting.txt", rotated(&[0]), "2", None),
    ] {
        let replacement = new.map(|id| (ca(id, now(), NewRoot::DEFAULT_VALIDITY), Some(24 * HOUR)));
        let change = revoke::Change { id, replacement, keeps_unknown_anchors: false };
        let (changed, text) = revoke::preview(&label(), pool, change, Look::PLAIN, now()).unwrap();
        is_golden(name, &text);
        // and what the pool says then
        is_golden(&format!("after-{name}"), &shows(&changed, Look::PLAIN));
    }
}

#[test]
fn a_removal_that_comes_too_early_tells_what_breaks() {
    for (name, pool, id) in [
        ("prune-active.txt", rotated(&[3]), "2"),
        ("prune-retiring.txt", rotated(&[3]), "1"),
        ("prune-waiting.txt", rotated(&[0]), "2"),
    ] {
        is_golden(name, &prune::preview(&label(), pool, id, Look::PLAIN, now()).unwrap().1);
    }
}
