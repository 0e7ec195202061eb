//! What the core knows of the cluster: pods and Services, reduced to what a decision needs.

mod label_selector;
mod namespace;
pub(crate) mod pod;
pub(crate) mod pod_cache;
pub(crate) mod reader;
pub(crate) mod service_index;
mod service_reads;
mod services;
mod stable_name;
mod workload_selector;

pub use label_selector::{LabelRequirement, LabelSelector};
pub use namespace::Namespace;
pub use pod::{CertificateSource, Pod, PodPhase};
pub use services::{NamespacedService, Service, Services};
pub use workload_selector::WorkloadSelector;
