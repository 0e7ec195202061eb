//! What is printed of a new pool. Keys never are.

use std::path::Path;

use ca_pool::{CaPool, SignerName};
use jiff::Timestamp;

use crate::terminal::{Look, Tone};
use crate::{
    report::outlook::Outlook,
    report::page::{details, left_aside, remark},
    store::place::Place,
    store::secret::{POOL_KEY, SecretPlace},
    text::shell::yaml,
    text::table::fields,
    text::times::minute,
    text::wrap::wrap_behind,
};

/// What was made, where it is, and what to do with it.
pub(crate) fn created(
    place: &Place,
    pool: &CaPool,
    signer: Option<&SignerName>,
    look: Look,
    now: Timestamp,
) -> String {
    let note = match place {
        Place::File(_) => "mode 0600: it holds the CA's key",
        Place::Secret(_) => "it holds the CA's key",
    };
    let authority = pool.signing();
    let mut identity = vec![("ID", authority.id().to_owned())];
    identity.extend(details(authority));
    let signs = Outlook::new(pool, None, now).signs_from(0);
    let signs = signs.map_or_else(String::new, |from| format!("  {:<9} from {} on\n", "Signs", minute(from)));
    format!(
        "{}\n{}{signs}{}{}\n{}",
        place.label().headline(look, Tone::Heading, &format!("Created CA pool {place} ({note})")),
        fields(&identity, look),
        warnings(place, pool, look, now),
        unrecorded(pool, look),
        next(place, signer),
    )
}

/// What is to do soon; with most new pools, nothing.
fn warnings(place: &Place, pool: &CaPool, look: Look, now: Timestamp) -> String {
    let outlook = Outlook::new(pool, Some(place.arguments()), now);
    let to_do: String = outlook
        .to_do()
        .iter()
        .filter(|(tone, _)| *tone != Tone::Good)
        .map(|to_do| remark("  To do: ", to_do, look))
        .chain([left_aside(&outlook, look)])
        .collect();
    if to_do.is_empty() { to_do } else { format!("\n{to_do}") }
}

/// Nobody can tell later how long certificates of a CA may have lived, if it isn't recorded.
fn unrecorded(pool: &CaPool, look: Look) -> String {
    if pool.schedule().windows().iter().all(|window| window.max_leaf_lifetime.is_some()) {
        return String::new();
    }
    let note = "The pool doesn't record how long certificates may live, so the CA's root stays for 92 days when it is replaced. Where the signer's maxLifetime is less, make the pool again with \
                --max-lifetime before it is used, or say so when it is rotated first, with --predecessor-max-lifetime and --max-lifetime.";
    format!("\n{}", wrap_behind("", note, look.width))
}

fn next(place: &Place, signer: Option<&SignerName>) -> String {
    let signer = signer.map_or("<signer name>", SignerName::as_str);
    let entry = |pool: &str| format!("    - name: {signer}\n      caPool: {pool}\n");
    match place {
        Place::File(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            format!(
                "Next, in signer-manager's configuration:\n\n  signers:\n{}",
                entry(&format!("{{file: {}}}", yaml(&path.to_string_lossy())))
            )
        }
        Place::Secret(SecretPlace { namespace, name, .. }) => {
            let directory = Path::new("/run/ca-state").join(name);
            let file = directory.join(POOL_KEY);
            format!(
                "Next, in signer-manager's Deployment, unless it mounts the Secret already (kubectl describe shows it):\n\n  \
                 volumes:      [{{name: {name}, secret: {{secretName: {name}}}}}]\n  \
                 volumeMounts: [{{name: {name}, mountPath: {directory}, readOnly: true}}]\n\n\
                 and in its configuration, unless the signer is there already:\n\n  signers:\n{}\n\
                 or, where its ServiceAccount may get the Secret, in its configuration alone:\n\n  signers:\n{}",
                entry(&format!("{{file: {}}}", file.display())),
                entry(&format!("{{secret: {{namespace: {namespace}, name: {name}}}}}")),
                directory = directory.display(),
            )
        }
    }
}
