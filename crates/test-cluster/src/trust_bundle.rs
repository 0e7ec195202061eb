//! The ClusterTrustBundles that a signer publishes.

use std::{collections::BTreeMap, time::Duration};

use kube::{Api, ResourceExt, api::ListParams, core::DynamicObject};

use crate::{Cluster, Error};

/// A ClusterTrustBundle, in whatever version it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustBundle {
    /// Its name.
    pub name: String,
    /// By which pods select it.
    pub labels: BTreeMap<String, String>,
    /// Whose anchors these are.
    pub signer_name: String,
    /// PEM certificates.
    pub anchors_pem: String,
    /// Changes with every write.
    pub resource_version: String,
}

impl Cluster {
    /// ClusterTrustBundles, in the version that a client should prefer: for tests that change or remove one.
    ///
    /// # Errors
    /// [`Error::NotServed`]
    pub fn trust_bundle_api(&self) -> Result<Api<DynamicObject>, Error> {
        Ok(Api::all_with(self.client(), &self.served().trust_bundle_resource()?))
    }

    /// Every trust bundle of that signer name.
    ///
    /// # Errors
    /// [`Error::NotServed`], [`Error::Api`]
    pub async fn trust_bundles(&self, signer_name: &str) -> Result<Vec<TrustBundle>, Error> {
        let of_signer = ListParams::default().fields(&format!("spec.signerName={signer_name}"));
        let doing = || format!("listing the trust bundles of {signer_name}");
        let list = self.trust_bundle_api()?.list(&of_signer).await.map_err(Error::api(doing))?;
        Ok(list.items.into_iter().map(TrustBundle::from).collect())
    }

    /// Waits until the signer has published a trust bundle for which `wanted` holds.
    ///
    /// # Errors
    /// [`Error::NotServed`], [`Error::Api`]; [`Error::TimedOut`] shows the bundles that there are.
    pub async fn trust_bundle(
        &self,
        signer_name: &str,
        within: Duration,
        wanted: impl Fn(&TrustBundle) -> bool,
    ) -> Result<TrustBundle, Error> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let bundles = self.trust_bundles(signer_name).await?;
            if let Some(bundle) = bundles.iter().find(|bundle| wanted(bundle)) {
                return Ok(bundle.clone());
            }
            if tokio::time::Instant::now() >= deadline {
                let (what, last) = (format!("a trust bundle of {signer_name}"), format!("{bundles:?}"));
                return Err(Error::TimedOut { what, waited: within, last });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl From<DynamicObject> for TrustBundle {
    fn from(object: DynamicObject) -> Self {
        let text = |field: &str| object.data["spec"][field].as_str().unwrap_or_default().to_owned();
        Self {
            name: object.name_any(),
            labels: object.labels().clone(),
            signer_name: text("signerName"),
            anchors_pem: text("trustBundle"),
            resource_version: object.resource_version().unwrap_or_default(),
        }
    }
}
