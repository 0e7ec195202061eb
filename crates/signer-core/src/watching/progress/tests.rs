use super::*;

#[test]
fn pauses_grow_up_to_the_longest() {
    let longest = Duration::from_secs(3);
    let pauses = [1, 2, 3, 4, 5, 6, 40, u32::MAX].map(|failures| pause(failures, longest, 0).as_millis());
    assert_eq!(pauses, [200, 400, 800, 1600, 3000, 3000, 3000, 3000]);
    assert!(pause(9, longest, 255) > longest / 2);
}

#[test]
fn a_failure_says_what_can_be_done_about_it() {
    let refused = kube::core::Status::failure("pods is forbidden", "Forbidden").with_code(403).boxed();
    let text = Failure::list(kube::Error::Api(refused)).text();
    assert!(text.contains("403 Forbidden: pods is forbidden; grant the controller's"), "{text}");
    let lost = kube::Error::Service(std::io::Error::other("lost").into());
    assert!(Failure::list(lost).text().contains("lost; check that the API server runs"));
}
