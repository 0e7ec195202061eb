//! `signerctl ca-pool create`.

use std::time::Duration;

use ca_pool::{CaPool, CommonName, SignerName, SigningKeyType, names::Uri};
use clap::{ArgGroup, Args};
use jiff::Timestamp;

use crate::{
    commands::new_authority::{NewAuthority, Subject, signs},
    report::created,
    store::cluster::ClusterArguments,
    store::file,
    store::place::{Place, PlaceArguments},
    text::arguments::{ca_id, duration, leaf_lifetime, trust_domain},
    text::times::later,
};
use crate::{error::Error, terminal::Look};

#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["name"]).multiple(true)))]
#[command(
    override_usage = "signerctl ca-pool create (--file <PATH> | --namespace <NAMESPACE> --name <NAME>) [OPTIONS]"
)]
pub(crate) struct Create {
    #[command(flatten)]
    place: PlaceArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// The CA's ID within the pool.
    #[arg(long, value_name = "ID", default_value = "1", value_parser = ca_id)]
    ca_id: String,
    /// The type of the CA's key: ECDSAP256, ECDSAP384, ECDSAP521, ED25519, RSA2048, RSA3072 or RSA4096.
    #[arg(long, value_name = "TYPE", default_value = "ECDSAP256")]
    key_type: SigningKeyType,
    /// How long the CA is valid, as a Go duration.
    #[arg(long, value_name = "DURATION", default_value = "87600h", value_parser = duration)]
    validity: Duration,
    /// The longest lifetime that the CA may give a certificate: the signer's maxLifetime. The pool records
    /// it, and the CA can go so much earlier once it has a successor.
    #[arg(long, value_name = "DURATION", value_parser = leaf_lifetime)]
    max_lifetime: Option<Duration>,
    /// How long until the CA signs. Where pods have certificates of another CA, the trust bundle holds it
    /// back for 15 minutes anyway.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    after: Option<Duration>,
    /// The signer that the CA is for, for example example.com/web. It becomes a part of the CA's subject.
    #[arg(long, value_name = "NAME")]
    signer: Option<SignerName>,
    /// The SPIFFE trust domain of the signer: the root says it, as X509-SVID wants it, and those that follow by
    /// `rotate` too.
    #[arg(long, value_name = "DOMAIN", value_parser = trust_domain)]
    trust_domain: Option<Uri>,
    /// The common name of the CA's subject, instead of one that is made of the signer's name, the ID and a
    /// random number.
    #[arg(long, value_name = "CN", conflicts_with = "signer")]
    subject_cn: Option<CommonName>,
}

impl Create {
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        let place = self.place.place(self.cluster)?;
        // Before a key is made, which takes a while for RSA; whoever comes in between is noticed when it is
        // written.
        if let Place::File(path) = &place {
            file::check_absent(path)?;
        }
        let what = signs(self.signer.as_ref(), None, &place);
        let new = NewAuthority {
            id: self.ca_id,
            key_type: self.key_type,
            validity: self.validity,
            subject: self.subject_cn.map_or(Subject::Names(&what), Subject::Is),
            uri: self.trust_domain,
        };
        let signs_from = self.after.map(|after| later(now, after));
        let pool = CaPool::beginning_with(new.make(now)?, signs_from, self.max_lifetime)
            .map_err(|source| Error::Pool { place: place.to_string(), source: source.into() })?;
        place.create(&pool)?;
        Ok(created::created(&place, &pool, self.signer.as_ref(), look, now))
    }
}
