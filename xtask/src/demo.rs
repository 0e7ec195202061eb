//! `cargo xtask demo`: everything at work, from an empty directory to verified certificates.

mod cast;
mod closing;
mod configuration;
mod manager;
mod play;
mod stage;
mod verdict;
mod views;

use std::time::Instant;

use test_cluster::{Cluster, Minor, Scope, uses_existing};

use self::{
    cast::Namespaces,
    stage::{Programs, Stage},
    verdict::{Row, Verdict},
};
use crate::{
    error::Error,
    interrupt::Interrupt,
    prerequisites::{self, CONTROL_PLANE, DEMO},
    program::blocking,
    terminal::{Steps, Style},
};

/// Show everything at work on a throw-away Kubernetes control plane: three signers, a few pods, their
/// certificates.
///
/// With SIGNER_TEST_CLUSTER=existing it uses the cluster that KUBECONFIG leads to, and removes what it
/// created.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave control plane and signer-manager up until Ctrl-C, and say what to try next.
    #[arg(long)]
    keep: bool,
    /// The version of the control plane: 1.36, newest, oldest [default: newest].
    #[arg(long, value_name = "VERSION")]
    kubernetes: Option<Minor>,
}

/// Runs the demo. Whatever happens, nothing is left running, and no file on disk but what builds have cached.
pub(crate) async fn run(arguments: Arguments, mut interrupt: Interrupt) -> Result<(), Error> {
    let plane = if uses_existing() { &[] } else { CONTROL_PLANE };
    interrupt.or(blocking(move || prerequisites::require(plane.iter().chain(DEMO)))).await?;
    let style = Style::of_stdout();
    let steps = Steps::new(style);
    let mut stage = Stage::new()?;
    println!("{}", style.bold("Pod certificates, from request to verification"));
    let result = perform(&arguments, &mut stage, &steps, &style, &mut interrupt).await;
    match result {
        Err(Error::Step { step, source, .. }) => Err(Error::Step { step, source, log: stage.log_tail() }),
        other => other,
    }
}

async fn perform(
    arguments: &Arguments,
    stage: &mut Stage,
    steps: &Steps,
    style: &Style,
    interrupt: &mut Interrupt,
) -> Result<(), Error> {
    let minor = arguments.kubernetes.map_or_else(Minor::newest, Ok)?;
    let programs = interrupt.or(stage::build(minor, steps)).await?;
    let began = Instant::now();
    let cluster = interrupt.or(stage.connect(minor, steps)).await?;
    let shown: Result<_, Error> = cluster
        .run(async |scope| {
            let shown = interrupt.or(show(scope, stage, &programs, steps, style)).await;
            // Either way it ends before its trust bundles are removed: it would restore them.
            let rows = shown.inspect_err(|_| stage.kill_manager())?;
            if arguments.keep {
                println!("{}", closing::what_to_try(&cluster, stage, &rows, style));
                interrupt.requested().await;
            }
            steps.quiet("stopping signer-manager", stage.stop_manager()).await?;
            Ok(rows)
        })
        .await;
    let rows = shown?;
    steps.quiet("removing everything", stage.clear()).await?;
    println!("{}", closing::summary(&rows, began.elapsed(), style));
    Ok(())
}

/// From CA pools to the last picture.
async fn show(
    scope: &Scope,
    stage: &mut Stage,
    programs: &Programs,
    steps: &Steps,
    style: &Style,
) -> Result<Vec<Row>, Error> {
    claim_signer_names(scope).await?;
    let namespaces = make_namespaces(scope, stage.owns_cluster()).await?;
    stage.create_pools(&programs.signerctl, steps).await?;
    stage.start_manager(programs, scope.cluster(), &namespaces.payments, steps).await?;
    let rows = tokio::select! {
        rows = play::play(scope, &namespaces, steps) => rows?,
        error = stage.manager_ends() => return Err(error),
    };

    print!("\n{}", views::overview(&rows, style));
    let issued = rows.iter().find(|row| matches!(row.verdict, Verdict::Issued(_)));
    if let Some(row) = issued {
        print!("{}{}", views::certificate(row, style), views::trust_bundle(row, style)?);
    }
    for row in &rows {
        print!("{}", views::denial(row, style));
    }
    println!();
    Ok(rows)
}

/// Plain names in a cluster of the demo's own; elsewhere names that tell where they come from.
async fn make_namespaces(scope: &Scope, own: bool) -> Result<Namespaces, Error> {
    let make = async |name: &str| {
        let name = if own { name.to_owned() } else { format!("signer-demo-{name}") };
        scope.exact_namespace(&name).await
    };
    Ok(Namespaces {
        shop: make("shop").await?,
        payments: make("payments").await?,
        batch: make("batch").await?,
    })
}

/// Takes the demo's signer names for itself, so that their trust bundles are removed at the end.
async fn claim_signer_names(scope: &Scope) -> Result<(), Error> {
    for signer_name in configuration::SIGNER_NAMES {
        refuse_if_taken(scope.cluster(), signer_name).await?;
        scope.owns_signer_name(signer_name);
    }
    Ok(())
}

/// Two controllers for one signer name would quarrel, and the demo would remove the other's trust bundle.
async fn refuse_if_taken(cluster: &Cluster, signer_name: &str) -> Result<(), Error> {
    if cluster.trust_bundles(signer_name).await?.is_empty() {
        return Ok(());
    }
    let remedy = "run the demo without SIGNER_TEST_CLUSTER, on a control plane of its own";
    Err(Error::Unmet(format!(
        "this cluster has a trust bundle of {signer_name} already, so a signer too; {remedy}"
    )))
}
