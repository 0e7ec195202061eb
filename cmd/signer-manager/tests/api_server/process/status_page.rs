//! The page for people.

use test_cluster::{Error, NewPod};

use crate::{
    process::source,
    support::{ask, eventually, http::get, on_cluster, process::signer_manager, setup::Setup},
};

#[tokio::test]
async fn it_shows_what_each_signer_does_and_can_be_switched_off() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("shown");
        let setup = Setup::new().signer(&signer, "kind: service-dns");
        let process = setup.spawn(scope.cluster());
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        let (_, request) =
            ask(&kubelet, NewPod::new(&namespace, "web-0").certificate(source(&signer))).await?;
        let expected = [
            format!("<h2>{signer}</h2>"),
            "<strong>CA 1</strong>, active".to_owned(),
            "<h3>1 request waits</h3>".to_owned(),
            format!("<td>{namespace}</td><td>{}</td>", request.name),
            "<td>WaitingForService</td>".to_owned(),
            format!("<td class=\"warn\">Pending: WaitingForService</td><td>{namespace}</td><td>web-0</td>"),
        ];
        eventually("the status page", async || {
            let page = get(process.http, "/").await.map_err(|error| error.to_string())?.body;
            let lacks = expected.iter().find(|part| !page.contains(*part));
            lacks.map_or(Ok(()), |part| Err(format!("{part} isn't in\n{page}")))
        })
        .await;
        let hidden = setup.spawn_by(signer_manager(), scope.cluster(), &["--status-page=false"]);
        hidden.ready().await;
        assert_eq!(get(hidden.http, "/").await.unwrap().code, 404);
        Ok(())
    })
    .await
}
