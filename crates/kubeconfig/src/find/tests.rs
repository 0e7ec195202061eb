use super::*;

#[test]
fn kubeconfig_is_a_list_and_takes_the_place_of_the_file_at_home() {
    let of = |kubeconfig: Option<&str>| {
        paths(&Environment {
            kubeconfig: kubeconfig.map(Into::into),
            home: Some("/home/me".into()),
            ..Environment::default()
        })
    };
    let listed = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
    assert_eq!(of(None), listed(&["/home/me/.kube/config"]));
    assert_eq!(of(Some("/a::/b:/a:")), listed(&["/a", "/b"]));
    assert_eq!(of(Some(":")), listed(&[]));
    assert_eq!(paths(&Environment::default()), listed(&[]));
}
