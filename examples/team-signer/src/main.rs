//! `team-signer NAME DOMAIN POOL-FILE`: the whole binary of a third party's signer.

use signer_core::{BoxError, Manager, PoolSource, SignerOptions, shutdown_signal};
use team_signer::TeamSigner;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, domain, pool] = args.as_slice() else {
        return Err("usage: team-signer NAME DOMAIN POOL-FILE".into());
    };
    let signer = TeamSigner::new(name.parse()?, domain.parse()?);
    let options = SignerOptions::new(PoolSource::PoolFile(pool.into()));
    Manager::new(kube::Client::try_default().await?).signer(signer, options).run(shutdown_signal()?).await?;
    Ok(())
}
