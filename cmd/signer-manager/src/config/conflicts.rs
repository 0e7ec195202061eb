//! What two signers may not have in common.

use std::collections::HashMap;

use super::{
    ca_pool::places,
    error::ConfigError,
    field::{Field, Mapping, quoted},
};

/// Names and CA files that two signers have: each needs its own. Two signers that share a CA are one to who
/// trusts it; what files hold the same CA under two names is found out when they are read.
pub(super) fn conflicts(signers: &[Field<'_>]) -> Vec<ConfigError> {
    let signers: Vec<_> = signers.iter().filter_map(|entry| entry.mapping("").ok()).collect();
    let mut errors = shared(&signers, "the name", |signer| {
        let name = signer.get("name");
        name.and_then(|field| Some((field.text("").ok()?.to_owned(), field))).into_iter().collect()
    });
    errors.extend(shared(&signers, "the place of a CA", |signer| {
        places(signer).into_iter().map(|(field, place)| (place, field)).collect()
    }));
    errors
}

/// An error for each value that an earlier signer has too.
fn shared<'a>(
    signers: &[Mapping<'a>],
    what: &str,
    values: impl Fn(&Mapping<'a>) -> Vec<(String, Field<'a>)>,
) -> Vec<ConfigError> {
    let mut owners: HashMap<String, (usize, Field<'a>)> = HashMap::new();
    let mut errors = Vec::new();
    for (i, signer) in signers.iter().enumerate() {
        for (value, field) in values(signer) {
            match owners.get(&value) {
                Some((owner, first)) if *owner != i => {
                    let (value, line) = (quoted(&value), first.position().line);
                    errors.push(field.error(format!(
                        "{value} is {what} of another signer ({}, line {line}); give each signer its own",
                        first.path()
                    )));
                }
                Some(_) => {}
                None => drop(owners.insert(value, (i, field))),
            }
        }
    }
    errors
}
