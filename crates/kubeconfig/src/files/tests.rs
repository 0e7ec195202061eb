use std::path::PathBuf;

use super::*;

#[test]
fn a_file_is_read_up_to_a_bound() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    std::fs::write(&path, vec![b'a'; 2049]).unwrap();
    assert_eq!(read(&path, 2049).unwrap().unwrap().len(), 2049);
    let error = read(&path, 2048).unwrap_err().to_string();
    assert!(error.contains("larger than 2 KiB, the most"), "{error}");
    assert!(read(&PathBuf::from("/nonexistent"), 1).unwrap().is_none());
    let error = read(directory.path(), 1).unwrap_err().to_string();
    assert!(error.contains("can't be read"), "{error}");
}
