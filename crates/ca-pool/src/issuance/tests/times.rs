//! When leaves are valid, and when they are refreshed.

use rcgen::date_time_ymd;

use super::*;
use crate::{Refresh, RefreshSpread, SignerName};

/// An authority that lives from one day to another.
fn authority_between(from: (i32, u8, u8), to: (i32, u8, u8)) -> CertificateAuthority {
    let root = TestCa::root("root");
    let issuing = root.issue_with("issuing", |params| {
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(to.0, to.1, to.2);
    });
    issuing.authority(&[&issuing], &root)
}

fn times(certificate: &IssuedCertificate) -> [String; 3] {
    [certificate.not_before, certificate.not_after, certificate.begin_refresh_at].map(|time| time.to_string())
}

#[test]
fn times_are_whole_seconds_backdated_and_refreshed_at_half_time() {
    let expected = ["2026-11-22T11:58:00Z", "2026-11-23T11:58:00Z", "2026-11-22T23:58:00Z"];
    assert_eq!(times(&issued(&server(), &Terms::default())), expected);
}

#[test]
fn lifetime_is_the_least_that_anyone_allows() {
    let default = Terms::default();
    let day = 24 * HOUR;
    for (leaf, signer, request, lifetime) in [
        (None, day, day, day),
        (Some(2 * HOUR), day, day, 2 * HOUR),
        (Some(day), 3 * HOUR, day, 3 * HOUR),
        (Some(day), day, HOUR, HOUR),
        (Some(HOUR + Duration::from_millis(900)), day, day, HOUR),
    ] {
        let mut wanted = server();
        wanted.lifetime = leaf;
        let terms = Terms { max_lifetime: signer, requested_max: request, ..default };
        let issued = issued(&wanted, &terms);
        assert_eq!(issued.not_after.duration_since(issued.not_before).unsigned_abs(), lifetime);
    }
}

#[test]
fn lifetime_below_an_hour_names_who_allows_no_more() {
    let short = HOUR - Duration::from_secs(1);
    let mut leaf = server();
    leaf.lifetime = Some(short);
    let cases = [
        (leaf, Terms::default(), "the leaf's own duration"),
        (server(), Terms { max_lifetime: short, ..Terms::default() }, "the signer's maxLifetime"),
        (server(), Terms { requested_max: short, ..Terms::default() }, "the request's maxExpirationSeconds"),
    ];
    for (leaf, terms, limit) in cases {
        let error = issue_at(&leaf, &terms, &root_authority(), now()).unwrap_err();
        assert!(!error.is_authority_unavailable());
        assert_eq!(
            error.to_string(),
            format!("{limit} allows a lifetime of 59m59s; 1h are the least that the API server takes")
        );
    }
}

#[test]
fn clock_skew_is_four_minutes_at_most() {
    for (skew, not_before) in [
        (Duration::ZERO, "2026-11-22T12:00:00Z"),
        (4 * MINUTE, "2026-11-22T11:56:00Z"),
        (10 * MINUTE, "2026-11-22T11:56:00Z"),
    ] {
        let terms = Terms { clock_skew: skew, ..Terms::default() };
        assert_eq!(times(&issued(&server(), &terms))[0], not_before);
    }
}

#[test]
fn refresh_is_moved_into_the_margins() {
    for (refresh, lifetime, begins) in [
        (Refresh::AfterPercent(50), 24 * HOUR, "23:58:00"),
        (Refresh::AfterPercent(0), 24 * HOUR, "12:08:00"),
        (Refresh::AfterPercent(1), HOUR, "12:08:00"),
        (Refresh::AfterPercent(100), HOUR, "12:48:00"),
        (Refresh::AfterPercent(255), HOUR, "12:48:00"),
        (Refresh::BeforeExpiry(HOUR), 2 * HOUR, "12:58:00"),
        (Refresh::BeforeExpiry(2 * HOUR), HOUR, "12:08:00"),
        (Refresh::BeforeExpiry(Duration::MAX), HOUR, "12:08:00"),
        (Refresh::BeforeExpiry(Duration::ZERO), HOUR, "12:48:00"),
    ] {
        let mut leaf = server();
        leaf.refresh = Some(refresh);
        leaf.lifetime = Some(lifetime);
        assert_eq!(
            times(&issued(&leaf, &Terms::default()))[2],
            format!("2026-11-22T{begins}Z"),
            "{refresh:?}"
        );
    }
    let terms = Terms { refresh: Refresh::BeforeExpiry(HOUR), ..Terms::default() };
    assert_eq!(times(&issued(&server(), &terms))[2], "2026-11-23T10:58:00Z");
}

