//! The auth providers that client-go had before plugins (`plugin/pkg/client/auth`).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{Error, fields::Fields};

const KUBELOGIN: &str = "any call of `kubectl` renews it in the file, for a while; for good, log in by the plugin kubelogin (https://github.com/int128/kubelogin)";

/// The token of an `oidc` provider. Of the others kubectl has only messages left.
pub(crate) fn id_token(provider: &Fields<'_>) -> Result<Zeroizing<String>, Error> {
    match provider.text("name")? {
        Some("oidc") => {}
        Some("gcp") => {
            return Err(provider.wrong(
                "its auth-provider gcp was removed from Kubernetes; install gke-gcloud-auth-plugin, and get the credentials anew: `gcloud container clusters get-credentials`",
            ));
        }
        Some("azure") => {
            return Err(provider.wrong(
                "its auth-provider azure was removed from Kubernetes; use the plugin https://github.com/Azure/kubelogin (`kubelogin convert-kubeconfig`)",
            ));
        }
        Some(other) => {
            return Err(provider.wrong(&format!(
                "its auth-provider {other:?} isn't known, to kubectl neither; log in by a plugin (`exec`) or a token"
            )));
        }
        None => return Err(provider.wrong("its auth-provider has no `name`")),
    }
    let config = provider.within("config")?;
    let text = |field| config.as_ref().map_or(Ok(None), |config| config.text(field));
    for field in ["idp-issuer-url", "client-id"] {
        if text(field)?.is_none() {
            return Err(
                provider.wrong(&format!("its auth-provider oidc has no `{field}`, which kubectl demands"))
            );
        }
    }
    text("id-token")?
        .map(|token| Zeroizing::new(token.to_owned()))
        .ok_or_else(|| provider.wrong(&format!("its auth-provider oidc has no `id-token`; {KUBELOGIN}")))
}

/// Whether an identity provider's token may still be used.
///
/// It isn't renewed here: many providers take a refresh token once, and one that isn't written back to the
/// kubeconfig would lock kubectl out.
pub(crate) fn check(token: &str, now: Timestamp, user: &str) -> Result<(), Error> {
    let wrong = |problem: String| Error::Login { entry: user.to_owned(), problem };
    let expiry = expiry(token).ok_or_else(|| {
        wrong(format!(
            "the `id-token` of its auth-provider isn't a JWT that says when it expires; {KUBELOGIN}"
        ))
    })?;
    // as client-go does, so that it doesn't expire on its way
    if now + SignedDuration::from_secs(10) < expiry {
        return Ok(());
    }
    Err(wrong(format!(
        "the `id-token` of its auth-provider oidc expired at {}, and isn't renewed here; {KUBELOGIN}",
        expiry.strftime("%Y-%m-%dT%H:%MZ")
    )))
}

fn expiry(token: &str) -> Option<Timestamp> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let payload: Value = serde_json::from_slice(&payload).ok()?;
    let expiry = payload.get("exp")?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "NumericDate may have a fraction (RFC 7519 §2), and counts in seconds"
    )]
    let seconds = expiry.as_i64().or_else(|| Some(expiry.as_f64()? as i64))?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests;
