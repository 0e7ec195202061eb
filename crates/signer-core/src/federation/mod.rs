//! Federation: the bundles of foreign trust domains are fetched, and published to pods. A trust domain is verified by
//! its own anchors alone: each has an object of its own.

mod domain;
mod object;

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::Read as _,
    path::Path,
    time::Duration,
};

use ca_pool::names::SignerName;
use kube::{
    Client,
    api::{ApiResource, DeleteParams, PostParams},
    core::Request,
};
use spiffe_bundle::SpiffeBundle;
use spiffe_federation::{Limits, fetch};
use spiffe_id::TrustDomain;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

pub(crate) use self::domain::from_pem as anchors_of_pem;
use self::domain::{Others, accept, from_file, refresh_after, valid};
pub use spiffe_federation::{Endpoint, EndpointUrl, Profile};

pub use self::{
    domain::{FederatedDomain, Federation},
    object::{federated_bundle_name, federation_signer_name},
};
use crate::{
    api::{
        ClusterTrustBundle,
        error::{describe, is_status},
        read::{Collection, List, Listed, ReadFrom, get, write},
    },
    clock::Clock,
    health::{Component, SignerHealth},
    pool_source::PoolState,
};

/// How often objects are compared with what they should be, and files read: somebody may have changed them.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How soon after the API server has refused something, or a write was overtaken by another.
const RETRY: Duration = Duration::from_secs(2);
/// The longest file that is read.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Keeps the bundles of a signer's foreign trust domains.
pub(crate) struct Federator {
    pub(crate) client: Client,
    pub(crate) resource: ApiResource,
    /// The signer name under which they are published.
    pub(crate) name: SignerName,
    pub(crate) federation: Federation,
    pub(crate) pool: watch::Receiver<PoolState>,
    pub(crate) clock: Clock,
    pub(crate) health: SignerHealth,
}

/// What is known of a domain.
struct Known {
    bundle: Option<SpiffeBundle>,
    /// When it was fetched; at first, when this process began.
    fetched_at: Instant,
    fetch_at: Instant,
    /// Why the last fetch failed, or the file is of no use.
    problem: Option<String>,
    /// Why its object isn't as it should be.
    write_problem: Option<String>,
}

type AllKnown = BTreeMap<TrustDomain, Known>;

impl Federator {
    /// Never ends.
    pub(crate) async fn run(self) {
        let now = Instant::now();
        let begin = |domain: &FederatedDomain| {
            let known =
                Known { bundle: None, fetched_at: now, fetch_at: now, problem: None, write_problem: None };
            (domain.trust_domain.clone(), known)
        };
        let mut all: AllKnown = self.federation.domains.iter().map(begin).collect();
        let mut has_removed = false;
        loop {
            if !has_removed {
                has_removed = self.remove_others().await;
            }
            let mut is_settled = has_removed;
            for domain in &self.federation.domains {
                is_settled &= self.look(domain, &mut all).await;
            }
            self.tell(&all);
            let next = all.values().map(|known| known.fetch_at).min().unwrap_or(now + LOOK_AGAIN);
            let pause = if is_settled { LOOK_AGAIN } else { RETRY };
            sleep_until(next.min(Instant::now() + pause).max(Instant::now() + Duration::from_secs(1))).await;
        }
    }

    /// Learns what there is to know of a domain, and brings its object in order. False: it has to be looked at soon.
    async fn look(&self, domain: &FederatedDomain, all: &mut AllKnown) -> bool {
        let name = &domain.trust_domain;
        let others = self.anchors_of_others(all);
        let Some(known) = all.get_mut(name) else { return true };
        let collection = self.bundles();
        let current = get::<ClusterTrustBundle>(&collection, &self.object_of(name), ReadFrom::Quorum).await;
        let current = match current {
            Ok(current) => current.map(|got| got.object),
            Err(error) => {
                known.write_problem = Some(format!("its trust bundle can't be read: {}", describe(&error)));
                return false;
            }
        };
        self.learn(domain, known, current.as_ref(), &others).await;
        known.write_problem = self.bring_in_order(name, known, current).await.err();
        known.write_problem.is_none()
    }

