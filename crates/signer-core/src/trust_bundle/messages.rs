//! What the publisher of a bundle says of what it finds.

use super::{
    Publisher,
    anchors::ANCHORS,
    changes::{Changes, listed},
    desired::{MAX_ANCHORS, MAX_BYTES, Size},
    published::{ByRoot, GENERATION},
};
use crate::api::error::{describe, is_status};

/// Why a bundle is written.
#[derive(Debug)]
pub(super) enum What {
    /// There was none.
    First,
    /// Somebody has deleted it.
    MadeAnew,
    /// The pool or the configuration has changed, or a root's time has run out.
    Changed(Changes),
    /// Somebody has edited it.
    Edited {
        /// What they have changed.
        edits: Changes,
        /// What is written over it.
        changes: Changes,
    },
}

impl Publisher {
    pub(super) fn say_written(&self, what: &What) {
        let (signer, bundle) = (&self.signer_name, self.signer_name.bundle_name());
        match what {
            What::First => tracing::info!(%signer, bundle, "trust bundle created"),
            What::Changed(changes) => tracing::info!(%signer, bundle, "trust bundle written: {changes}"),
            What::MadeAnew => tracing::warn!(
                %signer,
                bundle,
                "the trust bundle was deleted, and has been created again. Unless etcd was restored, the API server's audit log names who deleted it"
            ),
            What::Edited { edits, changes } => tracing::warn!(
                %signer,
                bundle,
                "the trust bundle was edited ({edits}), and has been restored ({changes}). Unless etcd was restored, the API server's audit log names who edited it"
            ),
        }
    }

    /// The anchors that no CA of the pool has, for whoever compares the bundle with the pool.
    pub(super) fn retains(&self, retained: &ByRoot) -> Option<String> {
        let until = retained.values().max()?;
        let roots: Vec<String> = retained.keys().cloned().collect();
        let anchors =
            if roots.len() == 1 { "1 anchor".to_owned() } else { format!("{} anchors", roots.len()) };
        Some(format!(
            "the trust bundle {bundle} retains {anchors} that no CA of the pool has, until {until} at the latest: SHA-256 {}. That is so for 91 days after a CA was replaced outright, as \
             pods may have its certificates; if you know of none, somebody has planted them: `kubectl annotate clustertrustbundle {bundle} {}-` removes them \
             (docs/ca-rotation.md, \"A planted anchor\")",
            listed(&roots),
            self.signer_name.label_key(ANCHORS),
            bundle = self.signer_name.bundle_name(),
        ))
    }

    /// Anchors that no CA of the pool has, where the bundle is not of this pool, or another replica may be
    /// about to follow.
    pub(super) fn has_foreign(&self, anchors: &[String]) -> Option<String> {
        let count = match anchors.len() {
            0 => return None,
            1 => "1 anchor".to_owned(),
            count => format!("{count} anchors"),
        };
        Some(format!(
            "the trust bundle has {count} that no CA of this replica's pool has: SHA-256 {}. If no other replica has a newer pool with them, they are planted \
             (docs/ca-rotation.md, \"A planted anchor\")",
            listed(anchors)
        ))
    }

    pub(super) fn of_newer_format(&self, format: u32) -> String {
        format!(
            "the annotation {} of the trust bundle {} has format {format}, which a newer version of this controller writes; this replica leaves the bundle as it is, and signs nothing. Give all \
             replicas that version",
            self.signer_name.label_key(ANCHORS),
            self.signer_name.bundle_name()
        )
    }

    pub(super) fn waits_for_the_time(&self) -> String {
        format!(
            "the trust bundle {} isn't as it should be, and isn't written while API servers contradict each other about the time",
            self.signer_name.bundle_name()
        )
    }

    pub(super) fn too_large(&self, size: Size) -> String {
        let (bundle, anchors) = (self.signer_name.bundle_name(), self.signer_name.label_key(ANCHORS));
        let Size { own, retained, bytes } = size;
        let remedy = if retained == 0 {
            "Use smaller roots, or remove CAs from the pool".to_owned()
        } else {
            format!(
                "`kubectl annotate clustertrustbundle {bundle} {anchors}-` removes those that no CA of the pool has (docs/ca-rotation.md, \"A planted anchor\")"
            )
        };
        format!(
            "the trust bundle {bundle} would have {} anchors ({own} of the CA pool, {retained} that no CA of it has) in {bytes} bytes; {MAX_ANCHORS} anchors and {MAX_BYTES} bytes are the \
             most that is published, so it stays as it is. {remedy}",
            own + retained
        )
    }

    /// `has_none`: the bundle has no root of the own pool. `lasts`: the newer pool should have arrived by
    /// now.
    pub(super) fn lags_behind(&self, own: u64, published: u64, has_none: bool, lasts: bool) -> String {
        let (bundle, annotation) = (self.signer_name.bundle_name(), self.signer_name.label_key(GENERATION));
        let what = if own == published { "another CA pool" } else { "the CA pool" };
        let then = if own == 0 && has_none {
            "what is published now stays trusted then, and this one signs a quarter of an hour later"
        } else {
            "pods refuse each other's certificates then until they have new ones"
        };
        let waits = format!(
            "the trust bundle was made of generation {published} of {what}, and this replica holds generation {own}; it waits for the pool of the bundle"
        );
        if !lasts {
            return format!("{waits}, which takes two minutes where kubelet mounts it");
        }
        format!(
            "{waits}. \
             If that is lost, or nobody made it (docs/ca-rotation.md, \"A planted anchor\"), `kubectl annotate clustertrustbundle {bundle} {annotation}-` lets this one take its place; {then}"
        )
    }

    pub(super) fn left_to_others(&self, own: u64) -> String {
        format!(
            "the trust bundle {} is gone. It was made of generation {} of the CA pool, and this replica holds generation {own}; for a quarter of an hour it leaves \
             making it anew to replicas that hold the newer pool",
            self.signer_name.bundle_name(),
            self.deletion_record.generation()
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
            "labels of the trust bundle {} aren't those of this replica's configuration: a replica that is configured differently has started later, or somebody has edited them. \
             Finish the rollout, or restart the replicas that are configured rightly",
            self.signer_name.bundle_name()
        )
    }

    pub(super) fn refused(&self, error: &kube::Error) -> String {
        let hint = if is_status(error, 403) {
            format!(
                "; the controller needs create and update on clustertrustbundles, and the verb attest on signers {} of certificates.k8s.io",
                self.signer_name
            )
        } else if is_status(error, 422) {
            "; look at what others have written into its metadata (annotations may have 256 KiB in all), and remove it".to_owned()
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
