//! Pools that keep themselves: get and update of these Secrets suffice, and both are needed.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::Value;
use signer_core::ca_pool::CaPool;
use test_cluster::{Error, Scope};

use crate::{
    manifests::isolated_install::{Names, apply, deny_rules, own_domains, own_namespaces, really},
    support::{
        ca::new_authority_of,
        eventually, on_cluster,
        rights::User,
        running::Running,
        shipped::{CONTROLLER, Manifest, SELF_KEEPING, configuration, folder, list, renamed, texts},
    },
};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The component under names of its own: Secrets that are there, and a service account with the ClusterRole.
struct Component<'a> {
    names: Names,
    secrets: Vec<Value>,
    role_rule: Value,
    account: User<'a>,
}

impl<'a> Component<'a> {
    async fn new(scope: &'a Scope) -> Result<Self, Error> {
        let names = [own_namespaces(scope, &[CONTROLLER]).await?, own_domains(scope)].concat();
        let of_kind = |name: &str, kind: &str| -> Vec<Value> {
            let manifests = folder(name).into_iter().map(|manifest: Manifest| manifest.renamed(&names));
            manifests
                .flat_map(|manifest| manifest.objects())
                .filter(|object| object["kind"] == kind)
                .collect()
        };
        let secrets = of_kind(SELF_KEEPING, "Secret");
        for secret in &secrets {
            apply(&scope.client(), secret, &really()).await.unwrap();
        }
        let account = User::service_account(scope, &names[0].1, "signer-manager").await?;
        account.grant(of_kind(CONTROLLER, "ClusterRole")[0]["rules"].as_array().unwrap()).await;
        account.grant_in(&names[0].1, &deny_rules(scope, &names).await).await;
        let role_rule = of_kind(SELF_KEEPING, "Role")[0]["rules"][0].clone();
        Ok(Self { names, secrets, role_rule, account })
    }

    fn namespace(&self) -> &str {
        &self.names[0].1
    }

    fn start(&self) -> Running {
        let configuration = renamed(&configuration(SELF_KEEPING), &self.names);
        Running::start(&configuration, self.account.client(), Arc::new(tempfile::tempdir().unwrap()))
    }

    /// Waits until that Secret holds a pool of so many CAs.
    async fn pool(&self, client: Client, name: &str, authorities: usize) -> CaPool {
        let secrets: Api<Secret> = Api::namespaced(client, self.namespace());
        eventually("a pool in the Secret", async || {
            let secret = secrets.get(name).await.unwrap();
            let json = secret.data.unwrap_or_default().remove("pool").unwrap_or_default();
            let pool = CaPool::from_json(&json.0).map_err(|error| error.to_string())?;
            let count = pool.authorities().count();
            if count == authorities { Ok(pool) } else { Err(format!("{count} CAs")) }
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_and_update_suffice_to_fill_and_to_rotate() -> Result<(), Error> {
    on_cluster(async |scope| {
        let component = Component::new(scope).await?;
        component.account.grant_in(component.namespace(), std::slice::from_ref(&component.role_rule)).await;
        let secrets: Api<Secret> = Api::namespaced(scope.client(), component.namespace());
        let names =
            texts(&component.secrets.iter().map(|secret| secret["metadata"].clone()).collect(), "name");
        // a CA with a tenth of its life left
        let ageing = new_authority_of("1", Duration::from_secs(328 * 24 * 3600), YEAR);
        let ageing = CaPool::new(vec![ageing]).unwrap().to_json().unwrap().to_vec();
        let filled =
            Secret { data: Some([("pool".to_owned(), ByteString(ageing))].into()), ..Secret::default() };
        secrets.patch(&names[0], &PatchParams::default(), &Patch::Merge(&filled)).await.unwrap();

        let manager = component.start();
        manager.ready().await;
        component.pool(scope.client(), &names[0], 2).await;
        let first = component.pool(scope.client(), &names[1], 1).await;

        // the manifests applied again change nothing in a pool
        for secret in &component.secrets {
            apply(&scope.client(), secret, &really()).await.unwrap();
        }
        let again = component.pool(scope.client(), &names[1], 1).await;
        assert_eq!(again.signing().root().fingerprint(), first.signing().root().fingerprint());

        // no other Secret, and not even the names of these
        let own: Api<Secret> = Api::namespaced(component.account.client(), component.namespace());
        assert_eq!(code(own.get("another").await), 403);
        assert_eq!(code(own.list(&ListParams::default()).await), 403);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_get_or_update_a_pool_does_not_keep_itself() -> Result<(), Error> {
    on_cluster(async |scope| {
        for missing in list(&Component::new(scope).await?.role_rule["verbs"]) {
            let component = Component::new(scope).await?;
            let mut rule = component.role_rule.clone();
            rule["verbs"].as_array_mut().unwrap().retain(|verb| *verb != *missing);
            component.account.grant_in(component.namespace(), &[rule]).await;
            let manager = component.start();
            let refused = format!("cannot {missing} resource \"secrets\"");
            let page =
                manager.readyz(|page| page.body.matches(&refused).count() == component.secrets.len()).await;
            assert_eq!(page.code, 503);
        }
        Ok(())
    })
    .await
}

fn code<T: std::fmt::Debug>(answer: kube::Result<T>) -> u16 {
    match answer {
        Err(kube::Error::Api(status)) => status.code,
        other => panic!("{other:?}"),
    }
}
