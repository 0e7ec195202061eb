use std::{fs, path::Path};

use super::*;

fn options(path: &Path, size: u64, backups: u32) -> AuditFileOptions {
    AuditFileOptions { path: path.to_owned(), size, backups }
}

fn write_all(options: AuditFileOptions, records: &[&str]) {
    let (mut file, writing) = AuditFile::open(options).unwrap();
    records.iter().for_each(|record| file.write_all(record.as_bytes()).unwrap());
    drop(writing);
    assert_eq!(file.lost().get(), 0);
}

#[test]
fn records_fill_one_file_after_the_other_and_the_oldest_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let records = ["first\n", "second\n", "third\n", "a long one, longer than a file\n", "last\n"];
    write_all(options(&path, 14, 2), &records);
    let text = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap_or_default();
    assert_eq!(text("audit.log"), "last\n");
    assert_eq!(text("audit.log.1"), "a long one, longer than a file\n");
    assert_eq!(text("audit.log.2"), "third\n");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn a_file_that_is_there_goes_on_and_nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    write_all(options(&path, 1000, 0), &["a\n"]);
    write_all(options(&path, 1000, 0), &["b\n"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "a\nb\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    write_all(options(&path, 4, 0), &["c\n"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "c\n", "one file alone");
}

#[test]
fn a_disk_that_is_full_costs_no_record_that_is_there_and_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let mut file = RotatedFile::open(options(Path::new("/dev/full"), 1000, 2)).unwrap();
    assert_eq!(file.write(b"a\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(file.write(b"a\n").is_err(), "it is opened anew");
    let mut file = RotatedFile::open(options(&path, 1000, 2)).unwrap();
    file.write(b"a\n").unwrap();
    fs::remove_dir_all(dir.path()).unwrap();
    file.write(b"b\n").unwrap();
    assert!(AuditFile::open(options(&path, 1000, 2)).is_err(), "the directory doesn't exist");
}

#[test]
fn what_comes_too_fast_is_counted_and_nobody_waits() {
    let (sender, _records) = sync_channel(1);
    let mut file = AuditFile { sender, lost: Counter::default() };
    for _ in 0..3 {
        file.write_all(b"a\n").unwrap();
    }
    assert_eq!(file.lost().get(), 2);
}
