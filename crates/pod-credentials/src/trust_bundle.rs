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
    load_error::{LoadError, Problem, SkippedCertificate},
    pem::{Blocks, Bytes, read},
    watched::{Files, Mounted, read_and_parse},
};

/// Trust anchors. Their order means nothing: kubelet shuffles them.
#[derive(Clone)]
pub struct TrustBundle {
    /// In the order of their bytes, without duplicates.
    der: Vec<CertificateDer<'static>>,
    anchors: Vec<Certificate>,
    skipped: Vec<SkippedCertificate>,
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
    /// A certificate that can't be an anchor doesn't cost the others: it is passed over, and
    /// [`skipped`](Self::skipped) says which and why.
    ///
    /// # Errors
    /// If the file is missing or incomplete, has anything but certificates, or none that can be an anchor.
    pub fn load(file: &TrustFile) -> Result<Self, LoadError> {
        read_and_parse(file, SystemTime::UNIX_EPOCH)
    }

    /// The certificates of the CAs, in an order of their own: equal bundles give equal orders, however
    /// kubelet has shuffled them.
    #[must_use]
    pub fn anchors(&self) -> &[Certificate] {
        &self.anchors
    }

    /// Certificates of the file that can't be anchors, such as those of no CA. They were passed over.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedCertificate] {
        &self.skipped
    }

    fn of(file: &TrustFile, in_file: Vec<CertificateDer<'static>>) -> Result<Self, LoadError> {
        let mut roots = RootCertStore::empty();
        let (mut good, mut skipped) = (Vec::new(), Vec::new());
        for (index, der) in in_file.into_iter().enumerate() {
            match anchor(&mut roots, &der) {
                Ok(certificate) => good.push((der, certificate)),
                Err((name, reason)) => {
                    skipped.push(SkippedCertificate { position: index + 1, name, reason });
                }
            }
        }
        if good.is_empty() {
            return Err(LoadError::new(&file.0, Problem::NoAnchor(skipped)));
        }
        good.sort_by(|(one, _), (other, _)| one.as_ref().cmp(other.as_ref()));
        good.dedup_by(|(one, _), (other, _)| one == other);
        let (der, anchors) = good.into_iter().unzip();
        let (roots, provider) = (Arc::new(roots), crate::provider());
        let unusable = |error: rustls::server::VerifierBuilderError| {
            let problem = Problem::BadCertificate { position: 1, problem: error.to_string() };
            LoadError::new(&file.0, problem)
        };
        Ok(Self {
            der,
            anchors,
            skipped,
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

/// Adds an anchor, or says what the certificate is called and why it can't be one.
fn anchor(roots: &mut RootCertStore, der: &CertificateDer<'static>) -> Result<Certificate, (String, String)> {
    let certificate = Certificate::from_der(der).map_err(|error| (String::new(), error.to_string()))?;
    if !certificate.is_ca {
        let reason = "it isn't that of a CA; whoever has its key could not sign for others";
        return Err((certificate.called(), reason.into()));
    }
    match roots.add(der.clone()) {
        Ok(()) => Ok(certificate),
        Err(error) => Err((certificate.called(), error.to_string())),
    }
}

impl Files for TrustFile {
    type Content = TrustBundle;
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
        Self::of(file, blocks.certificates)
    }

    /// The anchors' own validity isn't judged: RFC 5280 §6.1.1 (d) gives a trust anchor none.
    fn still_good(&self, file: &TrustFile, _now: SystemTime) -> Result<(), LoadError> {
        match &*self.skipped {
            [] => Ok(()),
            skipped => Err(LoadError::new(&file.0, Problem::SkippedCertificates(skipped.to_vec()))),
        }
    }

    fn same_as(&self, other: &Self) -> bool {
        self.der == other.der
    }

    fn describe(&self) -> String {
        let subjects: Vec<_> = self.anchors.iter().map(|anchor| format!("{:?}", anchor.called())).collect();
        format!("trust anchors: {}", subjects.join(", "))
    }
}

impl fmt::Debug for TrustBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustBundle").field("anchors", &self.anchors).finish_non_exhaustive()
    }
}
