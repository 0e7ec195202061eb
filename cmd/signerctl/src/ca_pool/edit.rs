//! Changing a pool where it is kept. Two people at once lose nothing: what is written replaces what was read, or else nothing.

use k8s_openapi::api::core::v1::Secret;
use signer_core::{CaPool, PoolBytes};

use super::{arguments::Place, file, secret};
use crate::error::Error;

/// A pool that was read, to be replaced.
pub(super) struct Opened {
    /// `None`: there is a place for it, and it is empty.
    pub(super) pool: Option<CaPool>,
    pub(super) version: Version,
}

/// What stood there when it was read.
pub(super) enum Version {
    File(PoolBytes),
    Secret(Box<Secret>),
}

/// How often a change is tried on what others have written meanwhile.
const TRIES: usize = 5;

/// Changes a pool: reads it, has it changed, and replaces what was read. If somebody else was faster, all is done anew on what they wrote.
pub(super) fn edit<T>(
    place: &Place,
    mut change: impl FnMut(CaPool) -> Result<(CaPool, T), Error>,
) -> Result<T, Error> {
    for _ in 0..TRIES {
        if let Some(result) = try_to_edit(place, &mut change)? {
            return Ok(result);
        }
    }
    Err(Error::Busy { place: place.to_string() })
}

/// The same for a change that somebody has agreed to: it isn't done to a pool that they haven't seen.
pub(super) fn edit_once<T>(
    place: &Place,
    change: impl FnOnce(CaPool) -> Result<(CaPool, T), Error>,
) -> Result<T, Error> {
    let mut change = Some(change);
    let once = |pool| match change.take() {
        Some(change) => change(pool),
        None => Err(Error::ChangedMeanwhile { place: place.to_string() }),
    };
    try_to_edit(place, once)?.ok_or_else(|| Error::ChangedMeanwhile { place: place.to_string() })
}

/// `None`: somebody else was faster.
fn try_to_edit<T>(
    place: &Place,
    change: impl FnOnce(CaPool) -> Result<(CaPool, T), Error>,
) -> Result<Option<T>, Error> {
    let Opened { pool, version } = open(place)?;
    let pool =
        pool.ok_or_else(|| Error::NoPool { place: place.to_string(), arguments: place.arguments() })?;
    let (changed, result) = change(pool)?;
    Ok(replace(place, version, &changed)?.then_some(result))
}

pub(super) fn open(place: &Place) -> Result<Opened, Error> {
    match place {
        Place::File(path) => file::open(path),
        Place::Secret { namespace, name } => secret::open(namespace, name),
    }
}

/// Writes over what was read. False: it isn't there any more.
pub(super) fn replace(place: &Place, version: Version, pool: &CaPool) -> Result<bool, Error> {
    let json = pool.to_json()?;
    match (place, version) {
        (Place::File(path), Version::File(read)) => file::replace(path, &read, &json),
        (Place::Secret { .. }, Version::Secret(read)) => secret::replace(*read, &json),
        (Place::File(_), Version::Secret(_)) | (Place::Secret { .. }, Version::File(_)) => {
            Err(Error::NoPlace)
        }
    }
}
