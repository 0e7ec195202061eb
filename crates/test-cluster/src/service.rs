//! Services, from which signers take names.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use kube::{
    Api,
    api::{DeleteParams, ObjectMeta, PostParams},
};

use crate::{Error, Scope};

/// A Service to be created: of type ClusterIP, on port 443, unless told otherwise.
#[derive(Debug, Clone)]
pub struct NewService {
    metadata: ObjectMeta,
    spec: ServiceSpec,
}

impl NewService {
    /// A Service without a selector.
    pub fn new(namespace: &str, name: &str) -> Self {
        let metadata = ObjectMeta {
            namespace: Some(namespace.into()),
            name: Some(name.into()),
            ..ObjectMeta::default()
        };
        let port = ServicePort { name: Some("https".into()), port: 443, ..ServicePort::default() };
        Self { metadata, spec: ServiceSpec { ports: Some(vec![port]), ..ServiceSpec::default() } }
    }

    /// Selects pods by that label, and by those of further calls.
    pub fn selects(mut self, key: &str, value: &str) -> Self {
        self.spec.selector.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Has that annotation too.
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.metadata.annotations.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Has no cluster address: its pods are found by their own names.
    pub fn headless(mut self) -> Self {
        self.spec.cluster_ip = Some("None".into());
        self
    }

    /// Is of that type: `NodePort`, `LoadBalancer`.
    pub fn of_type(mut self, service_type: &str) -> Self {
        self.spec.type_ = Some(service_type.into());
        self
    }

    /// Is an alias for a name outside of the cluster, of type ExternalName.
    pub fn external_name(mut self, name: &str) -> Self {
        self.spec.external_name = Some(name.into());
        self.spec.ports = None;
        self.of_type("ExternalName")
    }
}

impl Scope {
    /// Creates a Service.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn create_service(&self, service: NewService) -> Result<Service, Error> {
        let NewService { metadata, spec } = service;
        let (namespace, name) =
            (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        let service = Service { metadata, spec: Some(spec), status: None };
        let services: Api<Service> = Api::namespaced(self.client(), &namespace);
        let doing = || format!("creating service {namespace}/{name}");
        services.create(&PostParams::default(), &service).await.map_err(Error::api(doing))
    }

    /// Creates thousands of Services, some dozens at once.
    ///
    /// # Errors
    /// [`Error::Api`]; the first that fails ends it.
    pub async fn create_services(&self, services: impl IntoIterator<Item = NewService>) -> Result<(), Error> {
        let made = stream::iter(services).map(|service| self.create_service(service)).buffer_unordered(32);
        made.try_for_each(|_| async { Ok(()) }).await
    }

    /// Deletes a Service.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn delete_service(&self, namespace: &str, name: &str) -> Result<(), Error> {
        let services: Api<Service> = Api::namespaced(self.client(), namespace);
        let doing = || format!("deleting service {namespace}/{name}");
        services.delete(name, &DeleteParams::default()).await.map_err(Error::api(doing))?;
        Ok(())
    }
}
