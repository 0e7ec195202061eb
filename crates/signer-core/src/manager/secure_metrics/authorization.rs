//! Who may read metrics: the API server is asked who a bearer token is (TokenReview), and whether that one may
//! `get` the path (SubjectAccessReview), as it does for its own `/metrics`.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::digest;
use axum::{
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bounded_text::{one_line, truncated};
use kube::{Client, api::PostParams, core::Request};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use crate::api::{
    answer::{SizeClass, call},
    error::{describe, is_status},
    timeout::with_timeout,
};

/// How long an answer that allows counts. Prometheus asks every 15 to 60 seconds, with the same token.
const ALLOWED_FOR: Duration = Duration::from_secs(60);
/// More scrapers than any cluster has.
const MOST_REMEMBERED: usize = 64;
/// How long a scraper waits for the API server's answer: less than it has for the whole exchange, so that it hears
/// why there is none.
const REVIEW_TIMEOUT: Duration = Duration::from_secs(4);
/// Reviews at once: whoever guesses tokens shouldn't have the API server guess with them.
const REVIEWS: usize = 2;

/// Asks the API server who may read what.
pub(super) struct Authorizer {
    client: Client,
    /// By the SHA-256 of token and path.
    allowed: Mutex<HashMap<Vec<u8>, Instant>>,
    reviews: Semaphore,
    review_timeout: Duration,
    is_failing: AtomicBool,
}

/// Why somebody may not.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoToken,
    UnknownToken,
    Forbidden {
        user: String,
        verb: String,
        path: String,
        /// What the API server couldn't look at meanwhile, such as a role that is gone; often nothing.
        evaluation_error: String,
    },
    /// The API server couldn't be asked.
    Unavailable(String),
}

/// Who a token is, as the API server tells it: passed on as it came, since authorizers may look at any of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    username: String,
    uid: String,
    groups: Vec<String>,
    extra: HashMap<String, Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenStatus {
    authenticated: bool,
    user: User,
    error: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AccessStatus {
    allowed: bool,
    evaluation_error: String,
}

#[derive(Deserialize)]
struct Review<T> {
    status: T,
}

impl Authorizer {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            allowed: Mutex::default(),
            reviews: Semaphore::new(REVIEWS),
            review_timeout: REVIEW_TIMEOUT,
            is_failing: AtomicBool::new(false),
        }
    }

    pub(super) async fn check(
        &self,
        headers: &HeaderMap,
        method: &Method,
        path: &str,
    ) -> Result<(), Refusal> {
        let token = bearer_token(headers).ok_or(Refusal::NoToken)?;
        let verb = method.as_str().to_lowercase();
        let key = [token, &verb, path]
            .map(|part| digest::digest(&digest::SHA256, part.as_bytes()).as_ref().to_vec())
            .concat();
        if self.is_remembered(&key, Instant::now()) {
            return Ok(());
        }
        let review = async {
            // it is never closed
            let _permit = self.reviews.acquire().await;
            self.review(token, &verb, path).await
        };
        let too_slow = |_| Err(Refusal::Unavailable(format!("no answer within {:?}", self.review_timeout)));
        let reviewed = timeout(self.review_timeout, review).await.unwrap_or_else(too_slow);
        match &reviewed {
            Err(Refusal::Unavailable(problem)) if !self.is_failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!("nobody can read metrics: {problem}");
            }
            Err(Refusal::Unavailable(_)) => {}
            _ => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("metrics can be read again");
                }
            }
        }
        reviewed?;
        self.remember(key, Instant::now());
        Ok(())
    }

    async fn review(&self, token: &str, verb: &str, path: &str) -> Result<(), Refusal> {
        let spec = json!({"token": token});
        let TokenStatus { authenticated, user, error } =
            self.ask("authentication", "TokenReview", spec).await?;
        if !authenticated {
            // also what is said of a token that is none, so it doesn't tell that nobody could find out
            tracing::debug!(error = one_line(&truncated(&error, 1000)), "a scraper's token isn't known");
            return Err(Refusal::UnknownToken);
        }
        let attributes = json!({"path": path, "verb": verb});
        let spec = json!({
            "user": user.username, "uid": user.uid, "groups": user.groups, "extra": user.extra,
            "nonResourceAttributes": attributes,
        });
        let AccessStatus { allowed, evaluation_error } =
            self.ask("authorization", "SubjectAccessReview", spec).await?;
        if allowed {
            return Ok(());
        }
        Err(Refusal::Forbidden {
            user: user.username,
            verb: verb.to_owned(),
            path: path.to_owned(),
            evaluation_error: one_line(&truncated(&evaluation_error, 1000)),
        })
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        group: &str,
        kind: &str,
        spec: Value,
    ) -> Result<T, Refusal> {
        let api_version = format!("{group}.k8s.io/v1");
        let plural = format!("{}s", kind.to_lowercase());
        let review = json!({"apiVersion": api_version, "kind": kind, "spec": spec}).to_string().into_bytes();
        let request = Request::new(format!("/apis/{api_version}/{plural}"))
            .create(&PostParams::default(), review)
            .map_err(|error| Refusal::Unavailable(format!("{kind}: {error}")))?;
        let answer = with_timeout(call(&self.client, request, SizeClass::Others)).await;
        let answer = answer.map_err(|error| {
            let remedy = if is_status(&error, 403) {
                ". Bind the ClusterRole system:auth-delegator to its service account, as overlays/metrics-auth does"
            } else {
                ""
            };
            Refusal::Unavailable(format!("{kind}: {}{remedy}", describe(&error)))
        })?;
        let review: Review<T> = serde_json::from_slice(&answer.bytes)
            .map_err(|_| Refusal::Unavailable(format!("{kind}: the answer isn't one of an API server")))?;
        Ok(review.status)
    }

    fn is_remembered(&self, key: &[u8], now: Instant) -> bool {
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        allowed.get(key).is_some_and(|at| counts(*at, now))
    }

    fn remember(&self, key: Vec<u8>, now: Instant) {
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if allowed.len() >= MOST_REMEMBERED {
            allowed.retain(|_, at| counts(*at, now));
        }
        if allowed.len() < MOST_REMEMBERED {
            allowed.insert(key, now);
        }
    }
}

fn counts(allowed_at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(allowed_at) < ALLOWED_FOR
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        match self {
            Self::NoToken => {
                let text = "no bearer token; send that of a service account which may get this path: Authorization: Bearer TOKEN\n";
                (StatusCode::UNAUTHORIZED, challenge, text).into_response()
            }
            Self::UnknownToken => {
                let text = "the API server doesn't know this bearer token; it may have expired, or be another cluster's\n";
                (StatusCode::UNAUTHORIZED, challenge, text).into_response()
            }
            Self::Forbidden { user, verb, path, evaluation_error } => {
                let shipped = if path == "/metrics" && verb == "get" {
                    ", such as signer-manager-metrics-reader"
                } else {
                    ""
                };
                let mut text = format!(
                    "{user} may not {verb} {path}; bind a ClusterRole with nonResourceURLs [{path}] and verbs [{verb}] to it{shipped}\n"
                );
                if !evaluation_error.is_empty() {
                    text += &format!(
                        "The API server couldn't look at all that may allow it: {evaluation_error}\n"
                    );
                }
                (StatusCode::FORBIDDEN, text).into_response()
            }
            Self::Unavailable(problem) => {
                (StatusCode::SERVICE_UNAVAILABLE, format!("who asks can't be found out: {problem}\n"))
                    .into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests;
