use super::*;

#[test]
fn as_many_files_may_be_open_as_the_system_allows() {
    raise_open_files();
    let limit = getrlimit(Resource::Nofile);
    assert_eq!(limit.current, limit.maximum);
}
