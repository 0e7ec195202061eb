//! `kind: spiffe`.

use signer_annotation::ConfigError as AnnotationError;
use signer_core::{Leaf, Signer as _, SignerName};
use signer_spiffe::{SpiffeConfig, SpiffeSigner, parse_trust_domain};

use super::{Entry, Kind};
use crate::config::error::Problems;

pub(super) const TRUST_DOMAIN: &str = "the SPIFFE trust domain, such as prod.example.com";

impl Kind for SpiffeConfig {
    type Signer = SpiffeSigner;
    const NAME: &'static str = "spiffe";
    const FIELDS: &'static [&'static str] = &["trustDomain"];

    fn read(Entry { name, signer, .. }: &Entry<'_>, problems: &mut Problems) -> Option<Self> {
        let field = problems.ok(signer.required("trustDomain", TRUST_DOMAIN));
        let trust_domain =
            field.and_then(|field| problems.ok(field.parse_by(TRUST_DOMAIN, parse_trust_domain)));
        Self::new(name.clone()?, trust_domain?).ok()
    }

    fn signer_name(&self) -> &SignerName {
        self.name()
    }

    fn examples(&self) -> Vec<Leaf> {
        SpiffeSigner::new(self.clone()).examples()
    }

    fn names(&self) -> Vec<String> {
        vec![format!("spiffe://{}/ns/<namespace>/sa/<service account>", self.trust_domain())]
    }

    fn signer(&self) -> Result<SpiffeSigner, AnnotationError> {
        Ok(SpiffeSigner::new(self.clone()))
    }
}
