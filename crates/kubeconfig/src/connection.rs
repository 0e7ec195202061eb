//! The client.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{
    HeaderValue, Request, Response, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, PROXY_AUTHORIZATION},
};
use hyper::body::Incoming;
use jiff::Timestamp;
use kube::{Client, client::Body};
use tokio::sync::Mutex;
use tower::BoxError;

use crate::{
    Error,
    exec::ExecCredential,
    explain::{CallError, explain, needs_tls},
    material::{TlsFiles, authorization},
    target::{Login, Target},
    transport::{self, HttpClient},
    x509::Certificate,
};

/// How long what was read of files counts, as with client-go and kube.
const FRESH: Duration = Duration::from_secs(60);

/// A client, and what an operator must know of it.
#[derive(Clone)]
pub struct Connection {
    /// Calls the API server.
    pub client: Client,
    /// The API server's URL, as it may be shown.
    pub server: String,
    /// The context; none in a pod.
    pub context: Option<String>,
    /// As whom it is called.
    pub user: String,
    /// What was passed over, and what to do if it wasn't meant so.
    pub warnings: Vec<String>,
}

impl Connection {
    pub(crate) async fn to(target: Target, read: Duration) -> Result<Self, Error> {
        let plugin = match &target.login {
            Login::Exec(exec) => exec.run().await?,
            _ => ExecCredential::default(),
        };
        let state = State::new(&target, plugin, read)?;
        let user = match &target.context {
            Some(context) => format!("{} of context {context}", target.user),
            None => target.user.clone(),
        };
        let (server, context, warnings) =
            (target.server.to_string(), target.context.clone(), target.warnings.clone());
        let namespace = target.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let has_scheme = target.server.without_scheme.is_none();
        let caller = Arc::new(Caller { target, read, state: Mutex::new(state) });
        let client =
            Client::new(tower::service_fn(move |request| Arc::clone(&caller).send(request)), namespace);
        if !has_scheme {
            try_call(&client).await?;
        }
        Ok(Self { client, server, context, user, warnings })
    }
}

/// Whether a server without a scheme can be called without TLS. If not, waiting for it would hide what is
/// wrong.
async fn try_call(client: &Client) -> Result<(), Error> {
    let Ok(request) = Request::get("/version").body(Body::empty()) else { return Ok(()) };
    match client.send(request).await {
        Err(error) => match CallError::of(&error) {
            Some(call) if call.is_wrong_configuration() => Err(Error::NotCallable(call.to_string())),
            _ => Ok(()),
        },
        Ok(_) => Ok(()),
    }
}

/// The connections and the credentials in use.
struct State {
    files: TlsFiles,
    anchors: Arc<[Certificate]>,
    http: HttpClient,
    authorization: Option<HeaderValue>,
    plugin: ExecCredential,
    /// How often the plugin has been run since the start.
    runs: u64,
    /// The API server didn't know whom the plugin's credentials name.
    is_rejected: bool,
    read_at: Instant,
}

impl State {
    fn new(target: &Target, plugin: ExecCredential, read: Duration) -> Result<Self, Error> {
        let files = TlsFiles::read(target, &plugin)?;
        let (tls, anchors) = files.client_config(target)?;
        let http = transport::client(target, tls, read)?;
        let authorization = authorization(target, &plugin)?;
        let (runs, is_rejected, read_at) = (0, false, Instant::now());
        Ok(Self { files, anchors, http, authorization, plugin, runs, is_rejected, read_at })
    }
}

/// What one call goes with.
struct Ready {
    http: HttpClient,
    anchors: Arc<[Certificate]>,
    authorization: Option<HeaderValue>,
    /// Of which run of the plugin it is.
    run: u64,
}

struct Caller {
    target: Target,
    read: Duration,
    state: Mutex<State>,
}

impl Caller {
    async fn send(self: Arc<Self>, mut request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        let ready = self.ready().await?;
        self.address(&mut request, ready.authorization)?;
        let response = match ready.http.request(request).await {
            Ok(response) => response,
            Err(error) => {
                let explained = explain(&error, &self.target, &ready.anchors);
                return Err(explained.map_or_else(|| error.into(), BoxError::from));
            }
        };
        if response.status() == StatusCode::UNAUTHORIZED && matches!(self.target.login, Login::Exec(_)) {
            self.rejected(ready.run).await;
        }
        // an API server's own refusals are JSON
        let is_json = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if response.status() == StatusCode::BAD_REQUEST && !is_json && !self.target.server.is_https() {
            return Err(needs_tls(&self.target).into());
        }
        Ok(response)
    }