#[test]
fn a_refresh_that_nobody_asked_for_comes_earlier_by_up_to_a_tenth_of_the_lifetime() {
    let begins = |leaf: &Leaf, hash: u32, lifetime: Duration| {
        let terms = Terms {
            refresh_spread: RefreshSpread::of_share(hash),
            max_lifetime: lifetime,
            ..Terms::default()
        };
        times(&issued(leaf, &terms))[2].clone()
    };
    for (hash, lifetime, at) in [
        (0, 24 * HOUR, "2026-11-22T23:58:00Z"),
        (1 << 31, 24 * HOUR, "2026-11-22T22:46:00Z"),
        (u32::MAX, 24 * HOUR, "2026-11-22T21:34:01Z"),
        (u32::MAX, HOUR, "2026-11-22T12:22:01Z"),
    ] {
        assert_eq!(begins(&server(), hash, lifetime), at, "{hash} {lifetime:?}");
    }
    let mut own = server();
    own.default_refresh = Some(Refresh::BeforeExpiry(HOUR));
    assert_eq!(begins(&own, 1 << 31, 24 * HOUR), "2026-11-23T09:46:00Z");
    // within the API server's margins
    own.default_refresh = Some(Refresh::AfterPercent(1));
    assert_eq!(begins(&own, u32::MAX, 24 * HOUR), "2026-11-22T12:08:00Z");
    // what somebody asked for stays
    own.refresh = Some(Refresh::BeforeExpiry(2 * HOUR));
    assert_eq!(begins(&own, u32::MAX, 24 * HOUR), "2026-11-23T09:58:00Z");
}

/// How many pods ask in the busiest minute of the second day and after, if 100,000 have started at once.
fn busiest_minute(spread: impl Fn(u32) -> RefreshSpread) -> usize {
    let (lifetime, days) = (24 * HOUR, 3);
    let mut asks = vec![0_usize; days * 24 * 60];
    for pod in 0..100_000 {
        let mut at = Duration::from_millis(u64::from(pod) * 2);
        let pause = lifetime / 2 - Terms::DEFAULT_CLOCK_SKEW - spread(pod).of_lifetime(lifetime);
        while let Some(asks) = asks.get_mut((at.as_secs() / 60) as usize) {
            *asks += 1;
            at += pause;
        }
    }
    asks[24 * 60..].iter().copied().max().unwrap()
}

#[test]
fn pods_that_started_at_once_are_not_refreshed_at_once() {
    let signer: SignerName = "example.com/a".parse().unwrap();
    assert_eq!(busiest_minute(|_| RefreshSpread::NONE), 30_000);
    let spread = busiest_minute(|pod| RefreshSpread::of_pod(&format!("uid-{pod}"), &signer));
    // 100,000 over three tenths of a day at the third refresh: 231 in a minute, and what chance adds
    assert!((231..500).contains(&spread), "{spread}");
}

#[test]
fn authority_that_is_younger_than_the_backdating_bounds_it() {
    let authority = authority_between((2026, 11, 22), (2027, 1, 1));
    let just_born: Timestamp = "2026-11-22T00:00:30Z".parse().unwrap();
    let issued = issue_at(&server(), &Terms::default(), &authority, just_born).unwrap();
    assert_eq!(times(&issued)[..2], ["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"]);
    let unborn: Timestamp = "2026-11-21T23:59:59Z".parse().unwrap();
    let error = issue_at(&server(), &Terms::default(), &authority, unborn).unwrap_err();
    assert!(error.is_authority_unavailable());
    assert!(error.to_string().contains("valid from 2026-11-22T00:00:00Z on"), "{error}");
}

#[test]
fn expiring_authority_shortens_leaves_and_then_signs_no_more() {
    let authority = authority_between((2026, 1, 1), (2026, 11, 23));
    let at = |time: &str| issue_at(&server(), &Terms::default(), &authority, time.parse().unwrap());
    assert_eq!(times(&at("2026-11-22T20:00:00Z").unwrap())[1], "2026-11-23T00:00:00Z");
    // Backdated by two minutes, the shortest leaf just fits.
    assert_eq!(times(&at("2026-11-22T23:02:00Z").unwrap())[0], "2026-11-22T23:00:00Z");
    for late in ["2026-11-22T23:02:01Z", "2026-11-23T00:00:00Z", "2031-01-01T00:00:00Z"] {
        let error = at(late).unwrap_err();
        assert!(matches!(error, IssueError::AuthorityExpiring { .. }) && error.is_authority_unavailable());
        let message = error.to_string();
        assert!(
            message.contains("CN=issuing") && message.contains("ends at 2026-11-23T00:00:00Z"),
            "{message}"
        );
    }
}

#[test]
fn root_above_bounds_as_the_issuer_does() {
    let root = TestCa::root_with("root", |params| params.not_after = date_time_ymd(2026, 11, 23));
    let issuing = root.issue_with("issuing", |params| params.not_after = date_time_ymd(2030, 1, 1));
    let issued =
        issue_at(&server(), &Terms::default(), &issuing.authority(&[&issuing], &root), now()).unwrap();
    assert_eq!(times(&issued)[1], "2026-11-23T00:00:00Z");
}
