//! The API server's rules for an issued certificate (KUBERNETES.md, "Status"), written down once more and
//! held against random leaves, limits and clocks.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::time::Duration;

use ca_pool::{
    CertificateAuthority, IssueError, IssuedCertificate, Leaf, NewRoot, PublicKey, Refresh, SerialNumber,
    SigningKey, SigningKeyType, Terms, issue,
};
use der::{Decode as _, Encode as _};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rcgen::{KeyPair, PublicKeyData as _};
use x509_cert::{Certificate, time::Time};

/// What the API server would say of the status, at the time `now` by its own clock.
fn refusal(
    issued: &IssuedCertificate,
    key: &PublicKey,
    max_expiration: Duration,
    now: Timestamp,
) -> Option<String> {
    if issued.chain_pem.len() > 100 * 1024 {
        return Some("the chain is too long".into());
    }
    let leaf = Certificate::from_der(&issued.leaf_der).unwrap();
    let tbs = leaf.tbs_certificate();
    if tbs.subject_public_key_info().to_der().unwrap() != key.spki_der() {
        return Some("the leaf has another key".into());
    }
    if issued.not_before != timestamp(tbs.validity().not_before)
        || issued.not_after != timestamp(tbs.validity().not_after)
    {
        return Some("notBefore or notAfter differ from the leaf's".into());
    }
    if issued.not_before.duration_since(now).abs() > SignedDuration::from_mins(5) {
        return Some("notBefore is more than 5 minutes off".into());
    }
    let lifetime = issued.not_after.duration_since(issued.not_before);
    if lifetime < SignedDuration::from_hours(1) || lifetime.unsigned_abs() > max_expiration {
        return Some(format!("the lifetime is {lifetime}"));
    }
    let margin = SignedDuration::from_mins(10);
    if issued.begin_refresh_at < issued.not_before + margin
        || issued.begin_refresh_at > issued.not_after - margin
    {
        return Some("beginRefreshAt is too near to an end".into());
    }
    None
}

fn timestamp(time: Time) -> Timestamp {
    Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).unwrap()).unwrap()
}

fn key() -> PublicKey {
    PublicKey::from_pkix(&KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().subject_public_key_info())
        .unwrap()
}

fn authority(born: Timestamp, validity: Duration) -> CertificateAuthority {
    let root = NewRoot { id: "1".into(), common_name: "root".parse().unwrap(), uri: None, validity };
    let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
    CertificateAuthority::new_root(root, key, SerialNumber::from_random([7; 16]), born).unwrap()
}

fn milliseconds(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn refresh() -> impl Strategy<Value = Refresh> {
    prop_oneof![
        any::<u8>().prop_map(Refresh::AfterPercent),
        milliseconds(0..400_000_000).prop_map(Refresh::BeforeExpiry),
    ]
}

proptest! {
    #[test]
    fn hold_for_all_that_is_issued(
        born in 1_000_000_000_i64..4_000_000_000,
        // From ten minutes before the CA was made to when it is about to end.
        age in -600_000_i64..90_000_000,
        validity in milliseconds(3_600_000..90_000_000),
        (leaf_lifetime, max_lifetime) in (prop::option::of(milliseconds(3_000_000..200_000_000)), milliseconds(3_600_000..200_000_000)),
        requested in 3600_u64..7_862_400,
        clock_skew in milliseconds(0..600_000),
        (leaf_refresh, refresh) in (prop::option::of(refresh()), refresh()),
        names in 1_usize..5,
    ) {
        let born = Timestamp::from_second(born).unwrap();
        let now = born + SignedDuration::from_millis(age);
        let authority = authority(born, validity);
        let (key, requested_max) = (key(), Duration::from_secs(requested));
        let mut leaf = Leaf::server();
        leaf.dns_names = (0..names).map(|name| format!("n{name}.example.com").parse().unwrap()).collect();
        (leaf.lifetime, leaf.refresh) = (leaf_lifetime, leaf_refresh);
        let terms = Terms { max_lifetime, requested_max, clock_skew, refresh, ..Terms::default() };
        match issue(&leaf, &key, &terms, &authority, SerialNumber::from_random([0xff; 16]), now) {
            Ok(issued) => {
                prop_assert_eq!(refusal(&issued, &key, requested_max, now), None);
                let lifetime = issued.not_after.duration_since(issued.not_before).unsigned_abs();
                prop_assert!(lifetime <= max_lifetime && leaf_lifetime.is_none_or(|most| lifetime <= most));
                prop_assert!(authority.not_before() <= issued.not_before && issued.not_after <= authority.not_after());
                prop_assert!(issued.not_before <= now && now < issued.not_after);
            }
            Err(IssueError::AuthorityNotYetValid { .. }) => prop_assert!(now < authority.not_before()),
            Err(IssueError::AuthorityExpiring { .. }) => {
                prop_assert!(authority.not_after() < now + SignedDuration::from_mins(60));
            }
            Err(IssueError::LifetimeTooShort { .. }) => {
                prop_assert!(leaf_lifetime.is_some_and(|lifetime| lifetime < Duration::from_secs(3600)));
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
