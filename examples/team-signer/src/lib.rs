//! A complete signer of a third party: a pod gets a client certificate for the team that its label `team` names, as the URI
//! `https://<domain>/teams/<team>`.

use signer_core::{BoxError, Decision, DnsName, Leaf, Reason, Request, Signer, SignerName};

const NO_TEAM: Reason = Reason::from_static("PodHasNoTeam");

/// Certifies membership of a team.
#[derive(Debug)]
pub struct TeamSigner {
    name: SignerName,
    domain: DnsName,
}

impl TeamSigner {
    /// A signer of this name, for the teams of this domain.
    #[must_use]
    pub fn new(name: SignerName, domain: DnsName) -> Self {
        Self { name, domain }
    }
}

impl Signer for TeamSigner {
    fn name(&self) -> &SignerName {
        &self.name
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        let Some(team) = request.pod().labels.get("team") else {
            return Ok(Decision::deny(
                NO_TEAM,
                "the pod has no label `team`; set it to the name of the team that runs it",
            ));
        };
        Ok(Decision::issue(Leaf::client().uri(format!("https://{}/teams/{team}", self.domain).parse()?)))
    }
}

#[cfg(test)]
mod tests {
    use signer_core::testing::RequestBuilder;

    use super::*;

    const NAME: &str = "teams.example.com/member";

    async fn decide(request: Request) -> Decision {
        TeamSigner::new(NAME.parse().unwrap(), "example.com".parse().unwrap()).decide(&request).await.unwrap()
    }

    #[tokio::test]
    async fn a_member_gets_its_team() {
        let decision = decide(RequestBuilder::new(NAME).label("team", "shop").build()).await;
        let Decision::Issue(leaf) = decision else { panic!("{decision:?}") };
        assert_eq!(leaf.uris[0].as_str(), "https://example.com/teams/shop");
    }

    #[tokio::test]
    async fn a_pod_without_a_team_is_told_what_to_do() {
        let Decision::Deny(denial) = decide(RequestBuilder::new(NAME).build()).await else {
            panic!("must deny")
        };
        assert_eq!(denial.reason, NO_TEAM);
    }
}
