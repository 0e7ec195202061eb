//! Which API server the process talks to, and as whom.

use std::{path::Path, time::Duration};

use kube::{Client, Config, config::Kubeconfig};
use signer_core::api::check_server_url;

use crate::run::RunError;

/// A client, and what an operator must know of it.
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The API server's URL.
    pub(crate) server: String,
    /// As whom it is called.
    pub(crate) user: String,
}

/// A longer silence is a dead connection: signer-core's watches end after 25 to 31 s, and the API server gives up on other calls after a minute (`--request-timeout`).
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// Makes a client: as the kubeconfig says; without one, as the environment or the pod's service account do.
pub(crate) async fn connect(kubeconfig: Option<&Path>) -> Result<Connection, RunError> {
    let (mut config, user) = match kubeconfig {
        Some(path) => from_file(path).await.map_err(|source| {
            let path = path.display().to_string();
            RunError::Kubeconfig { path, source }
        })?,
        None => inferred().await?,
    };
    let server = check_server_url(&config.cluster_url)?;
    config.read_timeout.get_or_insert(LONGEST_SILENCE);
    // kube repeats a call that is answered 429 or 503 after pauses that grow to minutes, unseen by readiness; each caller here has retries of its own
    config.default_retry = false;
    let client = Client::try_from(config).map_err(RunError::Client)?;
    Ok(Connection { client, server, user })
}

async fn from_file(path: &Path) -> Result<(Config, String), kube::config::KubeconfigError> {
    let kubeconfig = Kubeconfig::read_from(path)?;
    let user = user(&kubeconfig);
    Ok((Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?, user))
}

async fn inferred() -> Result<(Config, String), RunError> {
    let config = Config::infer().await.map_err(RunError::NoCluster)?;
    // as kube chooses: a kubeconfig if one can be read, else the pod's service account
    let user = match Kubeconfig::read() {
        Ok(kubeconfig) if Config::from_kubeconfig(&Default::default()).await.is_ok() => user(&kubeconfig),
        _ => format!("the pod's service account in namespace {}", config.default_namespace),
    };
    Ok((config, user))
}

/// The name in the kubeconfig's current context.
fn user(kubeconfig: &Kubeconfig) -> String {
    let current = kubeconfig.current_context.as_deref().unwrap_or_default();
    let context = kubeconfig.contexts.iter().find(|context| context.name == current);
    let user = context.and_then(|context| context.context.as_ref()?.user.as_deref());
    match user {
        Some(user) => format!("user {user} of context {current}"),
        None => format!("no user, context {current}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_that_of_the_current_context() {
        let parse = |text: &str| Kubeconfig::from_yaml(text).unwrap();
        let text = "contexts:\n- {name: a, context: {cluster: c, user: alice}}\n- {name: b, context: {cluster: c, user: bob}}\n";
        assert_eq!(user(&parse(&format!("{text}current-context: b\n"))), "user bob of context b");
        assert_eq!(user(&parse("contexts: []\n")), "no user, context ");
    }
}
