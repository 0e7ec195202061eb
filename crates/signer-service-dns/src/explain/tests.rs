use signer_core::testing::RequestBuilder;

use super::*;

#[test]
fn what_waits_fits_into_an_event() {
    let signer_name = format!("example.com/{}", vec!["a".repeat(60); 4].join(".").split_at(241).0);
    let mut builder = RequestBuilder::new(&signer_name).namespace(&"n".repeat(63));
    for i in 0..200 {
        builder = builder.label(&format!("{}.example.com/{i:063}", "d".repeat(60)), &"v".repeat(63));
    }
    let request = builder.build();
    let annotation = format!("{signer_name}-services");
    let explain = Explain { annotation: &annotation, request: &request };
    let missing = vec!["s".repeat(63); 100];
    let missing: Vec<_> = missing.iter().map(String::as_str).collect();
    for decision in [
        explain.waits_for_any_service(),
        explain.waits_for_picked_services(&missing),
        explain.too_many_names(1000, 100, 10, false),
    ] {
        let Decision::Wait(wait) = decision else { panic!("{decision:?} doesn't wait") };
        assert!(wait.message.contains(&"n".repeat(63)), "the longest namespace: {}", wait.message);
        assert!(wait.message.len() <= 1024, "{} bytes: {}", wait.message.len(), wait.message);
    }
}

#[test]
fn lists_as_many_as_fit() {
    assert_eq!(listed(["a", "b"].map(str::to_owned).into_iter()), "a, b");
    let long = listed(std::iter::repeat_n("x".repeat(149), 5));
    assert!(long.ends_with(" and 3 more"), "{long}");
    assert_eq!(listed(["y".repeat(200)].into_iter()), format!("{}…", "y".repeat(150)));
}
