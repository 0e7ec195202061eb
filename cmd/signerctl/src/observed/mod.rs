//! What a cluster shows of signers and of the pods that ask them: each object read as far as it counts.

mod bundle;
mod certificate;
mod controller;
mod event;
mod pod;
mod request;

use bounded_text::{acts_in_terminal, one_line, truncated};

pub(crate) use self::{
    bundle::{anchors, published},
    certificate::{LeafCertificate, issuer_key},
    controller::{Controller, ControllerArguments, Deployment, NAME as CONTROLLER_NAME, pool_place},
    event::{Event, of_pod, of_requests},
    pod::{ObservedPod, Owner},
    request::{ObservedRequest, Outcome, requests},
};

/// The longest text of others that is shown.
const LONGEST: usize = 2000;

/// Where objects are listed: those of a namespace, or all.
pub(crate) fn within(group: &str, namespace: Option<&str>, plural: &str) -> String {
    match namespace {
        Some(namespace) => format!("{group}/namespaces/{namespace}/{plural}"),
        None => format!("{group}/{plural}"),
    }
}

/// What a tenant may have written, for a terminal: on one line, and without what would act there or change the order
/// of its letters.
pub(crate) fn shown(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        if acts_in_terminal(c) && !c.is_whitespace() {
            plain.extend(c.escape_unicode())
        } else {
            plain.push(c)
        }
    }
    truncated(&one_line(&plain), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn nothing_acts_in_a_terminal() {
        for (text, expected) in [
            ("plain", "plain"),
            ("two\nlines\tand more", "two lines and more"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\u{061c}b", "a\\u{61c}b"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
