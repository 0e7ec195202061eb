//! What `example-manifests` ask of the program, it understands.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{fs, path::Path};

use clap::Parser;
use mtls_demo::cli::Cli;
use serde_json::Value;

/// All containers of a manifest's workloads.
fn containers(manifest: &str) -> Vec<Value> {
    let objects: Vec<Value> = serde_saphyr::from_multiple(manifest).unwrap();
    let of = |object: &Value| {
        object["spec"]["template"]["spec"]["containers"].as_array().cloned().unwrap_or_default()
    };
    objects.iter().flat_map(of).collect()
}

fn words<'a>(container: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    container[field].as_array().into_iter().flatten().map(|word| word.as_str().unwrap())
}

#[test]
fn each_container_of_the_examples_starts_with_options_that_there_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../example-manifests");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut started = 0;
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
        for container in containers(&fs::read_to_string(&file).unwrap()) {
            let line: Vec<_> = words(&container, "command").chain(words(&container, "args")).collect();
            assert_eq!(line[0], "/mtls-demo", "{}", file.display());
            if let Err(error) = Cli::try_parse_from(line) {
                panic!("{}: {error}", file.display());
            }
            started += 1;
        }
    }
    assert!(started >= 10, "five demos of two ends each, and not {started}");
}
