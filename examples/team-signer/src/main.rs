//! `team-signer NAME DOMAIN POOL-FILE NAMESPACE=TEAM…`: the whole binary of a third party's signer. Each pair
//! gives a namespace to a team.

use signer_core::{BoxError, Manager, PoolSource, SignerOptions, cluster::WorkloadSelector, shutdown_signal};
use team_signer::TeamSigner;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, domain, pool, teams @ ..] = args.as_slice() else {
        return Err("usage: team-signer NAME DOMAIN POOL-FILE NAMESPACE=TEAM…".into());
    };
    let mut signer = TeamSigner::new(name.parse()?, domain.parse()?);
    for pair in teams {
        let (namespace, team) = pair
            .split_once('=')
            .ok_or_else(|| format!("{pair:?} isn't NAMESPACE=TEAM; write for example web=shop"))?;
        signer = signer.team(team, WorkloadSelector::new([namespace], ["*"]))?;
    }
    let options = SignerOptions::new(PoolSource::PoolFile(pool.into()));
    Manager::new(kube::Client::try_default().await?).signer(signer, options).run(shutdown_signal()?).await?;
    Ok(())
}
