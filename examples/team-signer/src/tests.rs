use signer_core::testing::{RequestBuilder, issue};

use super::*;

const NAME: &str = "teams.example.com/member";

fn signer() -> TeamSigner {
    let signer = TeamSigner::new(NAME.parse().unwrap(), "example.com".parse().unwrap());
    let signer = signer.team("payments", WorkloadSelector::new(["shop"], ["payments"])).unwrap();
    signer.team("shop", WorkloadSelector::new(["shop", "web"], ["*"])).unwrap()
}

async fn decide(request: RequestBuilder) -> Decision {
    signer().decide(&request.build()).await.unwrap()
}

#[tokio::test]
async fn a_member_gets_its_team() {
    for (namespace, account, team) in
        [("shop", "server", "shop"), ("web", "server", "shop"), ("shop", "payments", "payments")]
    {
        let request = RequestBuilder::new(NAME).namespace(namespace).service_account(account);
        let Decision::Issue(leaf) = decide(request).await else { panic!("{namespace}/{account}") };
        assert_eq!(leaf.uris[0].as_str(), format!("https://example.com/teams/{team}"));
    }
}

#[tokio::test]
async fn a_member_gets_a_certificate_that_its_examples_announce() {
    let issued = issue(&signer(), &RequestBuilder::new(NAME).build()).await.unwrap();
    assert!(issued.chain_pem.starts_with("-----BEGIN CERTIFICATE-----"));
}

#[tokio::test]
async fn nothing_that_an_author_writes_makes_a_pod_a_member() {
    let stranger =
        RequestBuilder::new(NAME).namespace("evil").label("team", "shop").annotation("team", "shop");
    let Decision::Deny(denial) = decide(stranger).await else { panic!("must deny") };
    assert_eq!(denial.reason, NO_TEAM);
    assert!(denial.message.contains("server of namespace evil belongs to no team"), "{}", denial.message);
}

#[test]
fn a_team_has_a_name() {
    for team in ["", "..", "a b", "a/b", "%2e"] {
        let everybody = WorkloadSelector::new(["*"], ["*"]);
        assert!(signer().team(team, everybody).is_err(), "{team:?}");
    }
}
