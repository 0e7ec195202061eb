//! Where requests come from: objects of one kind, what is read of them, and how their outcome is written. The
//! controller knows no more of them than this.

mod pod_certificate_request;

use std::{fmt::Debug, future::Future};

use jiff::Timestamp;
use kube::{Resource, api::ApiResource};

pub(crate) use self::pod_certificate_request::PodCertificateRequests;
use crate::{
    api::{
        object::ApiObject,
        read::{Collection, Got},
    },
    decision::Denial,
    health::Component,
    replicas::ReplicaName,
    request::{Claims, ClaimsError},
};
use ca_pool::{IssuedCertificate, PublicKey, names::SignerName};

/// A request, as the API server has it. Its metadata name it.
pub(crate) trait SignerRequest:
    Resource<DynamicType = ApiResource> + ApiObject + Clone + Debug + Sync
{
    /// Whether nothing can become of it any more.
    fn is_finished(&self) -> bool;

    /// The replica that finished it, if its outcome names one.
    fn finished_by(&self) -> Option<ReplicaName>;

    /// As much of it as is kept while it waits.
    fn abridged(self) -> Self;

    /// Whether it has to be read again before it is evaluated.
    fn is_abridged(&self) -> bool;

    /// For whom it asks.
    fn requester(&self) -> Requester<'_>;

    /// The key that it brings, if there is one that can be read.
    fn public_key(&self) -> Option<PublicKey>;

    /// All that it says.
    ///
    /// # Errors
    /// If it can't be parsed, which no later reading changes.
    fn claims(&self) -> Result<Claims, ClaimsError>;
}

/// Whom a request names. None of it is verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requester<'a> {
    pub(crate) pod: &'a str,
    pub(crate) pod_uid: &'a str,
    pub(crate) service_account: &'a str,
    pub(crate) node: &'a str,
}

/// What becomes of a request for good.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Conclusion<'a> {
    Issued(&'a IssuedCertificate),
    Denied(&'a Denial),
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The outcome stands.
    Done,
    /// Another replica was faster; its outcome stands.
    ByAnother,
    /// The request is deleted.
    Gone,
}

/// All requests of one kind.
pub(crate) trait RequestSource: Send + Sync + 'static {
    /// One of them.
    type Request: SignerRequest;

    /// What stands for their watch in the health.
    const COMPONENT: Component;

    /// Their kind, in the version that is served.
    fn resource(&self) -> &ApiResource;

    /// Those that are addressed to a signer.
    fn addressed_to(&self, signer: &SignerName) -> Collection;

    /// A request as it is now, and whole.
    fn read(
        &self,
        request: &Self::Request,
    ) -> impl Future<Output = kube::Result<Option<Got<Self::Request>>>> + Send;

    /// Writes what becomes of a request for good, unless another replica did.
    fn write(
        &self,
        request: &Self::Request,
        conclusion: Conclusion<'_>,
        now: Timestamp,
    ) -> impl Future<Output = kube::Result<Written>> + Send;
}
