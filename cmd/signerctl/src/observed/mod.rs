//! What a cluster shows of signers and of the pods that ask them: each object read as far as it counts.

mod bundle;
mod certificate;
mod controller;
mod event;
mod pod;
mod request;

use bounded_text::{one_line, truncated};

pub(crate) use self::{
    bundle::{anchors, published},
    certificate::{LeafCertificate, issuer_key},
    controller::{Controller, ControllerArguments, Deployment, NAME as CONTROLLER_NAME, pool_place},
    event::{Event, of_requests},
    pod::{ObservedPod, Owner},
    request::{ObservedRequest, Outcome, api, requests},
};

/// The longest text of others that is shown.
const LONGEST: usize = 2000;

/// What a tenant may have written, for a terminal: on one line, without control characters.
pub(crate) fn shown(text: &str) -> String {
    truncated(&one_line(text), LONGEST)
}