    /// What the next call goes with. A plugin may take longer than the call has, so it is run by a task of
    /// its own, and what it gives serves the calls that come after.
    async fn ready(self: &Arc<Self>) -> Result<Ready, BoxError> {
        if !matches!(self.target.login, Login::Exec(_)) {
            return Ok(self.refreshed().await?);
        }
        let caller = Arc::clone(self);
        Ok(tokio::spawn(async move { caller.refreshed().await }).await??)
    }

    async fn refreshed(&self) -> Result<Ready, Error> {
        let mut state = self.state.lock().await;
        self.refresh(&mut state).await?;
        Ok(Ready {
            http: state.http.clone(),
            anchors: Arc::clone(&state.anchors),
            authorization: state.authorization.clone(),
            run: state.runs,
        })
    }

    /// Notes that the API server doesn't know whom the credentials of this run name, unless there are others
    /// since.
    async fn rejected(&self, run: u64) {
        let mut state = self.state.lock().await;
        state.is_rejected |= state.runs == run;
    }

    /// Reads again what may have changed. If that fails, what was read last stays in use, since files may be
    /// gone by intent (kubernetes/kubernetes#68164).
    async fn refresh(&self, state: &mut State) -> Result<(), Error> {
        let mut is_due = state.read_at.elapsed() >= FRESH;
        if let Login::Exec(exec) = &self.target.login {
            let has_expired = state.plugin.expires.is_some_and(|expires| expires <= Timestamp::now());
            if has_expired || state.is_rejected {
                state.plugin = exec.run().await?;
                state.runs += 1;
                state.is_rejected = false;
                is_due = true;
            }
        }
        if matches!(self.target.login, Login::Oidc(_)) {
            authorization(&self.target, &state.plugin)?;
        }
        if !is_due {
            return Ok(());
        }
        state.read_at = Instant::now();
        if let Err(error) = self.reread(state) {
            tracing::warn!(%error, "what was read before stays in use");
        }
        Ok(())
    }

    fn reread(&self, state: &mut State) -> Result<(), Error> {
        state.authorization = authorization(&self.target, &state.plugin)?;
        let files = TlsFiles::read(&self.target, &state.plugin)?;
        if files != state.files {
            // with connections of its own: the old ones go on as who the certificate then said
            let (tls, anchors) = files.client_config(&self.target)?;
            state.http = transport::client(&self.target, tls, self.read)?;
            (state.files, state.anchors) = (files, anchors);
        }
        Ok(())
    }

    /// Gives a request its server and its headers.
    fn address(
        &self,
        request: &mut Request<Body>,
        authorization: Option<HeaderValue>,
    ) -> Result<(), BoxError> {
        *request.uri_mut() = join(&self.target.server.uri, request.uri())?;
        let headers = request.headers_mut();
        if let Some(authorization) = authorization {
            headers.entry(AUTHORIZATION).or_insert(authorization);
        }
        for (name, value) in &self.target.impersonation {
            headers.append(name, value.clone());
        }
        if let Some(proxy) =
            self.target.proxy.as_ref().filter(|proxy| !proxy.is_socks() && !self.target.server.is_https())
            && let Some(authorization) = proxy.authorization()
        {
            headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        Ok(())
    }
}

/// A server may be a part of another: its path goes before that of the call.
fn join(server: &Uri, call: &Uri) -> Result<Uri, http::Error> {
    let base = server.path().trim_end_matches('/');
    let call = call.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let scheme = server.scheme_str().unwrap_or("https");
    let authority = server.authority().map(ToString::to_string).unwrap_or_default();
    Uri::builder().scheme(scheme).authority(authority).path_and_query(format!("{base}{call}")).build()
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { client: _, server, context, user, warnings } = self;
        f.debug_struct("Connection")
            .field("server", server)
            .field("context", context)
            .field("user", user)
            .field("warnings", warnings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
