//! The bound: a signer that signs whatever it is asked to, and answers each request with one PUT. It looks at
//! no pod, keeps no order and no bundle; its client, its one thread and its number of calls at once are
//! signer-manager's. Several share the requests by their UIDs, and never ask each other.

use std::{path::PathBuf, sync::Arc};

use api_client::{PodCertificateRequest, answer::call_unread, discovery::discover};
use ca_pool::{CaPool, Leaf, PublicKey, SerialNumber, Terms, issue, names::DnsName};
use futures::TryStreamExt;
use jiff::Timestamp;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, ListParams, PostParams, WatchEvent, WatchParams},
    core::Request,
};
use kubeconfig::{Environment, Options, connect};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::Result;

/// Signs everything that this signer is asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Its name.
    #[arg(long)]
    signer_name: String,
    /// Its CA pool.
    #[arg(long)]
    pool: PathBuf,
    /// Which of several it is, from 0 on.
    #[arg(long)]
    index: u8,
    /// How many there are.
    #[arg(long)]
    of: std::num::NonZeroU8,
}

/// As signer-manager has it.
const AT_ONCE: usize = 32;

struct NullSigner {
    client: Client,
    resource: ApiResource,
    pool: CaPool,
    leaf: Leaf,
    arguments: Arguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let pool = CaPool::from_json(&std::fs::read(&arguments.pool)?)?;
    let connection =
        connect(&Options { kubeconfig: None, context: None }, &Environment::of_process()).await?;
    let client = connection.client;
    let resource = discover(&client).await?.requests;
    let leaf = Leaf::server().dns_name("null.shop.svc.cluster.local".parse::<DnsName>()?);
    Arc::new(NullSigner { client, resource, pool, leaf, arguments }).serve().await
}

impl NullSigner {
    async fn serve(self: Arc<Self>) -> Result<()> {
        let requests: Api<PodCertificateRequest> = Api::all_with(self.client.clone(), &self.resource);
        let fields = format!("spec.signerName={}", self.arguments.signer_name);
        let list = requests.list_metadata(&ListParams::default().fields(&fields).limit(1)).await?;
        let mut version = list.metadata.resource_version.unwrap_or_default();
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        println!("ready");
        // an API server that is busy ends watches
        loop {
            let parameters = WatchParams::default().fields(&fields);
            let mut events = Box::pin(requests.watch(&parameters, &version).await?);
            while let Some(event) = events.try_next().await? {
                let (WatchEvent::Added(request) | WatchEvent::Modified(request)) = event else { continue };
                version = request.resource_version().unwrap_or(version);
                let is_new = request.status.as_ref().is_none_or(|status| status.conditions.is_empty());
                if is_new && self.is_own(&request) {
                    self.take(request, &slots);
                }
            }
        }
    }

    fn is_own(&self, request: &PodCertificateRequest) -> bool {
        let Arguments { index, of, .. } = &self.arguments;
        uuid_bytes(request.metadata.uid.as_deref().unwrap_or_default())[0] % of.get() == *index
    }

    fn take(self: &Arc<Self>, request: PodCertificateRequest, slots: &Arc<Semaphore>) {
        let (slots, signer) = (Arc::clone(slots), Arc::clone(self));
        tokio::spawn(async move {
            let _slot = slots.acquire_owned().await;
            if let Err(error) = signer.answer(&request).await {
                eprintln!("{error}");
            }
        });
    }

    async fn answer(&self, request: &PodCertificateRequest) -> Result<()> {
        let spec = &request.spec;
        let key = match (&spec.stub_pkcs10_request, &spec.pkix_public_key) {
            (Some(der), _) if !der.0.is_empty() => PublicKey::from_pkcs10(&der.0)?,
            (_, Some(der)) => PublicKey::from_pkix(&der.0)?,
            _ => return Err("a request without a key".into()),
        };
        let (mut random, now) = ([0; 16], Timestamp::now());
        random.copy_from_slice(&uuid_bytes(request.metadata.uid.as_deref().unwrap_or_default()));
        let serial = SerialNumber::from_random(random);
        let issued = issue(&self.leaf, &key, &Terms::default(), self.pool.authority(0), serial, now)?;
        let meta = &request.metadata;
        let body = json!({
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid, "resourceVersion": meta.resource_version},
            "status": {
                "conditions": [{
                    "type": "Issued", "status": "True", "reason": "Issued", "message": "",
                    "lastTransitionTime": Timestamp::from_second(now.as_second())?,
                }],
                "certificateChain": issued.chain_pem,
                "notBefore": issued.not_before,
                "beginRefreshAt": issued.begin_refresh_at,
                "notAfter": issued.not_after,
            },
        });
        let path = PodCertificateRequest::url_path(&self.resource, meta.namespace.as_deref());
        let name = meta.name.as_deref().unwrap_or_default();
        let put = Request::new(path).replace_subresource(
            "status",
            name,
            &PostParams::default(),
            serde_json::to_vec(&body)?,
        )?;
        Ok(call_unread(&self.client, put).await?)
    }
}

/// Sixteen bytes that are another request's never: its UID's.
fn uuid_bytes(uid: &str) -> [u8; 16] {
    let digits: Vec<u8> =
        uid.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte * 16 + digit);
    }
    bytes
}
