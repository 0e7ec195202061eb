//! The commands that the documentation gives are understood as they stand there.

use clap::Parser as _;

use super::Arguments;

/// Lines that a reader copies: those of shell blocks, and what follows the prompt in console blocks; up to a
/// comment, or to where the shell takes the output.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().map(|line| line.trim_start().trim_start_matches("$ "));
    let ours = lines.filter(|line| line.starts_with("signerctl "));
    ours.map(|line| line.split_whitespace().take_while(|word| !["#", "|", ">"].contains(word)).collect())
        .collect()
}

#[test]
fn documented_commands_are_understood() {
    for (document, least) in [
        (include_str!("../../../docs/installing.md"), 3),
        (include_str!("../../../docs/ca-rotation.md"), 8),
        (include_str!("../../../docs/ca-files.md"), 1),
        (include_str!("../../../docs/monitoring.md"), 3),
        (include_str!("../../../docs/signerctl.md"), 5),
    ] {
        let commands = commands(document);
        assert!(commands.len() >= least, "{commands:?}");
        for command in commands {
            let parsed = Arguments::try_parse_from(&command);
            assert!(parsed.is_ok(), "{}: {}", command.join(" "), parsed.err().unwrap());
        }
    }
}
