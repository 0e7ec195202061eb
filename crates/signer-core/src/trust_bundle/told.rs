//! What a bundle's keeper says of what it finds.

use super::{BundleKeeper, published::GENERATION};
use crate::watching::{describe, is_status};

impl BundleKeeper {
    /// `has_none`: the bundle has no root of the own pool.
    pub(super) fn lags_behind(&self, own: u64, published: u64, has_none: bool) -> String {
        let (bundle, annotation) = (self.signer_name.bundle_name(), self.signer_name.label_key(GENERATION));
        let what = if own == published { "another CA pool" } else { "the CA pool" };
        let then = if own == 0 && has_none {
            "what is published now stays trusted then, and this one signs a quarter of an hour later"
        } else {
            "pods refuse each other's certificates then until they have new ones"
        };
        format!(
            "the trust bundle was made of generation {published} of {what}, and this replica holds generation {own}; it waits for the pool of the bundle. \
             If that is lost for good, `kubectl annotate clustertrustbundle {bundle} {annotation}-` lets this one take its place; {then}"
        )
    }

    pub(super) fn left_to_others(&self, own: u64) -> String {
        format!(
            "the trust bundle {} is gone. It was made of generation {} of the CA pool, and this replica holds generation {own}; for a quarter of an hour it leaves \
             making it anew to replicas that hold the newer pool",
            self.signer_name.bundle_name(),
            self.memory.generation()
        )
    }

    pub(super) fn owned_by(&self, owner: &str) -> String {
        format!(
            "the ClusterTrustBundle {} belongs to the signer {owner:?}; it is left as it is. Delete it if nobody needs it",
            self.signer_name.bundle_name()
        )
    }

    pub(super) fn labelled_by_another(&self) -> String {
        format!(
            "the labels of the trust bundle {} were written by a replica that is configured differently and started later; they are left as they are for a while. Finish the \
             rollout, or undo it",
            self.signer_name.bundle_name()
        )
    }

    pub(super) fn refused(&self, error: &kube::Error) -> String {
        let hint = if is_status(error, 403) {
            format!(
                "; the controller needs create and update on clustertrustbundles, and the verb attest on signers {} of certificates.k8s.io",
                self.signer_name
            )
        } else {
            String::new()
        };
        format!(
            "writing the ClusterTrustBundle {}: {}{hint}",
            self.signer_name.bundle_name(),
            describe(error)
        )
    }
}
