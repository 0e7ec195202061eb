//! Durations and refreshes.

use std::time::Duration;

use proptest::prelude::*;
use signer_core::{Decision, Grounds, Refresh, reasons};

use crate::scenario::{SIGNER, annotated, asking, assert_denied, config, decide, issued, request};

const MALFORMED: (signer_core::Reason, Grounds) =
    (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Fixed);
const TODAY: (signer_core::Reason, Grounds) =
    (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Changeable);

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

#[test]
fn the_default_is_a_day_or_what_is_allowed() {
    for (signer, requested, lifetime) in [(24, 24, 24), (48, 48, 24), (12, 48, 12), (48, 6, 6), (2, 1, 1)] {
        let leaf = issued(&config(), request().max_lifetimes(hours(signer), hours(requested)));
        assert_eq!(leaf.lifetime, Some(hours(lifetime)), "{signer} {requested}");
    }
}

#[test]
fn an_explicit_duration_is_what_it_says() {
    for (value, lifetime) in [
        ("1h", hours(1)),
        ("24h", hours(24)),
        ("1h30m", minutes(90)),
        ("90m", minutes(90)),
        ("1.5h", minutes(90)),
        ("5400s", minutes(90)),
    ] {
        assert_eq!(issued(&config(), asking("duration", value)).lifetime, Some(lifetime), "{value}");
    }
    let longer = asking("duration", "48h").max_lifetimes(hours(48), hours(72));
    assert_eq!(issued(&config(), longer).lifetime, Some(hours(48)));
}

#[test]
fn a_duration_that_is_none_is_refused() {
    for value in ["soon", "1 day", "24", "P1D", "-1h", " 1h", "24H", "1d"] {
        assert_denied(
            &config(),
            asking("duration", value),
            MALFORMED,
            &["foo-duration", &format!("{value:?} is not a valid duration"), "24h, 90m or 1h30m"],
        );
        assert_denied(
            &config(),
            asking("refresh", value),
            MALFORMED,
            &["foo-refresh", &format!("{value:?} is not a valid duration")],
        );
    }
}

#[test]
fn a_duration_beyond_a_bound_is_refused_and_the_bound_is_named() {
    for value in ["0s", "59m59s", "1ns"] {
        assert_denied(
            &config(),
            asking("duration", value),
            MALFORMED,
            &[value, "shorter than the API server", "write 1h to 24h"],
        );
    }
    let by_request = asking("duration", "24h1s").max_lifetimes(hours(12), hours(24));
    assert_denied(
        &config(),
        by_request,
        MALFORMED,
        &["\"24h1s\"", "maxExpirationSeconds of 86400 (24h)", "write 1h to 12h, or raise that"],
    );
    let by_signer = asking("duration", "13h").max_lifetimes(hours(12), hours(24));
    assert_denied(
        &config(),
        by_signer,
        TODAY,
        &["\"13h\"", "the signer's maxLifetime (12h)", "write 1h to 12h"],
    );
    let pods = (reasons::INVALID_POD_ANNOTATIONS, Grounds::Changeable);
    assert_denied(&config(), annotated("duration", "25h"), pods, &["maxExpirationSeconds"]);
}

#[test]
fn the_default_refresh_is_an_hour_before_expiry_or_half_way() {
    for (duration, refresh) in [
        ("24h", Refresh::BeforeExpiry(hours(1))),
        ("2h", Refresh::BeforeExpiry(hours(1))),
        ("1h59m", Refresh::AfterPercent(50)),
        ("1h", Refresh::AfterPercent(50)),
    ] {
        let leaf = issued(&config(), asking("duration", duration));
        assert_eq!((leaf.refresh, leaf.default_refresh), (None, Some(refresh)), "{duration}");
    }
    let shortened = request().max_lifetimes(hours(1), hours(24));
    assert_eq!(issued(&config(), shortened).default_refresh, Some(Refresh::AfterPercent(50)));
}

#[test]
fn an_explicit_refresh_stays_ten_minutes_inside() {
    let with_duration =
        |refresh| asking("refresh", refresh).user_annotation(&format!("{SIGNER}-duration"), "1h");
    for (value, refresh) in [("10m", minutes(10)), ("50m", minutes(50)), ("45m", minutes(45))] {
        assert_eq!(issued(&config(), with_duration(value)).refresh, Some(Refresh::BeforeExpiry(refresh)));
    }
    for value in ["9m59s", "50m1s", "1h", "24h"] {
        assert_denied(
            &config(),
            with_duration(value),
            MALFORMED,
            &["foo-refresh", value, "certificate of 1h", "write 10m to 50m"],
        );
    }
    assert_eq!(
        issued(&config(), asking("refresh", "23h50m")).refresh,
        Some(Refresh::BeforeExpiry(minutes(1430)))
    );
    assert_denied(&config(), asking("refresh", "23h51m"), MALFORMED, &["write 10m to 23h50m"]);
}

#[test]
fn a_refresh_that_only_the_signers_maximum_forbids_may_fit_another_day() {
    let request = |value| asking("refresh", value).max_lifetimes(hours(2), hours(12));
    assert_denied(&config(), request("3h"), TODAY, &["certificate of 2h", "write 10m to 1h50m"]);
    assert_denied(&config(), request("12h"), MALFORMED, &["certificate of 2h"]);
    assert_denied(&config(), request("5m"), MALFORMED, &["certificate of 2h"]);
}

proptest! {
    #[test]
    fn whatever_is_issued_keeps_the_bounds(
        duration in proptest::option::of(0_u64..200_000),
        refresh in proptest::option::of(0_u64..200_000),
        signer in 3600_u64..200_000,
        requested in 3600_u64..200_000,
    ) {
        let mut builder = request().max_lifetimes(Duration::from_secs(signer), Duration::from_secs(requested));
        for (item, seconds) in [("duration", duration), ("refresh", refresh)] {
            if let Some(seconds) = seconds {
                builder = builder.user_annotation(&format!("{SIGNER}-{item}"), &format!("{seconds}s"));
            }
        }
        let lifetime = duration.unwrap_or(86_400.min(signer).min(requested));
        let is_legal = (3600..=signer.min(requested)).contains(&lifetime)
            && refresh.is_none_or(|refresh| refresh >= 600 && refresh + 600 <= lifetime);
        match decide(&config(), builder) {
            Decision::Issue(leaf) => {
                prop_assert!(is_legal);
                prop_assert_eq!(leaf.lifetime, Some(Duration::from_secs(lifetime)));
                let default = if lifetime < 7200 { Refresh::AfterPercent(50) } else { Refresh::BeforeExpiry(hours(1)) };
                prop_assert_eq!(leaf.default_refresh, Some(default));
                prop_assert_eq!(leaf.refresh, refresh.map(|s| Refresh::BeforeExpiry(Duration::from_secs(s))));
            }
            Decision::Deny(_) => prop_assert!(!is_legal),
            Decision::Wait(_) => prop_assert!(false, "nothing to wait for"),
        }
    }
}
