//! For tests: certificates made by other people's software (rcgen), and a volume that changes as kubelet
//! changes it.

mod ca;
mod volume;

pub use ca::{Ca, Leaf};
pub use volume::{Access, Volume};
