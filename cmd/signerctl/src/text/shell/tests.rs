use std::process::Command;

use super::*;

#[test]
fn a_shell_reads_back_what_was_quoted() {
    for word in ["my pools/p.json", "it's", "$HOME `id` \"x\" \\", "", "~", "a;b", "plain-1.json"] {
        let output = Command::new("sh").args(["-c", &format!("printf %s {}", quote(word))]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
    }
    assert_eq!(quote("/run/pool-1.json"), "/run/pool-1.json");
}

#[test]
fn yaml_reads_back_what_was_quoted() {
    assert_eq!(yaml("/run/pool.json"), "/run/pool.json");
    for text in ["/my pools/p.json", "/a: b", "/a #b", "/{a}, \"b\" \\", "true"] {
        assert_eq!(serde_json::from_str::<String>(&yaml(text)).unwrap(), text, "JSON is YAML");
    }
}
