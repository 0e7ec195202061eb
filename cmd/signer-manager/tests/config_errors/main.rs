//! Every message that a bad configuration can bring, word for word, with its line and column.

mod document;
mod kinds;
mod policy;
mod signers;

use signer_manager::Config;

/// Checks that a text has exactly these errors, one a line, without the file's name.
#[track_caller]
fn assert_errors(text: &str, expected: &[&str]) {
    let found = match Config::parse(text, "f.yaml") {
        Ok(_) => panic!("there is nothing wrong with:\n{text}"),
        Err(errors) => errors.to_string(),
    };
    let found: Vec<_> = found.lines().map(|line| line.strip_prefix("f.yaml:").unwrap_or(line)).collect();
    assert_eq!(found, expected, "in:\n{text}");
}

/// A configuration of one signer, which has a name, a kind and a CA pool in lines 2 to 4; these fields follow
/// from line 5 on, at column 3.
fn signer(kind: &str, fields: &str) -> String {
    let head = format!("signers:\n- name: example.com/a\n  kind: {kind}\n  caPool: {{file: /run/a.json}}\n");
    fields.lines().fold(head, |text, line| text + "  " + line + "\n")
}
