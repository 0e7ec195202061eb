//! `signerctl ca-pool rotate`.

use std::time::Duration;

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use signer_core::{CaPool, CommonName, NewRoot, SignerName, SigningKeyType};

use super::{
    arguments::duration,
    cluster::ClusterArguments,
    new_authority::{NewAuthority, Subject, signs},
    outlook::Outlook,
    place::PlaceArguments,
    takeover::TakeoverArguments,
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
    /// The type of the new CA's key. Default: that of the last CA.
    #[arg(long, value_name = "TYPE")]
    key_type: Option<SigningKeyType>,
    /// How long the new CA is valid, as a Go duration. Default: 87600h.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    validity: Option<Duration>,
    /// The signer that the CA is for, for example example.com/web. It becomes a part of the CA's subject. Default: what the last CA's subject says.
    #[arg(long, value_name = "NAME")]
    signer: Option<SignerName>,
    /// The common name of the CA's subject, instead of one that is made of the signer's name, the ID and a random number.
    #[arg(long, value_name = "CN", conflicts_with = "signer")]
    subject_cn: Option<CommonName>,
    #[command(flatten)]
    takeover: TakeoverArguments,
}

impl Rotate {
    pub(super) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        let Self { place, cluster, key_type, validity, signer, subject_cn, takeover } = self;
        let place = place.place(cluster)?;
        let options = [
            ("--key-type", key_type.is_some()),
            ("--validity", validity.is_some()),
            ("--signer", signer.is_some()),
            ("--subject-cn", subject_cn.is_some()),
        ];
        let options =
            options.into_iter().filter_map(|(option, is_given)| is_given.then_some(option)).collect();
        let validity = validity.unwrap_or(NewRoot::DEFAULT_VALIDITY);
        let make = |id: String, pool: &CaPool| {
            let last =
                Outlook::new(pool, None, now).last().map_or(pool.signing(), |last| pool.authority(last));
            let what = signs(signer.as_ref(), Some(last), &place);
            let key_type = key_type.unwrap_or(last.key().key_type());
            let subject = subject_cn.clone().map_or(Subject::Names(&what), Subject::Is);
            NewAuthority { id, key_type, validity, subject }.make(now)
        };
        takeover.carry_out(&place, options, &make, look, now)
    }
}
