//! `kind: spiffe`.

use signer_annotation::ConfigError as AnnotationError;
use signer_core::{Leaf, Signer as _, SignerName, Uri, federation::Federation};
use signer_service_dns::{DnsSuffix, Naming};
use signer_spiffe::{PathTemplate, SpiffeConfig, SpiffeSigner, TrustDomain, parse_trust_domain};

use super::{Entry, Kind, federation::federated, service_dns::naming};
use crate::config::{
    error::{ConfigError, Problems},
    field::{Field, Mapping},
};

pub(super) const TRUST_DOMAIN: &str = "the SPIFFE trust domain, such as prod.example.com";
const PATH: &str = "the path of its IDs, such as /ns/${pod.namespace}/sa/${pod.serviceAccountName}";

impl Kind for SpiffeConfig {
    type Signer = SpiffeSigner;
    const NAME: &'static str = "spiffe";
    const FIELDS: &'static [&'static str] =
        &["trustDomain", "path", "serviceNames", "dnsSuffixes", "podNames", "federation"];

    fn read(Entry { name, cluster_name, signer, .. }: &Entry<'_>, problems: &mut Problems) -> Option<Self> {
        let field = problems.ok(signer.required("trustDomain", TRUST_DOMAIN));
        let trust_domain =
            field.and_then(|field| problems.ok(field.parse_by(TRUST_DOMAIN, parse_trust_domain)));
        let path = signer.read("path", |field| {
            let text: String = field.parse(PATH)?;
            PathTemplate::parse(&text, *cluster_name)
                .map_err(|error| field.error(format!("{text:?}: {error}")))
        });
        let path = problems.or_default(path, PathTemplate::default());
        let naming = service_names(signer, problems);
        let federation =
            signer.get("federation").map(|field| federated(&field, problems)).unwrap_or_default();
        let config = Self::new(name.clone()?, trust_domain?).ok()?;
        let config = config.with_path(path).with_federation(federation);
        Some(naming.into_iter().fold(config, Self::with_service_names))
    }

    fn signer_name(&self) -> &SignerName {
        self.name()
    }

    fn examples(&self) -> Vec<Leaf> {
        SpiffeSigner::new(self.clone()).examples()
    }

    fn names(&self) -> Vec<String> {
        let path = self.path().to_string();
        let path = path.replace("${pod.namespace}", "<namespace>");
        let path = path.replace("${pod.serviceAccountName}", "<service account>");
        let id = format!("spiffe://{}{path}", self.trust_domain());
        let suffixes = self.service_names().map(Naming::suffixes).unwrap_or_default();
        let names = suffixes.iter().map(|suffix| format!("<service>.<namespace>.{suffix}"));
        std::iter::once(id).chain(names).collect()
    }

    /// No trust domain of this configuration is a foreign one.
    fn conflict(&self, signer: &Mapping<'_>, root: &Mapping<'_>) -> Option<ConfigError> {
        let own: Vec<TrustDomain> = trust_domains(root);
        let foreign = signer.get("federation")?.items("").ok()?;
        foreign.iter().find_map(|entry| {
            let field = entry.mapping("").ok()?.get("trustDomain")?;
            let domain: TrustDomain = parse_trust_domain(field.text("").ok()?).ok()?;
            let problem = "is a trust domain of this configuration, and not a foreign one; its anchors are published by its own signer";
            own.contains(&domain).then(|| field.error(format!("{domain} {problem}")))
        })
    }

    fn federation(&self) -> Option<Federation> {
        self.federation()
    }

    fn root_uri(&self) -> Option<Uri> {
        format!("spiffe://{}", self.trust_domain()).parse().ok()
    }

    fn signer(&self) -> Result<SpiffeSigner, AnnotationError> {
        Ok(SpiffeSigner::new(self.clone()))
    }
}

/// Those of all spiffe signers.
fn trust_domains(root: &Mapping<'_>) -> Vec<TrustDomain> {
    let signers = root.get("signers").and_then(|field| field.items("").ok()).unwrap_or_default();
    let of = |entry: &Field<'_>| {
        let signer = entry.mapping("").ok()?;
        let is_spiffe = signer.get("kind")?.text("").ok()? == SpiffeConfig::NAME;
        let domain = signer.get("trustDomain").filter(|_| is_spiffe)?;
        parse_trust_domain(domain.text("").ok()?).ok()
    };
    signers.iter().filter_map(of).collect()
}

/// Which names of Services its certificates have.
fn service_names(signer: &Mapping<'_>, problems: &mut Problems) -> Option<Naming> {
    let is_wanted = problems.or_default(signer.read("serviceNames", Field::flag), false);
    if !is_wanted {
        let of_names = ["dnsSuffixes", "podNames"].into_iter().filter_map(|name| signer.get(name));
        problems.extend(
            of_names.map(|field| {
                field.error("has no effect without serviceNames: true; add that, or leave it out")
            }),
        );
        return None;
    }
    let pod_names = problems.or_default(signer.read("podNames", Field::flag), false);
    match signer.get("dnsSuffixes") {
        Some(field) => naming(&field, pod_names, problems),
        None => Naming::new([DnsSuffix::default()], pod_names).ok(),
    }
}
