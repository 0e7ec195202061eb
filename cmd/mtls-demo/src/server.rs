//! The server.

use std::{
    error::Error,
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use axum::serve::ListenerExt;
use pod_credentials::{
    Clients, CredentialFiles, Peer, PeerRule, SpiffeRule, TlsListener, TrustBundle, TrustFile, Watched,
    server_config,
};
use tokio::{net::TcpListener, sync::watch, time::timeout};

use crate::{
    cli::ServerArgs,
    handlers::{self, Served},
    termination::termination,
};

/// How long requests may take to end after SIGTERM, well within the 30 seconds of a pod's
/// `terminationGracePeriodSeconds`.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Runs the server until SIGTERM or SIGINT. It starts without its files too, and serves when they come.
///
/// # Errors
/// If an address can't be listened on, or options contradict each other.
pub async fn run(args: ServerArgs) -> Result<(), Box<dyn Error>> {
    let termination = termination()?;
    let (served, clients) = follow_files(&args)?;
    let tls = listen("--listen", args.listen).await?;
    let tls = TlsListener::new(tls, server_config(&served.credentials, clients)?);
    let probes = match args.status_listen {
        None => None,
        Some(address) => Some(listen("--status-listen", address).await?),
    };
    tracing::info!("TLS on {}", tls.local_addr()?);
    if let Some(probes) = &probes {
        tracing::info!("/healthz and /status without TLS on {}", probes.local_addr()?);
    }
    serve(served, tls, probes, termination).await?;
    tracing::info!("ended");
    Ok(())
}

fn follow_files(args: &ServerArgs) -> Result<(Served, Clients), Box<dyn Error>> {
    let credentials = Watched::follow(CredentialFiles::bundle(&args.server_creds), args.reload_interval)?;
    let trust = |file: &Path| Watched::<TrustBundle>::follow(TrustFile::new(file), args.reload_interval);
    let mut served = Served::new(credentials, args.server_creds.clone());
    let clients = if let Some(file) = args.spiffe_clients()? {
        let bundle = trust(file)?;
        served.trust = Some((bundle.clone(), file.to_owned()));
        let rule = spiffe_rule(args)?;
        served.spiffe = Some(rule.clone());
        if args.require_spiffe_client {
            Clients::required(&bundle, PeerRule::spiffe(rule))
        } else {
            // The identity is judged by the handler, which can say to the client what is wrong; a handshake
            // can't.
            Clients::optional(&bundle, PeerRule::any_trusted())
        }
    } else if let Some(file) = &args.client_trust_bundle {
        let bundle = trust(file)?;
        served.trust = Some((bundle.clone(), file.clone()));
        let rule = match &*args.allow_client_dns {
            [] => PeerRule::any_trusted(),
            names => PeerRule::dns_names(names),
        };
        Clients::required(&bundle, rule)
    } else {
        Clients::anonymous()
    };
    Ok((served, clients))
}

fn spiffe_rule(args: &ServerArgs) -> Result<SpiffeRule, String> {
    let domain = &args.spiffe_trust_domain;
    let mut rule = SpiffeRule::in_trust_domain(domain.clone());
    for id in &args.allow_spiffe_id {
        if id.trust_domain() != domain {
            return Err(format!(
                "--allow-spiffe-id {id} isn't in the trust domain {domain}; set --spiffe-trust-domain {}",
                id.trust_domain()
            ));
        }
        rule = rule.only(id.clone());
    }
    Ok(rule)
}

async fn serve(
    served: Served,
    tls: TlsListener,
    probes: Option<TcpListener>,
    termination: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (end, ended) = watch::channel(false);
    let until = |mut ended: watch::Receiver<bool>| async move {
        let _ = ended.wait_for(|ended| *ended).await;
    };
    let app = handlers::over_tls(served.clone()).into_make_service_with_connect_info::<Peer>();
    let over_tls = axum::serve(tls, app).with_graceful_shutdown(until(ended.clone()));
    let of_probes = async {
        match probes {
            None => Ok(()),
            Some(listener) => {
                let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
                axum::serve(listener, handlers::for_probes(served)).with_graceful_shutdown(until(ended)).await
            }
        }
    };
    let all = async { tokio::try_join!(over_tls, of_probes) };
    tokio::pin!(all);
    tokio::select! {
        finished = &mut all => return finished.map(drop),
        () = termination => tracing::info!("ending: requests have {LAST_REQUESTS:?} to finish"),
    }
    end.send_replace(true);
    match timeout(LAST_REQUESTS, all).await {
        Ok(finished) => finished.map(drop),
        Err(_) => Ok(()),
    }
}

/// `[::]` stands for all addresses of both families, on a machine without IPv6 too.
async fn listen(option: &str, address: SocketAddr) -> Result<TcpListener, String> {
    let any = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let any_v4 = any.then_some((Ipv4Addr::UNSPECIFIED, address.port()).into());
    let tried: Vec<SocketAddr> = [Some(address), any_v4].into_iter().flatten().collect();
    TcpListener::bind(&*tried).await.map_err(|error| {
        format!("{option} {address}: {error}; choose an address of this machine and a free port")
    })
}
