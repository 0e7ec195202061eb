//! The API server judges a node's request by what its informers know, which may be the state of a moment ago.

use std::time::{Duration, Instant};

use kube::{Api, api::PostParams, core::DynamicObject};

/// For how long the API server's informers may not have heard yet of a node, a pod or a service account:
/// milliseconds, unless the machine stalls.
const INFORMER_LAG: Duration = Duration::from_secs(60);

/// Creates a request, and tries again while the API server's informers may lag behind.
pub(super) async fn create(api: &Api<DynamicObject>, request: &DynamicObject) -> kube::Result<DynamicObject> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        match api.create(&PostParams::default(), request).await {
            Err(kube::Error::Api(status))
                if lags(status.code, &status.message) && began.elapsed() < INFORMER_LAG =>
            {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(200));
            }
            result => return result,
        }
    }
}

/// NodeRestriction answers with 403 what is wrong for good, and with other codes what may be its own
/// ignorance.
fn lags(code: u16, message: &str) -> bool {
    code != 403 && (message.contains("while retrieving") || message.contains("PodCertificateRequest for pod"))
}

#[cfg(test)]
mod tests;
