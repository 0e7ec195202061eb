//! `signerctl ca-pool rotate`.

use std::{cell::Cell, time::Duration};

use ca_pool::{CaPool, CommonName, NewRoot, SignerName, SigningKeyType};
use clap::{ArgGroup, Args};
use jiff::Timestamp;

use crate::{
    commands::new_authority::{NewAuthority, Subject, signs},
    commands::takeover::TakeoverArguments,
    report::outlook::Outlook,
    store::cluster::ClusterArguments,
    store::place::PlaceArguments,
    text::arguments::{duration, is_trust_domain},
    text::wrap::wrap_behind,
};
use crate::{error::Error, terminal::Look};

#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["name"]).multiple(true)))]
#[command(
    override_usage = "signerctl ca-pool rotate (--file <PATH> | --namespace <NAMESPACE> --name <NAME>) [OPTIONS]\n       \
                      signerctl ca-pool rotate (--file <PATH> | …) --emergency [--compromised <ID>] [--yes]"
)]
pub(crate) struct Rotate {
    #[command(flatten)]
    place: PlaceArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// The type of the new CA's key, one of those of `create`. Default: that of the last CA, or RSA4096 where
    /// that is an RSA key of an unusual length.
    #[arg(long, value_name = "TYPE")]
    key_type: Option<SigningKeyType>,
    /// How long the new CA is valid, as a Go duration. Default: 87600h.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    validity: Option<Duration>,
    /// The signer that the CA is for, for example example.com/web. It becomes a part of the CA's subject.
    /// Default: what the last CA's subject says.
    #[arg(long, value_name = "NAME")]
    signer: Option<SignerName>,
    /// The common name of the CA's subject, instead of one that is made of the signer's name, the ID and a
    /// random number.
    #[arg(long, value_name = "CN", conflicts_with = "signer")]
    subject_cn: Option<CommonName>,
    /// Make a CA that is a root itself, though the one before it is an intermediate. Whoever trusts the root
    /// of that one alone, and not the trust bundle, refuses the certificates of the new CA. In an emergency
    /// this goes without saying, as the root of the leaked CA leaves too.
    #[arg(long)]
    self_signed: bool,
    #[command(flatten)]
    takeover: TakeoverArguments,
}

impl Rotate {
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        let Self { place, cluster, key_type, validity, signer, subject_cn, self_signed, takeover } = self;
        let place = place.place(cluster)?;
        let options = [
            ("--key-type", key_type.is_some()),
            ("--validity", validity.is_some()),
            ("--signer", signer.is_some()),
            ("--subject-cn", subject_cn.is_some()),
            ("--self-signed", self_signed),
        ];
        let options =
            options.into_iter().filter_map(|(option, is_given)| is_given.then_some(option)).collect();
        let may_take_leave = self_signed || takeover.emergency;
        let validity = validity.unwrap_or(NewRoot::DEFAULT_VALIDITY);
        let (replaced, is_chosen) = (Cell::new(None), key_type.is_some());
        let make = |id: String, pool: &CaPool| {
            let last =
                Outlook::new(pool, None, now).last().map_or(pool.signing(), |last| pool.authority(last));
            // in an emergency its root has to leave anyway
            if last.is_intermediate() && !may_take_leave {
                return Err(Error::TakesLeave {
                    id: last.id().to_owned(),
                    root: last.root().subject(),
                    arguments: place.arguments(),
                });
            }
            let what = signs(signer.as_ref(), Some(last), &place);
            let key_type = key_type.unwrap_or_else(|| like(last.key().key_type()));
            if key_type != last.key().key_type() && !is_chosen {
                replaced.set(Some((last.key().key_type(), key_type)));
            }
            let subject = subject_cn.clone().map_or(Subject::Names(&what), Subject::Is);
            let uri = last.root().uris().into_iter().find(is_trust_domain);
            NewAuthority { id, key_type, validity, subject, uri }.make(now)
        };
        let mut report = takeover.carry_out(&place, options, &make, look, now)?;
        if let Some((before, new)) = replaced.get() {
            let note = format!(
                "The key of the last CA is {before}, and no such keys are made here, so the new one is {new}. --key-type chooses another: {}.",
                SigningKeyType::list()
            );
            report += &format!("\n{}", wrap_behind("", &note, look.width));
        }
        Ok(report)
    }
}

/// The type of a new key that comes after one of this type. RSA keys of other lengths than the usual ones can
/// be loaded; to make the longest would take minutes.
fn like(last: SigningKeyType) -> SigningKeyType {
    match last {
        SigningKeyType::Rsa(_) if !SigningKeyType::GENERATED.contains(&last) => SigningKeyType::Rsa(4096),
        other => other,
    }
}

#[cfg(test)]
mod tests;
