//! Stands between a manager and the API server, and does what API servers and networks do on bad days.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimePrinter};
use kube::{Client, Config};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::eventually;

/// A gate through which calls go to the API server, as an administrator's.
pub(crate) struct Gate {
    client: Client,
    rules: Arc<Mutex<Vec<Rule>>>,
    stalled: watch::Sender<Vec<&'static str>>,
    ahead: watch::Sender<SignedDuration>,
    task: JoinHandle<()>,
}

/// What becomes of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The API server hears nothing of it, and this is the answer.
    Refused(u16),
    /// The API server does it, but this is the answer.
    AnswerLost(u16),
    /// There is never an answer.
    Silence,
    /// Nothing: it is only counted.
    Noted,
}

struct Rule {
    method: Method,
    /// A part of the path and the query.
    path: String,
    fate: Fate,
    times: usize,
}

#[derive(Clone)]
struct Passage {
    server: Client,
    rules: Arc<Mutex<Vec<Rule>>>,
    stalled: watch::Receiver<Vec<&'static str>>,
    ahead: watch::Receiver<SignedDuration>,
}

impl Gate {
    pub(crate) async fn open(server: Client) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let rules = Arc::<Mutex<Vec<Rule>>>::default();
        let (stall, stalled) = watch::channel(Vec::new());
        let (shift, ahead) = watch::channel(SignedDuration::ZERO);
        let passage = Passage { server, rules: rules.clone(), stalled, ahead };
        let routes = Router::new().fallback(pass).with_state(passage);
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let client = Client::try_from(Config::new(url.parse().unwrap())).unwrap();
        Self { client, rules, stalled: stall, ahead: shift, task }
    }

    /// A client that goes through it.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Lets so many calls of this method, with this in their path and query, suffer this.
    pub(crate) fn interfere(&self, method: Method, path: &str, fate: Fate, times: usize) {
        self.rules.lock().unwrap().push(Rule { method, path: path.into(), fate, times });
    }

    /// From now on, no call suffers.
    pub(crate) fn mend(&self) {
        self.rules.lock().unwrap().clear();
    }

    /// How many of the calls that were to suffer haven't come yet.
    pub(crate) fn outstanding(&self) -> usize {
        self.rules.lock().unwrap().iter().map(|rule| rule.times).sum()
    }

    /// Waits until all calls that were to suffer have come.
    pub(crate) async fn all_came(&self) {
        eventually("calls to the API server", async || match self.outstanding() {
            0 => Ok(()),
            left => Err(format!("{left} haven't come")),
        })
        .await;
    }

    /// From now on, the API server's clock is that much ahead, as its answers say.
    pub(crate) fn shift_dates(&self, ahead: SignedDuration) {
        self.ahead.send_replace(ahead);
    }

    /// From now on, watches of these resources bring no news.
    pub(crate) fn stall_watches(&self, resources: &[&'static str]) {
        self.stalled.send_replace(resources.to_vec());
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(passage): State<Passage>, request: Request) -> Response {
    match passage.fate(&request) {
        None | Some(Fate::Noted) => passage.forward(request).await,
        Some(Fate::Refused(code)) => refusal(code),
        Some(Fate::AnswerLost(code)) => {
            passage.forward(request).await;
            refusal(code)
        }
        Some(Fate::Silence) => futures::future::pending().await,
    }
}

impl Passage {
    fn fate(&self, request: &Request) -> Option<Fate> {
        let mut rules = self.rules.lock().unwrap();
        let path = request.uri().to_string();
        let suffers =
            |rule: &&mut Rule| rule.times > 0 && rule.method == request.method() && path.contains(&rule.path);
        let rule = rules.iter_mut().find(suffers)?;
        rule.times -= 1;
        Some(rule.fate)
    }

    async fn forward(&self, request: Request) -> Response {
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let path = request.uri().path().to_owned();
        let (mut parts, body) = request.into_parts();
        parts.headers.remove(header::HOST);
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let answer = self.server.send(axum::http::Request::from_parts(parts, body.into())).await;
        let Ok(answer) = answer else { return StatusCode::BAD_GATEWAY.into_response() };
        let mut answer = answer.map(Body::new);
        let date = Timestamp::now().checked_add(*self.ahead.borrow()).unwrap();
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap();
        answer.headers_mut().insert(header::DATE, date.parse().unwrap());
        if is_watch { answer.map(|body| self.stallable(path, body)) } else { answer }
    }

    fn stallable(&self, path: String, body: Body) -> Body {
        let is_free = move |stalled: &Vec<&str>| stalled.iter().all(|resource| !path.ends_with(resource));
        let stalled = self.stalled.clone();
        Body::from_stream(body.into_data_stream().then(move |chunk| {
            let (mut stalled, is_free) = (stalled.clone(), is_free.clone());
            async move {
                // an error means that the gate is gone
                drop(stalled.wait_for(is_free).await);
                chunk
            }
        }))
    }
}

/// As the API server writes it.
fn refusal(code: u16) -> Response {
    let status = serde_json::json!({"kind": "Status", "status": "Failure", "message": "a bad day", "reason": "Bad", "code": code});
    (StatusCode::from_u16(code).unwrap(), [(header::CONTENT_TYPE, "application/json")], status.to_string())
        .into_response()
}
