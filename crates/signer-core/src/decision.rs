//! What a signer answers.

use crate::{leaf::Leaf, reason::Reason, status::reasons};

/// A signer's verdict on a request. All of it is ordinary data: an `Err` from a signer means "try again".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Issue this.
    Issue(Box<Leaf>),
    /// Refuse. Kubelet takes that as final for the pod.
    Deny(Denial),
    /// Not yet. The request stays pending, and the pod's author hears why.
    Wait(Wait),
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The condition's reason.
    pub reason: Reason,
    /// The condition's message: the key or field, its value, the rule that it broke, and what would be accepted.
    pub message: String,
    /// What the refusal rests on.
    pub grounds: Grounds,
}

/// What a refusal rests on. A running pod is never broken by a change of mind: kubelet stops serving a pod's certificate when its
/// refresh is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// The request and the pod's spec alone, which never change. Denied whenever it is seen.
    Fixed,
    /// Something that changes: Services, pod annotations, grants, configuration. Denied only while the pod has not started; at a refresh
    /// the request stays pending, and the pod keeps the certificate that it has.
    Changeable,
}

/// Why a request has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The event's reason.
    pub reason: Reason,
    /// The event's message: what is missing, and how to mend it.
    pub message: String,
}

impl Decision {
    /// Issues a certificate with these contents.
    #[must_use]
    pub fn issue(leaf: Leaf) -> Self {
        Self::Issue(Box::new(leaf))
    }

    /// Denies, for something that may change. At a refresh, the request is withheld instead.
    #[must_use]
    pub fn deny(reason: Reason, message: impl Into<String>) -> Self {
        Self::Deny(Denial { reason, message: message.into(), grounds: Grounds::Changeable })
    }

    /// Denies, for something in the request or the pod's spec, which nobody can change.
    #[must_use]
    pub fn deny_for_good(reason: Reason, message: impl Into<String>) -> Self {
        Self::Deny(Denial { reason, message: message.into(), grounds: Grounds::Fixed })
    }

    /// Leaves the request pending.
    #[must_use]
    pub fn wait(reason: Reason, message: impl Into<String>) -> Self {
        Self::Wait(Wait { reason, message: message.into() })
    }
}

impl Denial {
    /// Refuses a user annotation of the volume source, for good: the pod's spec fixes it. `rule` says what the value broke, `accepted` what would be
    /// taken in its place. Key and value are cut where they are long.
    ///
    /// ```
    /// use signer_core::Denial;
    ///
    /// let denial = Denial::of_user_annotation("example.com/web-ttl", "soon", "it is no number", "write a number of days");
    /// assert_eq!(denial.message, r#"user annotation example.com/web-ttl is "soon": it is no number; write a number of days"#);
    /// ```
    #[must_use]
    pub fn of_user_annotation(key: &str, value: &str, rule: &str, accepted: &str) -> Self {
        let (key, value) =
            (key.chars().take(LONGEST_QUOTE), value.chars().take(LONGEST_QUOTE).collect::<String>());
        Self {
            reason: reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS,
            message: format!("user annotation {} is {value:?}: {rule}; {accepted}", key.collect::<String>()),
            grounds: Grounds::Fixed,
        }
    }
}

/// Characters of a user's text that a message repeats: a legal key has 317 at most.
const LONGEST_QUOTE: usize = 317;

impl From<Denial> for Decision {
    fn from(denial: Denial) -> Self {
        Self::Deny(denial)
    }
}

impl From<Wait> for Decision {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}
