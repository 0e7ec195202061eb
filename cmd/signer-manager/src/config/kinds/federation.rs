//! `federation` of spiffe signers. The fields are named as spire-controller-manager's `ClusterFederatedTrustDomain` has
//! them.

use std::{collections::HashSet, path::PathBuf, time::Duration};

use signer_core::federation::{Endpoint, FederatedDomain, Profile};
use signer_spiffe::parse_trust_domain;
use spiffe_id::parse_spiffe_id;

use crate::config::{
    ca_pool::path,
    error::{ConfigError, Problems},
    field::{Field, Mapping},
    policy::{Bounds, duration},
};

const DOMAINS: &str = "a list such as [{trustDomain: partner.example, bundleEndpointURL: https://partner.example/bundle, \
                       bundleEndpointProfile: {type: https_web}}]";
const DOMAIN: &str = "{trustDomain: <domain>} with bundleEndpointURL and bundleEndpointProfile, or with trustBundle: {file: <path>}";
const FIELDS: [&str; 5] =
    ["trustDomain", "bundleEndpointURL", "bundleEndpointProfile", "trustBundle", "maxStale"];
const TRUST_DOMAIN: &str = "a SPIFFE trust domain, such as partner.example";
const URL: &str = "the URL of its bundle, such as https://partner.example/bundle";
const PROFILE: &str = "{type: https_web} and, where the system's CAs don't count, caFile: <path>; or {type: https_spiffe, endpointSPIFFEID: <SPIFFE ID>}";
const ENDPOINT_ID: &str = "the SPIFFE ID of its server, such as spiffe://partner.example/spire/server";
const BUNDLE: &str = "{file: <path>}, a SPIFFE bundle or certificates in PEM";
const MAX_STALE: Bounds = Bounds {
    least: Duration::from_secs(600),
    most: Duration::from_secs(30 * 24 * 3600),
    accepted: "a duration from 10m to 720h, such as 24h",
};

/// The foreign trust domains.
pub(super) fn federated(field: &Field<'_>, problems: &mut Problems) -> Vec<FederatedDomain> {
    let domains = field.list(DOMAINS, problems, federated_domain);
    let mut seen = HashSet::new();
    for domain in &domains {
        if !seen.insert(&domain.trust_domain) {
            problems.extend([field.error(format!("has {} twice; write it once", domain.trust_domain))]);
        }
    }
    domains
}

fn federated_domain(field: &Field<'_>, problems: &mut Problems) -> Option<FederatedDomain> {
    let entry = problems.ok(field.mapping(DOMAIN))?;
    problems
        .extend(entry.unknown(&FIELDS, |_| format!("is not known here; an entry has {}", FIELDS.join(", "))));
    let trust_domain = entry
        .required("trustDomain", TRUST_DOMAIN)
        .and_then(|field| field.parse_by(TRUST_DOMAIN, parse_trust_domain));
    let trust_domain = problems.ok(trust_domain);
    let max_stale = entry.read("maxStale", |field| duration(field, &MAX_STALE));
    let max_stale = problems.or_default(max_stale, FederatedDomain::DEFAULT_MAX_STALE);
    let trust_bundle = entry.get("trustBundle").map(|field| bundle_file(&field, problems));
    let endpoint = endpoint(&entry, problems)?;
    let is_spiffe =
        endpoint.as_ref().is_some_and(|endpoint| matches!(endpoint.profile, Profile::HttpsSpiffe { .. }));
    if trust_bundle.is_none() && (endpoint.is_none() || is_spiffe) {
        let why = if is_spiffe {
            "its server is verified by the bundle of its trust domain, and the first one must be known: add trustBundle: {file: <path>}"
                .to_owned()
        } else {
            format!("says nothing of where its bundle is; write {DOMAIN}")
        };
        problems.extend([entry.error(why)]);
    }
    Some(FederatedDomain {
        trust_domain: trust_domain?,
        endpoint,
        trust_bundle: match trust_bundle {
            Some(file) => Some(file?),
            None => None,
        },
        max_stale,
    })
}

/// `None` outside: it is wrong; inside: there is none.
fn endpoint(entry: &Mapping<'_>, problems: &mut Problems) -> Option<Option<Endpoint>> {
    let (url, profile) = match (entry.get("bundleEndpointURL"), entry.get("bundleEndpointProfile")) {
        (None, None) => return Some(None),
        (Some(url), Some(profile)) => (url, profile),
        (Some(field), None) => return missing(&field, "bundleEndpointProfile", PROFILE, problems),
        (None, Some(field)) => return missing(&field, "bundleEndpointURL", URL, problems),
    };
    let url = problems.ok(url.parse(URL));
    let profile = profile_of(&profile, problems);
    Some(Some(Endpoint { url: url?, profile: profile? }))
}

fn missing<T>(field: &Field<'_>, other: &str, accepted: &str, problems: &mut Problems) -> Option<T> {
    problems.extend([field.error(format!("is of no use without {other}; add it: {accepted}"))]);
    None
}

fn profile_of(field: &Field<'_>, problems: &mut Problems) -> Option<Profile> {
    let profile = problems.ok(field.mapping(PROFILE))?;
    problems.extend(
        profile.unknown(&["type", "caFile", "endpointSPIFFEID"], |_| {
            format!("is not known here; write {PROFILE}")
        }),
    );
    let types = [("https_web", false), ("https_spiffe", true)];
    let is_spiffe = problems.ok(profile.required("type", PROFILE).and_then(|field| field.choice(&types)))?;
    let stray = if is_spiffe { "caFile" } else { "endpointSPIFFEID" };
    if let Some(field) = profile.get(stray) {
        problems
            .extend([field.error(format!("has no effect with this type; leave it out, or write {PROFILE}"))]);
    }
    if !is_spiffe {
        let ca_file = problems.ok(profile.read("caFile", path))?;
        return Some(Profile::HttpsWeb { ca_file });
    }
    let endpoint_id = profile
        .required("endpointSPIFFEID", ENDPOINT_ID)
        .and_then(|field| field.parse_by(ENDPOINT_ID, parse_spiffe_id));
    Some(Profile::HttpsSpiffe { endpoint_id: problems.ok(endpoint_id)? })
}

fn bundle_file(field: &Field<'_>, problems: &mut Problems) -> Option<PathBuf> {
    let bundle = problems.ok(field.mapping(BUNDLE))?;
    problems.extend(bundle.unknown(&["file"], |_| format!("is not known here; write {BUNDLE}")));
    let file: Result<PathBuf, ConfigError> = bundle.required("file", BUNDLE).and_then(|field| path(&field));
    problems.ok(file)
}
