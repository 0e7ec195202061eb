//! Why a pool can't be changed.

use jiff::Timestamp;

use super::PoolError;

/// Why a pool can't be changed like that.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// A successor is prepared already.
    #[error(
        "CA {id:?} is prepared already, and signs from {signs_from} on; wait until then, or take it out with \
         `signerctl ca-pool prune --force --ca-id {id}`"
    )]
    UnderWay {
        /// The one that is prepared.
        id: String,
        /// From when on it signs.
        signs_from: Timestamp,
    },
    /// The successor would sign only when the authority before it can't any more.
    #[error(
        "the new CA would sign from {signs_from} on, and CA {id:?}, which ends at {not_after}, can't sign for so long: nobody could in between. Let the new one sign \
         at {latest} at the latest"
    )]
    TooLate {
        /// The one that signs now.
        id: String,
        /// When it, or a certificate above it, ends.
        not_after: Timestamp,
        /// From when on the successor would sign.
        signs_from: Timestamp,
        /// When it has to come at the latest.
        latest: Timestamp,
    },
    /// There is no authority of that ID.
    #[error("the pool has no CA {id:?}; it has {known}")]
    UnknownId {
        /// What was asked for.
        id: String,
        /// What there is.
        known: String,
    },
    /// Nobody would sign.
    #[error("without CA {id:?} nobody could sign; a new CA has to take its place")]
    NoReplacement {
        /// The one that would leave.
        id: String,
    },
    /// The new authority is vouched for by the root that has to leave.
    #[error(
        "the new CA is under the root of CA {id:?} ({root}), and that root has to leave the trust bundle; take a CA under another root"
    )]
    CompromisedRoot {
        /// The compromised authority.
        id: String,
        /// The subject of its root.
        root: String,
    },
    /// An authority is still needed.
    #[error("CA {id:?} can't be removed before {}: {why}", until.map_or_else(|| "it has a successor that signs".to_owned(), |until| until.to_string()))]
    StillNeeded {
        /// The authority.
        id: String,
        /// Until when it is needed, if that is known.
        until: Option<Timestamp>,
        /// What would break.
        why: &'static str,
    },
    /// The changed pool would be none.
    #[error(transparent)]
    Pool(#[from] PoolError),
}
