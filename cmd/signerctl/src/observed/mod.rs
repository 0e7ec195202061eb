//! What a cluster shows of signers and of the pods that ask them: each object read as far as it counts.

mod bundle;
mod certificate;
mod controller;
mod event;
mod pod;
mod request;

pub(crate) use self::{
    bundle::anchors,
    certificate::{LeafCertificate, issuer_key},
    controller::{Controller, Deployment, NAME as CONTROLLER_NAME, pool_place},
    event::{Event, of_requests},
    pod::{ObservedPod, Owner},
    request::{ObservedRequest, Outcome, api, requests},
};
