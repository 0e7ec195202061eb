//! New self-signed CAs.

use std::time::Duration;

use aws_lc_rs::rand;
use ca_pool::{
    CertificateAuthority, CommonName, NewRoot, SerialNumber, SignerName, SigningKey, SigningKeyType,
    names::Uri, root_common_name,
};
use jiff::Timestamp;

use crate::error::Error;
use crate::{report::outlook::name, store::place::Place};

/// What a new CA is to be.
pub(crate) struct NewAuthority<'a> {
    pub(crate) id: String,
    pub(crate) key_type: SigningKeyType,
    pub(crate) validity: Duration,
    pub(crate) subject: Subject<'a>,
    /// Its subject alternative name.
    pub(crate) uri: Option<Uri>,
}

/// What its subject says.
pub(crate) enum Subject<'a> {
    /// This.
    Is(CommonName),
    /// What it signs.
    Names(&'a str),
}

impl NewAuthority<'_> {
    pub(crate) fn make(self, now: Timestamp) -> Result<CertificateAuthority, Error> {
        let common_name = match self.subject {
            Subject::Is(name) => name,
            Subject::Names(what) => root_common_name(what, &self.id, random()?)?,
        };
        let root = NewRoot { id: self.id, common_name, uri: self.uri, validity: self.validity };
        let serial = SerialNumber::from_random(random()?);
        let key = SigningKey::generate(self.key_type)?;
        Ok(CertificateAuthority::new_root(root, key, serial, now)?)
    }
}

/// What it means that a CA which is a root itself follows an intermediate.
pub(crate) fn leave_taken(before: &CertificateAuthority, new: &CertificateAuthority) -> Option<String> {
    (before.is_intermediate() && !new.is_intermediate()).then(|| {
        format!(
            "{} is a root itself, and not under {}: whoever trusts that root alone, and not the trust bundle, refuses its certificates.",
            name(new.id()),
            before.root().subject()
        )
    })
}

/// What the subject of a pool's new CA says it signs: the signer, or what the last CA said, or else the
/// place.
pub(crate) fn signs(
    signer: Option<&SignerName>,
    last: Option<&CertificateAuthority>,
    place: &Place,
) -> String {
    let of_last = || last.and_then(|last| said_by(&last.issuer().subject(), last.id()));
    signer.map(ToString::to_string).or_else(of_last).unwrap_or_else(|| name_of(place))
}

/// Reads `CN=<what> CA <id> <8 hexadecimal digits>`, as such CAs are named here.
fn said_by(subject: &str, id: &str) -> Option<String> {
    let (rest, unique) = subject.strip_prefix("CN=")?.rsplit_once(' ')?;
    let is_ours = unique.len() == 8 && unique.chars().all(|c| c.is_ascii_hexdigit());
    let what = rest.strip_suffix(&format!(" CA {id}")).filter(|_| is_ours)?;
    Some(what.to_owned())
}

/// Without a signer's name, the place where the pool is kept tells most of what it signs.
fn name_of(place: &Place) -> String {
    match place {
        Place::File(path) => {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            stem.chars().filter(|c| !c.is_control()).collect()
        }
        Place::Secret(secret) => format!("{}/{}", secret.namespace, secret.name),
    }
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
