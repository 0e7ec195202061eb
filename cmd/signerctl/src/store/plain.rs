//! Objects that are read as their JSON is, as far as it counts.

use api_client::{
    answer::SizeClass,
    object::{ApiObject, Identity},
};
use serde::de::DeserializeOwned;

/// What is read of an object of some kind. Fields that aren't there have their defaults.
pub(crate) trait Plain: DeserializeOwned + Default + Send + 'static {
    /// As its `kind` is written.
    const KIND: &'static str;
}

/// The same, for the API server's client.
pub(crate) struct PlainObject<T>(pub(crate) T);

impl<T: Plain> ApiObject for PlainObject<T> {
    type Wire = T;
    const KIND: &'static str = T::KIND;
    const SIZE_CLASS: SizeClass = SizeClass::Others;

    fn from_wire(wire: T) -> Result<Self, String> {
        Ok(Self(wire))
    }

    fn gone(_: Identity) -> Self {
        Self(T::default())
    }
}
