use super::*;
use crate::{Reason, testing::RequestBuilder};

const REASON: Reason = Reason::from_static("Test");

#[test]
fn a_running_pod_is_not_denied_for_what_changed() {
    let running = RequestBuilder::new("example.com/a").running().parts().1;
    for decision in [Decision::deny(REASON, "why"), Decision::wait(REASON, "why")] {
        let Decision::Wait(wait) = withheld_if_running(decision, &running) else { panic!("must wait") };
        assert_eq!(wait.reason, reasons::REFRESH_WITHHELD);
        assert!(wait.message.ends_with("(Test): why"), "{}", wait.message);
    }
    let for_good = Decision::deny_permanently(REASON, "why");
    assert_eq!(withheld_if_running(for_good.clone(), &running), for_good);
}

#[tokio::test]
async fn a_signer_that_panics_is_tried_again() {
    let decided = contained(async { panic!("a bug in a signer") }, DECISION_TIMEOUT).await;
    assert!(matches!(decided, Err(LookError::Panic)));
}

#[tokio::test]
async fn a_signer_that_does_not_decide_is_not_waited_for() {
    let decided = contained(std::future::pending(), Duration::from_millis(1)).await;
    assert!(matches!(decided, Err(LookError::SignerTooSlow(_))));
}

#[test]
fn a_pod_that_starts_hears_the_decision_itself() {
    let starting = RequestBuilder::new("example.com/a").parts().1;
    for decision in
        [Decision::deny(REASON, "why"), Decision::wait(REASON, "why"), Decision::issue(Leaf::server())]
    {
        assert_eq!(withheld_if_running(decision.clone(), &starting), decision);
    }
}
