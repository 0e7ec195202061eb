//! The names that a certificate can carry. Each type holds only what is legal in a certificate.

mod common_name;
mod dashed_address;
pub(crate) mod dns_name;
mod signer_name;
mod uri;

pub use common_name::{CommonName, CommonNameError};
pub use dashed_address::is_dashed_address;
pub use dns_name::{DnsName, DnsNameError, is_dns_label};
pub use signer_name::{SignerName, SignerNameError};
pub use uri::{Uri, UriError};
