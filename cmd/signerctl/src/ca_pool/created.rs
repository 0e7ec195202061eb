//! What is printed of a new pool. Keys never are.

use std::path::Path;

use signer_core::{CaPool, SignerName};

use super::{arguments::Place, secret::POOL_KEY, shown::limits, table::fields, times::minute};

/// What was made, where it is, and what to do with it.
pub(super) fn created(place: &Place, pool: &CaPool, signer: Option<&SignerName>) -> String {
    let note = match place {
        Place::File(_) => "mode 0600: it holds the CA's key",
        Place::Secret { .. } => "it holds the CA's key",
    };
    let authority = pool.signing();
    let root = authority.root();
    let signs = pool.tenures()[0].signs_from;
    let signs = signs.map_or_else(String::new, |from| format!("  {:<9} from {} on\n", "Signs", minute(from)));
    format!(
        "Created CA pool {place} ({note})\n\n{}{signs}{}\n{}",
        fields(&[
            ("ID", authority.id().to_owned()),
            ("Subject", root.subject()),
            ("Key type", authority.key().key_type().to_string()),
            ("Valid", format!("{} to {}", minute(root.not_before()), minute(root.not_after()))),
            ("SHA-256", root.fingerprint()),
        ]),
        limits(authority),
        next(place, signer),
    )
}

fn next(place: &Place, signer: Option<&SignerName>) -> String {
    let signer = signer.map_or("<signer name>", SignerName::as_str);
    let entry = |pool: &str| format!("    - name: {signer}\n      caPool: {pool}\n");
    match place {
        Place::File(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            format!(
                "Next, in signer-manager's configuration:\n\n  signers:\n{}",
                entry(&format!("{{file: {}}}", path.display()))
            )
        }
        Place::Secret { namespace, name } => {
            let directory = Path::new("/run/ca-state").join(name);
            let file = directory.join(POOL_KEY);
            format!(
                "Next, in signer-manager's Deployment:\n\n  \
                 volumes:      [{{name: {name}, secret: {{secretName: {name}}}}}]\n  \
                 volumeMounts: [{{name: {name}, mountPath: {directory}, readOnly: true}}]\n\n\
                 and in its configuration:\n\n  signers:\n{}\n\
                 or, where its ServiceAccount may get the Secret, in its configuration alone:\n\n  signers:\n{}",
                entry(&format!("{{file: {}}}", file.display())),
                entry(&format!("{{secret: {{namespace: {namespace}, name: {name}}}}}")),
                directory = directory.display(),
            )
        }
    }
}