    /// From the object, then from the endpoint or the file.
    async fn learn(
        &self,
        domain: &FederatedDomain,
        known: &mut Known,
        current: Option<&ClusterTrustBundle>,
        others: &BTreeMap<TrustDomain, Vec<Vec<u8>>>,
    ) {
        let own: Vec<Vec<u8>> = {
            let pool = self.pool.borrow();
            let roots = pool.pool.iter().flat_map(|pool| pool.roots());
            roots.map(|root| root.der().to_vec()).collect()
        };
        let others = Others { own: &own, domains: others };
        // another replica may have been faster, or this process before it began anew
        if domain.endpoint.is_some()
            && let Some(published) = current.and_then(|current| object::known(current, &self.name))
            && known.bundle.as_ref().is_none_or(|bundle| bundle.sequence < published.sequence)
            && accept(&domain.trust_domain, &published, known.bundle.as_ref(), &others).is_ok()
        {
            known.bundle = Some(published);
        }
        let news = match &domain.endpoint {
            None => domain.trust_bundle.as_deref().map(read),
            Some(_) if Instant::now() < known.fetch_at => None,
            Some(endpoint) => {
                let first = domain.trust_bundle.as_deref().and_then(|path| read(path).ok());
                let latest = known.bundle.as_ref().or(first.as_ref());
                let anchors = latest.map(|latest| latest.anchors.as_slice()).unwrap_or_default();
                let fetched = fetch(endpoint, anchors, Limits::default()).await;
                known.fetch_at =
                    Instant::now() + refresh_after(fetched.as_ref().ok().or(known.bundle.as_ref()));
                Some(fetched.map_err(|error| format!("{}: {error}", endpoint.url)))
            }
        };
        let Some(news) = news else { return };
        let accepted = news.and_then(|new| {
            accept(&domain.trust_domain, &new, known.bundle.as_ref(), &others)
                .map_err(|refusal| refusal.to_string())?;
            Ok(new)
        });
        match accepted {
            Ok(new) => {
                tracing::debug!(
                    signer = %self.name, anchors = new.anchors.len(), sequence = new.sequence,
                    "trust domain {} looked at", domain.trust_domain
                );
                known.bundle = Some(new);
                known.fetched_at = Instant::now();
                known.problem = None;
            }
            Err(problem) => {
                if known.problem.as_ref() != Some(&problem) {
                    tracing::warn!(signer = %self.name, "trust domain {}: {problem}", domain.trust_domain);
                }
                known.problem = Some(problem);
            }
        }
    }

    /// Writes what differs. Without an anchor that counts, no certificate of the domain does, and the object goes.
    async fn bring_in_order(
        &self,
        domain: &TrustDomain,
        known: &Known,
        current: Option<ClusterTrustBundle>,
    ) -> Result<(), String> {
        let Some(bundle) = &known.bundle else { return Ok(()) };
        let anchors = valid(bundle, self.clock.now());
        if anchors.is_empty() {
            let Some(current) = current else { return Ok(()) };
            tracing::warn!(signer = %self.name, "trust domain {domain} has no anchors any more, so no certificate of it is valid");
            return self.delete(&current).await;
        }
        let own = &self.federation.own;
        let desired = object::desired(
            current.as_ref(),
            &self.resource,
            &self.name,
            own,
            domain,
            &anchors,
            bundle.sequence,
        );
        let request = Request::new(self.path());
        let body =
            |object: &ClusterTrustBundle| serde_json::to_vec(object).map_err(|error| error.to_string());
        let request = match &current {
            Some(current) if current.spec.signer_name != self.name.as_str() => {
                return Err(format!("its trust bundle belongs to signer {}", current.spec.signer_name));
            }
            Some(current) if same(current, &desired) => return Ok(()),
            Some(_) => request.replace(&self.object_of(domain), &PostParams::default(), body(&desired)?),
            None => request.create(&PostParams::default(), body(&desired)?),
        };
        let request = request.map_err(|error| error.to_string())?;
        match write::<ClusterTrustBundle>(&self.client, request).await {
            Ok(_) => {
                tracing::info!(signer = %self.name, "trust bundle of domain {domain} written: {} anchors", anchors.len());
                Ok(())
            }
            // somebody was faster: it is compared anew in a moment
            Err(error) if is_status(&error, 409) => Err("its trust bundle was changed meanwhile".to_owned()),
            Err(error) => Err(format!("its trust bundle can't be written: {}", describe(&error))),
        }
    }

