//! `signerctl ca-pool import`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::Timestamp;
use signer_core::{CaPool, CertificateAuthority, PoolSource};

use super::{
    arguments::{Place, PlaceArguments, namespaced},
    created, edit, file, secret,
    takeover::TakeoverArguments,
};
use crate::{error::Error, terminal::Look};

#[derive(Args)]
#[command(
    override_usage = "signerctl ca-pool import (--file <PATH> | --namespace <NAMESPACE> --name <NAME>)\n         \
                      (--cert-file <PATH> --key-file <PATH> | --from-secret <NAMESPACE/NAME>) [--root-file <PATH>] [OPTIONS]"
)]
pub(crate) struct Import {
    #[command(flatten)]
    place: PlaceArguments,
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
    /// A Secret with `tls.crt`, `tls.key` and maybe `ca.crt`, as cert-manager and `kubectl create secret tls` make them.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = namespaced)]
    from_secret: Option<(String, String)>,
}

impl Import {
    /// Adds the CA as the one that signs next; where there is no pool yet, as the first.
    pub(super) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        let Self { place, origin, takeover } = self;
        let place = Place::try_from(place)?;
        if takeover.emergency || has_pool(&place)? {
            let make = |id: String, _: &CaPool| Ok(origin.load()?.with_id(id));
            let option = if origin.from_secret.is_some() { "--from-secret" } else { "--cert-file" };
            return takeover.carry_out(&place, vec![option], &make, look, now);
        }
        let id = takeover.ca_id.clone().unwrap_or_else(|| "1".to_owned());
        let authority = origin.load()?.with_id(id);
        let pool = takeover.begin(&place, authority, now)?;
        let json = pool.to_json()?;
        match &place {
            Place::File(path) => file::create(path, &json)?,
            Place::Secret { namespace, name } => secret::create(namespace, name, &json)?,
        }
        Ok(created::created(&place, &pool, None))
    }
}

/// Whether there is a pool that the CA can be added to.
fn has_pool(place: &Place) -> Result<bool, Error> {
    match place {
        Place::File(path) => Ok(fs::symlink_metadata(path).is_ok()),
        Place::Secret { .. } => match edit::open(place) {
            Ok(opened) => Ok(opened.pool.is_some()),
            Err(Error::NoSecret { .. }) => Ok(false),
            Err(error) => Err(error),
        },
    }
}

impl Origin {
    fn load(&self) -> Result<CertificateAuthority, Error> {
        let (place, pool) = match self.clone() {
            Self { from_secret: Some((namespace, name)), root_file, .. } => {
                let unreadable =
                    |path: &Path, source| Error::Read { path: path.display().to_string(), source };
                let read = |path: PathBuf| fs::read(&path).map_err(|source| unreadable(&path, source));
                let root = root_file.map(read).transpose()?;
                (format!("Secret {namespace}/{name}"), secret::load(&namespace, &name, root.as_deref())?)
            }
            Self { cert_file: Some(cert), key_file: Some(key), root_file: root, .. } => {
                let source = PoolSource::PemFiles { cert, key, root };
                (source.to_string(), source.load()?)
            }
            _ => return Err(Error::NoPlace),
        };
        let mut authorities = pool.into_authorities();
        match (authorities.pop(), authorities.pop()) {
            (Some(authority), None) => Ok(authority),
            _ => Err(Error::SeveralAuthorities { place }),
        }
    }
}
