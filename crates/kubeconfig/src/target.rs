//! What a context says: which API server, and who calls it. Checked as kubectl checks it (client-go
//! `tools/clientcmd/validation.go`).

use std::path::PathBuf;

use http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::{
    Environment, Error,
    document::{Document, Entry},
    exec::Exec,
    fields::{Content, Fields},
    oidc,
    proxy::Proxy,
    server::Server,
};

/// An API server, and how it is called.
pub(crate) struct Target {
    /// None in a pod.
    pub(crate) context: Option<String>,
    pub(crate) namespace: Option<String>,
    /// Cluster and user with their files, for messages.
    pub(crate) cluster: String,
    pub(crate) user: String,
    pub(crate) server: Server,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) tls_server_name: Option<String>,
    pub(crate) trust: Trust,
    pub(crate) certificate: Option<(Content, Content)>,
    pub(crate) login: Login,
    pub(crate) impersonation: Vec<(HeaderName, HeaderValue)>,
    /// What is passed over, and what to do if it wasn't meant so.
    pub(crate) warnings: Vec<String>,
}

/// Which servers are believed.
pub(crate) enum Trust {
    /// Those that the system's CAs vouch for.
    System,
    /// Those of these CAs.
    Authorities(Content),
    /// Any.
    Anybody,
}

/// What proves who calls, beside a client certificate.
pub(crate) enum Login {
    Nothing,
    Basic(String, Zeroizing<String>),
    /// The file's, if it can be read; client-go tries it first (`transport/round_trippers.go`).
    Token {
        given: Option<Zeroizing<String>>,
        file: Option<PathBuf>,
    },
    Oidc(Zeroizing<String>),
    Exec(Box<Exec>),
}

impl Target {
    /// That of the chosen context, or the current one; `None` if there is neither.
    pub(crate) fn resolve(
        document: &Document,
        chosen: Option<&str>,
        environment: &Environment,
    ) -> Result<Option<Self>, Error> {
        let Some(name) = chosen.filter(|name| !name.is_empty()).or(document.current_context.as_deref())
        else {
            return Ok(None);
        };
        let context = find(&document.contexts, name).ok_or_else(|| Error::UnknownContext {
            context: name.to_owned(),
            known: document.known_contexts(),
        })?;
        let context = Fields::new("context", context);
        let name_of_cluster =
            context.text("cluster")?.ok_or_else(|| context.wrong("it names no `cluster`"))?;
        let cluster = find(&document.clusters, name_of_cluster).ok_or_else(|| {
            context.wrong(&format!("its cluster {name_of_cluster:?} is in no kubeconfig that was read; correct `cluster`, or add that cluster"))
        })?;
        let nobody = Entry {
            name: context.text("user")?.unwrap_or_default().to_owned(),
            fields: serde_json::Map::new(),
            file: context.entry.file.clone(),
        };
        let mut warnings = Vec::new();
        let user = find(&document.users, &nobody.name).unwrap_or_else(|| {
            if !nobody.name.is_empty() {
                warnings.push(format!("{}: its user {:?} is in no kubeconfig that was read, so calls are made without credentials", context.name(), nobody.name));
            }
            &nobody
        });
        let (cluster, user) = (Fields::new("cluster", cluster), Fields::new("user", user));
        Self::of(&context, &cluster, &user, environment, warnings).map(Some)
    }

    fn of(
        context: &Fields<'_>,
        cluster: &Fields<'_>,
        user: &Fields<'_>,
        environment: &Environment,
        mut warnings: Vec<String>,
    ) -> Result<Self, Error> {
        let server = cluster
            .text("server")?
            .ok_or_else(|| cluster.wrong("it has no `server`; write `server: https://HOST:PORT`"))?;
        let server = Server::parse(server).map_err(|problem| cluster.wrong(&problem))?;
        let proxy = match cluster.text("proxy-url")? {
            Some(url) => Some(Proxy::of_cluster(url).map_err(|problem| cluster.wrong(&problem))?),
            None => Proxy::of_environment(environment, &server)?,
        };
        let trust = trust(cluster)?;
        let credentials = credentials(user, cluster, &server)?;
        let (certificate, login) = if server.is_https() {
            credentials
        } else {
            if credentials.0.is_some() || !matches!(credentials.1, Login::Nothing) {
                warnings.push(plain_http(user, &server));
            }
            (None, Login::Nothing)
        };
        Ok(Self {
            context: Some(context.entry.name.clone()),
            namespace: context.text("namespace")?.map(ToOwned::to_owned),
            cluster: cluster.name(),
            user: user.name(),
            proxy,
            tls_server_name: cluster.text("tls-server-name")?.map(ToOwned::to_owned),
            trust,
            certificate,
            login,
            impersonation: impersonation(user)?,
            server,
            warnings,
        })
    }
}