    /// Removes the objects of domains that aren't federated any more. False: it couldn't.
    async fn remove_others(&self) -> bool {
        let field_selector = Some(format!("spec.signerName={}", self.name));
        let mut list = List::<ClusterTrustBundle>::new(Collection { field_selector, ..self.bundles() });
        let configured: HashSet<String> =
            self.federation.domains.iter().map(|domain| self.object_of(&domain.trust_domain)).collect();
        loop {
            let items = match list.next().await {
                Ok(Listed::Items(items)) => items,
                Ok(_) => return true,
                Err(_) => return false,
            };
            for object in items.into_iter().flatten() {
                let name = object.metadata.name.clone().unwrap_or_default();
                if configured.contains(&name) {
                    continue;
                }
                tracing::warn!(signer = %self.name, bundle = name, "the trust domain of this bundle isn't federated any more; it is removed");
                if self.delete(&object).await.is_err() {
                    return false;
                }
            }
        }
    }

    async fn delete(&self, object: &ClusterTrustBundle) -> Result<(), String> {
        let name = object.metadata.name.clone().unwrap_or_default();
        let request = Request::new(self.path()).delete(&name, &DeleteParams::default());
        let request = request.map_err(|error| error.to_string())?;
        match self.client.request_text(request).await {
            Ok(_) => Ok(()),
            Err(error) if is_status(&error, 404) => Ok(()),
            Err(error) => Err(format!("trust bundle {name} can't be deleted: {}", describe(&error))),
        }
    }

    /// What whoever looks at `/readyz` should know. A bundle that is old, or isn't there, is a warning: pods go on, and
    /// the signer issues.
    fn tell(&self, all: &AllKnown) {
        let of_domain = |domain: &FederatedDomain| {
            let known = all.get(&domain.trust_domain)?;
            let name = &domain.trust_domain;
            if let Some(problem) = &known.write_problem {
                return Some(format!("trust domain {name}: {problem}"));
            }
            let problem = known.problem.as_deref()?;
            let stale = known.fetched_at.elapsed();
            match &known.bundle {
                None => Some(format!("nothing is known of trust domain {name}: {problem}")),
                Some(_) if domain.endpoint.is_none() => {
                    Some(format!("trust domain {name}: {problem}; what was read before counts"))
                }
                Some(_) if stale < domain.max_stale => None,
                Some(_) => {
                    let hours = stale.as_secs() / 3600;
                    Some(format!(
                        "the bundle of trust domain {name} is {hours} h old, and counts until its anchors expire: {problem}"
                    ))
                }
            }
        };
        let warnings: Vec<String> = self.federation.domains.iter().filter_map(of_domain).collect();
        if warnings.is_empty() {
            self.health.recovered(Component::Federation);
        } else {
            self.health.degraded(Component::Federation, &warnings.join("; "));
        }
    }

    fn anchors_of_others(&self, all: &AllKnown) -> BTreeMap<TrustDomain, Vec<Vec<u8>>> {
        let ders = |bundle: &SpiffeBundle| {
            bundle.anchors.iter().map(|anchor| anchor.der().to_vec()).collect::<Vec<_>>()
        };
        all.iter()
            .filter_map(|(domain, known)| Some((domain.clone(), ders(known.bundle.as_ref()?))))
            .collect()
    }

    fn object_of(&self, domain: &TrustDomain) -> String {
        federated_bundle_name(&self.name, domain)
    }

    fn path(&self) -> String {
        format!("/apis/{}/{}", self.resource.api_version, self.resource.plural)
    }

    fn bundles(&self) -> Collection {
        Collection { client: self.client.clone(), path: self.path(), field_selector: None }
    }
}

fn same(current: &ClusterTrustBundle, desired: &ClusterTrustBundle) -> bool {
    current.spec == desired.spec
        && current.metadata.labels == desired.metadata.labels
        && current.metadata.annotations == desired.metadata.annotations
}

fn read(path: &Path) -> Result<SpiffeBundle, String> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut content));
    read.map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    from_file(&content).map_err(|problem| format!("{}: {problem}", path.display()))
}
