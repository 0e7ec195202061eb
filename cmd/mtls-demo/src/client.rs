//! The client.

use std::{error::Error, sync::Arc, time::Duration};

use hyper::Uri;
use pod_credentials::{
    CredentialFiles, Credentials, PeerRule, Servers, SpiffeRule, TrustFile, Watched, client_config,
};
use rustls::ClientConfig;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    cli::ClientArgs,
    fetch::{Answer, fetch},
    termination::termination,
    times::utc,
};

/// A server that takes longer won't answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fetches until SIGTERM or SIGINT. It starts without its files too; polls then say what is missing.
///
/// # Errors
/// If signals can't be waited for, or no thread started.
pub async fn run(args: ClientArgs) -> Result<(), Box<dyn Error>> {
    let termination = termination()?;
    let own = match &args.client_cred_bundle {
        None => None,
        Some(file) => Some(Watched::follow(CredentialFiles::bundle(file), args.reload_interval)?),
    };
    let trust = Watched::follow(TrustFile::new(&args.server_trust_bundle), args.reload_interval)?;
    let servers = match args.server_spiffe_id {
        None => Servers::by_name(&trust),
        Some(id) => Servers::by_rule(&trust, PeerRule::spiffe(SpiffeRule::exactly(id))),
    };
    let config = Arc::new(client_config(own.as_ref(), servers)?);
    let polls = async {
        let mut ticks = interval(args.poll_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for url in &args.fetch_url {
                poll(url, own.as_ref(), &config).await;
            }
        }
    };
    tokio::select! {
        () = polls => {}
        () = termination => tracing::info!("ended"),
    }
    Ok(())
}

/// One line, whatever comes of it.
async fn poll(url: &Uri, own: Option<&Watched<Credentials>>, config: &Arc<ClientConfig>) {
    let mine = match own.map(Watched::ready).transpose() {
        Ok(mine) => mine,
        Err(not_ready) => return tracing::warn!(%url, "poll failed: {not_ready}"),
    };
    let own = mine.map_or_else(
        || "none".into(),
        |mine| format!("{} ({})", mine.leaf().names().join(", "), mine.leaf().serial),
    );
    match timeout(PATIENCE, fetch(url, Arc::clone(config))).await {
        Ok(Ok(Answer { status, body, server })) => tracing::info!(
            %url,
            status = status.as_u16(),
            body,
            server = server.names().join(", "),
            serial = server.serial,
            not_after = utc(server.not_after),
            own,
            "poll"
        ),
        Ok(Err(error)) => tracing::warn!(%url, own, "poll failed: {error}"),
        Err(_) => tracing::warn!(%url, own, "poll failed: no answer within {PATIENCE:?}"),
    }
}
