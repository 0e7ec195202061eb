//! Changing a pool where it is kept. Two people at once lose nothing: what is written replaces what was read,
//! or else nothing.

use ca_pool::CaPool;
use jiff::Timestamp;

use crate::error::Error;
use crate::store::place::{Opened, Place};

/// How often a change is tried on what others have written meanwhile.
const TRIES: usize = 5;

/// Changes a pool: reads it, has it changed, and replaces what was read. If somebody else was faster, all is
/// done anew on what they wrote.
pub(crate) fn edit<T>(
    place: &Place,
    now: Timestamp,
    mut change: impl FnMut(CaPool) -> Result<(CaPool, T), Error>,
) -> Result<T, Error> {
    for _ in 0..TRIES {
        if let Some(result) = try_to_edit(place, now, &mut change)? {
            return Ok(result);
        }
    }
    Err(Error::Busy { place: place.to_string() })
}

/// The same for a change that somebody has agreed to: it isn't done to a pool that they haven't seen.
pub(crate) fn edit_once<T>(
    place: &Place,
    now: Timestamp,
    change: impl FnOnce(CaPool) -> Result<(CaPool, T), Error>,
) -> Result<T, Error> {
    try_to_edit(place, now, change)?.ok_or_else(|| Error::ChangedMeanwhile { place: place.to_string() })
}

/// `None`: somebody else was faster.
fn try_to_edit<T>(
    place: &Place,
    now: Timestamp,
    change: impl FnOnce(CaPool) -> Result<(CaPool, T), Error>,
) -> Result<Option<T>, Error> {
    let Opened { pool, original } = place.open(now)?;
    let pool =
        pool.ok_or_else(|| Error::NoPool { place: place.to_string(), arguments: place.arguments() })?;
    let (changed, result) = change(pool)?;
    Ok(original.replace(&changed)?.then_some(result))
}