fn find<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.name == name)
}

/// kubectl sends no credentials without TLS (`client_config.go`, "only try to read the auth information if we
/// are secure").
fn plain_http(user: &Fields<'_>, server: &Server) -> String {
    let without_scheme = if server.without_scheme.is_some() { " (`server` has no scheme)" } else { "" };
    format!(
        "{}: its credentials aren't sent to {server}{without_scheme}, which is called without TLS; write `server: https://HOST:PORT`",
        user.name()
    )
}

fn trust(cluster: &Fields<'_>) -> Result<Trust, Error> {
    let authorities = cluster.content("certificate-authority")?;
    match (cluster.flag("insecure-skip-tls-verify")?, authorities) {
        (true, Some(_)) => Err(cluster.wrong(
            "`insecure-skip-tls-verify` is true though there is a certificate authority; remove one of them, as kubectl demands",
        )),
        (true, None) => Ok(Trust::Anybody),
        (false, Some(authorities)) => Ok(Trust::Authorities(authorities)),
        (false, None) => Ok(Trust::System),
    }
}

type Credentials = (Option<(Content, Content)>, Login);

fn credentials(user: &Fields<'_>, cluster: &Fields<'_>, server: &Server) -> Result<Credentials, Error> {
    let certificate = certificate(user)?;
    let (token, token_file) = (user.secret("token")?, user.path("tokenFile")?);
    let (name, password) = (user.text("username")?, user.secret("password")?);
    let basic = (name.is_some() || password.is_some())
        .then(|| (name.unwrap_or_default().to_owned(), password.unwrap_or_default()));
    let has_token = token.is_some() || token_file.is_some();
    if basic.is_some() && has_token {
        return Err(user.wrong(
            "it has a token and also `username` or `password`; keep one of them, as kubectl demands",
        ));
    }
    let provider = user.within("auth-provider")?;
    let exec = user.within("exec")?;
    if provider.is_some() && exec.is_some() {
        return Err(user.wrong("it has `exec` and `auth-provider`; keep one of them, as kubectl demands"));
    }
    let exec = exec.map(|exec| Exec::parse(&exec, cluster)).transpose()?;
    let id_token = provider.map(|provider| oidc::id_token(&provider)).transpose()?;
    // in the order in which client-go sets the header `Authorization`
    let login = match (&server.basic, basic) {
        (Some((name, password)), _) => Login::Basic(name.clone(), password.clone()),
        (None, Some((name, password))) => Login::Basic(name, password),
        (None, None) if has_token => Login::Token { given: token, file: token_file },
        (None, None) => match (id_token, exec) {
            (Some(id_token), _) => Login::Oidc(id_token),
            // a client certificate of the file's own goes before that of a plugin
            (None, Some(exec)) if certificate.is_none() => Login::Exec(Box::new(exec)),
            _ => Login::Nothing,
        },
    };
    Ok((certificate, login))
}

fn certificate(user: &Fields<'_>) -> Result<Option<(Content, Content)>, Error> {
    let Some(certificate) = user.content("client-certificate")? else { return Ok(None) };
    let key = user.content("client-key")?.ok_or_else(|| {
        user.wrong("it has a client certificate without its key; add `client-key-data` or `client-key`")
    })?;
    Ok(Some((certificate, key)))
}

/// As whom the user acts (`transport/round_trippers.go`, `impersonatingRoundTripper`).
fn impersonation(user: &Fields<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let (uid, groups, extra) = (user.text("as-uid")?, user.texts("as-groups")?, user.lists("as-user-extra")?);
    let Some(name) = user.text("as")? else {
        return if uid.is_none() && groups.is_empty() && extra.is_empty() {
            Ok(Vec::new())
        } else {
            Err(user
                .wrong("it has `as-uid`, `as-groups` or `as-user-extra` without `as`; say whom to act as"))
        };
    };
    let mut headers = Vec::new();
    let mut add = |field: &str, header: &str, value: &str| -> Result<(), Error> {
        let wrong = || {
            user.wrong(&format!(
                "`{field}` holds what no header of HTTP can hold; remove line breaks and control characters"
            ))
        };
        headers.push((
            header.parse().map_err(|_| wrong())?,
            HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?,
        ));
        Ok(())
    };
    add("as", "impersonate-user", name)?;
    uid.map_or(Ok(()), |uid| add("as-uid", "impersonate-uid", uid))?;
    groups.iter().try_for_each(|group| add("as-groups", "impersonate-group", group))?;
    for (key, values) in extra {
        let header = format!("impersonate-extra-{}", escaped(&key));
        values.iter().try_for_each(|value| add("as-user-extra", &header, value))?;
    }
    Ok(headers)
}

/// A key as a part of a header's name: RFC 7230's token, and `%` for all else.
fn escaped(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
    key.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests;
