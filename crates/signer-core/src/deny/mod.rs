//! Deny rules: who gets no certificate for now, whatever `allow` and the signers say.
//!
//! They are for incidents, so they take effect without a restart, and end without damage: a request that a
//! rule blocks stays pending, for a starting pod too, and is evaluated again when the rules change. A denial
//! would be final for the pod, and a rule may be mistaken.

mod blocking;
mod follower;
mod rule;
mod source;

pub(crate) use self::{blocking::DenyRulesInForce, follower::Follower};
pub use self::{
    follower::ParseDenyRules,
    rule::{DenyRule, DenyRuleError, DenyRules, DenySelector, MAX_DENY_REASON_CHARS},
    source::{DenySource, MAX_DENY_DOCUMENT_BYTES},
};
