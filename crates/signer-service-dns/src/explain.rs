//! What a pod's author is told when there is no certificate (yet).

use std::{collections::BTreeMap, fmt::Display};

use signer_core::{Decision, Denial, Request, ca_pool::MAX_NAMES, cluster::Service, reasons};

/// Explains what becomes of a request. What makes it wait fits into an event, which holds 1 KiB.
pub(crate) struct Explain<'a> {
    /// The key of the user annotation that picks Services.
    pub(crate) annotation: &'a str,
    pub(crate) request: &'a Request,
}

impl Explain<'_> {
    /// No Service selects the pod, but one may come.
    pub(crate) fn waits_for_any_service(&self) -> Decision {
        let message = format!(
            "{}; the certificate is issued as soon as one does. Create a Service whose selector fits these labels; to get the names of certain Services \
             only, list them in the user annotation {} of the volume",
            self.no_service(),
            self.annotation
        );
        Decision::wait(reasons::WAITING_FOR_SERVICE, message)
    }

    /// No Service selects the pod, and the operator doesn't want it to wait.
    pub(crate) fn no_service_selects_the_pod(&self) -> Decision {
        let message = format!(
            "{}, and this signer is configured not to wait for one (noServices: deny). Create a Service whose selector fits these labels first, \
             then the pod",
            self.no_service()
        );
        Decision::deny(reasons::SERVICE_DOES_NOT_SELECT_POD, message)
    }

    /// Picked Services don't exist, but may come.
    pub(crate) fn waits_for_picked_services(&self, missing: &[&str]) -> Decision {
        let message = format!(
            "the user annotation {} names Services that don't exist in namespace {}: {}; the certificate is issued as soon as they do and select this \
             pod (labels: {})",
            self.annotation,
            self.request.namespace(),
            listed(missing.iter().map(|name| (*name).to_owned())),
            self.pod_labels(),
        );
        Decision::wait(reasons::WAITING_FOR_SERVICE, message)
    }

    /// A picked Service is another pod's.
    pub(crate) fn picked_service_does_not_select(&self, service: &Service) -> Decision {
        let why = match service.selector() {
            Some(selector) => {
                format!("its selector: {}; the pod's labels: {}", pairs(&selector), self.pod_labels())
            }
            None => "it is of type ExternalName or has no selector, so it selects no pods".to_owned(),
        };
        let (name, namespace) = (service.name(), self.request.namespace());
        self.refuse_pick(
            reasons::SERVICE_DOES_NOT_SELECT_POD,
            &format!(
                "the Service {name} exists in namespace {namespace} but doesn't select this pod ({why})"
            ),
            "name only Services that select the pod, or leave the annotation out for all that do",
        )
    }

    /// More names than a certificate carries. How many there are follows from the Services or, if they are
    /// picked, from the signer's suffixes.
    pub(crate) fn too_many_names(
        &self,
        names: usize,
        services: usize,
        suffixes: usize,
        are_picked: bool,
    ) -> Decision {
        let count = format!(
            "that makes {names} names (Services: {services}, DNS suffixes: {suffixes}), and a certificate carries {MAX_NAMES} at most"
        );
        if are_picked {
            return self.refuse_pick(
                reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS,
                &count,
                "name fewer Services",
            );
        }
        let message = format!(
            "too many Services of namespace {} select this pod: {count}; pick those that matter with the user annotation {}: \"<service>, <service>\" of the \
             volume",
            self.request.namespace(),
            self.annotation
        );
        Decision::wait(reasons::WAITING_FOR_SERVICE, message)
    }

    /// Services and suffixes change, so a running pod isn't denied for its pick.
    fn refuse_pick(&self, reason: signer_core::Reason, rule: &str, accepted: &str) -> Decision {
        let value = self.request.user_annotations().get(self.annotation).map_or("", String::as_str);
        let Denial { message, .. } = Denial::of_user_annotation(self.annotation, value, rule, accepted);
        Decision::deny(reason, message)
    }

    fn no_service(&self) -> String {
        format!(
            "no Service of namespace {} selects this pod (labels: {})",
            self.request.namespace(),
            self.pod_labels()
        )
    }

    fn pod_labels(&self) -> String {
        pairs(&self.request.pod().labels)
    }
}

fn pairs<K: Display, V: Display>(labels: &BTreeMap<K, V>) -> String {
    if labels.is_empty() {
        return "none".into();
    }
    listed(labels.iter().map(|(key, value)| format!("{key}={value}")))
}

/// Bytes of a list in a message.
const LONGEST_LIST: usize = 300;
/// Characters of one of its entries.
const LONGEST_ENTRY: usize = 150;

/// As many entries as fit, and how many more there are.
fn listed(entries: impl ExactSizeIterator<Item = String>) -> String {
    let total = entries.len();
    let mut list = String::new();
    for (i, entry) in entries.enumerate() {
        let entry = cut(&entry);
        if list.len() + 2 + entry.len() > LONGEST_LIST {
            return format!("{list} and {} more", total - i);
        }
        if i > 0 {
            list.push_str(", ");
        }
        list.push_str(&entry);
    }
    list
}

fn cut(entry: &str) -> String {
    match entry.char_indices().nth(LONGEST_ENTRY) {
        None => entry.to_owned(),
        Some((end, _)) => format!("{}…", &entry[..end]),
    }
}

#[cfg(test)]
mod tests;
