//! The kinds of signers: a file a kind, with all that the manager knows about it.

mod annotation;
mod federation;
mod pod_identity;
mod service_dns;
mod spiffe;

use signer_annotation::{AnnotationSignerConfig, ConfigError as AnnotationError};
use signer_core::{
    DnsName, Leaf, Manager, Policy, Signer, SignerName, SignerOptions, Uri,
    cluster::{CertificateSource, Pod},
    federation::Federation,
    preview::{Preview, PreviewError, Previewer, Surroundings},
};
use signer_pod_identity::PodIdentityConfig;
use signer_service_dns::ServiceDnsConfig;
use signer_spiffe::SpiffeConfig;

use super::{
    error::{ConfigError, Problems},
    field::Mapping,
};

/// The kinds of signers (`kind`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerKind {
    /// `service-dns`
    ServiceDns(ServiceDnsConfig),
    /// `spiffe`
    Spiffe(SpiffeConfig),
    /// `annotation`
    Annotation(AnnotationSignerConfig),
    /// `pod-identity`
    PodIdentity(PodIdentityConfig),
}

/// What the manager asks a kind for.
pub(crate) trait Kind {
    /// What runs.
    type Signer: Signer;
    /// Its name in the configuration.
    const NAME: &'static str;
    /// The fields that it has beyond those of all kinds.
    const FIELDS: &'static [&'static str];

    /// Reads its fields; `None` if one of them is wrong.
    fn read(entry: &Entry<'_>, problems: &mut Problems) -> Option<Self>
    where
        Self: Sized;

    /// The name under which pods ask for it.
    fn signer_name(&self) -> &SignerName;

    /// Examples of what it issues.
    fn examples(&self) -> Vec<Leaf>;

    /// Which names it certifies, a line each.
    fn names(&self) -> Vec<String>;

    /// Further lines of the summary, with their title.
    fn further_rows(&self) -> Option<(&'static str, Vec<String>)> {
        None
    }

    /// When certificates are refreshed, where that isn't `refreshAt`.
    fn own_refresh(&self) -> Option<&'static str> {
        None
    }

    /// What is wrong with its fields taken together. `root` is the whole configuration.
    fn conflict(&self, _signer: &Mapping<'_>, _root: &Mapping<'_>) -> Option<ConfigError> {
        None
    }

    /// Takes in the names of all signers.
    fn hear_of(&mut self, _all: &[SignerName]) {}

    /// The URI that new roots of its pool have, if they are to have one.
    fn root_uri(&self) -> Option<Uri> {
        None
    }

    /// The foreign trust domains whose bundles are published.
    fn federation(&self) -> Option<Federation> {
        None
    }

    /// The signer.
    ///
    /// # Errors
    /// If the settings don't fit together ([`conflict`](Self::conflict) has told that).
    fn signer(&self) -> Result<Self::Signer, AnnotationError>;
}

/// An entry of `signers`, as far as it is read already.
pub(crate) struct Entry<'a> {
    pub(crate) name: Option<SignerName>,
    pub(crate) cluster_domain: &'a DnsName,
    /// `clusterName`, if it is set.
    pub(crate) cluster_name: Option<&'a str>,
    pub(crate) policy: &'a Policy,
    pub(crate) signer: &'a Mapping<'a>,
}

/// A kind in the configuration.
pub(crate) struct KnownKind {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [&'static str],
    pub(crate) read: fn(&Entry<'_>, &mut Problems) -> Option<SignerKind>,
}

impl KnownKind {
    const fn of<K: Kind>(read: fn(&Entry<'_>, &mut Problems) -> Option<SignerKind>) -> Self {
        Self { name: K::NAME, fields: K::FIELDS, read }
    }
}

/// All of them.
pub(crate) static KINDS: &[KnownKind] = &[
    KnownKind::of::<ServiceDnsConfig>(|entry, problems| {
        Kind::read(entry, problems).map(SignerKind::ServiceDns)
    }),
    KnownKind::of::<SpiffeConfig>(|entry, problems| Kind::read(entry, problems).map(SignerKind::Spiffe)),
    KnownKind::of::<AnnotationSignerConfig>(|entry, problems| {
        Kind::read(entry, problems).map(SignerKind::Annotation)
    }),
    KnownKind::of::<PodIdentityConfig>(|entry, problems| {
        Kind::read(entry, problems).map(SignerKind::PodIdentity)
    }),
];

/// Calls a method of the kind.
macro_rules! of_kind {
    ($kind:expr, $config:ident => $call:expr) => {
        match $kind {
            SignerKind::ServiceDns($config) => $call,
            SignerKind::Spiffe($config) => $call,
            SignerKind::Annotation($config) => $call,
            SignerKind::PodIdentity($config) => $call,
        }
    };
}

fn name_of<K: Kind>(_: &K) -> &'static str {
    K::NAME
}

impl SignerKind {
    /// Its name in the configuration.
    pub(crate) fn kind_name(&self) -> &'static str {
        of_kind!(self, config => name_of(config))
    }

    pub(crate) fn signer_name(&self) -> &SignerName {
        of_kind!(self, config => config.signer_name())
    }

    pub(crate) fn examples(&self) -> Vec<Leaf> {
        of_kind!(self, config => config.examples())
    }

    pub(crate) fn names(&self) -> Vec<String> {
        of_kind!(self, config => config.names())
    }

    pub(crate) fn further_rows(&self) -> Option<(&'static str, Vec<String>)> {
        of_kind!(self, config => config.further_rows())
    }

    pub(crate) fn own_refresh(&self) -> Option<&'static str> {
        of_kind!(self, config => config.own_refresh())
    }

    pub(super) fn conflict(&self, signer: &Mapping<'_>, root: &Mapping<'_>) -> Option<ConfigError> {
        of_kind!(self, config => config.conflict(signer, root))
    }

    pub(crate) fn hear_of(&mut self, all: &[SignerName]) {
        of_kind!(self, config => config.hear_of(all));
    }

    pub(crate) fn root_uri(&self) -> Option<Uri> {
        of_kind!(self, config => config.root_uri())
    }

    /// Hands the signer to the manager.
    pub(crate) fn register(
        &self,
        manager: Manager,
        options: SignerOptions,
    ) -> Result<Manager, AnnotationError> {
        Ok(of_kind!(self, config => manager.signer(config.signer()?, options)))
    }

    /// The foreign trust domains whose bundles are published.
    pub(crate) fn federation(&self) -> Option<Federation> {
        of_kind!(self, config => config.federation())
    }

    /// Whether it reads Services; one that can't be made reads nothing.
    pub(crate) fn reads_services(&self) -> bool {
        of_kind!(self, config => config.signer().is_ok_and(|signer| signer.reads_services()))
    }

    /// Whether it reads namespaces.
    pub(crate) fn reads_namespaces(&self) -> bool {
        of_kind!(self, config => config.signer().is_ok_and(|signer| signer.reads_namespaces()))
    }

    /// What it would make of a pod.
    pub(crate) async fn preview(
        &self,
        previewer: &mut Previewer,
        policy: &Policy,
        pod: &Pod,
        source: &CertificateSource,
        surroundings: Surroundings<'_>,
    ) -> Result<Preview, PreviewError> {
        of_kind!(self, config => {
            let signer = config.signer().map_err(|error| PreviewError::Signer(error.into()))?;
            previewer.preview(&signer, policy, pod, source, surroundings).await
        })
    }
}
