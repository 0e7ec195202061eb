use std::fs;

use super::*;

fn error(content: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.yaml");
    fs::write(&path, content).unwrap();
    let text = Config::load(&path).unwrap_err().to_string();
    text.replace(path.to_str().unwrap(), "c.yaml")
}

#[test]
fn what_is_no_configuration_file_is_told_without_a_line() {
    assert_eq!(
        error(&vec![b'#'; 1024 * 1024 + 1]),
        "c.yaml: is longer than 1 MiB, the most that a configuration may have"
    );
    assert_eq!(error(b"ab\xff"), "c.yaml: is not UTF-8: the byte at offset 2 belongs to no character");
    let missing = Config::load(Path::new("/nonexistent/c.yaml")).unwrap_err().to_string();
    assert_eq!(missing, "/nonexistent/c.yaml: can't be read: No such file or directory (os error 2)");
    let directory = Config::load(Path::new("/")).unwrap_err().to_string();
    assert_eq!(directory, "/: can't be read: Is a directory (os error 21)");
}
