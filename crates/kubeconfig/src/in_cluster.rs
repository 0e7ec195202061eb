//! The service account of the pod that this runs in (client-go `rest/config.go`, `InClusterConfig`).

use std::{net::IpAddr, path::Path};

use crate::{
    Environment, Error,
    fields::Content,
    files::{self, LARGEST_TOKEN},
    proxy::Proxy,
    server::Server,
    target::{Login, Target, Trust},
};

const DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How a pod calls the API server of its cluster; `None` if this is no pod, or one without a service account
/// token.
pub(crate) fn target(environment: &Environment) -> Result<Option<Target>, Error> {
    target_in(environment, Path::new(DIRECTORY))
}

fn target_in(environment: &Environment, directory: &Path) -> Result<Option<Target>, Error> {
    let Some((host, port)) = &environment.service else { return Ok(None) };
    let token = directory.join("token");
    if !token.is_file() {
        return Ok(None);
    }
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.clone(),
    };
    let wrong = |problem| Error::Environment { variable: "KUBERNETES_SERVICE_HOST", problem };
    let server = Server::parse(&format!("https://{host}:{port}")).map_err(wrong)?;
    let namespace = files::read(&directory.join("namespace"), LARGEST_TOKEN)?;
    let namespace = namespace.and_then(|text| Some(str::from_utf8(&text).ok()?.trim().to_owned()));
    Ok(Some(Target {
        context: None,
        user: format!("the pod's service account in namespace {}", namespace.as_deref().unwrap_or("default")),
        namespace,
        cluster: format!("the pod's {}", directory.display()),
        proxy: Proxy::of_environment(environment, &server)?,
        server,
        tls_server_name: None,
        trust: Trust::Authorities(Content::File(directory.join("ca.crt"))),
        certificate: None,
        login: Login::Token { given: None, file: Some(token) },
        impersonation: Vec::new(),
        warnings: Vec::new(),
    }))
}

#[cfg(test)]
mod tests;
