//! What may be done without people about a pool in a Secret. That may have been put back to what it once was,
//! or be somebody's mistake, and a changed pool is newer than all others: only what the trust bundle was made
//! of may change.

use jiff::Timestamp;

use super::secret_content::SecretPoolError;
use crate::trust_bundle::Published;
use ca_pool::{CaCertificate, CaPool, Due, Fitness, RootPublication};

/// What of `due` may be done about a pool while this is published; `None`: that isn't known.
///
/// # Errors
/// If there is no pool, and a new one can't follow from what is published.
pub(crate) fn allowed_changes(
    due: Due,
    pool: Option<&CaPool>,
    published: Option<&Published>,
    now: Timestamp,
) -> Result<Due, SecretPoolError> {
    match (pool, published) {
        (None, None) => Err(SecretPoolError::BundleUnknown),
        // pods have certificates of a pool that was lost
        (None, Some(published)) if !published.is_empty() => Err(SecretPoolError::Lost),
        (None, Some(_)) => Ok(due),
        (Some(pool), Some(published)) if published.is_made_of(pool, now) => Ok(due),
        (Some(_), _) => Ok(Due::Nothing),
    }
}

/// Which of these CAs may be removed. One whose successor can sign nothing that the signer issues stays: it
/// signs in place of that one.
pub(crate) fn removal(
    ids: Vec<String>,
    pool: &CaPool,
    fitness: &Fitness,
    published: Option<&Published>,
    now: Timestamp,
) -> Due {
    let ids = pool.expendable(ids, fitness, now, standing_in(published));
    if ids.is_empty() { Due::Nothing } else { Due::Removal(ids) }
}

/// How a root stands in what is published; `None`: that isn't known.
pub(crate) fn standing_in(published: Option<&Published>) -> impl Fn(&CaCertificate) -> RootPublication {
    move |root| {
        published
            .and_then(|published| published.since(root))
            .map_or(RootPublication::Absent, RootPublication::Since)
    }
}

#[cfg(test)]
mod tests;
