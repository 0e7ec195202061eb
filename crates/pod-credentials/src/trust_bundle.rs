//! Whom a pod trusts: the certificates of CAs in a ClusterTrustBundle.

use std::{fmt, path::PathBuf, sync::Arc, time::SystemTime};

use rustls::{
    RootCertStore,
    client::WebPkiServerVerifier,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::CertificateDer;

use crate::{
    certificate::Certificate,
    credentials::parse_all,
    load_error::{LoadError, Problem},
    pem::{Blocks, Bytes, read},
    watched::Mounted,
};

/// Trust anchors. Their order means nothing: kubelet shuffles them.
#[derive(Clone)]
pub struct TrustBundle {
    /// In the order of their bytes, without duplicates.
    der: Vec<CertificateDer<'static>>,
    anchors: Vec<Certificate>,
    pub(crate) roots: Arc<RootCertStore>,
    pub(crate) of_clients: Arc<dyn ClientCertVerifier>,
    pub(crate) of_servers: Arc<WebPkiServerVerifier>,
}

/// Where a [`TrustBundle`] is mounted: the `path` of a clusterTrustBundle volume.
///
/// ```
/// use pod_credentials::{TrustBundle, TrustFile};
///
/// let error = TrustBundle::load(&TrustFile::new("/nowhere/roots.pem")).unwrap_err();
/// assert!(error.to_string().starts_with("/nowhere/roots.pem: there is no such file; mount"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustFile(PathBuf);

impl TrustFile {
    /// The most bytes that are read: a ClusterTrustBundle has 1 MiB at most, and kubelet may merge several.
    pub const MAX_BYTES: usize = 4 * 1024 * 1024;

    /// A file of PEM certificates, in any order.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self(file.into())
    }
}

impl TrustBundle {
    /// Reads and checks it once. [`Watched`](crate::Watched) does so again and again.
    ///
    /// # Errors
    /// If the file is missing, incomplete, or has anything but certificates of CAs.
    pub fn load(file: &TrustFile) -> Result<Self, LoadError> {
        Self::parse(file, &Self::read(file)?, SystemTime::UNIX_EPOCH)
    }

    /// The certificates of the CAs, in an order of their own: equal bundles give equal orders, however kubelet has shuffled them.
    #[must_use]
    pub fn anchors(&self) -> &[Certificate] {
        &self.anchors
    }

    fn of(file: &TrustFile, in_file: Vec<CertificateDer<'static>>) -> Result<Self, LoadError> {
        let bad = |position, problem| LoadError::new(&file.0, Problem::BadCertificate { position, problem });
        let mut roots = RootCertStore::empty();
        for (index, certificate) in in_file.iter().enumerate() {
            roots.add(certificate.clone()).map_err(|error| bad(index + 1, error.to_string()))?;
        }
        let mut der = in_file;
        der.sort_by(|one, other| one.as_ref().cmp(other.as_ref()));
        der.dedup();
        let (roots, provider) = (Arc::new(roots), crate::provider());
        let unusable = |error: rustls::server::VerifierBuilderError| bad(1, error.to_string());
        Ok(Self {
            anchors: parse_all(&file.0, &der)?,
            der,
            of_clients: WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
                .build()
                .map_err(unusable)?,
            of_servers: WebPkiServerVerifier::builder_with_provider(roots.clone(), provider)
                .build()
                .map_err(unusable)?,
            roots,
        })
    }
}

impl Mounted for TrustBundle {
    type Files = TrustFile;

    fn read(file: &TrustFile) -> Result<Vec<Bytes>, LoadError> {
        Ok(vec![read(&file.0, TrustFile::MAX_BYTES)?])
    }

    fn parse(file: &TrustFile, bytes: &[Bytes], _now: SystemTime) -> Result<Self, LoadError> {
        let refused = |problem| LoadError::new(&file.0, problem);
        let Some(bytes) = bytes.first() else { return Err(refused(Problem::Missing)) };
        let blocks = Blocks::parse(&file.0, bytes)?;
        if !blocks.keys.is_empty() {
            return Err(refused(Problem::KeyInTrustBundle));
        }
        if blocks.certificates.is_empty() {
            let remedy = "does a ClusterTrustBundle match the volume's signer name and labels?";
            return Err(refused(Problem::NoCertificate { found: blocks.found(), remedy }));
        }
        for (index, certificate) in parse_all(&file.0, &blocks.certificates)?.into_iter().enumerate() {
            if !certificate.is_ca {
                let (position, subject) = (index + 1, certificate.subject);
                return Err(refused(Problem::NotACa { position, subject }));
            }
        }
        Self::of(file, blocks.certificates)
    }

    /// The anchors' own validity isn't judged: RFC 5280 §6.1.1 (d) gives a trust anchor none.
    fn still_good(&self, _file: &TrustFile, _now: SystemTime) -> Result<(), LoadError> {
        Ok(())
    }

    fn same_as(&self, other: &Self) -> bool {
        self.der == other.der
    }

    fn describe(&self) -> String {
        let subjects: Vec<_> = self.anchors.iter().map(|anchor| format!("{:?}", anchor.subject)).collect();
        format!("trust anchors: {}", subjects.join(", "))
    }
}

impl fmt::Debug for TrustBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustBundle").field("anchors", &self.anchors).finish_non_exhaustive()
    }
}
