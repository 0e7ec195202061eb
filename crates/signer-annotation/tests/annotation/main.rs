//! What the signer decides: a scenario for each rule, and properties that hold for all requests.

#![expect(clippy::unwrap_used, reason = "tests may; clippy.toml allows it in test functions alone")]

mod adversary;
mod default_names;
mod grants;
mod grounds;
mod hostile_input;
mod identities;
mod issued_names;
mod items;
mod name_lists;
mod ownership;
mod scenario;
mod usages;
mod validity;
