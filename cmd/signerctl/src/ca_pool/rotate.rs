//! `signerctl ca-pool rotate`.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use signer_core::{CaPool, CommonName, SignerName, SigningKeyType};

use super::{
    arguments::{Place, PlaceArguments, duration},
    new_authority::{NewAuthority, Subject, signs},
    outlook::Outlook,
    takeover::TakeoverArguments,
};
use crate::{error::Error, terminal::Look};

#[derive(Args)]
#[command(
    override_usage = "signerctl ca-pool rotate (--file <PATH> | --namespace <NAMESPACE> --name <NAME>) [OPTIONS]\n       \
                      signerctl ca-pool rotate (--file <PATH> | …) --emergency [--compromised <ID>] [--yes]"
)]
pub(crate) struct Rotate {
    #[command(flatten)]
    place: PlaceArguments,
    /// The type of the new CA's key. Default: that of the last CA.
    #[arg(long, value_name = "TYPE")]
    key_type: Option<SigningKeyType>,
    /// How long the new CA is valid, as a Go duration.
    #[arg(long, value_name = "DURATION", default_value = "87600h", value_parser = duration)]
    validity: Duration,
    /// The signer that the CA is for, for example example.com/web. It becomes a part of the CA's subject. Default: what the last CA's subject says.
    #[arg(long, value_name = "NAME")]
    signer: Option<SignerName>,
    /// The common name of the CA's subject, instead of one that is made of the signer's name, the ID and a random number.
    #[arg(long, value_name = "CN", conflicts_with = "signer")]
    subject_cn: Option<CommonName>,
    /// Make a CA that is a root itself, though the one before it is an intermediate. Whoever trusts the root of that one alone, and not the trust bundle, refuses the
    /// certificates of the new CA. In an emergency this goes without saying, as the root of the leaked CA leaves too.
    #[arg(long)]
    self_signed: bool,
    #[command(flatten)]
    takeover: TakeoverArguments,
}

impl Rotate {
    pub(super) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        let Self { place, key_type, validity, signer, subject_cn, self_signed, takeover } = self;
        let place = Place::try_from(place)?;
        let may_take_leave = self_signed || takeover.emergency;
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
            let key_type = key_type.unwrap_or(last.key().key_type());
            let subject = subject_cn.clone().map_or(Subject::Names(&what), Subject::Is);
            NewAuthority { id, key_type, validity, subject }.make(now)
        };
        takeover.carry_out(&place, &make, look, now)
    }
}
