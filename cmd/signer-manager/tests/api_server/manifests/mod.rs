//! The manifests on an API server: they are valid, the demos' pods get what they ask for, and each right is
//! needed.

mod admission_policy;
mod demos;
mod isolated_install;
mod kind_clusters;
mod permissions;
mod priority_class;
mod self_keeping;
mod validation;
