//! The annotation that holds what is known of each anchor of a bundle.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The annotation `<path>.<domain>/anchors`.
pub(crate) const ANCHORS: &str = "anchors";

/// The format that is written, and the newest that is read.
const FORMAT: u32 = 1;

/// The longest annotation that is read. With [`MAX_ANCHORS`](super::desired::MAX_ANCHORS) roots it has 40 KiB;
/// the API server takes 256 KiB of all annotations together, from whoever may write the bundle.
const MAX_BYTES: usize = 64 * 1024;

/// What is known of the anchors of a bundle, by their fingerprints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anchors {
    format: u32,
    anchors: BTreeMap<String, AnchorRecord>,
}

/// What is known of one anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AnchorRecord {
    /// Since when it is in the bundle.
    pub(super) since: Timestamp,
    /// When the last leaf under it has expired, where that is known: another CA signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
    /// No CA of the pool has it: its own was replaced outright.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) retained: bool,
}

/// How the annotation can be read.
pub(super) enum Reading {
    Known(BTreeMap<String, AnchorRecord>),
    /// A newer version of this controller has written it.
    NewerFormat(u32),
}

/// Reads the annotation. What can't be read counts as absent: then the roots count as published just now,
/// which is the careful answer.
pub(super) fn read(text: Option<&str>) -> Reading {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Some(text) = text.filter(|text| text.len() <= MAX_BYTES) else {
        return Reading::Known(BTreeMap::new());
    };
    match serde_json::from_str(text) {
        Ok(Format { format }) if format > FORMAT => Reading::NewerFormat(format),
        _ => Reading::Known(
            serde_json::from_str(text).map_or_else(|_| BTreeMap::new(), |read: Anchors| read.anchors),
        ),
    }
}

/// Writes it. A map of strings and times always has a JSON form.
pub(super) fn text(anchors: BTreeMap<String, AnchorRecord>) -> String {
    serde_json::to_string(&Anchors { format: FORMAT, anchors }).unwrap_or_default()
}

#[cfg(test)]
mod tests;
