//! What every kind of signer has: lifetimes, key types, and who may use it.

use std::time::Duration;

use signer_core::{
    KeyType, Policy, Refresh, Uri,
    ca_pool::{LeafExtension, format_duration, parse_duration},
    cluster_issuer::{ClusterIssuerError, cluster_issuer},
};

use super::{
    error::{ConfigError, Problems},
    field::{Field, Mapping, quoted},
    workloads::{self, workloads},
};

pub(super) const FIELDS: [&str; 7] =
    ["maxLifetime", "refreshAt", "clockSkew", "keyTypes", "allow", "clusterIssuerURL", "clusterIssuerOID"];

/// The policy of a signer; what it doesn't say has the core's default.
pub(super) fn policy(signer: &Mapping<'_>, problems: &mut Problems) -> Policy {
    let default = Policy::default();
    let lifetime = signer.read("maxLifetime", |field| duration(field, &LIFETIME));
    let lifetime = problems.ok(lifetime).map(|lifetime| lifetime.unwrap_or(default.max_lifetime));
    let refresh = signer.read("refreshAt", |field| refresh(field, lifetime));
    let clock_skew = signer.read("clockSkew", |field| duration(field, &CLOCK_SKEW));
    Policy {
        max_lifetime: lifetime.unwrap_or(default.max_lifetime),
        refresh: problems.or_default(refresh, default.refresh),
        clock_skew: problems.or_default(clock_skew, default.clock_skew),
        key_types: signer.get("keyTypes").map_or(default.key_types, |field| key_types(&field, problems)),
        allow: signer.get("allow").map(|field| {
            let accepted = "a list such as [{namespaces: [web], serviceAccounts: [\"*\"]}]";
            field.list(accepted, problems, |entry, problems| allow(entry, problems))
        }),
        extensions: cluster_issuer_of(signer, problems).into_iter().collect(),
    }
}

const URL: &str = "the URL of the cluster's OIDC issuer, such as https://oidc.example.com/prod";

const OID: &str = "an object identifier of your own, such as 1.3.6.1.4.1.<your number>.1";

/// The extension that names the cluster, if both of its fields are there.
fn cluster_issuer_of(signer: &Mapping<'_>, problems: &mut Problems) -> Option<LeafExtension> {
    let (url, oid) = match (signer.get("clusterIssuerURL"), signer.get("clusterIssuerOID")) {
        (None, None) => return None,
        (Some(url), Some(oid)) => (url, oid),
        (Some(alone), None) => {
            problems.extend([alone.error(format!("needs clusterIssuerOID beside it: {OID}"))]);
            return None;
        }
        (None, Some(alone)) => {
            problems.extend([alone.error(format!("needs clusterIssuerURL beside it: {URL}"))]);
            return None;
        }
    };
    let (parsed, text) = (problems.ok(url.parse::<Uri>(URL)), problems.ok(oid.text(OID)));
    let extension = cluster_issuer(text?, &parsed?).map_err(|error| match error {
        ClusterIssuerError::Url => url.error(error.to_string()),
        error => oid.error(error.to_string()),
    });
    problems.ok(extension)
}

/// A duration's bounds, and what is written in its place.
pub(super) struct Bounds {
    pub(super) least: Duration,
    pub(super) most: Duration,
    pub(super) accepted: &'static str,
}

/// The API server's bounds for a certificate's lifetime, backdating included.
const LIFETIME: Bounds = Bounds {
    least: hours(1),
    most: hours(91 * 24),
    accepted: "a duration from 1h to 2184h (91 days), such as 24h",
};

/// The API server refuses a notBefore more than 5 minutes from its own clock; one minute of that is for
/// writing.
const CLOCK_SKEW: Bounds =
    Bounds { least: minutes(0), most: minutes(4), accepted: "a duration from 0s to 4m, such as 2m" };

/// The API server wants beginRefreshAt this far inside both ends of the validity.
const REFRESH_MARGIN: Duration = minutes(10);

const REFRESH: &str =
    "a share of the lifetime from \"1%\" to \"99%\", or a duration before expiry, such as 1h";

pub(super) const fn hours(hours: u64) -> Duration {
    minutes(60 * hours)
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// A duration in whole seconds, within bounds.
pub(super) fn duration(field: &Field<'_>, bounds: &Bounds) -> Result<Duration, ConfigError> {
    let text = field.text(bounds.accepted)?;
    let duration = parse_duration(text).map_err(|error| field.error(error.to_string()))?;
    if duration.subsec_nanos() != 0 {
        return Err(field.error(format!("{} has a fraction of a second; write whole seconds", quoted(text))));
    }
    if !(bounds.least..=bounds.most).contains(&duration) {
        return Err(field.error(format!("{} is out of bounds; write {}", quoted(text), bounds.accepted)));
    }
    Ok(duration)
}

/// `lifetime` is the signer's longest, if it is known.
fn refresh(field: &Field<'_>, lifetime: Option<Duration>) -> Result<Refresh, ConfigError> {
    let text = field.text(REFRESH)?;
    if let Some(percent) = text.strip_suffix('%') {
        let percent =
            percent.parse().ok().filter(|percent| (1..=99).contains(percent) && !text.starts_with('+'));
        let out_of_bounds =
            || field.error(format!("{} is no share of the lifetime; write {REFRESH}", quoted(text)));
        return percent.map(Refresh::AfterPercent).ok_or_else(out_of_bounds);
    }
    let unbounded = Bounds { least: Duration::ZERO, most: Duration::MAX, accepted: REFRESH };
    let before_expiry = duration(field, &unbounded)?;
    let most = lifetime.map_or(LIFETIME.most, |lifetime| lifetime.saturating_sub(REFRESH_MARGIN));
    if !(REFRESH_MARGIN..=most).contains(&before_expiry) {
        let rule =
            "before expiry is out of bounds: a refresh begins at least 10m inside both ends of the lifetime";
        let (least, most) = (format_duration(REFRESH_MARGIN), format_duration(most));
        return Err(field
            .error(format!("{} {rule}; write {least} to {most}, or a share such as \"50%\"", quoted(text))));
    }
    Ok(Refresh::BeforeExpiry(before_expiry))
}

fn key_types(field: &Field<'_>, problems: &mut Problems) -> Vec<KeyType> {
    let all = KeyType::list(&KeyType::ALL);
    let accepted = format!("a list of {all}, or leave it out for all");
    let types =
        field.list(&accepted, problems, |item, problems| problems.ok(item.parse(&format!("one of {all}"))));
    if field.is_empty_list() {
        problems.extend([field.error(format!("is empty, so no pod could use the signer; write {accepted}"))]);
    }
    let mut unique = types.clone();
    unique.sort_unstable();
    unique.dedup();
    unique
}

fn allow(entry: &Field<'_>, problems: &mut Problems) -> Option<signer_core::cluster::WorkloadSelector> {
    let entry = problems.ok(entry.mapping("{namespaces: [...], serviceAccounts: [...]}"))?;
    problems.extend(entry.unknown(&workloads::FIELDS, |_| {
        "is not known here; an entry has namespaces or namespaceSelector, and serviceAccounts".to_owned()
    }));
    workloads(&entry, problems)
}
