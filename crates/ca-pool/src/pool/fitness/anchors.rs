//! Trust anchors that verifiers can't tell apart. OpenSSL takes the first whose subject is the issuer and
//! whose key identifier doesn't differ, and looks at no other when the signature turns out to be somebody
//! else's; in which order a pod has them is chance, since kubelet shuffles them.

use std::collections::BTreeSet;

use crate::{authority::CaCertificate, pool::CaPool};

/// What is to be told of the roots of a pool, and of those that are published beside them.
pub(super) fn confusable<'a>(
    pool: &'a CaPool,
    published: impl IntoIterator<Item = &'a CaCertificate>,
) -> Vec<String> {
    let mut anchors = pool.roots();
    anchors.extend(published);
    let mut told = BTreeSet::new();
    for authority in pool.authorities() {
        for other in anchors.iter().filter(|other| authority.is_mistaken_for_one_under(other)) {
            let mut both =
                [authority.root(), *other].map(|root| format!("{root}, SHA-256 {}", root.fingerprint()));
            both.sort();
            told.insert(both);
        }
    }
    let text = |[one, other]: [String; 2]| {
        format!(
            "two trust anchors have the same subject and no key identifiers that tell them apart: {one}; and {other}. OpenSSL (nginx, PostgreSQL, Python) takes the \
             first of them alone and refuses what the other has signed. Give the next CA another subject or a subjectKeyIdentifier, and remove one of the two once its \
             certificates have expired"
        )
    };
    told.into_iter().map(text).collect()
}
