//! An example leaf whose names a CA permits, if any are: where pods choose labels, a CA may permit some and
//! forbid others.

use std::str::FromStr;

use crate::{
    authority::CertificateAuthority,
    issuance::{IssueError, check_permission},
    leaf::{ANY_LABEL, Leaf},
    names::Uri,
};

/// The most bases of name constraints that are tried.
const MAX_BASES: usize = 64;

/// A leaf that the CA permits.
pub(super) struct Placed {
    pub(super) leaf: Leaf,
    /// What it says to another one of the same kind.
    pub(super) forbidden: Option<IssueError>,
}

/// Finds names for an example that the CA and those above it permit.
///
/// # Errors
/// What they say of the example if they permit none.
pub(super) fn placed(example: &Leaf, authority: &CertificateAuthority) -> Result<Placed, IssueError> {
    let mut search = Search { authority, bases: bases(authority), forbidden: None };
    let mut leaf = example.clone();
    for name in &mut leaf.dns_names {
        *name =
            search.find(name, name.as_str(), |text| text.parse().ok(), |name| Leaf::default().dns_name(name));
    }
    for uri in &mut leaf.uris {
        let with_host = |host: &str| with_host(uri, host);
        *uri = search.find(uri, uri.host(), with_host, |uri| Leaf::default().uri(uri));
    }
    // without DNS names, OpenSSL takes a common name for a host
    if let Some(name) = leaf.common_name.as_mut().filter(|_| leaf.dns_names.is_empty()) {
        let parse = |text: &str| text.parse().ok();
        *name = search.find(name, name.as_str(), parse, |name| Leaf::default().common_name(name));
    }
    match check_permission(&leaf, authority) {
        Ok(()) => Ok(Placed { leaf, forbidden: search.forbidden }),
        Err(error) => Err(check_permission(example, authority).err().unwrap_or(error)),
    }
}

struct Search<'a> {
    authority: &'a CertificateAuthority,
    bases: Vec<String>,
    forbidden: Option<IssueError>,
}

impl Search<'_> {
    /// The name itself, or one with other labels in the place of those that stand for any; the first that is
    /// permitted.
    fn find<T: Clone>(
        &mut self,
        name: &T,
        host: &str,
        parse: impl Fn(&str) -> Option<T>,
        leaf: impl Fn(T) -> Leaf,
    ) -> T {
        let others = self.bases.iter().filter_map(|base| parse(&moved(host, base)?));
        let mut permitted = None;
        for candidate in [name.clone()].into_iter().chain(others) {
            match check_permission(&leaf(candidate.clone()), self.authority) {
                Ok(()) => drop(permitted.get_or_insert(candidate)),
                Err(error) => drop(self.forbidden.get_or_insert(error)),
            }
        }
        permitted.unwrap_or_else(|| name.clone())
    }
}

/// The bases of all constraints on DNS names and URIs, permitted and excluded.
fn bases(authority: &CertificateAuthority) -> Vec<String> {
    let constraints = authority.path().filter_map(crate::authority::CaCertificate::name_constraints);
    constraints.flat_map(|constraints| constraints.hosts()).take(MAX_BASES).map(str::to_owned).collect()
}

/// A name of the same form in the subtree of a base, if there is one.
fn moved(name: &str, base: &str) -> Option<String> {
    let (mut fixed, mut free) = (name, 0_usize);
    while let Some(rest) = fixed.strip_prefix(ANY_LABEL) {
        fixed = rest.strip_prefix('.').unwrap_or(rest);
        free += 1;
    }
    let bare = base.strip_prefix('.').unwrap_or(base);
    let above = if fixed.is_empty() { Some(bare) } else { bare.strip_suffix(fixed)?.strip_suffix('.') };
    let given = above.filter(|above| !above.is_empty())?.split('.').count();
    let missing = match free.saturating_sub(given) {
        0 => usize::from(base.starts_with('.')),
        missing => missing,
    };
    Some(format!("{}{bare}", format!("{ANY_LABEL}.").repeat(missing)))
}

fn with_host(uri: &Uri, host: &str) -> Option<Uri> {
    Uri::from_str(&format!("{}://{host}{}", uri.scheme(), uri.path())).ok()
}

#[cfg(test)]
mod tests;
