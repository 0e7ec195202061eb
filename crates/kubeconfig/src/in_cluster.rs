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
mod tests {
    use super::*;

    #[test]
    fn a_pod_calls_with_its_service_account() {
        let directory = tempfile::tempdir().unwrap();
        let of = |host: &str| {
            let service = Some((host.to_owned(), "443".to_owned()));
            let environment = Environment {
                service,
                https_proxy: Some("squid:3128".into()),
                no_proxy: Some("10.96.0.0/12,fd00::/8".into()),
                ..Environment::default()
            };
            target_in(&environment, directory.path()).unwrap()
        };
        assert!(of("10.96.0.1").is_none(), "a pod without a token");
        for (file, content) in [("token", "t"), ("ca.crt", ""), ("namespace", "mesh\n")] {
            std::fs::write(directory.path().join(file), content).unwrap();
        }
        assert!(target_in(&Environment::default(), directory.path()).unwrap().is_none(), "no pod");
        for (host, url) in [("10.96.0.1", "https://10.96.0.1:443"), ("fd00::1", "https://[fd00::1]:443")] {
            let target = of(host).unwrap();
            assert_eq!(target.server.to_string(), url);
            assert_eq!(target.user, "the pod's service account in namespace mesh");
            assert!(target.proxy.is_none() && target.context.is_none());
            assert!(
                matches!(&target.login, Login::Token { given: None, file: Some(file) } if file.ends_with("token"))
            );
        }
        assert!(of("kubernetes.example").unwrap().proxy.is_some(), "as client-go does");
    }
}
