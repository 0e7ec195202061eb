//! A complete signer of a third party: a pod gets a client certificate for its team, as the URI
//! `https://<domain>/teams/<team>`. Which team runs which pods the operator says, by namespace and service
//! account: those are verified. A label would say what the pod's author wishes.

use signer_core::{
    BoxError, Decision, DnsName, Leaf, Reason, Request, Signer, SignerName, Uri,
    ca_pool::names::is_dns_label, cluster::WorkloadSelector,
};

const NO_TEAM: Reason = Reason::from_static("PodHasNoTeam");

/// Certifies membership of a team.
#[derive(Debug)]
pub struct TeamSigner {
    name: SignerName,
    domain: DnsName,
    teams: Vec<Team>,
}

/// A team, and which pods are its.
#[derive(Debug)]
struct Team {
    workloads: WorkloadSelector,
    uri: Uri,
}

impl TeamSigner {
    /// A signer of this name, for the teams of this domain. There are none yet.
    #[must_use]
    pub fn new(name: SignerName, domain: DnsName) -> Self {
        Self { name, domain, teams: Vec::new() }
    }

    /// Adds a team, which runs these pods. A pod of two teams is the first one's.
    ///
    /// # Errors
    /// If the team's name is empty or no label. So `decide` never meets a name that it can't certify.
    pub fn team(mut self, team: &str, workloads: WorkloadSelector) -> Result<Self, BoxError> {
        if !is_dns_label(team) {
            return Err(
                format!("team {team:?}: a team's name has 1 to 63 lowercase letters, digits or '-'").into()
            );
        }
        let uri = format!("https://{}/teams/{team}", self.domain).parse()?;
        self.teams.push(Team { workloads, uri });
        Ok(self)
    }
}

impl Signer for TeamSigner {
    fn name(&self) -> &SignerName {
        &self.name
    }

    /// They are issued from each CA when it is loaded, and verified.
    fn examples(&self) -> Vec<Leaf> {
        self.teams.iter().map(|team| Leaf::client().uri(team.uri.clone())).collect()
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        let Some(team) = self.teams.iter().find(|team| request.is_of(&team.workloads)) else {
            let pod = request.pod();
            let (namespace, account) = (&pod.namespace, &pod.service_account_name);
            let message = format!(
                "service account {account} of namespace {namespace} belongs to no team; ask the signer's operator to add it to one"
            );
            return Ok(Decision::deny(NO_TEAM, message));
        };
        Ok(Decision::issue(Leaf::client().uri(team.uri.clone())))
    }
}

#[cfg(test)]
mod tests;
