//! What service-dns certifies. What it hasn't heard of yet is in no certificate, so Services come before the
//! manager, which lists them before it looks at a request.

use test_cluster::{CertificateSource, Error, KeyType, NewPod, NewService, verify::Purpose};

use crate::support::{ask, issued::issued, on_cluster, setup::Setup};

#[tokio::test]
async fn service_dns_certifies_the_services_that_select_the_pod_and_nothing_else() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        let service = |name: &str| NewService::new(&namespace, name);
        let web = |name: &str| service(name).selects("app", "web");
        scope
            .create_services([
                web("web"),
                web("headless").headless(),
                web("node-port").of_type("NodePort"),
                web("balanced").of_type("LoadBalancer"),
                web("narrower").selects("tier", "front"),
                service("other").selects("app", "other"),
                service("bare"),
                web("alias").external_name("web.example.com"),
            ])
            .await?;
        let foreign = scope.namespace("foreign").await?;
        scope.create_service(NewService::new(&foreign, "web").selects("app", "web")).await?;
        let manager = Setup::new().signer(&name, "kind: service-dns").start(scope);

        let kubelet = scope.kubelet().await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let pod = NewPod::new(&namespace, "web-0").label("app", "web").certificate(source);
        let (pod, request) = ask(&kubelet, pod).await?;
        let issued = issued(scope, &request).await?;
        for uid in [&request.uid, &pod.uid] {
            assert_eq!(scope.events(&namespace, uid).await?, [], "nobody has to act");
        }

        let names =
            ["balanced", "headless", "node-port", "web"].map(|service| format!("{service}.{namespace}.svc"));
        assert_eq!(issued.leaf().dns_names(), names);
        assert_eq!(issued.leaf().alternative_name_count(), 4);
        assert_eq!(issued.leaf().subject(), "");
        assert_eq!(issued.leaf().extended_key_usages(), ["serverAuth"]);
        issued.assert_times(86_400, 43_200);
        // its condition may be made a while after it
        assert!((119..180).contains(&issued.backdated_seconds(&request).await?));
        for name in &names {
            issued.chain.verify(Purpose::ServerNamed(name)).unwrap();
        }
        issued.chain.verify(Purpose::ServerNamed(&format!("other.{namespace}.svc"))).unwrap_err();
        issued.chain.verify(Purpose::Client).unwrap_err();
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn service_dns_knows_a_stateful_set_s_pod_under_each_suffix() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("db").await?, scope.signer_name("service-dns"));
        let fields = "kind: service-dns, podNames: true, dnsSuffixes: [svc, svc.cluster.local]";
        scope.create_service(NewService::new(&namespace, "db").selects("app", "db").headless()).await?;
        let manager = Setup::new().signer(&name, fields).start(scope);
        let kubelet = scope.kubelet().await?;
        let member = |pod: &str| {
            let source = CertificateSource::new(&name, KeyType::Ed25519);
            NewPod::new(&namespace, pod).label("app", "db").subdomain("db").certificate(source)
        };

        let (_, request) = ask(&kubelet, member("db-0").hostname("db-0")).await?;
        let stable = issued(scope, &request).await?;
        let names = [
            format!("db-0.db.{namespace}.svc"),
            format!("db-0.db.{namespace}.svc.cluster.local"),
            format!("db.{namespace}.svc"),
            format!("db.{namespace}.svc.cluster.local"),
        ];
        assert_eq!(stable.leaf().dns_names(), names);

        // another pod's hostname is no name of one's own
        let (_, request) = ask(&kubelet, member("db-1").hostname("db-0")).await?;
        assert_eq!(issued(scope, &request).await?.leaf().dns_names(), names[2..]);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn service_dns_certifies_the_picked_services_alone() -> Result<(), Error> {
    on_cluster(async |scope| {
        if !scope.cluster().served().has_user_annotations() {
            return Ok(());
        }
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        let services =
            ["a", "b", "c"].map(|service| NewService::new(&namespace, service).selects("app", "web"));
        scope.create_services(services).await?;
        let manager = Setup::new().signer(&name, "kind: service-dns").start(scope);
        let source = CertificateSource::new(&name, KeyType::EcdsaP256)
            .user_annotation(&format!("{name}-services"), "c, a");
        let pod = NewPod::new(&namespace, "web-0").label("app", "web").certificate(source);
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        let names = ["a", "c"].map(|service| format!("{service}.{namespace}.svc"));
        assert_eq!(issued(scope, &request).await?.leaf().dns_names(), names);
        manager.stop().await;
        Ok(())
    })
    .await
}
