//! The annotation signer: a pod's author asks for names, usages and a lifetime by annotations, and gets what
//! is the pod's own or what the operator has granted.
//!
//! ```
//! use signer_annotation::{AnnotationSigner, AnnotationSignerConfig, Grant};
//! use signer_core::{Decision, Signer, reasons, cluster::WorkloadSelector, testing::RequestBuilder};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let mut config = AnnotationSignerConfig::new("coolcert.example.com/foo".parse()?, "cluster.local".parse()?);
//! let to_shop = WorkloadSelector::new(["shop"], ["*"]);
//! config.grants = vec![Grant { dns_names: vec!["*.example.com".parse()?], ..Grant::to(to_shop) }];
//! let signer = AnnotationSigner::new(config)?;
//!
//! let ask = |name| {
//!     let request = RequestBuilder::new("coolcert.example.com/foo").services([]);
//!     request.user_annotation("coolcert.example.com/foo-san", name).build()
//! };
//! let Decision::Issue(leaf) = signer.decide(&ask("${pod.namespace}.example.com")).await? else { panic!("it is granted") };
//! assert_eq!(leaf.dns_names, ["shop.example.com".parse()?]);
//!
//! let Decision::Deny(denial) = signer.decide(&ask("example.org")).await? else { panic!("it isn't") };
//! assert_eq!(denial.reason, reasons::IDENTITY_NOT_GRANTED);
//! # Ok::<(), signer_core::BoxError>(())
//! # })?;
//! # Ok::<(), signer_core::BoxError>(())
//! ```
//!
//! # What is read
//! Annotations of the keys `<signer name>-<item>`: the request's user annotations, or, if there are none, the
//! pod's; the signer may be configured to read those of the volume or of the pod alone ([`AnnotationsFrom`]).
//! Every user annotation must be one of these, as the volume source that holds it is for this signer alone.
//! Among the pod's annotations, those that begin otherwise are others', and so are those that fit a longer
//! name of another signer.
//!
//! | item | default | what it may be |
//! |---|---|---|
//! | `cn` | the pod's name, if it is a single label | the pod's name if it is a single label, or a DNS name; 64 characters at most |
//! | `san` | `<pod>.<namespace>.pod.<cluster domain>` and `<pod>.<namespace>.svc.<cluster domain>`, as far as they are legal and the pod's own | DNS names |
//! | `uris` | none | absolute URIs, taken as they are |
//! | `ips` | none | IPv4 and IPv6 addresses; an IPv4 address in IPv6 is written as IPv4 |
//! | `usages` | `server auth, client auth` | Kubernetes' usage names, one extended key usage among them at least |
//! | `duration` | `24h`, or what is allowed | from `1h` to the lesser of the volume's `maxExpirationSeconds` and the signer's `maxLifetime` |
//! | `refresh` | `1h` before expiry, or half the lifetime | before expiry; ten minutes away from both ends of the lifetime |
//!
//! Lists are separated by commas, with white space around them if you like; what is listed twice counts once.
//! `cn`, `san` and `uris` may hold `${pod.name}`, `${pod.namespace}`, `${pod.uid}`, `${pod.hostname}`,
//! `${pod.serviceAccountName}`, `${node.name}` and `${cluster.domain}`. Whatever is empty, malformed or
//! unknown is refused; nothing of it becomes a default.
//!
//! # What a pod may have
//! Its own names, which follow from what the API server says of the pod and of the Services of its namespace:
//! - `<pod>.<namespace>.pod.<cluster domain>`;
//! - `<pod>.<namespace>.svc.<cluster domain>`, unless a Service that doesn't select the pod has that name,
//!   and if the signer gives such names;
//! - `<service>.<namespace>.svc` and `<service>.<namespace>.svc.<cluster domain>` of each Service that
//!   selects it. If there is no such Service yet, the request waits; if it doesn't select the pod, the
//!   request is refused;
//! - `<hostname>.<subdomain>.<namespace>.svc` and `….svc.<cluster domain>` of a member of a StatefulSet
//!   ([`Pod::stable_name`](signer_core::cluster::Pod::stable_name));
//! - `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`, if the signer has a trust domain.
//!
//! A pod's name with a part that DNS reads as an IP address
//! ([`is_dashed_address`](signer_core::ca_pool::names::is_dashed_address)) makes none of these. A common name
//! of several labels is a DNS name, the pod's name too, which its author chose.
//!
//! And what a [`Grant`] gives it: [DNS names](DnsPattern), [URIs](UriPattern), [IP addresses](IpRange) and
//! [usages](UsagePattern). A grant is the operator's word and counts whatever Services say. A literal
//! wildcard must be granted as such, a `spiffe:` URI without wildcards. `*` in a list of a grant is
//! everything of its kind, `spiffe:` URIs included; what makes authorities or holds for every purpose is
//! never given.
//!
//! # What a refusal rests on
//! What user annotations break by themselves they break for ever ([`Grounds::Fixed`](signer_core::Grounds)).
//! Whatever rests on the pod's annotations, on Services or on the signer's configuration (a text with
//! `${cluster.domain}` does) may be mended, so a running pod keeps its certificate.

mod annotations;
mod config;
mod examples;
mod foreign_keys;
mod grant;
mod keys;
mod ownership;
mod permission;
mod placeholders;
mod quoted;
mod requested;
mod signer;
mod usage;
mod validity;

pub use config::{AnnotationSignerConfig, AnnotationsFrom, CommonNameDefault, ConfigError};
pub use grant::{DnsPattern, Grant, IpRange, PatternError, UriPattern};
pub use signer::AnnotationSigner;
pub use usage::{Usage, UsageError, UsagePattern};
