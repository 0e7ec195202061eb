//! What runs as the first process of the node's namespaces.

use std::{io, time::Instant};

use test_cluster::Minor;

use super::{
    checks::{self, Checks},
    layout, machine,
    node::Node,
    summary,
};
use crate::{
    error::Error,
    interrupt::Interrupt,
    program::blocking,
    terminal::{Steps, Style},
};

/// For `cargo xtask node-e2e` itself: the part that runs in the node's namespaces.
#[derive(clap::Args)]
pub(crate) struct InsideArguments {
    #[arg(long)]
    kubernetes: Minor,
    #[arg(long)]
    keep: bool,
}

/// Starts the node, checks everything, and shows a table. Ends with standard input.
pub(crate) async fn run_inside(arguments: InsideArguments, mut interrupt: Interrupt) -> Result<(), Error> {
    tokio::select! {
        result = interrupt.or(perform(&arguments)) => result,
        // Whoever wants it tells the user.
        _ = blocking(end_of_input) => Err(Error::NodeFailed),
    }
}

/// Returns when the starter wants an end, or is gone.
fn end_of_input() -> Result<(), Error> {
    let read = io::copy(&mut io::stdin(), &mut io::sink());
    read.map(|_| ()).map_err(Error::io("reading", "standard input"))
}

async fn perform(arguments: &InsideArguments) -> Result<(), Error> {
    let style = Style::of_stdout();
    let steps = Steps::new(style);
    let began = Instant::now();
    steps.quiet("making namespaces for the node", blocking(machine::prepare)).await?;
    let mut node = Node::start(arguments.kubernetes, &steps).await?;
    let mut checks = Checks::new(&steps);
    checks::all(&mut node, &mut checks).await;
    let rows = checks.rows();
    println!("\n{}", summary::table(&rows, &style));
    let failed = rows.iter().filter(|row| row.seen.is_err()).count();
    let (seconds, version) = (began.elapsed().as_secs(), node.kubernetes());
    println!(
        "{} of {} checks passed on Kubernetes {version}, in {seconds} s",
        rows.len() - failed,
        rows.len()
    );
    if arguments.keep {
        keep(&node);
        std::future::pending::<()>().await;
    }
    if failed > 0 { Err(Error::ChecksFailed { logs: layout::logs() }) } else { Ok(()) }
}

/// Says how to look at the node from outside of its namespaces.
fn keep(node: &Node) {
    let enter = "nsenter --target $(pgrep --full --newest node-e2e-inside) --mount --net --pid";
    let kubectl = format!("{} kubectl", node.kubectl.program.display());
    println!("\nThe node stays until Ctrl-C. To look at it, as root:");
    println!("  {enter} env KUBECONFIG={} bash", node.kubectl.kubeconfig.display());
    println!("  alias kubectl='{kubectl}'; kubectl get pods --all-namespaces");
}
