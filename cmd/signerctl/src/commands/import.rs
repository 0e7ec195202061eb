//! `signerctl ca-pool import`.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use ca_pool::{CaPool, CertificateAuthority};
use clap::{ArgGroup, Args};
use jiff::Timestamp;

use crate::{
    commands::takeover::TakeoverArguments,
    report::created,
    store::cluster::{Cluster, ClusterArguments},
    store::file,
    store::place::PlaceArguments,
    store::secret::SecretPlace,
    text::arguments::namespaced,
};
use crate::{error::Error, terminal::Look};

#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["name", "from_secret"]).multiple(true)))]
#[command(
    override_usage = "signerctl ca-pool import (--file <PATH> | --namespace <NAMESPACE> --name <NAME>)\n         \
                      (--cert-file <PATH> --key-file <PATH> | --from-secret <NAMESPACE/NAME>) [--root-file <PATH>] [OPTIONS]"
)]
pub(crate) struct Import {
    #[command(flatten)]
    place: PlaceArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    origin: Origin,
    #[command(flatten)]
    takeover: TakeoverArguments,
}

/// Where the CA comes from.
#[derive(Args, Clone)]
#[group(id = "origin", multiple = true)]
struct Origin {
    /// The CA's certificate in PEM, and those above it.
    #[arg(
        long,
        value_name = "PATH",
        requires = "key_file",
        conflicts_with = "from_secret",
        required_unless_present = "from_secret"
    )]
    cert_file: Option<PathBuf>,
    /// The CA's private key in PEM.
    #[arg(long, value_name = "PATH", requires = "cert_file")]
    key_file: Option<PathBuf>,
    /// The root's certificate in PEM, where it isn't there already: that of an offline root, say.
    #[arg(long, value_name = "PATH")]
    root_file: Option<PathBuf>,
    /// A Secret with `tls.crt`, `tls.key` and maybe `ca.crt`, as cert-manager and `kubectl create secret tls`
    /// make them.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = namespaced)]
    from_secret: Option<(String, String)>,
}

impl Import {
    /// Adds the CA as the one that signs next; where there is no pool yet, as the first.
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        let Self { place, cluster, origin, takeover } = self;
        let place = place.place(cluster.clone())?;
        let load = || origin.load(|| place.cluster().map_or_else(|| connect(cluster.clone()), Ok), now);
        if takeover.emergency || place.has_pool()? {
            let make = |id: String, _: &CaPool| Ok(load()?.with_id(id));
            let option = if origin.from_secret.is_some() { "--from-secret" } else { "--cert-file" };
            return takeover.carry_out(&place, vec![option], &make, look, now);
        }
        let id = takeover.ca_id.clone().unwrap_or_else(|| "1".to_owned());
        let pool = takeover.begin(&place, load()?.with_id(id), now)?;
        place.create(&pool)?;
        Ok(created::created(&place, &pool, None, look, now))
    }
}

impl Origin {
    fn load(
        &self,
        cluster: impl FnOnce() -> Result<Rc<Cluster>, Error>,
        now: Timestamp,
    ) -> Result<CertificateAuthority, Error> {
        let (place, pool) = match self.clone() {
            Self { from_secret: Some((namespace, name)), root_file, .. } => {
                let root = root_file.as_deref().map(read).transpose()?;
                let secret = SecretPlace { cluster: cluster()?, namespace, name };
                (secret.to_string(), secret.load(root.as_deref())?)
            }
            Self { cert_file: Some(cert), key_file: Some(key), root_file: root, .. } => {
                (cert.display().to_string(), file::load_pem(cert, key, root)?)
            }
            _ => return Err(Error::NoPlace),
        };
        let mut authorities = pool.as_of(now).into_authorities();
        match (authorities.pop(), authorities.pop()) {
            (Some(authority), None) => Ok(authority.with_one_anchor()),
            _ => Err(Error::SeveralAuthorities { place }),
        }
    }
}

/// To the cluster of a Secret that goes into a file.
fn connect(cluster: ClusterArguments) -> Result<Rc<Cluster>, Error> {
    let cluster = cluster.connect()?;
    cluster.check_clock()?;
    Ok(Rc::new(cluster))
}

/// Bounded, as the path may lead anywhere; what is too long is refused when it is parsed.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::NoFile { path: path.display().to_string() },
        _ => Error::Read { path: path.display().to_string(), source },
    };
    let mut bytes = Vec::new();
    let bound = CaPool::MAX_INPUT_BYTES as u64 + 1;
    File::open(path).map_err(unreadable)?.take(bound).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}
