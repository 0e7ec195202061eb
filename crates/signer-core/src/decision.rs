//! What a signer answers.

use crate::{reason::Reason, reasons};
use ca_pool::Leaf;

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
    /// The condition's message: the key or field, its value, the rule that it broke, and what would be
    /// accepted.
    pub message: String,
    /// What the refusal rests on.
    pub grounds: Grounds,
}

/// What a refusal rests on. A running pod is never broken by a change of mind: kubelet stops serving a pod's
/// certificate when its refresh is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// The request and the pod's spec alone, which never change. Denied whenever it is seen.
    Fixed,
    /// Something that changes: Services, pod annotations, grants, configuration. Denied only while the pod
    /// has not started; at a refresh the request stays pending, and the pod keeps the certificate that it
    /// has.
    Changeable,
}

/// Why a request has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The event's reason.
    pub reason: Reason,
    /// The event's message: what is missing, and how to mend it.
    pub message: String,
    /// What can end it. Whatever it is, the request is looked at again now and then, and when the signer wants
    /// it ([`SignerHandle::look_again`](crate::SignerHandle::look_again)).
    pub until: &'static [WakeOn],
}

/// A change after which a request that waits is looked at again, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WakeOn {
    /// Its pod.
    Pod,
    /// The Services of its pod's namespace.
    Services,
    /// The signer's CA pool, or its published trust bundle.
    Authority,
    /// The operator's deny rules.
    DenyRules,
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
    pub fn deny_permanently(reason: Reason, message: impl Into<String>) -> Self {
        Self::Deny(Denial { reason, message: message.into(), grounds: Grounds::Fixed })
    }

    /// Leaves the request pending, until its pod or a Service of the pod's namespace changes. ([`Wait`] can
    /// say something else.)
    #[must_use]
    pub fn wait(reason: Reason, message: impl Into<String>) -> Self {
        Self::Wait(Wait { reason, message: message.into(), until: &[WakeOn::Services, WakeOn::Pod] })
    }
}

impl Denial {
    /// Refuses a user annotation that the signer doesn't know, for good: the pod's spec fixes it. `known` are
    /// those that it takes.
    #[must_use]
    pub fn of_unknown_user_annotation(key: &str, known: &[String]) -> Self {
        Self {
            reason: reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS,
            message: format!("user annotation {}", unknown_annotation(key, known)),
            grounds: Grounds::Fixed,
        }
    }

    /// Refuses a user annotation of the volume source, for good: the pod's spec fixes it. `rule` says what
    /// the value broke, `accepted` what would be taken in its place. Key and value are cut where they are
    /// long.
    ///
    /// ```
    /// use signer_core::Denial;
    ///
    /// let denial = Denial::of_user_annotation("example.com/web-ttl", "soon", "it is not a number", "write a number of days");
    /// assert_eq!(denial.message, r#"user annotation example.com/web-ttl is "soon": it is not a number; write a number of days"#);
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

/// What a denial says of an annotation's key that a signer doesn't know: the keys that it takes, and the
/// nearest of them if it is near.
///
/// ```
/// let known = ["example.com/web-san".to_owned(), "example.com/web-cn".to_owned()];
/// assert_eq!(
///     signer_core::decision::unknown_annotation("example.com/web-sans", &known),
///     r#""example.com/web-sans" is unknown to this signer; it takes example.com/web-san, example.com/web-cn. Did you mean example.com/web-san?"#
/// );
/// assert_eq!(signer_core::decision::unknown_annotation("a", &[]), r#""a" is unknown to this signer; it takes none, so remove it"#);
/// ```
#[must_use]
pub fn unknown_annotation(key: &str, known: &[String]) -> String {
    let quoted: String = key.chars().take(LONGEST_QUOTE).collect();
    if known.is_empty() {
        return format!("{quoted:?} is unknown to this signer; it takes none, so remove it");
    }
    let nearest = known.iter().map(|known| (distance(&quoted, known), known)).min();
    let hint = match nearest {
        Some((1..=NEAR, known)) => format!(". Did you mean {known}?"),
        _ => String::new(),
    };
    format!("{quoted:?} is unknown to this signer; it takes {}{hint}", known.join(", "))
}

/// Edits after which a key isn't taken for a slip any more.
const NEAR: usize = 2;

/// The characters that have to be added, removed or replaced to make one text of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
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
