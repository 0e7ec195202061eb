//! `cargo xtask docs`: the book.

use std::process::Command;

use test_cluster::workspace_dir;

use crate::{cargo, error::Error, program};

/// The one that the pages are looked at with.
const MDBOOK: &str = "0.5.4";

/// Build the documentation as a book, target/book/index.html, with mdBook, which is built first (minutes,
/// once).
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// Builds it, and says where it is.
pub(crate) fn run() -> Result<(), Error> {
    let tools = workspace_dir().join("target/tools");
    let mdbook = tools.join("bin/mdbook");
    if !mdbook.exists() {
        let mut install = cargo::cargo();
        install.args(["install", "mdbook", "--locked", "--version", MDBOOK, "--root"]).arg(&tools);
        program::run(&mut install)?;
    }
    program::run(Command::new(mdbook).arg("build").arg(workspace_dir()))?;
    println!("{}", workspace_dir().join("target/book/index.html").display());
    Ok(())
}
