//! The steps of an issuance, on one core, beside what OpenSSL takes to sign with the same key.

use std::{
    hint::black_box,
    process::Command,
    time::{Duration, Instant},
};

use api_client::{PodCertificateRequest, object::ApiObject};
use ca_pool::{
    CaPool, CertificateAuthority, Leaf, NewRoot, PublicKey, SerialNumber, SigningKey, SigningKeyType, Terms,
    prepare, root_common_name,
};
use futures::executor::block_on;
use jiff::Timestamp;
use signer_core::{Decision, Signer as _, cluster::Service, testing::RequestBuilder};
use signer_service_dns::{ServiceDnsConfig, ServiceDnsSigner};

use super::Extent;
use crate::{
    Result,
    report::{Figure, Row, Section},
};

/// The keys of CAs, and what `openssl speed` calls them.
const KEYS: [(SigningKeyType, &str); 4] = [
    (SigningKeyType::EcdsaP256, "ecdsap256"),
    (SigningKeyType::EcdsaP384, "ecdsap384"),
    (SigningKeyType::Ed25519, "ed25519"),
    (SigningKeyType::Rsa(3072), "rsa3072"),
];

pub(super) fn measure(extent: Extent) -> Result<Section> {
    let time = if extent.quick { Duration::from_millis(100) } else { Duration::from_secs(1) };
    let mut rows = vec![
        row("parse the watch's event", parse(time)?, None),
        row("decide (service-dns, of 100 Services)", decide(time)?, None),
    ];
    for (key_type, name) in KEYS {
        let steps = Steps::new(key_type)?;
        rows.push(row(&format!("prepare, {key_type}"), steps.prepare(time)?, None));
        rows.push(row(&format!("sign, {key_type}"), steps.sign(time)?, openssl(name, extent.quick)));
        rows.push(row(&format!("finish, {key_type}"), steps.finish(time)?, None));
    }
    Ok(Section {
        name: "steps".into(),
        title: "The steps of an issuance, on one core".into(),
        columns: vec!["takes", "openssl speed"],
        rows,
        plots: vec![],
    })
}

fn row(subject: &str, takes: Figure, openssl: Option<Figure>) -> Row {
    Row { subject: subject.to_owned(), figures: std::iter::once(takes).chain(openssl).collect() }
}

/// How long it takes: the median of many, over so much time.
fn timed(time: Duration, mut step: impl FnMut() -> Result<()>) -> Result<Figure> {
    let (began, mut takes) = (Instant::now(), Vec::new());
    while began.elapsed() < time || takes.len() < 20 {
        let before = Instant::now();
        step()?;
        takes.push(before.elapsed().as_secs_f64() * 1e6);
    }
    takes.sort_by(f64::total_cmp);
    let at = |percent: usize| takes[(takes.len() * percent / 100).min(takes.len() - 1)];
    Ok(Figure { median: at(50), least: at(10), most: at(90), unit: "µs" })
}

fn parse(time: Duration) -> Result<Figure> {
    let event = include_str!("request.json");
    timed(time, || {
        let wire = serde_json::from_str(black_box(event))?;
        black_box(PodCertificateRequest::from_wire(wire)?);
        Ok(())
    })
}

fn decide(time: Duration) -> Result<Figure> {
    const NAME: &str = "bench.example.com/service-dns";
    let signer = ServiceDnsSigner::new(ServiceDnsConfig::new(NAME.parse()?));
    let others = (0..99).map(|i| Service::new(format!("other-{i}"), [("app", "other")]));
    let services = others.chain([Service::new("web", [("app", "web")])]);
    let request = RequestBuilder::new(NAME).label("app", "web").services(services).build();
    timed(time, || match block_on(signer.decide(black_box(&request)))? {
        Decision::Issue(leaf) => {
            black_box(leaf);
            Ok(())
        }
        other => Err(format!("{other:?}").into()),
    })
}

/// A CA, and what it is to sign.
struct Steps {
    pool: CaPool,
    leaf: Leaf,
    key: PublicKey,
    terms: Terms,
    now: Timestamp,
}

impl Steps {
    fn new(key_type: SigningKeyType) -> Result<Self> {
        let now = Timestamp::now();
        let root = NewRoot {
            id: "1".into(),
            common_name: root_common_name("bench", "1", [1, 2, 3, 4])?,
            uri: None,
            validity: NewRoot::DEFAULT_VALIDITY,
        };
        let ca = CertificateAuthority::new_root(
            root,
            SigningKey::generate(key_type)?,
            SerialNumber::from_random([7; 16]),
            now - Duration::from_secs(3600),
        )?;
        Ok(Self {
            pool: CaPool::new(vec![ca])?,
            leaf: Leaf::server().dns_name("web.shop.svc.cluster.local".parse()?),
            key: PublicKey::from_pkix(&ca_pool::EXAMPLE_P256_SPKI)?,
            terms: Terms::default(),
            now,
        })
    }

    fn prepared(&self) -> Result<ca_pool::Prepared<'_>> {
        let (ca, serial) = (self.pool.authority(0), SerialNumber::from_random([9; 16]));
        Ok(prepare(black_box(&self.leaf), &self.key, &self.terms, ca, serial, self.now)?)
    }

    fn prepare(&self, time: Duration) -> Result<Figure> {
        timed(time, || {
            black_box(self.prepared()?);
            Ok(())
        })
    }

    fn sign(&self, time: Duration) -> Result<Figure> {
        let prepared = self.prepared()?;
        let key = self.pool.authority(0).key();
        timed(time, || {
            black_box(block_on(key.sign(black_box(prepared.to_be_signed())))?);
            Ok(())
        })
    }

    /// Each needs what the steps before it leave; only it is timed.
    fn finish(&self, time: Duration) -> Result<Figure> {
        let signature = block_on(self.pool.authority(0).key().sign(self.prepared()?.to_be_signed()))?;
        let (began, mut takes) = (Instant::now(), Vec::new());
        // an ECDSA signature holds for what was signed, which is the same each time
        while began.elapsed() < time || takes.len() < 20 {
            let prepared = self.prepared()?;
            let before = Instant::now();
            black_box(prepared.finish(black_box(&signature))?);
            takes.push(before.elapsed().as_secs_f64() * 1e6);
        }
        Ok(Figure::of(&takes, "µs"))
    }
}

/// What OpenSSL takes for a signature, if it is there and says so.
fn openssl(algorithm: &str, quick: bool) -> Option<Figure> {
    let seconds = if quick { "1" } else { "3" };
    let output =
        Command::new("openssl").args(["speed", "-mr", "-seconds", seconds, algorithm]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // +F2:3:3072:734.0:36322.0, +F4:3:256:71666.7:24188.0, +F6:0:253:Ed25519:43589.0:16070.0: signatures a
    // second, then verifications
    let line =
        text.lines().find(|line| ["+F2:", "+F4:", "+F6:"].iter().any(|kind| line.starts_with(kind)))?;
    let per_second: f64 = line.split(':').nth(if line.starts_with("+F6:") { 4 } else { 3 })?.parse().ok()?;
    Some(Figure::one(1e6 / per_second, "µs"))
}
