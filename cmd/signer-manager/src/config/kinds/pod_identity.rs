//! `kind: pod-identity`.

use signer_annotation::ConfigError as AnnotationError;
use signer_core::{Leaf, Signer as _, SignerName};
use signer_pod_identity::{Format, PodIdentityConfig, PodIdentitySigner};

use super::{Entry, Kind};
use crate::config::{error::Problems, field::Field};

const OID: &str = "an object identifier, such as 1.3.6.1.4.1.57683.1";

impl Kind for PodIdentityConfig {
    type Signer = PodIdentitySigner;
    const NAME: &'static str = "pod-identity";
    const FIELDS: &'static [&'static str] = &["format", "oid"];

    fn read(Entry { name, signer, .. }: &Entry<'_>, problems: &mut Problems) -> Option<Self> {
        let formats = [("kep", Format::Kep), ("apiserver", Format::ApiServer)];
        let format = signer.read("format", |field| field.choice(&formats));
        let format = problems.or_default(format, Format::default());
        let config = Self::new(name.clone()?, format);
        let Some(field) = signer.get("oid") else { return Some(config) };
        if format == Format::ApiServer {
            problems.extend([field.error("belongs to format kep, whose extension it names; leave it out")]);
        }
        problems.ok(oid(&field, config))
    }

    fn signer_name(&self) -> &SignerName {
        self.name()
    }

    fn examples(&self) -> Vec<Leaf> {
        PodIdentitySigner::new(self.clone()).examples()
    }

    fn names(&self) -> Vec<String> {
        match self.format() {
            Format::Kep => vec![format!("none; the extension {} says which pod it is", self.oid())],
            Format::ApiServer => vec![
                "CN=system:serviceaccount:<namespace>:<service account>, a user of kube-apiserver".to_owned(),
                "never put its CA into --client-ca-file without reading docs/pod-identity.md".to_owned(),
            ],
        }
    }

    fn signer(&self) -> Result<PodIdentitySigner, AnnotationError> {
        Ok(PodIdentitySigner::new(self.clone()))
    }
}

fn oid(
    field: &Field<'_>,
    config: PodIdentityConfig,
) -> Result<PodIdentityConfig, crate::config::ConfigError> {
    let text: String = field.parse(OID)?;
    config.with_oid(&text).map_err(|error| field.error(error.to_string()))
}
