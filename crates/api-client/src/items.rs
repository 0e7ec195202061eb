//! Takes the JSON of a list apart while it arrives, so that memory holds one item at a time, however long the
//! list is.

use serde::Deserialize;

use super::answer::{BEGINNING, LARGEST_OBJECT};

/// The most that a list may hold beside its items.
const LARGEST_ENVELOPE: usize = 64 * 1024;

/// What a list is besides its items.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct ListHead {
    pub metadata: ListMetadata,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListMetadata {
    pub resource_version: Option<String>,
    #[serde(rename = "continue")]
    pub continue_token: Option<String>,
}

/// An item of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// Its JSON.
    Whole(&'a [u8]),
    /// The beginning of its JSON, which is too large.
    Oversized(&'a [u8]),
}

/// Follows the brackets of a list's JSON, whose items are what stands in the array at its top level.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
    is_in_items: bool,
    /// All but the items.
    envelope: Vec<u8>,
    item: Vec<u8>,
    is_oversized: bool,
}

/// Why a list can't be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the API server's list isn't one in JSON; see what stands in between")]
pub(crate) struct NotAList;

impl Splitter {
    /// Takes the next part of the list. Each item is handed over when it is complete.
    pub(crate) fn push(&mut self, chunk: &[u8], mut each: impl FnMut(Item<'_>)) -> Result<(), NotAList> {
        for byte in chunk {
            let was_within = self.is_within_item();
            self.follow(*byte)?;
            if was_within || self.is_within_item() {
                self.keep(*byte);
                if !self.is_within_item() {
                    let is_oversized = std::mem::take(&mut self.is_oversized);
                    each(if is_oversized { Item::Oversized(&self.item) } else { Item::Whole(&self.item) });
                    self.clear_item();
                }
            } else if !(self.is_in_items && *byte == b',') {
                if self.envelope.len() == LARGEST_ENVELOPE {
                    return Err(NotAList);
                }
                self.envelope.push(*byte);
            }
        }
        Ok(())
    }

    /// What the list says besides its items, when all of it has come.
    pub(crate) fn head(&self) -> Result<ListHead, NotAList> {
        serde_json::from_slice(&self.envelope).map_err(|_| NotAList)
    }

    /// The top level is 1, the array of items 2.
    fn is_within_item(&self) -> bool {
        self.is_in_items && self.depth > 2
    }

    fn follow(&mut self, byte: u8) -> Result<(), NotAList> {
        if self.is_in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_string = false,
                _ => {}
            }
            return Ok(());
        }
        match byte {
            b'"' => self.is_in_string = true,
            b'{' | b'[' => {
                self.depth += 1;
                self.is_in_items |= byte == b'[' && self.depth == 2;
            }
            b'}' | b']' => {
                self.depth = self.depth.checked_sub(1).ok_or(NotAList)?;
                self.is_in_items &= self.depth > 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, byte: u8) {
        if self.is_oversized {
            return;
        }
        if self.item.len() == LARGEST_OBJECT {
            self.is_oversized = true;
            self.item.truncate(BEGINNING);
            return;
        }
        self.item.push(byte);
    }

    /// Keeps the memory for the next one, unless it is much.
    fn clear_item(&mut self) {
        self.item.clear();
        self.item.shrink_to(256 * 1024);
    }
}

#[cfg(test)]
mod tests;
